"""Connections to one SQLite file: which file it is, how it is opened, and when it closes."""

import errno
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from feast_core.errors import Unavailable

#: How long a writer waits for another one. Readers never wait.
BUSY_SECONDS = 30.0
#: A reader looks this often whether the file at the path is still the one that it has open.
LOOK_SECONDS = 1.0
#: SQLite writes up to that much at once beside a database: the index of its log, or the log of one transaction.
_LITTLE_SPACE = 2**20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)

# AUTOINCREMENT: the number of a dropped view, and so its table, is never given to another one. A process that has not
# heard of the drop yet would read and write the other view's rows.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS feature_views (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (project, name));
CREATE TABLE IF NOT EXISTS row_schemas (
    project TEXT NOT NULL, fingerprint INTEGER NOT NULL, features TEXT NOT NULL, PRIMARY KEY (project, fingerprint));
"""


class File(NamedTuple):
    """Which file it is, whatever its name. The number is not given to another file while this one is open."""

    device: int
    number: int

    @classmethod
    def at(cls, path: Path) -> "File | None":
        """None where there is no file."""
        try:
            found = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return cls(found.st_dev, found.st_ino)


class Held:
    """A connection that closes when the last one who holds it lets go: its thread, by ending, or the store, by closing,
    and a read under way. Closing one that another thread is reading with would take the whole process down."""

    __slots__ = ("connection", "content", "file", "look_at")

    def __init__(self, connection: sqlite3.Connection, file: File, content: "tuple[int, ...] | None") -> None:
        self.connection = connection
        self.file = file
        self.content = content
        self.look_at = time.monotonic() + LOOK_SECONDS

    @property
    def reads_only(self) -> bool:
        """Whether it was opened when the file could not be written."""
        return self.content is not None

    def is_at(self, path: Path) -> bool:
        """Whether the file at the path is the one that this connection reads, and as it was when it was opened if
        SQLite does not look."""
        self.look_at = time.monotonic() + LOOK_SECONDS
        return File.at(path) == self.file and (self.content is None or _content(path) == self.content)

    def __del__(self) -> None:
        self.connection.close()


def connect(path: Path) -> tuple[sqlite3.Connection, tuple[int, ...] | None]:
    """A connection; and `_content` of a file that can only be read now and that therefore must not change under it:
    since this user may not write it, or since its disk is full."""
    try:
        return _opened(str(path), _prepare), None
    except sqlite3.OperationalError as error:
        content = _content(path)
        can_be_written = _is_writable(path) and not _is_full(path, error)
        # What is in a log that cannot be read would be missing.
        if can_be_written or not path.is_file() or content[-1]:
            raise
        # WAL needs a file beside the database, also for reading, unless SQLite is told that nobody writes.
        connection = _opened(f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1", _tune)
        if not _has_tables(connection):  # the disk was full before they could be made
            connection.close()
            raise
        return connection, content


def _opened(database: str, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    connection = sqlite3.connect(
        database,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        cached_statements=512,
        check_same_thread=False,
        uri=prepare is _tune,
    )
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_writable(path: Path) -> bool:
    """Whether this process may write the file and make others beside it."""
    effective = os.access in os.supports_effective_ids
    return all(os.access(each, os.W_OK, effective_ids=effective) for each in (path, path.parent))


def _content(path: Path) -> tuple[int, ...]:
    """What changes when the file is written: its time in ns, its size and, last, that of its log."""
    found = os.stat(path)
    try:
        log = os.stat(f"{path}-wal").st_size
    except FileNotFoundError:
        log = 0
    return found.st_mtime_ns, found.st_size, log


def _tune(connection: sqlite3.Connection) -> None:
    # Not mapped into memory: a file that is truncated, or a disk that fails, would then end the process, not the read.
    # With a cache of 64 MiB that costs nothing while the rows in use fit into it, and under writes; measured on 137 MB
    # of rows read at random, 100 keys take 0.37 ms instead of 0.21.
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute("PRAGMA cache_size = -65536")


def _prepare(connection: sqlite3.Connection) -> None:
    """Settings of a new connection; the tables that are not there yet."""
    # Pages hold a whole row of 50 features or more; set before the file is made, without effect after.
    connection.execute("PRAGMA page_size = 8192")
    _switch_to_wal(connection)
    # In WAL mode NORMAL loses nothing when the process dies, only when the machine does; and features come again.
    connection.execute("PRAGMA synchronous = NORMAL")
    _tune(connection)
    if not _has_tables(connection):
        connection.executescript(_SCHEMA)


def _has_tables(connection: sqlite3.Connection) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'row_schemas'"
    found: tuple[int] = connection.execute(query).fetchone()
    return found[0] == 1


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Where several processes open a new file at once, SQLite fails here without waiting, whatever the timeout is."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.002)


def unavailable(path: Path, error: Exception) -> Unavailable:
    """What went wrong and what to do, without the directory: it may reach a client."""
    store = f"the online store {path.name}"
    if _is_full(path, error):
        return Unavailable(f"{store} cannot be written: its disk is full; make room there and run it again")
    if _code(error) == sqlite3.SQLITE_READONLY or (isinstance(error, OSError) and error.errno in _NOT_ALLOWED):
        return Unavailable(f"{store} cannot be written: it or its directory is read-only for this user")
    if isinstance(error, OSError):
        return Unavailable(f"{store} cannot be used: {error.strerror}")  # its own text ends with the path
    match _code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Unavailable(f"{store} is locked by another process; gave up after {BUSY_SECONDS:g} s")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Unavailable(
                f"{store} cannot be used: it is damaged, or is no SQLite file ({error}); restore it from a copy, or"
                f" move it and {path.name}-wal away and run `feast materialize` for the time that is needed"
            )
        case sqlite3.SQLITE_CANTOPEN:
            return Unavailable(f"{store} cannot be opened: {_obstacle(path)}")
        case sqlite3.SQLITE_IOERR:
            return Unavailable(f"{store} cannot be used: {error}; see whether its disk is over a quota, or failing")
    return Unavailable(f"{store} cannot be used: {error}")


def _code(error: Exception) -> int:
    """SQLite's number of an error, without what it says more than anybody needs; 0 where it is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _is_full(path: Path, error: Exception) -> bool:
    """Whether there is no room for the file. SQLite says so of what it writes to the file itself; of the small files
    beside it, it says that the disk fails, and in a file that was opened to be read only, that it may not write."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if _code(error) in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY):
        return shutil.disk_usage(path.parent).free < _LITTLE_SPACE and _is_writable(path)
    return _code(error) == sqlite3.SQLITE_FULL


def _obstacle(path: Path) -> str:
    """Why SQLite cannot open a file: itself it does not say."""
    if path.is_dir():
        return "it is a directory"
    if path.exists() and not os.access(path, os.R_OK):
        return "this user may not read it"
    # To read a file in WAL mode, SQLite makes two others beside it.
    return "this user may not write to its directory"


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise unavailable(path, error) from error
