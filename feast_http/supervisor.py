"""The parent of the server: holds the listening socket, keeps the workers alive, ends them when it is told to.

It imports neither the repository nor the server, and has no state worth losing. A worker that dies is replaced; one
that asks for it is replaced before it goes. When the parent dies, workers see their socket to it close, and drain.
"""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any

from feast_core.errors import ConfigurationError, FeastError
from feast_http.control import RunEnded, Start
from feast_http.runner_process import RUNNER_COMMAND, RunnerProcesses
from feast_http.worker_process import WORKER_COMMAND, WorkerProcess, describe_exit

logger = logging.getLogger("feast.server")

_BACKLOG = 2048
#: A worker that lived shorter than this did not work, and the next one is not started at once.
_SHORT_LIFE_SECONDS = 10.0
_FIRST_DELAY_SECONDS, _LONGEST_DELAY_SECONDS = 0.2, 30.0
#: What a worker gets, after the time to finish its requests, to close its stores.
_GRACE_SECONDS = 5.0


def open_listener(host: str, port: int) -> socket.socket:
    """A listening socket on this address; port 0 picks a free one. Raises ConfigurationError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationError(f"cannot listen on {host} port {port}: {_reason(error)}") from error
    listener.setblocking(False)
    return listener


class Supervisor:
    """Runs workers on one listening socket. `exited` is called with process id and exit status of every worker that is
    gone; `command` is what starts a worker, to which the numbers of listener and control socket are added, and
    `run_command` what does a run, to which the number of the control socket and the run's id are."""

    def __init__(
        self,
        listener: socket.socket,
        start: Start,
        exited: Callable[[int, int], None],
        command: Sequence[str] = WORKER_COMMAND,
        run_command: Sequence[str] = RUNNER_COMMAND,
    ) -> None:
        self._listener = listener
        self._start = start
        self._exited = exited
        self._command = command
        self._workers: set[WorkerProcess] = set()
        self._runners = RunnerProcesses(start, self._tell, run_command)
        self._signals: list[signal.Signals] = []
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self, serving: Callable[[], None]) -> int:
        """Serve until SIGTERM or SIGINT; `serving` is called when the first worker is ready. Returns the exit code.

        Raises the error that kept the first worker from starting; of later ones it is logged, and they are tried again.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        slots: list[asyncio.Task[None]] = []
        try:
            first = self._spawn()
            if not await self._first_is_ready(first):
                return 128 + signal.SIGINT if self._signals[0] == signal.SIGINT else 0
            serving()
            slots.append(asyncio.create_task(self._keep(first)))
            slots.extend(asyncio.create_task(self._keep(None)) for _ in range(1, self._start.settings.workers))
            await _set_or_done(self._stop, *slots)
            for slot in slots:
                if slot.done():
                    slot.result()  # a slot never ends by itself: this raises what went wrong
        finally:
            for slot in slots:
                slot.cancel()
            await self._end_all()
        # A second signal cuts requests short, which the exit code tells.
        return 128 + self._signals[-1] if self._hurry.is_set() else 0

    async def _first_is_ready(self, first: WorkerProcess) -> bool:
        """False when it was told to stop meanwhile. Raises the error that kept the worker from starting."""
        await _set_or_done(self._stop, first.started)
        if self._stop.is_set():
            return False
        if error := first.started.result():
            raise error
        return True

    async def _keep(self, worker: WorkerProcess | None) -> None:
        """Have one worker at work, for ever, beginning with this one or a new one."""
        delay = 0.0
        while True:
            if worker is not None:
                await _set_or_done(worker.wants_successor, worker.gone)
                if worker.gone.done():
                    delay = _longer(delay) if worker.age < _SHORT_LIFE_SECONDS else 0.0
                    ending = describe_exit(worker.gone.result())
                    logger.warning("worker %d ended with %s, starting another", worker.pid, ending)
            successor = await self._start_one(delay)
            if worker is not None:
                worker.end(self._start.drain_seconds)
            worker = successor

    async def _start_one(self, delay: float) -> WorkerProcess:
        """A worker that is ready, however often that has to be tried."""
        while True:
            await asyncio.sleep(delay)
            error: FeastError | OSError | None
            try:
                worker = self._spawn()
                error = await asyncio.shield(worker.started)
            except OSError as failure:  # no memory or no process left
                error = failure
            if error is None:
                logger.info("worker %d is ready", worker.pid)
                return worker
            delay = _longer(delay)
            logger.error("a worker cannot start, trying again in %.1f s: %s", delay, error)

    def _spawn(self) -> WorkerProcess:
        worker = WorkerProcess(self._listener, self._start, self._runners.add, self._command)
        self._workers.add(worker)
        worker.gone.add_done_callback(lambda gone: self._forget(worker, gone.result()))
        return worker

    def _forget(self, worker: WorkerProcess, code: int) -> None:
        self._workers.discard(worker)
        try:
            self._exited(worker.pid, code)
        except Exception:  # boundary: a plugin's own function must not end the server
            logger.exception("a plugin failed when worker %d ended", worker.pid)

    def _tell(self, ended: RunEnded) -> None:
        """Any worker may be asked about it, and the one that asked for it may be gone."""
        for worker in self._workers:
            if worker.is_ready:
                worker.tell(ended)

    async def _end_all(self) -> None:
        """End workers and runners: first those that are at work may finish. Returns when all are gone."""
        seconds = self._start.drain_seconds
        for worker in self._workers:
            worker.end(seconds)
        self._runners.hang_up()
        self._listener.close()
        all_gone = asyncio.create_task(self._wait_for_all())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_set_or_done(self._hurry, all_gone), seconds + _GRACE_SECONDS)
        for worker in self._workers:
            logger.warning("worker %d did not end in time and is killed", worker.pid)
            worker.kill()
        # What a runner does is interrupted, and recorded as such, before it is killed.
        self._runners.terminate()
        await asyncio.wait({all_gone}, timeout=_GRACE_SECONDS)
        self._runners.kill()
        await all_gone

    async def _wait_for_all(self) -> None:
        while self._workers or self._runners.gone():
            waiting: list[asyncio.Future[Any]] = [*(worker.gone for worker in self._workers), *self._runners.gone()]
            await asyncio.wait(waiting)

    def _reap(self) -> None:
        self._runners.reap()
        for worker in self._workers:
            worker.reap()

    def _on_signal(self, number: signal.Signals) -> None:
        if self._stop.is_set():
            self._hurry.set()
        self._signals.append(number)
        self._stop.set()


async def _set_or_done(event: asyncio.Event, *futures: "asyncio.Future[Any]") -> None:
    """Wait until the event is set or one of the futures is done. Being cancelled here leaves the futures alone."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({waiting, *futures}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another process does; choose another port with --port, or --port 0 for a free one"
    if error.errno == errno.EACCES:
        return "not permitted; choose a port above 1023 with --port"
    return error.strerror or str(error)


def _longer(delay: float) -> float:
    return min(_LONGEST_DELAY_SECONDS, max(_FIRST_DELAY_SECONDS, 2 * delay))
