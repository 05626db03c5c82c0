"""One worker as its parent sees it: a child process and the socket to it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from feast_core import errors
from feast_core.errors import FeastError
from feast_http.control import Channel, Drain, Failed, Ready, ReplaceMe, RunEnded, Start, StartRun

# -P: the command runs in a feature repository, whose files must not stand in for installed modules.
WORKER_COMMAND = (sys.executable, "-P", "-m", "feast_http.worker")

# glibc gives the memory of every large answer back to the system and asks for it again. Kept instead, at the price of
# 5 MB a worker, answers of 1.3 MB are made a fifth faster. Other C libraries do not look at these.
_ALLOCATOR = {
    "MALLOC_TRIM_THRESHOLD_": str(128 * 1024 * 1024),
    "MALLOC_MMAP_THRESHOLD_": str(64 * 1024 * 1024),
    "MALLOC_TOP_PAD_": str(16 * 1024 * 1024),
}

#: How long to wait for what an ended worker still had to say.
_LAST_WORDS_SECONDS = 1.0


class WorkerProcess:
    """A worker that was started, until it is gone. To be made while the event loop runs.

    `started` becomes None when the worker is ready, or the error that kept it from starting. `wants_successor` is set
    when it asks to be replaced; `start_run` is called when it asks for a run. `gone` is done, with the exit status
    (negative for a signal), when it has ended.
    """

    def __init__(
        self,
        listener: socket.socket,
        start: Start,
        start_run: Callable[[str], None],
        command: Sequence[str] = WORKER_COMMAND,
    ) -> None:
        """Raises OSError when no process can be started."""
        self._start_run = start_run
        ours, theirs = socket.socketpair()
        descriptors = (listener.fileno(), theirs.fileno())
        try:
            with theirs:
                self._process = spawn([*command, *map(str, descriptors)], descriptors)
        except OSError:
            ours.close()
            raise
        self._channel = Channel(ours)
        self._channel.send(start)
        self._born = time.monotonic()
        self.pid = self._process.pid
        self.started: asyncio.Future[FeastError | None] = asyncio.get_running_loop().create_future()
        self.wants_successor = asyncio.Event()
        self._exited = asyncio.Event()
        self.gone: asyncio.Task[int] = asyncio.create_task(self._live())

    @property
    def is_ready(self) -> bool:
        """Whether it has started and nothing kept it from it."""
        return self.started.done() and self.started.result() is None

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._born

    def reap(self) -> None:
        """Look whether the process has ended; to be called at every SIGCHLD."""
        if self._process.poll() is not None:
            self._exited.set()

    def end(self, seconds: float) -> None:
        """Let it finish what it does within so many seconds; one that is not ready yet has nothing to finish."""
        if self.is_ready:
            self._channel.send(Drain(seconds))
        else:
            self.kill()

    def tell(self, ended: RunEnded) -> None:
        """A run that it may be waiting for."""
        self._channel.send(ended)

    def kill(self) -> None:
        """End it now."""
        self._process.kill()

    async def _live(self) -> int:
        listening = asyncio.create_task(self._listen())
        await self._exited.wait()
        # A process that the worker left behind may hold its end of the socket open.
        await asyncio.wait({listening}, timeout=_LAST_WORDS_SECONDS)
        listening.cancel()
        self._channel.close()
        code: int = self._process.returncode
        if not self.started.done():
            self.started.set_result(
                FeastError(f"a worker ended with {describe_exit(code)} before it was ready; what it printed says why")
            )
        return code

    async def _listen(self) -> None:
        while message := await self._channel.receive():
            if isinstance(message, Ready):
                self.started.set_result(None)
            elif isinstance(message, Failed):
                self.started.set_result(_error_of(message))
            elif isinstance(message, ReplaceMe):
                self.wants_successor.set()
            elif isinstance(message, StartRun):
                self._start_run(message.run)


def describe_exit(code: int) -> str:
    """An exit status in words: `status 1`, `SIGKILL`."""
    return signal.Signals(-code).name if code < 0 else f"status {code}"


def spawn(command: Sequence[str], descriptors: Sequence[int]) -> "subprocess.Popen[bytes]":
    """Ctrl-C in a terminal reaches the whole process group. A child starts with the signal mask of its parent, so that
    it does not die of it before it has come to ignoring it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        environment = {**_ALLOCATOR, **os.environ}
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=descriptors, env=environment)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _error_of(failed: Failed) -> FeastError:
    """The error that the worker met, as itself, so that it has its exit code."""
    found = getattr(errors, failed.error, FeastError)
    assert issubclass(found, FeastError)
    return found(failed.message)
