"""Runs as a worker sees them: kept in the registry, asked of the parent, waited for."""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from feast_core.errors import FeastError
from feast_core.interfaces import Run, User
from feast_core.processes import Process
from feast_core.runs import RunRequest
from feast_core.store import FeatureStore
from feast_http.control import RunEnded, StartRun
from feast_http.worker_process import describe_exit

T = TypeVar("T")
logger = logging.getLogger("feast.server")


class Runs:
    """One per worker, made while its parent lives. `send` tells the parent; `ended` is for what the parent says."""

    def __init__(self, store: FeatureStore, send: Callable[[StartRun], None]) -> None:
        self._store = store
        self._send = send
        self._server = Process.of(os.getppid())
        self._waiting: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self, request: RunRequest, user: User, force: bool) -> Run:
        """Keep a run and have it done. Raises what `runs.add_run` does."""
        # A client that goes away must not leave a run that is kept and that nobody does.
        return await asyncio.shield(self._in_background(self._start(request, user, force)))

    async def _start(self, request: RunRequest, user: User, force: bool) -> Run:
        run = await asyncio.to_thread(self._store.add_run, request, user, self._server, force)
        if not run.is_over:
            self._waiting[run.id] = asyncio.Event()
            self._send(StartRun(run.id))
        return run

    async def wait(self, run: Run) -> Run:
        """The run when its process has ended. Raises Unavailable."""
        if run.id in self._waiting:
            await self._waiting[run.id].wait()
        return await self.find(run.id)

    async def find(self, id: str) -> Run:
        """The run as it is now. Raises NotFound, Unavailable."""
        return await asyncio.to_thread(self._store.find_run, id)

    def ended(self, message: RunEnded) -> None:
        """The process of a run has ended, perhaps without a word in the registry."""
        self._in_background(self._settle(message))

    def _in_background(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _settle(self, message: RunEnded) -> None:
        try:
            if message.code != 0:
                await asyncio.to_thread(self._store.give_up_run, message.run, _reason(message))
        except FeastError as error:  # its process is gone, so that whoever asks later sees that it has failed
            logger.warning("that run %s has ended cannot be recorded: %s", message.run, error)
        finally:
            waiting = self._waiting.pop(message.run, None)
            if waiting is not None:
                waiting.set()


def _reason(message: RunEnded) -> str:
    if message.code is None:
        return "it was not begun: the server was stopped, or could not start a process; its log says which"
    return f"its process ended with {describe_exit(message.code)}; the server's log may say why"
