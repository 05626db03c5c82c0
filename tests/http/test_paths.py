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
