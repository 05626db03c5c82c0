"""One line on standard error for every answered request, written in batches so that it costs little."""

import asyncio
import contextlib
import os
import time

_FLUSH_SECONDS = 0.05
_FLUSH_LINES = 1_000


class AccessLog:
    """Lines such as `2026-11-22 09:00:00 127.0.0.1:47596 "POST /get-online-features" 200 2588 bytes 0.8 ms`.

    The time is UTC. Query strings and headers are left out, since they may hold secrets."""

    def __init__(self, descriptor: int = 2) -> None:
        self._descriptor = descriptor
        self._lines: list[str] = []
        self._second = 0
        self._clock = ""
        self._flushing: asyncio.TimerHandle | None = None

    def write(self, client: str, method: str, path: str, status: int, size: int, seconds: float) -> None:
        """One request: `size` in bytes of the body, without headers."""
        now = int(time.time())
        if now != self._second:
            self._second, self._clock = now, time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
        if not path.isprintable():
            path = ascii(path)[1:-1]
        self._lines.append(f'{self._clock} {client} "{method} {path}" {status} {size} bytes {seconds * 1000:.1f} ms\n')
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self.flush)
        elif len(self._lines) >= _FLUSH_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what is held. Nothing happens if nobody reads standard error any more."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        text, self._lines = "".join(self._lines).encode(), []
        with contextlib.suppress(OSError):
            while text:
                text = text[os.write(self._descriptor, text) :]
