"""Rows on their way to a batch source, kept on disk until they are there. Any number of processes share one queue.

Rows that `PushQueue.put` has taken survive the death of the process and the fall of the machine. They leave in batches:
`claim` gives one out under an id that is on disk before anything is written, and `forget` ends it. Whoever dies between
leaves the batch to the next one, with the same rows and the same id; that they are then in the source once is the
promise of `OfflineWriter.write`.
"""

import sqlite3
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from feast_core.errors import Unavailable
from feast_core.interfaces import EncodedRows
from feast_core.processes import Process
from feast_core.push_queue_file import Due, QueueFile, new_batch, next_due, now_us

#: Of rows that wait for the disk, in memory; beyond it a push is refused.
MAX_WAITING_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class QueuedBatch:
    """Rows of one source that were taken to be written: `rows` of them, in `bodies` as a writer has encoded them, in
    order. `attempts` counts from 1."""

    id: str
    source: str
    rows: int
    attempts: int
    bodies: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """What is queued for one source: `rows` in all, of which the oldest has waited for so long; rows of batches that
    failed, and, of the one that was tried most often, the number of attempts and the last error."""

    source: str
    rows: int
    oldest_seconds: float
    failing_rows: int = 0
    attempts: int = 0
    error: str = ""


@dataclass(slots=True)
class _Put:
    """Rows that somebody wants to be on disk, and what became of them."""

    project: str
    source: str
    encoded: Sequence[EncodedRows]
    size: int
    error: Unavailable | None = None
    done: bool = False


