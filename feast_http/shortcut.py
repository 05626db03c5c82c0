"""The way of the most frequent requests through Sanic, without what Sanic does for features that are not used here.

A small request spends more time in Sanic's generality than in reading its features. Left out for these paths are
routing, events, middleware, the asynchronous iteration over a body that has arrived whole, and the multidict of
response headers: in all 11 of 26 microseconds. Everything else, errors included, takes Sanic's own way.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from sanic import Request
from sanic.http import Http, Stage

from feast_http.app import App
from feast_http.responses import JsonBytes

RequestHandler: TypeAlias = Callable[[Request], Awaitable[None]]

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: %b\r\n\r\n%b"


class ShortcutHttp(Http):
    """Sanic's HTTP/1.1, with a shorter way to send JSON that is bytes already."""

    __slots__ = ()

    async def http1_response_header(self, data: bytes, end_stream: bool) -> None:
        """Send the response, or the first part of it."""
        response = self.response
        if type(response) is not JsonBytes or self.head_only or self.expecting_continue:
            await super().http1_response_header(data, end_stream)
            return
        self.response_func = None  # type: ignore[assignment]
        self.response_size = len(response.body)
        if self.protocol.access_log:
            self.log_response()
        connection = b"keep-alive" if self.keep_alive else b"close"
        await self._send(_HEAD % (self.response_size, connection, response.body))
        self.stage = Stage.IDLE


def shortcut(app: App, method: str, paths: Sequence[str]) -> RequestHandler:
    """What the protocol calls with every request: the handlers of these paths, Sanic's own way for all others.

    `app` has been started. The handlers return responses that are whole, or raise.
    """
    handlers: dict[bytes, Any] = {path.encode(): app.router.get(path, method, None)[1] for path in paths}

    async def handle(request: Request) -> None:
        handler = handlers.get(request.raw_url)
        if handler is None or request.method != method:
            await app.handle_request(request)
            return
        http = request.stream
        assert isinstance(http, Http)
        try:
            if http.request_body:
                await _receive_body(request, http)
            response = await handler(request)
            http.respond(response)
            await http.send(response.body, True)
        except Exception as error:  # boundary: every error becomes an answer
            await app.handle_exception(request, error)

    return handle


async def _receive_body(request: Request, http: Any) -> None:
    buffer, size = http.recv_buffer, http.request_bytes_left
    arrived = size <= len(buffer) and size <= http.request_max_size and not http.expecting_continue
    if http.request_body == "chunked" or not arrived:
        await request.receive_body()  # type: ignore[no-untyped-call]
        return
    request.body = bytes(buffer[:size])
    del buffer[:size]
    http.request_bytes_left = 0
    http.request_body = None
