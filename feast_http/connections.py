"""The connections of one worker: takes them from the listening socket while there is room, and lets them end."""

import asyncio
import logging
import socket
import time
from functools import partial
from typing import Any

from sanic.http import Http, Stage
from sanic.server.protocols.http_protocol import HttpProtocol

from feast_http.access_log import AccessLog
from feast_http.app import App
from feast_http.handlers import ONLINE_FEATURES
from feast_http.shortcut import RequestHandler, ShortcutHttp, shortcut
from feast_http.writing import PUSH

logger = logging.getLogger("feast.server")

#: While draining: how long a connection may be idle, so that a client that is about to send another request still can.
_LINGER_SECONDS = 1.0
_DRAIN_STEP_SECONDS = 0.05
#: When the process is out of file descriptors: how long to wait for some to be closed.
_EXHAUSTED_SECONDS = 1.0


class _ServerHttp(ShortcutHttp):
    """HTTP as this server speaks it: with its access log, and with an answer to URLs that are none."""

    __slots__ = ()

    def create_empty_request(self) -> None:
        """Called where a request could not be read. Sanic would parse the URL once more that it has just refused."""
        self.url = None
        super().create_empty_request()

    def log_response(self) -> None:
        """Called for every response, before it is sent."""
        connection: Any = self.protocol
        connection.write_access_log(self)


class Connection(HttpProtocol):
    """One client. Gives its place back when it ends."""

    HTTP_CLASS = _ServerHttp
    __slots__ = ("_access_log", "_owner")

    def __init__(
        self, *, owner: "Connections", handle: RequestHandler, access_log: AccessLog | None, **sanic: Any
    ) -> None:
        super().__init__(**sanic)
        self.request_handler = handle
        self._owner: Connections | None = owner
        self._access_log = access_log

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called once, when the transport is closed on either side."""
        super().connection_lost(exc)  # type: ignore[no-untyped-call]
        self.give_back()

    def give_back(self) -> None:
        """Make place for the next client; more than once does no harm."""
        if self._owner is not None:
            owner, self._owner = self._owner, None
            owner.free_one()

    def write_access_log(self, http: Http) -> None:
        """One line for the response that `http` is about to send."""
        request, peer = http.request, self.conn_info
        if self._access_log is None or peer is None:
            return
        seconds = time.perf_counter() - http.perft0 if http.perft0 else 0.0
        client = f"{peer.client}:{peer.client_port}"
        size = http.response_size
        self._access_log.write(client, request.method, request.path, http.response.status, size, seconds)

    def check_timeouts(self) -> None:
        """Called every few seconds. Sanic leaves a request that asks for a websocket alone, for ever: here is none."""
        if self.http is not None:
            self.http.upgrade_websocket = False
        super().check_timeouts()  # type: ignore[no-untyped-call]

    def log_disconnect(self) -> None:
        """Sanic would log the end of every connection as well."""

    def is_idle(self, seconds: float) -> bool:
        """Whether it has been waiting for a request for so long."""
        http = self.http
        return http is not None and http.stage is Stage.IDLE and time.monotonic() - self._time > seconds


class Connections:
    """Serves `app`, which has been started, on `listener`, to at most `most` clients at once: the others wait in the
    queue of the socket.

    Each turn of the loop takes one client, so that workers that wait for the same socket share them. Nothing that was
    taken is ever dropped: there is no await between taking a client and serving it.
    """

    def __init__(self, app: App, listener: socket.socket, most: int, access_log: AccessLog | None) -> None:
        self._app = app
        self._listener = listener
        self._free = most
        self._accepting = False
        self._loop = asyncio.get_running_loop()
        self._open: set[Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._make = partial(
            Connection,
            owner=self,
            handle=shortcut(app, "POST", (ONLINE_FEATURES, PUSH)),
            access_log=access_log,
            loop=self._loop,
            app=app,
            connections=self._open,
        )

    def accept(self) -> None:
        """Take clients from now on."""
        self._accepting = True
        if self._free:
            self._loop.add_reader(self._listener, self._take_one)

    def free_one(self) -> None:
        """A client has gone."""
        self._free += 1
        if self._accepting and self._free == 1:
            self._loop.add_reader(self._listener, self._take_one)

    async def drain(self, seconds: float) -> int:
        """Take no more clients but those that wait already, answer every further request with `Connection: close`, and
        return when all are gone; those that are left after so many seconds are cut off. Returns how many those were."""
        deadline = time.monotonic() + seconds
        self._stop_accepting()
        self._app.config.KEEP_ALIVE = False
        while (self._open or self._connecting) and time.monotonic() < deadline:
            for connection in list(self._open):
                if connection.http is not None:
                    connection.http.keep_alive = False  # for an answer that is being made
                if connection.is_idle(_LINGER_SECONDS):
                    connection.close()
            await asyncio.sleep(_DRAIN_STEP_SECONDS)
        left = list(self._open)
        for connection in left:
            connection.abort()  # type: ignore[no-untyped-call]
        return len(left)

    def _stop_accepting(self) -> None:
        """Closing the socket resets who waits in its queue, so these are served first."""
        self._accepting = False
        self._loop.remove_reader(self._listener)
        while self._free and self._take_one():
            pass
        self._listener.close()

    def _take_one(self) -> bool:
        """False when nobody is waiting."""
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return False  # another worker was faster, or the client has gone
        except OSError as error:
            logger.error("cannot accept connections: %s", error)
            self._loop.remove_reader(self._listener)
            self._loop.call_later(_EXHAUSTED_SECONDS, self._resume)
            return False
        self._free -= 1
        if not self._free:
            self._loop.remove_reader(self._listener)
        client.setblocking(False)
        connecting = self._loop.create_task(self._connect(client))
        self._connecting.add(connecting)
        connecting.add_done_callback(self._connecting.discard)
        return True

    def _resume(self) -> None:
        if self._accepting and self._free:
            self._loop.add_reader(self._listener, self._take_one)

    async def _connect(self, client: socket.socket) -> None:
        connection = self._make()
        try:
            await self._loop.connect_accepted_socket(lambda: connection, client)
        except OSError:  # gone before it was served
            client.close()
            connection.give_back()
