"""Whether the registry and the online store answer, and what waits in the push queue: asked off the event loop, at most
once a second."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

from feast_core.errors import FeastError, Unavailable
from feast_core.interfaces import OnlineStore, Registry
from feast_core.store import FeatureStore

#: Probes come from several places at once; their answers may be this old.
_FRESH_SECONDS = 1.0
_TIMEOUT_SECONDS = 2.0
_QUEUE = "the push queue"

logger = logging.getLogger("feast.server")


@dataclass(frozen=True, slots=True)
class Report:
    """What keeps the worker from answering, None while nothing does; and `details` for who asks, which do not."""

    problem: str | None
    details: dict[str, Any]


class Readiness:
    """One per worker. A store that hangs keeps one thread, however often it is asked for."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store
        self._parts: dict[str, Registry | OnlineStore] = {
            "the registry": store.registry,
            "the online store": store.online,
        }
        self._asked = 0.0
        self._asking_for = ""
        self._answer: asyncio.Task[Report] | None = None

    async def report(self) -> Report:
        """How it stands, at most a second ago."""
        if self._answer is None or (self._answer.done() and time.monotonic() - self._asked > _FRESH_SECONDS):
            self._asked = time.monotonic()
            self._answer = asyncio.create_task(self._ask())
        try:
            # Shielded: the next one who asks waits for the same answer.
            return await asyncio.wait_for(asyncio.shield(self._answer), _TIMEOUT_SECONDS)
        except TimeoutError:
            if self._asking_for == _QUEUE:
                return Report(None, {"offline_push": {"problem": f"{_QUEUE} does not answer"}})
            return Report(f"{self._asking_for} does not answer", {})

    async def _ask(self) -> Report:
        for name, part in self._parts.items():
            self._asking_for = name
            try:
                await asyncio.to_thread(part.check)
            except Unavailable:
                return Report(f"{name} cannot be reached", {})
            except FeastError:
                return Report(f"{name} cannot be used; the log says why", {})
        self._asking_for = _QUEUE
        return Report(None, await asyncio.to_thread(self._queued))

    def _queued(self) -> dict[str, Any]:
        """What waits to be brought to batch sources; nothing where nothing does. Reads are served all the same."""
        try:
            found = self._store.push_queue.status(self._store.project)
        except Unavailable as error:
            logger.warning("%s", error)
            return {"offline_push": {"problem": f"{_QUEUE} cannot be used; the log says why"}}
        if not found:
            return {}
        failing = [
            {"data_source": source.source, "attempts": source.attempts, "queued_rows": source.failing_rows}
            for source in found
            if source.failing_rows
        ]
        queued = {
            "queued_rows": sum(source.rows for source in found),
            "oldest_seconds": round(max(source.oldest_seconds for source in found), 3),
            "failing": failing,
        }
        return {"offline_push": queued}
