"""Posts bodies over connections that stay open, and keeps every answer: which body it is to, and what it said.

wrk tells how many answers were errors, not to which request, and it knows no rate.
"""

import itertools
import math
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from .servers import Server

TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to `bodies[body]`. `status` is 0 where the connection ended before there was one."""

    body: int
    status: int
    content: bytes
    seconds: float


@dataclass(frozen=True)
class Posted:
    """All answers of one run, which took `seconds` from the first request to the last answer."""

    seconds: float
    answers: tuple[Answer, ...]

    def percentile_ms(self, percent: float) -> float:
        """The milliseconds within which `percent` of the requests were answered."""
        seconds = sorted(answer.seconds for answer in self.answers)
        return seconds[max(0, math.ceil(len(seconds) * percent / 100) - 1)] * 1e3


class Connection:
    """One connection that stays open. Not for threads to share.

    Written on a socket, since `http.client` takes five times the CPU, which the server under test would lack.
    """

    def __init__(self, server: Server, path: str) -> None:
        self._port = server.port
        self._head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()

    def post(self, body: bytes) -> tuple[int, bytes]:
        """Status and content of the answer; status 0 where the connection ended. It is opened when it is not."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), TIMEOUT_SECONDS)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.sendall(f"{self._head}{len(body)}\r\n\r\n".encode() + body)
            return self._answer(self._socket)
        except OSError as error:
            self.__exit__()
            self._socket = None
            return 0, str(error).encode()

    def _answer(self, connection: socket.socket) -> tuple[int, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += _some(connection)
        head, _, content = received.partition(b"\r\n\r\n")
        first, *headers = head.lower().split(b"\r\n")
        fields = dict(header.split(b": ", 1) for header in headers)
        length = int(fields[b"content-length"])
        while len(content) < length:
            content += _some(connection)
        if fields.get(b"connection") == b"close":
            connection.close()
            self._socket = None
        return int(first.split()[1]), content


def _some(connection: socket.socket) -> bytes:
    received = connection.recv(1 << 16)
    if not received:
        raise ConnectionError("the server closed the connection before it answered")
    return received


def post_all(server: Server, path: str, bodies: Sequence[bytes], connections: int) -> Posted:
    """Post every body once, in order, each as soon as one of the connections is free."""
    turns = itertools.count()

    def client() -> list[Answer]:
        answers = []
        with Connection(server, path) as connection:
            # next() of a count is one step to other threads.
            while (turn := next(turns)) < len(bodies):
                answers.append(_timed(connection, turn, bodies[turn]))
        return answers

    start = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        clients = [pool.submit(client) for _ in range(connections)]
        answers = [answer for each in clients for answer in each.result()]
    return Posted(time.perf_counter() - start, tuple(answers))


def post_at_rate(
    server: Server, path: str, bodies: Iterable[bytes], per_second: float, stop: threading.Event
) -> Posted:
    """Post bodies over one connection at a fixed rate, until `stop` is set or there is none left: who is late,
    since an answer took longer, catches up."""
    answers = []
    start = time.perf_counter()
    with Connection(server, path) as connection:
        for turn, body in enumerate(bodies):
            if stop.wait(max(0.0, start + turn / per_second - time.perf_counter())):
                break
            answers.append(_timed(connection, turn, body))
    return Posted(time.perf_counter() - start, tuple(answers))


def _timed(connection: Connection, turn: int, body: bytes) -> Answer:
    start = time.perf_counter()
    status, content = connection.post(body)
    return Answer(turn, status, content, time.perf_counter() - start)
