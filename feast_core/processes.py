"""Which process it is, so that another one on the same machine can tell that it is gone, however it ended."""

import os
import socket
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

_PROC = Path("/proc")
#: Fields of /proc/PID/stat after the name, see proc(5): the state, and when it began, in ticks since the machine did.
_STATE, _STARTED = 0, 19
_DEAD_STATES = ("Z", "X", "x")


@dataclass(frozen=True, slots=True)
class Process:
    """One process, unlike any other, also a later one with its number.

    `host` is for people to read. `machine` is the same for processes that see each other: one start of one machine, one
    name space of numbers, so that containers are different machines. `started` is 0 where the system does not tell.
    """

    host: str
    machine: str
    pid: int
    started: int

    @classmethod
    def current(cls) -> Self:
        """The one that asks."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> Self:
        """One that runs on this machine."""
        found = _stat(pid)
        return cls(socket.gethostname(), _machine(), pid, int(found[_STARTED]) if found else 0)

    @property
    def is_here(self) -> bool:
        """Whether it runs, or ran, where this process does."""
        return self.machine == _machine()

    @property
    def is_gone(self) -> bool:
        """True where it has surely ended; False where it has not, and where that cannot be told from here."""
        if not self.is_here:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            pass  # it is somebody else's, and there
        found = _stat(self.pid)
        if found is None:
            return False  # the system hides it
        return found[_STATE] in _DEAD_STATES or self.started not in (0, int(found[_STARTED]))

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


@cache
def _machine() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return f"{uuid.getnode():x} {socket.gethostname()}"


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name stands in brackets, and may hold any of them, and spaces.
    return text.rpartition(")")[2].split()
