"""Locks on files and folders: between those who read parts and those who remove them, in any process.

They are the system's (flock): gone with the process that has them, also where it is killed, and nothing is written for
them, so that what cannot be written can be read.
"""

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

#: File systems without such locks, as some of networks. Readers do without: what is replaced under them is seen.
_NO_LOCKS = (errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)
_PAUSE_SECONDS = 0.02


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one waits for a lock, each time; not at all any more where `is_over` says so."""

    seconds: float
    is_over: Callable[[], bool] = _never


class Locks:
    """Locks that are held until it is closed, or forgotten."""

    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    @classmethod
    def shared(cls, paths: Iterable[str]) -> "Locks | None":
        """Shared locks on these files and folders; waits for who has an exclusive one. None where one of them was
        replaced meanwhile, so that the lock would be on a file that is not there any more."""
        locks = cls()
        for path in paths:
            if not locks._take(path, fcntl.LOCK_SH):
                locks.close()
                return None
        return locks

    @classmethod
    def exclusive(cls, path: Path, patience: "Patience") -> "Locks | None":
        """An exclusive lock; None where somebody else has one for longer than one waits, or the file was replaced.
        Raises OSError."""
        locks = cls()
        end = time.monotonic() + patience.seconds
        while True:
            try:
                return locks if locks._take(str(path), fcntl.LOCK_EX | fcntl.LOCK_NB, needed=True) else None
            except BlockingIOError:
                if patience.is_over() or time.monotonic() >= end:
                    return None
            time.sleep(_PAUSE_SECONDS)

    def close(self) -> None:
        """Give them back."""
        while self._held:
            os.close(self._held.popitem()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _take(self, path: str, kind: int, needed: bool = False) -> bool:
        """Whether the lock is on what is at the path now."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError:
            if needed:
                raise
            return True  # Who reads it is told why that cannot be.
        try:
            fcntl.flock(descriptor, kind)
            is_there = os.path.samestat(os.fstat(descriptor), os.stat(path))
        except FileNotFoundError:
            is_there = False
        except OSError as error:
            if needed or error.errno not in _NO_LOCKS:
                os.close(descriptor)
                raise
            is_there = True
        if is_there:
            self._held[path] = descriptor
        else:
            os.close(descriptor)
        return is_there


def held(path: Path) -> Locks:
    """A shared lock on what is at the path when it is there. Raises FileNotFoundError where nothing is."""
    while True:
        locks = Locks.shared([str(path)])
        if locks is not None:
            return locks
        path.stat()  # else it would be looked for until it comes back
