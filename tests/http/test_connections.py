"""Connections are kept, counted and ended as the options say, however the bytes of a request arrive."""

import concurrent.futures
import contextlib
import json
import socket
import time
from typing import Any

import pytest

BODY = json.dumps({"feature_service": "driver_activity", "entities": {"driver_id": [1001]}}).encode()
REQUEST = b"POST /get-online-features HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


def read_answer(client: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of one answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65_536)
        assert part, f"closed after {data!r}"
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < size:
        body += client.recv(65_536)
    return head, body


def is_closed(client: socket.socket, seconds: float) -> bool:
    """Whether the server closes the connection within so many seconds."""
    client.settimeout(seconds)
    try:
        return client.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_many_requests_go_over_one_connection(server: Any) -> None:
    connection = server.connect()
    for _ in range(50):
        answer = server.request("POST", "/get-online-features", BODY, on=connection)
        assert answer.status == 200
        assert answer.headers["connection"] == "keep-alive"
        # An error in between does not end it.
        assert server.request("POST", "/get-online-features", b"{", on=connection).status == 422
    connection.close()


def test_a_client_may_ask_for_the_end_of_the_connection(server: Any) -> None:
    answer = server.request("POST", "/get-online-features", BODY, headers={"Connection": "close"})
    assert (answer.status, answer.headers["connection"]) == (200, "close")


@pytest.mark.parametrize("step", [1, 7, 60, len(REQUEST) - 1])
def test_a_request_may_arrive_in_pieces(server: Any, step: int) -> None:
    with server.socket() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(REQUEST), step):
            client.sendall(REQUEST[at : at + step])
            time.sleep(0.001)
        head, body = read_answer(client)
    assert head.startswith(b"HTTP/1.1 200")
    assert json.loads(body)["results"][0]["values"] == [1001, 0.5, 0.75, 10]


def test_several_requests_at_once_are_answered_in_order(server: Any) -> None:
    other = BODY.replace(b"1001", b"1002")
    with server.socket() as client:
        client.sendall(REQUEST + REQUEST.replace(BODY, other) + REQUEST)
        answers = b""
        while answers.count(b"avg_daily_trips") < 3:
            answers += client.recv(65_536)
    assert [answers.find(b"[1001,"), answers.find(b"[1002,")] == sorted(
        [answers.find(b"[1001,"), answers.find(b"[1002,")]
    )
    assert answers.count(b"[1001,") == 2


def test_a_body_may_come_in_chunks(server: Any) -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:10], BODY[10:]))
    with server.socket() as client:
        head = b"POST /get-online-features HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.sendall(head + chunks + b"0\r\n\r\n")
        assert read_answer(client)[0].startswith(b"HTTP/1.1 200")
        client.sendall(REQUEST)
        assert read_answer(client)[0].startswith(b"HTTP/1.1 200")


def test_a_client_may_wait_for_100_continue(server: Any) -> None:
    with server.socket() as client:
        head, _, body = REQUEST.partition(b"\r\n\r\n")
        client.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(body)
        assert read_answer(client)[0].startswith(b"HTTP/1.1 200")


def test_a_client_that_goes_away_leaves_no_trace(server: Any) -> None:
    for sent in (b"", REQUEST[:20], REQUEST[:-5], REQUEST):
        with server.socket() as client:
            client.sendall(sent)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # reset
    assert server.request("GET", "/health").status == 200
    assert "Traceback" not in server.errors()


IMPATIENT = """
from sanic import Sanic
from feast_core import hookimpl

@hookimpl
def feast_worker_started(store, settings):
    Sanic.get_app("feast").config.update(REQUEST_TIMEOUT=1, RESPONSE_TIMEOUT=1)
"""


def test_a_request_that_does_not_arrive_whole_is_given_up(start: Any, make: Any, tmp_path: Any) -> None:
    head, _, body = REQUEST.partition(b"\r\n\r\n")
    chunked = b"POST /get-online-features HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    parts = (
        b"\x16\x03\x01",
        head,
        head + b"\r\n\r\n" + body[:-1],
        head + b"\r\nUpgrade: websocket\r\n\r\n" + body[:-1],
        chunked + b"%x\r\n%b" % (len(body), body),
    )
    with start(make(tmp_path / "impatient", plugins=IMPATIENT)) as server, contextlib.ExitStack() as open_sockets:
        clients = [open_sockets.enter_context(server.socket()) for _ in parts]
        for client, part in zip(clients, parts, strict=True):
            client.sendall(part)
        for client in clients:
            head, told = read_answer(client)
            assert head.startswith(b"HTTP/1.1 408 ")
            assert json.loads(told)["detail"] == "the request did not arrive whole in time"
            assert is_closed(client, 30)
        assert server.online(BODY).status == 200
        assert "Traceback" not in server.errors()


def test_an_idle_connection_is_closed_after_the_keep_alive_timeout(start: Any, shared_repository: Any) -> None:
    with start(shared_repository, "--keep-alive-timeout", 1) as server, server.socket() as client:
        asked = time.monotonic()
        client.sendall(REQUEST)
        read_answer(client)
        assert is_closed(client, 30)
        assert time.monotonic() - asked >= 1


def test_without_keep_alive_each_answer_closes_the_connection(start: Any, shared_repository: Any) -> None:
    """And not before it, whenever the request comes."""
    with start(shared_repository, "--keep-alive-timeout", 0) as server, server.socket() as client:
        time.sleep(0.5)
        client.sendall(REQUEST)
        assert b"connection: close" in read_answer(client)[0]
        assert is_closed(client, 30)


def test_the_client_above_the_limit_waits_and_those_within_are_served(start: Any, shared_repository: Any) -> None:
    with start(shared_repository, "--worker-connections", 2) as server, contextlib.ExitStack() as open_sockets:
        first, second, third = (open_sockets.enter_context(server.socket()) for _ in range(3))
        for client in (first, second):
            client.sendall(REQUEST)
            assert read_answer(client)[0].startswith(b"HTTP/1.1 200")
        third.sendall(REQUEST)
        third.settimeout(0.5)
        with pytest.raises(TimeoutError):
            third.recv(1)
        for client in (first, second):
            client.sendall(REQUEST)
            assert read_answer(client)[0].startswith(b"HTTP/1.1 200")
        first.close()
        third.settimeout(30)
        assert read_answer(third)[0].startswith(b"HTTP/1.1 200")


def test_places_are_given_back_by_clients_of_every_kind(start: Any, shared_repository: Any) -> None:
    with start(shared_repository, "--worker-connections", 2) as server:
        for sent in (b"", b"GARBAGE\r\n\r\n", REQUEST[:30], REQUEST, REQUEST + REQUEST[:10]) * 4:
            with server.socket() as client:
                client.sendall(sent)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: server.online(BODY).status, range(40)))
        assert answers == [200] * 40
