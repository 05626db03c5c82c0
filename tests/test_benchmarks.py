"""What the benchmarks say of a figure: met, missed, or nothing to compare; and that their client keeps every answer."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.client import post_all, post_at_rate
from benchmarks.drivers import Feed
from benchmarks.figures import Figure, Target
from benchmarks.servers import Server


def figure(ours: float | None, other: float | None, target: Target | None) -> Figure:
    return Figure("start", "feast --help", "s", ours, other, target=target)


@pytest.mark.parametrize(
    ("target", "other", "met", "missed"),
    [
        (Target("ours", 2.0), None, 2.0, 2.1),
        (Target("ours", 2.0, at_least=True), None, 2.0, 1.9),
        (Target("ratio", 1.05), 100.0, 105.0, 106.0),
        (Target("ratio", 20.0, at_least=True), 10.0, 200.0, 199.0),
        (Target("more", 0.25), 1.0, 1.25, 1.26),
    ],
)
def test_a_figure_is_held_to_its_target(target: Target, other: float | None, met: float, missed: float) -> None:
    assert figure(met, other, target).met is True
    assert figure(missed, other, target).met is False


@pytest.mark.parametrize(
    ("ours", "other", "target"),
    [
        (1.0, 1.0, None),
        (None, 1.0, Target("ours", 2.0)),
        (1.0, None, Target("ratio", 2.0)),
        (1.0, None, Target("more", 2.0)),
    ],
)
def test_what_was_not_measured_is_neither_met_nor_missed(
    ours: float | None, other: float | None, target: Target | None
) -> None:
    assert figure(ours, other, target).met is None


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the body that it was sent; not at all where that is `close`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = body == b"close"
        if not self.close_connection:
            self.send_response(500 if body == b"fail" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Server]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Server("echo", server.server_port, 0, tmp_path / "log")
        server.shutdown()
        thread.join()


def test_every_body_is_posted_once_and_its_answer_is_known(echo: Server) -> None:
    bodies = [b"row %d" % number * 10_000 for number in range(40)]
    bodies[7], bodies[21] = b"fail", b"close"
    posted = post_all(echo, "/push", bodies, 4)
    answers = {answer.body: answer for answer in posted.answers}
    assert len(posted.answers) == len(answers) == 40
    assert {turn: answer.status for turn, answer in answers.items() if answer.status != 200} == {7: 500, 21: 0}
    assert all(answers[turn].content == body for turn, body in enumerate(bodies) if body != b"close")
    assert 0 < posted.percentile_ms(50) <= posted.percentile_ms(99) <= posted.seconds * 1e3


def test_who_posts_at_a_rate_ends_with_the_bodies_or_when_told_to(echo: Server) -> None:
    stop = threading.Event()
    assert len(post_at_rate(echo, "/push", [b"row"] * 5, 1_000.0, stop).answers) == 5
    stop.set()
    assert not post_at_rate(echo, "/push", [b"row"] * 5, 1_000.0, stop).answers


def test_pushed_rows_are_numbered_without_a_gap() -> None:
    feed = Feed()
    pushes = [*feed.pushes(3, 2, "online"), *feed.pushes(1, 1_000, "offline")]
    assert [number for push in pushes for number in push.numbers] == list(range(1_006))
