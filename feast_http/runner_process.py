"""Runs as the parent sees them: a queue, and a child process for each run that is being done."""

import asyncio
import logging
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence

from feast_http.control import Channel, RunEnded, Start
from feast_http.worker_process import describe_exit, spawn

logger = logging.getLogger("feast.server")

RUNNER_COMMAND = (sys.executable, "-P", "-m", "feast_http.runner")


class RunnerProcesses:
    """Does runs, so many at once as the settings say; the others wait in turn. `ended` is called when the process of
    one has ended. All that is worth keeping of a run is in the registry."""

    def __init__(self, start: Start, ended: Callable[[RunEnded], None], command: Sequence[str]) -> None:
        self._start = start
        self._ended = ended
        self._command = command
        self._queue: deque[str] = deque()
        self._at_work: set[_Runner] = set()
        self._is_ending = False

    def add(self, run: str) -> None:
        """Do this run, now or when there is room; not at all once the server ends."""
        self._queue.append(run)
        self._fill()

    def reap(self) -> None:
        """Look which processes have ended; to be called at every SIGCHLD."""
        for runner in [runner for runner in self._at_work if runner.process.poll() is not None]:
            self._at_work.discard(runner)
            runner.channel.close()
            code = runner.process.returncode
            if code:
                logger.warning("the process of run %s ended with %s", runner.run, describe_exit(code))
            runner.gone.set_result(None)
            self._ended(RunEnded(runner.run, code))
        self._fill()

    def gone(self) -> "list[asyncio.Future[None]]":
        """One for each process: done when that has ended."""
        return [runner.gone for runner in self._at_work]

    def hang_up(self) -> None:
        """Begin no more; what is being done may be finished in the time that a worker has, and is stopped then."""
        self._is_ending = True
        self._fill()
        for runner in self._at_work:
            runner.channel.close()

    def terminate(self) -> None:
        """Stop what is being done; it is recorded as stopped."""
        for runner in self._at_work:
            runner.process.terminate()

    def kill(self) -> None:
        """End what does not stop."""
        for runner in self._at_work:
            logger.warning("run %s did not stop in time and is killed", runner.run)
            runner.process.kill()

    def _fill(self) -> None:
        while self._is_ending and self._queue:
            self._ended(RunEnded(self._queue.popleft(), None))
        while self._queue and len(self._at_work) < self._start.settings.most_runs:
            run = self._queue.popleft()
            try:
                self._at_work.add(_Runner(run, self._start, self._command))
            except OSError as error:  # no memory or no process left
                logger.error("no process can be started for run %s: %s", run, error)
                self._ended(RunEnded(run, None))


class _Runner:
    """One process that does one run."""

    def __init__(self, run: str, start: Start, command: Sequence[str]) -> None:
        """Raises OSError when no process can be started."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                number = theirs.fileno()
                self.process: subprocess.Popen[bytes] = spawn([*command, str(number), run], [number])
        except OSError:
            ours.close()
            raise
        self.run = run
        self.channel = Channel(ours)
        self.channel.send(start)
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
