"""Files that are there as a whole, on disk, or not at all."""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import duckdb

from feast_core.errors import SourceError, Unavailable

_TEMPORARY = ".feast-"
_SUFFIX = ".tmp"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_TEXTS = tuple(os.strerror(number) for number in _FULL)


def make_directory(directory: Path) -> None:
    """Make a directory, on disk, where there is none."""
    with contextlib.suppress(FileExistsError):
        directory.mkdir()
        sync(directory.parent)


@contextlib.contextmanager
def temporary(path: Path) -> Iterator[Path]:
    """An empty hidden file beside the path, for what is to be put there; removed if it is still there at the end."""
    found = path.with_name(f"{_TEMPORARY}{path.name}-{secrets.token_hex(4)}{_SUFFIX}")
    os.close(os.open(found, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    try:
        yield found
    finally:
        found.unlink(missing_ok=True)


def put(found: Path, path: Path) -> None:
    """Let a temporary file be the one at the path, at once and on disk."""
    sync(found)
    found.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """See to it that a file, or the names in a directory, are on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def leftovers(directory: Path, older_than: float) -> list[Path]:
    """Temporary files that nobody has written to since this time, in seconds since 1970: those of processes that were
    killed."""
    found = []
    for path in directory.glob(f"{_TEMPORARY}*{_SUFFIX}"):
        with contextlib.suppress(OSError):
            status = path.stat()
            if stat.S_ISREG(status.st_mode) and status.st_mtime < older_than:
                found.append(path)
    return found


@contextlib.contextmanager
def writable(label: str, where: str) -> Iterator[None]:
    """What keeps a file from being written becomes an error of one line: Unavailable where there is no room, and else
    SourceError. `where` is the path as it is configured."""
    try:
        yield
    except OSError as error:
        raise _refusal(label, where, error.strerror or str(error), error.errno in _FULL) from error
    except duckdb.Error as error:
        reason = str(error).partition("\n")[0].partition("Error: ")[2] or type(error).__name__
        raise _refusal(label, where, reason, any(text in reason for text in _FULL_TEXTS)) from error
    except RuntimeError as error:
        if "interrupted" in str(error):  # what DuckDB makes of what a signal raised, such as Ctrl-C
            raise KeyboardInterrupt from error
        raise


def _refusal(label: str, where: str, reason: str, is_full: bool) -> SourceError | Unavailable:
    if is_full:
        return Unavailable(f"{label}: there is no room to write what is pushed to {where!r}; make room there")
    return SourceError(f"{label}: what is pushed cannot be written to {where!r}: {reason}")
