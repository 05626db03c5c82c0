"""A worker: loads the repository, serves it on an inherited socket, drains when its parent says so or is gone.

Run by the parent as `python -m feast_http.worker LISTENER CONTROL`, the numbers of two inherited sockets.
"""

import asyncio
import contextlib
import gc
import inspect
import logging
import os
import signal
import socket
import sys
import time

import uvloop

from feast_core import errors
from feast_core.errors import FeastError
from feast_core.store import FeatureStore
from feast_http.access_log import AccessLog
from feast_http.app import make_app, start_app
from feast_http.connections import Connections
from feast_http.control import Channel, Drain, Failed, Ready, ReplaceMe, RunEnded, Start
from feast_http.opening import log_to_stderr, open_store
from feast_http.runs import Runs
from feast_http.settings import ServeSettings

logger = logging.getLogger("feast.server")


def main() -> None:
    """The process from its start to its end."""
    # Nearly all that is loaded stays: looking through it for garbage again and again takes a tenth of the start.
    gc.disable()
    # Ctrl-C in a terminal reaches parent and workers; it is the parent that ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    listener, control = (socket.socket(fileno=int(number)) for number in sys.argv[1:3])
    for inherited in (listener, control):
        inherited.setblocking(False)
        os.set_inheritable(inherited.fileno(), False)  # not for processes that a plugin may start
    code = uvloop.run(_work(listener, Channel(control)))
    # What was frozen is not freed by the interpreter's end, and DuckDB then prints a list of all that it misses.
    gc.unfreeze()
    gc.collect()
    sys.exit(code)


async def _work(listener: socket.socket, channel: Channel) -> int:
    """The exit code."""
    start = await channel.receive()
    if not isinstance(start, Start):
        return 0  # the parent has gone
    settings = start.settings
    log_to_stderr(settings)
    access_log = AccessLog() if settings.access_log else None
    with contextlib.ExitStack() as closing:
        try:
            store = closing.enter_context(open_store(settings))
            runs = Runs(store, channel.send)
            connections = await _open_connections(store, settings, runs, listener, access_log)
        except FeastError as error:
            logger.debug("cannot start", exc_info=True)
            channel.send(Failed(_known_class(error), str(error)))
            return error.exit_code
        refreshing = asyncio.create_task(_refresh(store, settings.registry_ttl_seconds))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, channel.send, ReplaceMe())
        connections.accept()
        channel.send(Ready())
        drain_seconds = await _told_to_drain(channel, start, runs)
        give_up = time.monotonic() + drain_seconds
        # Who waits for a run is told of its end also while this worker drains.
        listening = asyncio.create_task(_told_to_drain(channel, start, runs))
        left = await connections.drain(drain_seconds)
        if left:
            logger.warning("%d connections were cut off when the time to finish was over", left)
        # What is not written by then is on disk, for the next worker.
        await asyncio.to_thread(store.flusher.stop, max(0.0, give_up - time.monotonic()))
        refreshing.cancel()
        listening.cancel()
        if access_log is not None:
            access_log.flush()
    return 0


async def _open_connections(
    store: FeatureStore, settings: ServeSettings, runs: Runs, listener: socket.socket, access_log: AccessLog | None
) -> Connections:
    # Before anything is pushed: rows are queued where somebody brings them on.
    store.flusher.start()
    app = make_app(store, settings, runs)
    await start_app(app)
    for result in store.plugins.hook.feast_worker_started(store=store, settings=settings):
        if inspect.isawaitable(result):
            await result
    # What is loaded stays: the collector need not look through it again and again.
    gc.collect()
    gc.freeze()
    gc.enable()
    return Connections(app, listener, settings.worker_connections, access_log)


async def _refresh(store: FeatureStore, seconds: int) -> None:
    """Look for changes in the registry every so many seconds, for ever; never if that is 0 or less."""
    while seconds > 0:
        await asyncio.sleep(seconds)
        try:
            await asyncio.to_thread(store.refresh)
        except Exception:  # boundary: whatever fails, the old snapshot serves on and the next look comes
            logger.exception("the registry could not be read again; what was read before is served on")


async def _told_to_drain(channel: Channel, start: Start, runs: Runs) -> float:
    """Seconds to finish in, once the parent says so or is gone; what else it says is seen to."""
    while message := await channel.receive():
        if isinstance(message, Drain):
            return message.seconds
        if isinstance(message, RunEnded):
            runs.ended(message)
    return start.drain_seconds


def _known_class(error: FeastError) -> str:
    """The name of the error's class, or of the closest one above it that the parent knows too."""
    names = [kind.__name__ for kind in type(error).__mro__]
    return next(name for name in names if hasattr(errors, name))


if __name__ == "__main__":
    main()
