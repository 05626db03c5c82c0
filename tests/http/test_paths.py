"""The paths of the server beside the main one, and what is not a path of it."""

import contextlib
import time
from typing import Any

import pytest

PLUGINS = """
import time
from pathlib import Path
from feast_core import hookimpl
from feast_core.errors import Unavailable

HERE = Path(__file__).parent

@hookimpl
def feast_worker_started(store, settings):
    check = store.online.check

    def checked():
        if (HERE / "gone").exists():
            raise Unavailable("postgresql://user:secret@10.0.0.7 does not answer")
        if (HERE / "slow").exists():
            time.sleep(3)
        check()

    store.online.check = checked
"""


def test_health_is_an_empty_200(server: Any) -> None:
    answer = server.request("GET", "/health")
    assert (answer.status, answer.body) == (200, b"")
    head = server.request("HEAD", "/health")
    assert (head.status, head.body) == (200, b"")


def test_ready_says_so(server: Any) -> None:
    answer = server.request("GET", "/ready")
    assert (answer.status, answer.json) == (200, {"status": "ready"})
    assert server.request("HEAD", "/ready").status == 200


def test_ready_says_what_is_missing_and_no_more(start: Any, make: Any, tmp_path: Any, wait_until: Any) -> None:
    repository = make(tmp_path / "repository", plugins=PLUGINS)
    with start(repository) as server:
        assert server.request("GET", "/ready").status == 200
        (repository / "gone").touch()
        wait_until(lambda: server.request("GET", "/ready").status == 503)
        answer = server.request("GET", "/ready")
        assert answer.json["detail"] == "the online store cannot be reached"
        assert answer.headers["retry-after"] == "1"
        (repository / "gone").unlink()
        wait_until(lambda: server.request("GET", "/ready").status == 200)
        (repository / "slow").touch()
        time.sleep(1.1)
        before = time.monotonic()
        assert server.request("GET", "/ready").json["detail"] == "the online store does not answer"
        assert time.monotonic() - before < 3
        before = time.monotonic()
        assert server.request("GET", "/health").status == 200
        assert time.monotonic() - before < 1


@pytest.mark.parametrize("path", ["/", "/nope", "/get-online-features/x", "/docs%00", "/" + "/" * 5000 + "x"])
def test_an_unknown_path_is_404(server: Any, path: str) -> None:
    answer = server.request("GET", path)
    assert answer.status == 404
    assert answer.json["title"] == "Not Found"
    assert server.request("GET", f"{path}?response_format=columns").json == {"detail": "Not Found"}


def test_a_wrong_method_is_405_and_says_which_is_right(server: Any) -> None:
    answer = server.request("GET", "/get-online-features")
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"
    assert answer.json["detail"] == "/get-online-features takes POST only"
    answer = server.request("DELETE", "/health?response_format=columns")
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert answer.json == {"detail": "Method Not Allowed"}


def test_slashes_at_either_end_do_not_matter(server: Any) -> None:
    body = {"feature_service": "driver_activity", "entities": {"driver_id": [1001]}}
    for path in ("/get-online-features/", "//get-online-features"):
        assert server.request("POST", path, body).status == 200, path
    assert server.request("GET", "/health/").status == 200


BODY = b'{"feature_service": "driver_activity", "entities": {"driver_id": [1001]}}'
HOST = b"Host: x\r\nConnection: close\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKS = b"%x;what=ever\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        (b"POST http://other:99/get-online-features HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY, 200, "1001"),
        (b"POST /get-online-features#part HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY, 200, "1001"),
        (b"POST /get-online-features HTTP/1.0\r\n" + LENGTH + b"\r\n" + BODY, 200, "1001"),
        (b"POST /get-online-features HTTP/1.1\r\nConnection: close\r\n" + LENGTH + b"\r\n" + BODY, 200, "1001"),
        (b"POST /get-online-features HTTP/1.1\r\nHost: [[:\r\n" + HOST + LENGTH + b"\r\n" + BODY, 200, "1001"),
        (
            b"POST /get-online-features HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + b"\r\n" + CHUNKS,
            200,
            "1001",
        ),
        (b"POST /get%2Donline-features HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY, 404, "get%2Donline"),
        (b"POST /%ff%00%zz HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY, 404, "/%ff%00%zz"),
        (b"POST /a/../get-online-features HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY, 404, "/a/../get"),
        (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 404, "at *"),
        (b"GET /" + b"a" * 7000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 404, "/aaaa"),
        (b"post /get-online-features HTTP/1.1\r\n" + HOST + LENGTH + b"\r\n" + BODY, 405, "POST only"),
        (b"POST /get-online-features HTTP/1.1\r\n" + HOST + b"\r\n", 422, "body: is empty"),
        (b"POST /get-online-features HTTP/2.0\r\n" + HOST + b"\r\n", 400, "HTTP/1.1"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "HTTP/1.1"),
        (b"CONNECT other:80 HTTP/1.1\r\n" + HOST + b"\r\n", 400, "HTTP/1.1"),
        (b"POST /get-online-features HTTP/1.1\r\nContent-Length: 1_0\r\n" + HOST + b"\r\n", 400, "length"),
        (b"POST /get-online-features HTTP/1.1\r\nExpect: cake\r\n" + LENGTH + b"\r\n" + BODY, 417, "100-continue"),
        (b"GET /health HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n", 431, "headers are larger than 8192 bytes"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431, "URL and the headers"),
        (b"POST /get-online-features HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n", 413, "max_body_bytes"),
        (
            b"POST /get-online-features HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n",
            413,
            "max_body_bytes",
        ),
    ],
)
def test_odd_requests_are_answered_and_told_what_is_wrong(server: Any, sent: bytes, status: int, says: str) -> None:
    with server.socket() as client:
        client.sendall(sent)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while part := client.recv(65_536):
                answer += part
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer
    assert says in answer.decode()
    assert server.request("GET", "/health").status == 200
    assert "Traceback" not in server.errors()


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CAKE"])
def test_a_body_that_nobody_reads_does_not_disturb_the_next_request(server: Any, method: str) -> None:
    connection = server.connect()
    for path, status in (("/get-online-features", 405), ("/nope", 404)):
        assert server.request(method, path, b"x" * 1_000_000, on=connection).status == status
        assert server.request("POST", "/get-online-features", BODY, on=connection).status == 200
    connection.close()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("response_format=", 200),
        ("response_format[]=table", 200),
        ("response_format=%63olumns", 200),
        ("&&=&", 200),
        ("response_format=ROWS", 422),
        ("response_format=%ff", 422),
        ("response_format=rows%00", 422),
        ("response_format=" + "x" * 5000, 422),
    ],
)
def test_a_format_is_known_or_refused(server: Any, query: str, status: int) -> None:
    answer = server.online(BODY, f"?{query}")
    assert answer.status == status
    assert len(answer.body) < 1000
    assert server.request("GET", f"/nope?{query}").status == 404


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        b"GET http://[:::/ HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"POST /get-online-features HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /get-online-features HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /get-online-features HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /get-online-features HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"GET /health HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_and_the_server_lives_on(server: Any, sent: bytes) -> None:
    with server.socket() as client:
        client.sendall(sent)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while part := client.recv(65_536):
                answer += part
    assert answer.startswith(b"HTTP/1.1 4"), answer
    assert server.request("GET", "/health").status == 200
    assert "Traceback" not in server.errors()
