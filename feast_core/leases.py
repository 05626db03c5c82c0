"""The lease of a view: held while a run materializes it, so that a second run of the view is refused.

It is renewed by a thread for as long as the run goes on, and ends with it. The lease of a run that was killed does not
stop the next one: on the same machine its process is seen to be gone, and elsewhere it ends after `LEASE_SECONDS`.
"""

import logging
import threading
import uuid
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from feast_core.errors import Conflict, FeastError
from feast_core.interfaces import Interval, Lease, Registry
from feast_core.processes import Process

logger = logging.getLogger("feast")

#: For how long a lease holds that nobody renews. Long beside what a registry keeps a renewal waiting as a rule; one
#: that waits longer still counts, unless another run came first.
LEASE_SECONDS = 30.0


class HeldLease:
    """The lease of one run on one view, as a context manager.

    Entering raises Conflict where another run holds the view.
    """

    def __init__(self, registry: Registry, project: str, view: str, seconds: float = LEASE_SECONDS) -> None:
        self._registry = registry
        self._seconds = seconds
        self._lease = Lease(project, view, uuid.uuid4().hex, Process.current(), datetime.now(UTC))
        self._lost = self._recorded = False
        self._over = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name=f"lease of {view}", daemon=True)

    def __enter__(self) -> Self:
        other = self._registry.take_lease(self._lease, self._seconds)
        if other is not None:
            raise Conflict(_refusal(other))
        self._renewing.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._renewing.join(1.0)  # A registry that is locked may keep it for longer; it does no harm then.
        if self._recorded:
            return
        try:
            self._registry.end_lease(self._lease)
        except FeastError:  # Such as a registry on a disk that is full. The lease ends by itself.
            logger.debug("the lease of %s could not be given back", self._lease.view, exc_info=True)

    def check(self) -> None:
        """Raise Conflict where the lease was found to be lost: this run was suspended, and another one took over."""
        if self._lost:
            raise Conflict(
                f"feature view {self._lease.view}: this run stood still for more than {self._seconds:g} s, and another"
                " one took the view over, or another one was given it by force, or an apply has deleted the view or"
                " given it other join keys; the window of this run is not recorded"
            )

    def record(self, interval: Interval) -> None:
        """Record what this run has done, and end the lease, in one. Raises Conflict where the lease is lost."""
        # What is recorded has ended the lease, so that a renewal under way finds it lost: no `check` where it is.
        self._recorded = self._registry.record_interval(self._lease.project, self._lease.view, interval, self._lease)
        if not self._recorded:
            self._lost = True
            self.check()

    def _renew(self) -> None:
        while not self._over.wait(self._seconds / 3):
            try:
                if not self._registry.renew_lease(self._lease, self._seconds):
                    self._lost = True
                    return
            except FeastError:  # The registry cannot be reached just now: the next time may be in time.
                logger.debug("the lease of %s could not be renewed", self._lease.view, exc_info=True)


def _refusal(other: Lease) -> str:
    message = (
        f"feature view {other.view} is being materialized by another run, {other.holder},"
        f" since {other.since.isoformat(sep=' ', timespec='seconds')}"
    )
    if other.holder.is_here or other.until is None:
        return f"{message}; wait until it has ended"
    until = other.until.isoformat(sep=" ", timespec="seconds")
    return f"{message}; wait until it has ended, or if it was killed, until {until}, when its lease ends"
