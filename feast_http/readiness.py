"""Whether the registry and the online store answer, asked off the event loop and at most once a second."""

import asyncio
import time

from feast_core.errors import FeastError, Unavailable
from feast_core.interfaces import OnlineStore, Registry
from feast_core.store import FeatureStore

#: Probes come from several places at once; their answers may be this old.
_FRESH_SECONDS = 1.0
_TIMEOUT_SECONDS = 2.0


class Readiness:
    """One per worker. A store that hangs keeps one thread, however often it is asked for."""

    def __init__(self, store: FeatureStore) -> None:
        self._parts: dict[str, Registry | OnlineStore] = {
            "the registry": store.registry,
            "the online store": store.online,
        }
        self._asked = 0.0
        self._asking_for = ""
        self._answer: asyncio.Task[str | None] | None = None

    async def problem(self) -> str | None:
        """What keeps the worker from answering, None while nothing does."""
        if self._answer is None or (self._answer.done() and time.monotonic() - self._asked > _FRESH_SECONDS):
            self._asked = time.monotonic()
            self._answer = asyncio.create_task(self._ask())
        try:
            # Shielded: the next one who asks waits for the same answer.
            return await asyncio.wait_for(asyncio.shield(self._answer), _TIMEOUT_SECONDS)
        except TimeoutError:
            return f"{self._asking_for} does not answer"

    async def _ask(self) -> str | None:
        for name, part in self._parts.items():
            self._asking_for = name
            try:
                await asyncio.to_thread(part.check)
            except Unavailable:
                return f"{name} cannot be reached"
            except FeastError:
                return f"{name} cannot be used; the log says why"
        return None
