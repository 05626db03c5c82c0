"""A runner: materializes what one run asks for, in a process of its own, so that those who serve keep their speed.

Started by the parent as `python -m feast_http.runner CONTROL RUN`, the number of an inherited socket and the id of
a run that the registry keeps.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from types import FrameType

from feast_core.errors import FeastError
from feast_core.processes import Process
from feast_http.control import Channel, Start
from feast_http.opening import log_to_stderr, open_store

logger = logging.getLogger("feast.server")

#: Requests come first: what is asked for in the background may take longer. On two cores that had nothing left, reads
#: kept three quarters of their number beside it; with 10, a little more than half.
_NICENESS = 19


def main() -> None:
    """The process from its start to its end."""
    # Ctrl-C in a terminal reaches every process of the server; it is the parent that ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    server = Process.of(os.getppid())
    os.nice(_NICENESS)
    control = socket.socket(fileno=int(sys.argv[1]))
    os.set_inheritable(control.fileno(), False)
    sys.exit(_run(Channel(control), sys.argv[2], server))


def _run(channel: Channel, run: str, server: Process) -> int:
    """The exit code: 0 where the registry has what became of the run."""
    start = asyncio.run(channel.receive())
    if not isinstance(start, Start):
        return 0  # the parent has gone
    log_to_stderr(start.settings)
    stopped, over = threading.Event(), threading.Event()
    _stop_on_sigterm(stopped)
    threading.Thread(target=_watch, args=(channel, start.drain_seconds, over), daemon=True).start()
    try:
        with open_store(start.settings) as store:
            store.perform_run(run, server, stopped)
    except FeastError as error:
        logger.error("run %s: %s", run, error)
        return error.exit_code
    except KeyboardInterrupt:
        return 1  # before it began, or after it had ended
    finally:
        over.set()
    return 0


def _stop_on_sigterm(stopped: threading.Event) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        if not stopped.is_set():
            stopped.set()
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def _watch(channel: Channel, drain_seconds: float, over: threading.Event) -> None:
    """Stop this process some time after the parent has hung up or is gone."""
    asyncio.run(channel.receive())
    if not over.wait(drain_seconds):
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
