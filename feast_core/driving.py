"""Running plans from plain Python: a coroutine that never suspends is driven in place, another one on a private event
loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class Driver:
    """Runs coroutines from code that is not asynchronous, also where the caller's thread has a running event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The coroutine's result. An embedded store's finishes in place, with no loop and no thread; one that waits for
        something is made anew on the private loop (reads may be made twice)."""
        if self._loop is None:
            coroutine = make()
            try:
                while True:
                    # A bare yield is `asyncio.sleep(0)`: a turn for others, of whom there are none here.
                    if coroutine.send(None) is not None:
                        break
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            except RuntimeError as error:
                # "no running event loop", "there is no current event loop", "outside of an event loop", ...
                if "event loop" not in str(error):
                    raise
            finally:
                coroutine.close()
        return asyncio.run_coroutine_threadsafe(make(), self._started()).result()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                started: Future[asyncio.AbstractEventLoop] = Future()
                self._thread = threading.Thread(target=_run_loop, args=(started,), name="feast-driver", daemon=True)
                self._thread.start()
                self._loop = started.result()
            return self._loop

    def close(self) -> None:
        """End the private loop, if there is one; what still runs in it is cancelled."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            if thread is not threading.current_thread():
                thread.join()


def _run_loop(started: "Future[asyncio.AbstractEventLoop]") -> None:
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        started.set_result(loop)
        loop.run_forever()
