"""The server as processes: workers that die are replaced, and everything ends cleanly."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from feast_core.store import FeatureStore

BODY = {"feature_service": "driver_activity", "entities": {"driver_id": [1001]}}

#: Reading driver 1002 takes a second.
SLOW_READER = """
import asyncio
from feast_core import hookimpl

@hookimpl(wrapper=True)
def feast_reader(store, reads):
    read = yield

    async def slow(keys):
        rows = await read(keys)
        if rows[0][0] is not None and rows[0][0][2]:  # the row with a null
            await asyncio.sleep(1.0)
        return rows

    return slow
"""
SLOW = BODY | {"entities": {"driver_id": [1002]}}


def all_gone(pids: list[int]) -> Callable[[], bool]:
    return lambda: not any(psutil.pid_exists(pid) for pid in pids)


def in_background(call: Callable[[], Any]) -> Callable[[], Any]:
    """Start a call in a thread; what is returned waits for its result."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()

    def result() -> Any:
        thread.join(20)
        return results[0]

    return result


def test_it_says_what_it_serves_and_where(server: Any) -> None:
    assert server.announced == (
        f"serving drivers on http://127.0.0.1:{server.port} with 1 worker, pid {server.process.pid}\n"
    )


def test_every_request_is_in_the_access_log(start: Any, shared_repository: Path, wait_until: Any) -> None:
    with start(shared_repository) as server:
        server.online(BODY, "?response_format=rows&token=secret")
        server.online(BODY)
        server.request("GET", "/nope")
        with server.socket() as client:
            client.sendall(b"GARBAGE\r\n\r\n")
            client.recv(1000)
        wait_until(lambda: server.errors().count("\n") == 4)
        with_query, plain, missing, broken = server.errors().splitlines()
        assert '"POST /get-online-features" 200 ' in with_query
        assert '"POST /get-online-features" 200 ' in plain
        assert '"GET /nope" 404 ' in missing
        assert " 400 " in broken
        assert "secret" not in server.errors()


def test_without_an_access_log_nothing_is_written(start: Any, shared_repository: Path) -> None:
    with start(shared_repository, "--no-access-log") as server:
        server.online(BODY)
        assert server.stop() == 0
        assert server.errors() == ""


def test_two_workers_share_the_clients(start: Any, shared_repository: Path, wait_until: Any) -> None:
    with start(shared_repository, "-w", 2) as server:
        assert "with 2 workers" in server.announced
        wait_until(lambda: len(server.workers()) == 2)
        workers = server.workers()

        def served(pid: int) -> bool:
            server.online(BODY)
            return any(found.status == "ESTABLISHED" for found in psutil.Process(pid).net_connections())

        kept = []

        def one_more_makes_each_have_one() -> bool:
            connection = server.connect()
            assert server.request("POST", "/get-online-features", BODY, on=connection).status == 200
            kept.append(connection)
            return all(served(pid) for pid in workers)

        wait_until(one_more_makes_each_have_one)  # clients that stay
        for connection in kept:
            connection.close()
        assert server.stop() == 0
        assert all_gone(workers)()


def test_a_worker_that_is_killed_is_replaced(start: Any, shared_repository: Path, wait_until: Any) -> None:
    with start(shared_repository) as server:
        [worker] = server.workers()
        os.kill(worker, signal.SIGKILL)
        # The parent holds the socket: who connects meanwhile waits for the next worker.
        wait_until(lambda: server.online(BODY).status == 200)
        wait_until(all_gone([worker]))
        [successor] = server.workers()
        assert successor != worker
        assert f"worker {worker} ended with SIGKILL, starting another" in server.errors()
        assert server.stop() == 0


def test_sigterm_to_a_worker_renews_it_without_a_gap(start: Any, shared_repository: Path, wait_until: Any) -> None:
    with start(shared_repository) as server:
        [worker] = server.workers()
        os.kill(worker, signal.SIGTERM)
        connection = server.connect()
        closed = 0
        deadline = time.monotonic() + 60
        while psutil.pid_exists(worker) and time.monotonic() < deadline:
            answer = server.request("POST", "/get-online-features", BODY, on=connection)
            assert answer.status == 200
            closed += answer.headers["connection"] == "close"
            time.sleep(0.01)
        assert not psutil.pid_exists(worker)
        assert closed == 1, "the connection was told to go elsewhere, once"
        assert server.online(BODY).status == 200
        assert "ended" not in server.errors()


def test_workers_end_when_their_parent_is_killed(start: Any, shared_repository: Path, wait_until: Any) -> None:
    with start(shared_repository, "-w", 2) as server:
        wait_until(lambda: len(server.workers()) == 2)
        workers = server.workers()
        server.process.kill()
        server.process.wait()
        wait_until(all_gone(workers))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_in_flight_is_answered_when_it_is_told_to_end(
    start: Any, make: Any, tmp_path: Path, number: signal.Signals
) -> None:
    with start(make(tmp_path / "slow", plugins=SLOW_READER)) as server:
        workers = server.workers()
        idle = server.connect()
        assert server.request("GET", "/health", on=idle).status == 200
        answer = in_background(lambda: server.online(SLOW))
        time.sleep(0.4)
        if number == signal.SIGINT:  # as Ctrl-C in a terminal, which reaches the workers too
            for worker in workers:
                os.kill(worker, number)
        assert server.stop(number) == 0
        assert answer().status == 200
        assert answer().headers["connection"] == "close"
        assert all_gone(workers)()
        idle.close()
        with pytest.raises(OSError):  # noqa: PT011  (refused or reset)
            server.request("GET", "/health")
        assert "Traceback" not in server.errors()