class PushQueue:
    """The queue in one SQLite file, which is made with the first rows. Safe to use from several threads. Every method
    may block, and raises Unavailable where the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[_Put] = []
        self._waiting_bytes = 0
        self._waiting_lock = threading.Lock()
        self._writer = QueueFile(path)
        self._reader = QueueFile(path)
        self._given_out: set[str] = set()

    @cached_property
    def _self(self) -> Process:
        return Process.current()

    def put(self, project: str, source: str, encoded: Sequence[EncodedRows]) -> None:
        """Queue rows for a batch source: all of them are on disk when it returns, or none is queued.

        Raises Unavailable also where more waits for the disk than memory is to be spent on.
        """
        if not any(rows.rows for rows in encoded):
            return
        put = _Put(project, source, encoded, sum(len(rows.body) for rows in encoded))
        with self._waiting_lock:
            if self._waiting_bytes and self._waiting_bytes + put.size > MAX_WAITING_BYTES:
                raise Unavailable("too many pushed rows wait for the disk; send them again later")
            self._waiting.append(put)
            self._waiting_bytes += put.size
        # While one thread commits, others gather here; the first of them then commits what all of them have brought.
        with self._writer.lock:
            if not put.done:
                self._commit_waiting()
        if put.error is not None:
            raise Unavailable(str(put.error)) from put.error

    def _commit_waiting(self) -> None:
        with self._waiting_lock:
            group, self._waiting = self._waiting, []
        error: Unavailable | None = Unavailable("the push was interrupted; send it again")
        try:
            with self._writer.writing() as connection:
                for put in group:
                    _insert(connection, put)
            error = None
        except Unavailable as failure:
            error = failure
        finally:
            for put in group:
                put.error, put.done = error, True
            with self._waiting_lock:
                self._waiting_bytes -= sum(put.size for put in group)

    def claim(self, project: str, due: Due, by_us: int | None = None, busy: Collection[str] = ()) -> QueuedBatch | None:
        """Take what is due and has waited longest, to be written by this process, which then calls `forget` or
        `failed`; None where nothing is due. A batch whose holder is gone is given out again. Sources that are `busy`
        are left out.

        With `by_us`, a time in microseconds since 1970, all that was queued until then is due, and what failed before
        it need not rest; what was queued or tried later is left alone. So a loop that writes what there is ends.
        """
        if not self.path.exists():
            return None
        with self._reader.reading() as connection:
            # Without the lock of a writer, since this is asked several times a second, as a rule for nothing.
            if next_due(connection, project, due, by_us, busy) is None:
                return None
        with self._writer.writing() as connection:
            found = next_due(connection, project, due, by_us, busy)
            if found is None:
                return None  # another process was faster
            number = found.batch or new_batch(connection, found.source, by_us)
            connection.execute(_HOLD, (now_us(), *self._holder, self._self.host, number))
            name, rows, attempts = connection.execute(_BATCH, (number,)).fetchone()
            bodies = tuple(body for (body,) in connection.execute(_BODIES, (number,)))
        self._given_out.add(number)
        return QueuedBatch(number, name, rows, attempts, bodies)

    @property
    def _holder(self) -> tuple[str, int, int]:
        return self._self.machine, self._self.pid, self._self.started

    def has_given_out(self, number: str) -> bool:
        """Whether this is the id of a batch that this process has claimed, and neither forgotten nor given back."""
        return number in self._given_out

    def forget(self, batch: QueuedBatch) -> None:
        """The batch is in its source. What failed there before is tried again at once: the source is back."""
        self._given_out.discard(batch.id)
        with self._writer.writing() as connection:
            found = connection.execute("SELECT source FROM batches WHERE id = ?", (batch.id,)).fetchone()
            if found is None:
                return  # somebody took this process to be gone, wrote the batch, and was faster
            connection.execute(_DELETE_ENTRIES, (batch.id,))
            connection.execute("DELETE FROM batches WHERE id = ?", (batch.id,))
            if connection.execute("UPDATE sources SET failures = 0 WHERE id = ? AND failures > 0", found).rowcount:
                connection.execute("UPDATE batches SET tried_us = 0 WHERE source = ? AND machine IS NULL", found)

    def failed(self, batch: QueuedBatch, error: str) -> None:
        """The batch could not be written: it is kept, and tried again after a time that doubles with each attempt. A
        source of which new batches fail rests likewise; one whose new batches succeed does not wait for an old one."""
        self._given_out.discard(batch.id)
        now = now_us()
        with self._writer.writing() as connection:
            kept = connection.execute(_GIVE_BACK, (error, now, batch.id, *self._holder)).rowcount
            if kept and batch.attempts == 1:
                connection.execute(_COUNT_FAILURE, (now, batch.id))

    def status(self, project: str) -> list[SourceStatus]:
        """What is queued, by the names of sources; those with nothing in the queue are left out."""
        if not self.path.exists():
            return []
        with self._reader.reading() as connection:
            sources = connection.execute(
                "SELECT id, name, rows, oldest_us FROM sources WHERE project = ? ORDER BY name", (project,)
            ).fetchall()
            batches = connection.execute(
                "SELECT source, rows, oldest_us, attempts, error FROM batches ORDER BY attempts DESC, id"
            ).fetchall()
        statuses = []
        for number, name, rows, oldest_us in sources:
            taken = [batch[1:] for batch in batches if batch[0] == number]
            failing = [(count, attempts, error) for count, _, attempts, error in taken if error is not None]
            waiting = [(count, since_us) for count, since_us, _, _ in taken]
            if rows:
                waiting.append((rows, oldest_us))
            if not waiting:
                continue
            queued = sum(count for count, _ in waiting)
            seconds = max(0, now_us() - min(since_us for _, since_us in waiting)) / 1e6
            failing_rows = sum(count for count, _, _ in failing)
            attempts, error = failing[0][1:] if failing else (0, "")
            statuses.append(SourceStatus(name, queued, seconds, failing_rows, attempts, error))
        return statuses

    def close(self) -> None:
        """Nothing is lost: what is queued is on disk."""
        self._writer.close()
        self._reader.close()


_COUNT_ROWS = """
INSERT INTO sources (project, name, rows, oldest_us) VALUES (?, ?, ?, ?)
ON CONFLICT (project, name) DO UPDATE
SET oldest_us = CASE WHEN rows > 0 THEN oldest_us ELSE excluded.oldest_us END, rows = rows + excluded.rows"""
_HOLD = """
UPDATE batches SET attempts = attempts + 1, tried_us = ?, machine = ?, pid = ?, started = ?, host = ? WHERE id = ?"""
_GIVE_BACK = """
UPDATE batches SET error = ?, tried_us = ?, host = NULL, machine = NULL, pid = NULL, started = NULL
WHERE id = ? AND machine = ? AND pid = ? AND started = ?"""
_COUNT_FAILURE = """
UPDATE sources SET failures = failures + 1, failed_us = ? WHERE id = (SELECT source FROM batches WHERE id = ?)"""
_BATCH = """
SELECT name, batches.rows, attempts FROM batches JOIN sources ON sources.id = source WHERE batches.id = ?"""
_BODIES = """
SELECT body FROM batches JOIN entries ON entries.source = batches.source AND entries.id BETWEEN first AND last
WHERE batches.id = ? ORDER BY entries.id"""
_DELETE_ENTRIES = """
DELETE FROM entries WHERE id IN (
    SELECT entries.id FROM batches JOIN entries ON entries.source = batches.source AND entries.id BETWEEN first AND last
    WHERE batches.id = ?)"""


def _insert(connection: sqlite3.Connection, put: _Put) -> None:
    now = now_us()
    rows = sum(found.rows for found in put.encoded)
    connection.execute(_COUNT_ROWS, (put.project, put.source, rows, now))
    query = "SELECT id FROM sources WHERE project = ? AND name = ?"
    (source,) = connection.execute(query, (put.project, put.source)).fetchone()
    connection.executemany(
        "INSERT INTO entries (source, rows, queued_us, body) VALUES (?, ?, ?, ?)",
        [(source, found.rows, now, found.body) for found in put.encoded],
    )
