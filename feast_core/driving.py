"""Running plans from plain Python: a coroutine that never suspends is driven in place, another one on a private event
loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Driver:
    """Runs coroutines from code that is not asynchronous, also where the caller's thread has a running event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
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
                if "no running event loop" not in str(error):
                    raise
            finally:
                coroutine.close()
        return asyncio.run_coroutine_threadsafe(make(), self._started()).result()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                threading.Thread(target=loop.run_forever, name="feast-driver", daemon=True).start()
                self._loop = loop
            return self._loop

    def close(self) -> None:
        """Stop the private loop, if there is one."""
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._loop = None
