"""What the parent and its children say to each other: messages over a socket, JSON, one a line."""

import asyncio
import socket

import msgspec

from feast_http.settings import ServeSettings


class Start(msgspec.Struct, frozen=True, tag="start"):
    """To a new worker or runner: how to serve. `drain_seconds` is how long it may go on with what it does when the
    parent is gone."""

    settings: ServeSettings
    drain_seconds: float


class Drain(msgspec.Struct, frozen=True, tag="drain"):
    """To a worker: accept no more, finish what is in flight within so many seconds, and exit."""

    seconds: float


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """From a worker: it accepts connections from now on."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """From a worker that cannot start: the message of the error, and the name of its class in `feast_core.errors`."""

    error: str
    message: str


class ReplaceMe(msgspec.Struct, frozen=True, tag="replace-me"):
    """From a worker: start another, and tell me to drain when that one is ready."""


class StartRun(msgspec.Struct, frozen=True, tag="start-run"):
    """From a worker: have a process do the run of this id, which the registry keeps."""

    run: str


class RunEnded(msgspec.Struct, frozen=True, tag="run-ended"):
    """To all workers: the process of this run has ended, with this exit status (negative for a signal); None where none
    could be started, or the server ends before it was."""

    run: str
    code: int | None


Message = Start | Drain | Ready | Failed | ReplaceMe | StartRun | RunEnded

_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class Channel:
    """One end of the socket between a parent and a child."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._received = b""

    def send(self, message: Message) -> None:
        """Never waits: messages are few and far smaller than the socket's buffer. Nothing happens if the other side is
        gone, which `receive` tells."""
        try:
            self._socket.sendall(msgspec.json.encode(message) + b"\n")
        except OSError:
            return

    async def receive(self) -> Message | None:
        """The next message; None when the other side is gone."""
        loop = asyncio.get_running_loop()
        while b"\n" not in self._received:
            try:
                more = await loop.sock_recv(self._socket, 65_536)
            except ConnectionError:
                return None
            if not more:
                return None
            self._received += more
        line, _, self._received = self._received.partition(b"\n")
        return _decoder.decode(line)

    def close(self) -> None:
        """The other side sees that this one is gone."""
        self._socket.close()
