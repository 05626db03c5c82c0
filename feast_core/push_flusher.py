"""Brings rows of the push queue to their batch sources: when they are due, or all at once."""

import logging
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from feast_core.errors import FeastError, SourceError
from feast_core.interfaces import Observer
from feast_core.observing import finished, tell
from feast_core.push_queue import PushQueue, QueuedBatch
from feast_core.push_queue_file import Due, now_us

if TYPE_CHECKING:
    from feast_core.store import FeatureStore

logger = logging.getLogger("feast")

OPERATION = "offline-push-flush"
#: When rows are due, where feature_store.yaml does not say.
_BATCH_SIZE, _BATCH_INTERVAL_SECONDS = 100, 10
#: Sources that are written to at a time: a batch of each is in memory.
_MOST_AT_ONCE = 4
#: How often the queue is looked at, which other processes fill too. A look takes 0.03 ms, where there is no file 0.003.
_LOOK_SECONDS = 0.25


def open_queue(store: "FeatureStore") -> "tuple[PushQueue, Flusher]":
    """The push queue of a store, and what empties it; both end with the store."""
    server = store.config.feature_server
    queue = PushQueue(server.offline_push_queue_path)
    store.closing(queue.close)
    due = Due()  # where nothing is queued any more, what is left goes at once
    if server.offline_push_batching_enabled:
        rows = server.offline_push_batching_batch_size or _BATCH_SIZE
        due = Due(rows, server.offline_push_batching_batch_interval_seconds or _BATCH_INTERVAL_SECONDS)
    flusher = Flusher(store, queue, due)
    store.closing(flusher.stop)
    return queue, flusher


class Flusher:
    """One per store. What it writes goes through `feast_offline_writer`; observers of `offline-push-flush` are told of
    every batch, with the label `data_source`. A batch that cannot be written stays in the queue."""

    def __init__(self, store: "FeatureStore", queue: PushQueue, due: Due) -> None:
        self._store = store
        self._queue = queue
        self._due = due
        self._observers: dict[str, Sequence[Observer]] = {}
        self._said: dict[str, str] = {}
        self._busy: set[str] = set()
        self._over = False
        self._wake = threading.Event()
        self._give_up = 0.0
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether rows that are queued now are written by this process when they are due."""
        return self._thread is not None and not self._over

    def start(self) -> None:
        """Write from now on, in a thread, what is due: also what other processes have queued and left."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="push flusher", daemon=True)
            self._thread.start()

    def stop(self, seconds: float = 1.0) -> None:
        """Let all that is queued now be written, for so many seconds at most, and nothing after. What is left then, as
        for a source that hangs, is for the next process."""
        if self._thread is None or self._over:
            return
        self._give_up = time.monotonic() + seconds
        self._over = True
        self._wake.set()
        self._thread.join(seconds)

    def flush(self, sources: Collection[str] | None = None) -> None:
        """Write all that is queued now for these sources, or for all, and that no other process has in hand. What
        cannot be written is logged and stays in the queue. Raises Unavailable where the queue cannot be used."""
        by_us = now_us()
        others: set[str] = set()
        if sources is not None:  # one of the others may hang, which is no matter of who asks
            others = {found.source for found in self._queue.status(self._store.project)}.difference(sources)
        while (batch := self._queue.claim(self._store.project, self._due, by_us, others)) is not None:
            self._write(batch)

    def _run(self) -> None:
        while not self._over:
            self._begin()
            self._wake.wait(_LOOK_SECONDS)
            self._wake.clear()
        by_us = now_us()
        while time.monotonic() < self._give_up:
            self._begin(by_us)
            if not self._busy:
                return
            self._wake.wait(max(0.0, self._give_up - time.monotonic()))
            self._wake.clear()

    def _begin(self, by_us: int | None = None) -> None:
        """Begin to write what is due, each source in a thread of its own, so that one that hangs holds up no other."""
        with self._told_of_failure():
            while len(self._busy) < _MOST_AT_ONCE:
                batch = self._queue.claim(self._store.project, self._due, by_us, self._busy)
                if batch is None:
                    self._say("", "")
                    return
                writing = threading.Thread(target=self._write_apart, args=(batch,), name="push flush", daemon=True)
                self._busy.add(batch.source)
                try:
                    writing.start()
                except RuntimeError:  # no more threads: the batch is taken up again when it was silent for long
                    self._busy.discard(batch.source)
                    raise

    def _write_apart(self, batch: QueuedBatch) -> None:
        with self._told_of_failure():
            self._write(batch)
        self._busy.discard(batch.source)
        self._wake.set()

    @contextmanager
    def _told_of_failure(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # boundary: a disk that is full, or a plugin; the next look may find it better
            logger.debug("the push queue could not be emptied", exc_info=True)
            self._say("", f"pushed rows stay in the queue for now: {_reason(error)}")

    def _write(self, batch: QueuedBatch) -> None:
        started = time.perf_counter()
        error = self._attempt(batch)
        if error is None:
            self._queue.forget(batch)
            self._say(batch.source, "")
        else:
            reason = _reason(error)
            self._say(batch.source, f"{batch.source}: pushed rows cannot be written and stay in the queue: {reason}")
            self._queue.failed(batch, reason)
        if batch.source not in self._observers:
            self._observers[batch.source] = self._store.observers(OPERATION, {"data_source": batch.source})
        tell(self._observers[batch.source], finished(OPERATION, started, batch.rows, error))

    def _attempt(self, batch: QueuedBatch) -> Exception | None:
        """Write the batch; the error that kept it from being written."""
        try:
            source = self._store.snapshot.data_sources.get(batch.source)
            if source is None:
                raise SourceError(f"no data source of this name is applied to project {self._store.project} any more")
            writer = self._store.plugins.hook.feast_offline_writer(store=self._store, source=source)
            writer.write(batch.bodies, batch.id)
        except Exception as error:  # boundary: one batch, whatever writes it, does not hold up the others
            logger.debug("a batch of %s was not written", batch.source, exc_info=True)
            return error
        return None

    def _say(self, about: str, problem: str) -> None:
        """Log a problem once, not at every attempt, and that it is over."""
        before = self._said.get(about, "")
        if problem == before:
            return
        self._said[about] = problem
        if problem:
            logger.warning("%s", problem)
        else:
            logger.warning("%s: it is over", before)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, FeastError) else f"unexpected {type(error).__name__}: {error}"
