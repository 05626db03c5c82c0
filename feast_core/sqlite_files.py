"""What SQLite files have in common, whatever is in them: which file it is, its write-ahead log, errors in a line."""

import errno
import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

from feast_core.errors import Unavailable

#: How long a writer waits for another one. Readers never wait.
BUSY_SECONDS = 30.0
#: SQLite writes up to that much at once beside a database: the index of its log, or the log of one transaction.
_LITTLE_SPACE = 2**20
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)


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


def switch_to_wal(connection: sqlite3.Connection) -> None:
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


def is_writable(path: Path) -> bool:
    """Whether this process may write the file and make others beside it."""
    effective = os.access in os.supports_effective_ids
    return all(os.access(each, os.W_OK, effective_ids=effective) for each in (path, path.parent))


def is_full(path: Path, error: Exception) -> bool:
    """Whether there is no room for the file. SQLite says so of what it writes to the file itself; of the small files
    beside it, it says that the disk fails, and in a file that was opened to be read only, that it may not write."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    if _code(error) in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY):
        return shutil.disk_usage(path.parent).free < _LITTLE_SPACE and is_writable(path)
    return _code(error) == sqlite3.SQLITE_FULL


def unavailable(name: str, path: Path, error: Exception, when_damaged: str) -> Unavailable:
    """What went wrong with the file, which people know as `name`, and what to do, without the directory: it may reach a
    client. `when_damaged` says what to do where the file cannot be read."""
    if is_full(path, error):
        return Unavailable(f"{name} cannot be written: its disk is full; make room there and run it again")
    if _code(error) == sqlite3.SQLITE_READONLY or (isinstance(error, OSError) and error.errno in _NOT_ALLOWED):
        return Unavailable(f"{name} cannot be written: it or its directory is read-only for this user")
    if isinstance(error, OSError):
        return Unavailable(f"{name} cannot be used: {error.strerror}")  # its own text ends with the path
    match _code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return Unavailable(f"{name} is locked by another process; gave up after {BUSY_SECONDS:g} s")
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return Unavailable(f"{name} cannot be used: it is damaged, or is no SQLite file ({error}); {when_damaged}")
        case sqlite3.SQLITE_CANTOPEN:
            return Unavailable(f"{name} cannot be opened: {_obstacle(path)}")
        case sqlite3.SQLITE_IOERR:
            return Unavailable(f"{name} cannot be used: {error}; see whether its disk is over a quota, or failing")
    return Unavailable(f"{name} cannot be used: {error}")


def _code(error: Exception) -> int:
    """SQLite's number of an error, without what it says more than anybody needs; 0 where it is not SQLite's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _obstacle(path: Path) -> str:
    """Why SQLite cannot open a file: itself it does not say."""
    if path.is_dir():
        return "it is a directory"
    if path.exists() and not os.access(path, os.R_OK):
        return "this user may not read it"
    # To read a file in WAL mode, SQLite makes two others beside it.
    return "this user may not write to its directory"
