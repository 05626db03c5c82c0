"""The file of the push queue: its tables, connections to it, and what is due in it.

Entries are rows of one push for one source. A batch is entries that follow each other, from `first` to `last`; it is on
disk before anything of it is written. `taken` is the last entry of a source that is in a batch, or was; `rows` and
`oldest_us` of a source are of the entries after that. Times are microseconds since 1970.
"""

import sqlite3
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from feast_core import sqlite_files
from feast_core.interfaces import batch_id
from feast_core.processes import Process
from feast_core.sqlite_files import File

#: Of one batch, which is in memory while it is written. An entry that is larger is a batch of its own.
MAX_BATCH_BYTES = 16 * 2**20
MAX_BATCH_ROWS = 50_000
#: A batch that failed is tried again after a second, then after twice as long each time, up to five minutes.
_FIRST_DELAY_US = 1_000_000
_LONGEST_DELAY_US = 300_000_000
#: Who holds a batch for so long is taken to be gone, since of a process on another machine, or in another container,
#: nobody here can tell. Should it be at work still, the same batch is written twice at once, which writers bear.
_SILENT_US = 120_000_000
#: The log of a large push is cut to this after it.
_LONGEST_LOG_BYTES = 64 * 2**20

# AUTOINCREMENT: the number of an entry that was deleted is not given to another one, so that a batch is a range.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sources (
    id INTEGER PRIMARY KEY, project TEXT NOT NULL, name TEXT NOT NULL, rows INTEGER NOT NULL,
    oldest_us INTEGER NOT NULL, taken INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,
    failed_us INTEGER NOT NULL DEFAULT 0, UNIQUE (project, name));
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source INTEGER NOT NULL, rows INTEGER NOT NULL, queued_us INTEGER NOT NULL,
    body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS entries_of_source ON entries (source);
CREATE TABLE IF NOT EXISTS batches (
    id TEXT PRIMARY KEY, source INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, rows INTEGER NOT NULL,
    oldest_us INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, tried_us INTEGER NOT NULL DEFAULT 0, error TEXT,
    host TEXT, machine TEXT, pid INTEGER, started INTEGER);
"""


class QueueFile:
    """One connection to the file, opened when it is first used, and again where another file stands at the path."""

    def __init__(self, path: Path) -> None:
        #: Held by who uses the connection.
        self.lock = threading.RLock()
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._file: File | None = None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """What is read in the block is of one moment. Raises Unavailable."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """What the block does is on disk when it is left, or not done at all. Raises Unavailable."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self.lock:
            try:
                connection = self._open()
                connection.execute(begin)
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:  # it was not committed
                        connection.execute("ROLLBACK")
            except (sqlite3.Error, OSError) as error:
                name = f"the push queue {self._path.name}"
                when_damaged = (
                    "rows in it are not in their sources yet: get them out with `sqlite3 FILE .recover`, or do without"
                    f" them and move it and {self._path.name}-wal away"
                )
                raise sqlite_files.unavailable(name, self._path, error, when_damaged) from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._file != File.at(self._path):
            self.close()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self._path, timeout=sqlite_files.BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            sqlite_files.switch_to_wal(self._connection)
            # What is committed is on the disk, and not only with the system: it outlives the fall of the machine.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(f"PRAGMA journal_size_limit = {_LONGEST_LOG_BYTES}")
            self._connection.executescript(_SCHEMA)
            self._file = File.at(self._path)
        return self._connection

    def close(self) -> None:
        """It is opened again where it is used again."""
        with self.lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()


@dataclass(frozen=True, slots=True)
class Due:
    """When rows of a source are to be written: as soon as there are `rows` of them, or the oldest has waited for
    `seconds`."""

    rows: int = 1
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is due: entries of a source (number and name) that are in no batch yet or, with an id, a batch that is to be
    tried again. It has been waiting since then."""

    since_us: int
    source: int
    name: str
    batch: str | None = None


def now_us() -> int:
    """The time in microseconds since 1970."""
    return time.time_ns() // 1000


def next_due(
    connection: sqlite3.Connection, project: str, due: Due, by_us: int | None, busy: Collection[str]
) -> Candidate | None:
    """What is due and has waited longest. See `PushQueue.claim` for the parameters."""
    now = now_us()
    found = [*_sources_due(connection, project, due, now, by_us), *_batches_due(connection, project, now, by_us)]
    free = [candidate for candidate in found if candidate.name not in busy]
    return min(free, key=lambda candidate: candidate.since_us, default=None)


def _sources_due(
    connection: sqlite3.Connection, project: str, due: Due, now: int, by_us: int | None
) -> Iterator[Candidate]:
    query = "SELECT id, name, rows, oldest_us, failures, failed_us FROM sources WHERE project = ? AND rows > 0"
    for source, name, rows, oldest_us, failures, failed_us in connection.execute(query, (project,)):
        if by_us is None:
            is_due = rows >= due.rows or _is_over(oldest_us, int(due.seconds * 1e6), now)
            has_rested = failures == 0 or _is_over(failed_us, _delay_us(failures), now)
        else:
            is_due, has_rested = oldest_us <= by_us, failed_us <= by_us
        if is_due and has_rested:
            yield Candidate(oldest_us, source, name)


def _batches_due(connection: sqlite3.Connection, project: str, now: int, by_us: int | None) -> Iterator[Candidate]:
    query = (
        "SELECT batches.id, source, name, attempts, tried_us, host, machine, pid, started FROM batches"
        " JOIN sources ON sources.id = source WHERE project = ?"
    )
    for number, source, name, attempts, tried_us, host, machine, pid, started in connection.execute(query, (project,)):
        has_rested = _is_over(tried_us, _delay_us(attempts), now) if by_us is None else tried_us <= by_us
        if has_rested and (
            machine is None or _is_over(tried_us, _SILENT_US, now) or Process(host, machine, pid, started).is_gone
        ):
            yield Candidate(tried_us, source, name, number)


def _is_over(since_us: int, length_us: int, now: int) -> bool:
    """Whether so much time has gone by; also where the clock was set back, which would make it a long time."""
    return not since_us <= now < since_us + length_us


def _delay_us(failures: int) -> int:
    return min(_LONGEST_DELAY_US, _FIRST_DELAY_US << min(failures - 1, 30))


def new_batch(connection: sqlite3.Connection, source: int, by_us: int | None) -> str:
    """Put the oldest entries of a source, which has some, into a batch, as many as it may hold; its id."""
    entries = connection.execute(
        "SELECT entries.id, entries.rows, length(body), queued_us FROM entries JOIN sources ON sources.id = source"
        " WHERE source = ? AND entries.id > taken ORDER BY entries.id",
        (source,),
    )
    first, rows, size, oldest_us = next(entries)
    last, next_us = first, oldest_us
    for number, more_rows, more_bytes, queued_us in entries:
        next_us = queued_us
        is_full = rows + more_rows > MAX_BATCH_ROWS or size + more_bytes > MAX_BATCH_BYTES
        if is_full or (by_us is not None and queued_us > by_us):
            break
        last, rows, size = number, rows + more_rows, size + more_bytes
    entries.close()
    made = batch_id()
    connection.execute(
        "INSERT INTO batches (id, source, first, last, rows, oldest_us) VALUES (?, ?, ?, ?, ?, ?)",
        (made, source, first, last, rows, oldest_us),
    )
    connection.execute(
        "UPDATE sources SET taken = ?, rows = rows - ?, oldest_us = ? WHERE id = ?", (last, rows, next_us, source)
    )
    return made