def test_who_waits_in_the_queue_is_answered_when_it_is_told_to_end(start: Any, shared_repository: Path) -> None:
    with start(shared_repository) as server, contextlib.ExitStack() as waiting:
        [worker] = server.workers()
        os.kill(worker, signal.SIGSTOP)
        # The kernel takes these connections; the worker does not know of them yet.
        clients = [waiting.enter_context(server.socket()) for _ in range(5)]
        for client in clients:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        os.kill(worker, signal.SIGCONT)
        for client in clients:
            answer = client.recv(1000)
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"connection: close" in answer
        assert server.process.wait(10) == 0


def test_sigterm_right_after_the_first_answer_ends_it(start: Any, shared_repository: Path) -> None:
    with start(shared_repository) as server:
        server.online(BODY)
        before = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - before < 5


def test_what_takes_too_long_is_cut_off_at_the_end(start: Any, make: Any, tmp_path: Path) -> None:
    yaml = """\
project: drivers
registry: registry.db
online_store: {type: sqlite, path: online.db}
feature_server: {shutdown_timeout_seconds: 0.2}
"""
    with start(make(tmp_path / "slow", yaml, plugins=SLOW_READER.replace("1.0", "30"))) as server:
        with server.socket() as client:
            content = b'{"feature_service": "driver_activity", "entities": {"driver_id": [1002]}}'
            client.sendall(
                b"POST /get-online-features HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content)
            )
            time.sleep(0.4)
            before = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - before < 5
        assert "1 connections were cut off" in server.errors()


def run_serve(repository: Path, *options: object) -> "subprocess.CompletedProcess[str]":
    """`feast serve` that ends by itself."""
    program = "import sys; from feast_cli.main import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", program, "-c", str(repository), "serve", *map(str, options)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_port_that_is_taken_is_one_clear_line(server: Any, shared_repository: Path) -> None:
    done = run_serve(shared_repository, "-p", server.port)
    assert done.returncode == 1
    assert done.stderr == (
        f"error: cannot listen on 127.0.0.1 port {server.port}: another process does;"
        " choose another port with --port, or --port 0 for a free one\n"
    )
    assert done.stdout == ""


def test_a_broken_repository_is_reported_once_and_not_tried_again(repository: Path) -> None:
    (repository / "registry.db").write_bytes(b"\n\x07drivers\x12\x03not a registry of ours" * 20)
    before = time.monotonic()
    done = run_serve(repository, "-p", 0)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "registry.db" in done.stderr
    assert done.stdout == ""
    assert time.monotonic() - before < 10


def test_a_plugin_that_breaks_at_start_ends_the_command(repository: Path) -> None:
    (repository / "feast_plugins.py").write_text("raise ValueError('typo')")
    done = run_serve(repository, "-p", 0)
    assert done.returncode == 1
    assert "feast_plugins.py does not load: ValueError: typo" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_later_worker_that_cannot_load_is_tried_again(start: Any, repository: Path, wait_until: Any) -> None:
    yaml = (repository / "feature_store.yaml").read_text()
    with start(repository, "-w", 2, log_level="info") as server:
        wait_until(lambda: "is ready" in server.errors())
        (repository / "feature_store.yaml").write_text("project: [")
        os.kill(server.workers()[0], signal.SIGKILL)
        wait_until(lambda: "a worker cannot start" in server.errors())
        assert server.online(BODY).status == 200
        (repository / "feature_store.yaml").write_text(yaml)
        wait_until(lambda: len(server.workers()) == 2)
        assert server.stop() == 0


def test_a_new_apply_is_served_within_the_ttl(start: Any, repository: Path, wait_until: Any) -> None:
    asked = {"feature_service": "just_trips", "entities": {"driver_id": [1001]}}
    with start(repository, "-r", 1) as server:
        assert server.online(asked).status == 404
        text = (repository / "features.py").read_text()
        more = 'just_trips = FeatureService(name="just_trips", features=[driver_hourly_stats[["avg_daily_trips"]]])\n'
        (repository / "features.py").write_text(text + more)
        with FeatureStore(repo_path=repository) as store:
            store.apply()
        wait_until(lambda: server.online(asked).status == 200, 4)
        assert server.online(asked).json["results"][0]["values"] == [1001, 10]


def test_a_registry_that_fails_later_leaves_the_old_answers(start: Any, repository: Path, wait_until: Any) -> None:
    with start(repository, "-r", 1) as server:
        assert server.online(BODY).status == 200
        (repository / "registry.db").rename(repository / "away.db")
        (repository / "registry.db").mkdir()
        wait_until(lambda: "the registry could not be read again" in server.errors())
        assert server.online(BODY).status == 200


def test_a_repository_that_was_not_applied_is_served_with_a_warning(start: Any, tmp_path: Path) -> None:
    (tmp_path / "feature_store.yaml").write_text("project: empty\nregistry: registry.db\n")
    with start(tmp_path) as server:
        answer = server.online(BODY)
        assert answer.status == 404
        assert "nothing was applied to project empty yet; run `feast apply`" in server.errors()
