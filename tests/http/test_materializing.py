"""Materializing over HTTP: each run in a process of its own, whatever becomes of that, the worker or the server."""

import concurrent.futures
import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

from feast_core.store import FeatureStore
from feast_core.timestamps import parse_timestamp

YAML = """\
project: drivers
registry: registry.db
online_store:
  type: sqlite
  path: online.db
feature_server:
  shutdown_timeout_seconds: {shutdown}
"""

FEATURES = """\
from feast import Entity, FeatureView, Field, FileSource, PushSource, ValueType
from feast.types import Float32

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)

def view(name, path, **more):
    source = FileSource(name=f"{name} source", path=path, timestamp_field="event_timestamp")
    return FeatureView(name=name, entities=[driver], schema=[Field(name="rate", dtype=Float32)], source=source, **more)

first = view("first", "stats.parquet")
second = view("second", "stats.parquet")
broken = view("broken", "broken.parquet")
offline_only = view("offline_only", "stats.parquet", online=False)
"""

ROWS = """
SELECT 1001 + i AS driver_id, CAST(i AS FLOAT) AS rate, TIMESTAMPTZ '2026-11-20 10:00:00Z' AS event_timestamp
FROM range(3) AS t(i)
"""

#: A run waits, before it writes, until the file `go` is there; the file `began` has its process and view.
GATE = """
import time
from pathlib import Path
from feast_core import hookimpl

HERE = Path(__file__).parent

@hookimpl(wrapper=True)
def feast_writer(store, view):
    write = yield
    def gated(rows):
        with (HERE / "began").open("a") as began:
            print(view.view.name, file=began)
        while not (HERE / "go").exists():
            time.sleep(0.01)
        return write(rows)
    return gated
"""

#: Tells which worker answers a connection, and has connections that are made after it time out soon.
ROUTES = """
import os
from feast_core import hookimpl
from feast_core.hookspecs import Route
from sanic.response import json

@hookimpl
def feast_routes(store):
    async def pid(request):
        return json(os.getpid())
    async def hurry(request):
        request.app.config.RESPONSE_TIMEOUT = 0.3
        return json(None)
    return [Route("GET", "/pid", pid), Route("POST", "/hurry", hurry)]
"""

WINDOW = {"start_ts": "2026-11-01", "end_ts": "2026-11-21T00:00:00Z"}
ALL = {"disable_event_timestamp": True}


def make(path: Path, plugins: str = "", shutdown: float = 30) -> Path:
    """An applied repository; the source of the view `broken` is removed after that."""
    path.mkdir()
    (path / "feature_store.yaml").write_text(YAML.format(shutdown=shutdown))
    (path / "features.py").write_text(FEATURES)
    with duckdb.connect() as connection:
        for name in ("stats", "broken"):
            connection.execute(f"COPY ({ROWS}) TO '{path / name}.parquet' (FORMAT parquet)")
    with FeatureStore(repo_path=path) as store:
        store.apply()
    (path / "broken.parquet").unlink()
    if plugins:
        (path / "feast_plugins.py").write_text(plugins)
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of one's own, whose runs do not wait."""
    return make(tmp_path / "repository")


@pytest.fixture
def gated(tmp_path: Path) -> Path:
    """A repository of one's own, whose runs wait."""
    return make(tmp_path / "repository", GATE + ROUTES)


def post(server: Any, body: object, query: str = "", path: str = "/materialize", **more: Any) -> Any:
    """The answer, for which one may have to wait: a process is started, on a machine that is busy with other tests."""
    if "on" in more:
        return server.request("POST", f"{path}{query}", body, **more)
    with contextlib.closing(server.connect(60)) as connection:
        return server.request("POST", f"{path}{query}", body, on=connection, **more)


def ask(server: Any, body: object = WINDOW, query: str = "?async=true", **more: Any) -> str:
    """The id of a job that was accepted."""
    answer = post(server, body, query, **more)
    assert answer.status == 202, answer.body
    job: str = answer.json["job"]
    return job


def job(server: Any, id: str) -> Any:
    return server.request("GET", f"/materialize/jobs/{id}").json


def over(server: Any, id: str) -> Callable[[], bool]:
    return lambda: bool(job(server, id)["ended"])


def of(*views: str) -> dict[str, Any]:
    return {**WINDOW, "feature_views": list(views)}


def began(repository: Path, *views: str) -> Callable[[], bool]:
    """Whether these views, and no others, are being written or were."""

    def look() -> bool:
        path = repository / "began"
        return path.exists() and sorted(path.read_text().split()) == sorted(views)

    return look


def runners(server: Any) -> list[psutil.Process]:
    """The processes of its runs, without those that have ended."""
    found = []
    for child in psutil.Process(server.process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # as is one that nobody has asked for its exit status yet
            if "feast_http.runner" in child.cmdline():
                found.append(child)
    return found


def rates(server: Any, view: str = "first") -> Any:
    answer = server.online({"features": [f"{view}:rate"], "entities": {"driver_id": [1001, 1002]}})
    return [result["values"][1] for result in answer.json["results"]]


def intervals(repository: Path, view: str = "first") -> int:
    with FeatureStore(repo_path=repository) as store:
        return len(store.intervals(view))


def states(repository: Path) -> list[str]:
    """Of all runs."""
    with contextlib.closing(sqlite3.connect(repository / "registry.db")) as connection:
        return [state for (state,) in connection.execute("SELECT state FROM feast_runs")]


@contextlib.contextmanager
def in_thread(call: Callable[[], Any]) -> Iterator["concurrent.futures.Future[Any]"]:
    """The answer of a call that waits, beside what the block does."""
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        yield threads.submit(call)


# What is answered.


def test_the_answer_tells_what_was_done_of_each_view(start: Any, repository: Path) -> None:
    with start(repository) as server:
        assert rates(server) == [None, None]
        answer = post(server, of("first", "second", "first"))
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        views = answer.json["feature_views"]
        assert [view.pop("seconds") > 0 for view in views] == [True, True]
        window = {"start": "2026-11-01T00:00:00Z", "end": "2026-11-21T00:00:00Z"}
        assert views == [{"name": name, "rows": 3, "superseded": 0, **window} for name in ("first", "second")]
        assert rates(server) == rates(server, "second") == [0.0, 1.0]
    assert intervals(repository) == 1


def test_what_is_stored_with_a_newer_time_is_superseded(start: Any, repository: Path) -> None:
    with start(repository) as server:
        (newer,) = post(server, {**ALL, "feature_views": ["first"]}).json["feature_views"]
        assert (newer["rows"], newer["start"]) == (3, "1970-01-01T00:00:00Z")
        (older,) = post(server, of("first")).json["feature_views"]
        assert (older["rows"], older["superseded"]) == (0, 3)


def test_incremental_goes_on_from_where_a_view_ended(start: Any, repository: Path) -> None:
    with start(repository) as server:

        def to(end: str) -> Any:
            body = {"end_ts": end, "feature_views": ["first"]}
            answer = post(server, body, path="/materialize-incremental")
            assert answer.status == 200
            (view,) = answer.json["feature_views"]
            return view["rows"], view["start"], view["end"]

        first = to("2026-11-20T12:00:00Z")
        assert (first[0], first[2]) == (3, "2026-11-20T12:00:00Z")
        assert to("2026-11-21T02:00:00+02:00") == (0, "2026-11-20T12:00:00Z", "2026-11-21T00:00:00Z")
        # Nothing new: the window is empty, where the last one ended.
        assert to("2026-11-20") == (0, "2026-11-21T00:00:00Z", "2026-11-21T00:00:00Z")


def test_all_views_that_can_be_are_materialized_where_none_is_named(start: Any, repository: Path) -> None:
    with start(repository) as server:
        answer = post(server, {**WINDOW, "feature_views": None, "full_feature_names": True, "unknown": 1})
        assert answer.status == 500
        assert answer.json["feature_views"] == ["broken"]
        assert rates(server) == rates(server, "second") == [0.0, 1.0]
        assert post(server, {**WINDOW, "feature_views": []}).json == {"feature_views": []}


def test_a_view_that_fails_is_named_and_the_log_has_the_reason(start: Any, repository: Path) -> None:
    with start(repository) as server:
        answer = post(server, of("broken", "first"))
        assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
        problem = answer.json
        assert (problem["title"], problem["feature_views"]) == ("Materialization failed", ["broken"])
        assert "1 of 2 feature views" in problem["detail"]
        assert str(repository) not in answer.body.decode()
        assert ".parquet" not in answer.body.decode()
        id = problem["detail"].rpartition(" ")[2]
        assert id in server.errors()
        assert "broken.parquet" in server.errors()
        found = job(server, id)
        assert (found["state"], found["error"]) == ("failed", None)
        assert [(view["name"], view["error"]) for view in found["feature_views"]] == [
            ("broken", "Data source error"),
            ("first", None),
        ]
        again = server.request("POST", "/materialize?response_format=columns", of("broken"))
        assert (again.status, again.json["feature_views"]) == (500, ["broken"])
    assert "Traceback" not in server.errors()


def test_a_job_is_accepted_and_tells_how_far_it_is(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated) as server:
        answer = post(server, of("first", "second"), "?async=true")
        id = answer.json["job"]
        assert answer.status == 202
        assert answer.json == {"status": "accepted", "job": id, "feature_views": ["first", "second"]}
        assert answer.headers["location"] == f"/materialize/jobs/{id}"
        wait_until(began(gated, "first"))
        running = server.request("GET", answer.headers["location"]).json
        assert (running["job"], running["state"], running["ended"]) == (id, "running", None)
        assert running["created"] <= running["started"]
        assert [view["seconds"] for view in running["feature_views"]] == [None, None]
        (gated / "go").touch()
        wait_until(over(server, id))
        done = job(server, id)
        assert (done["state"], done["error"]) == ("succeeded", None)
        assert [(view["name"], view["rows"], view["error"]) for view in done["feature_views"]] == [
            ("first", 3, None),
            ("second", 3, None),
        ]
        assert done["started"] <= done["ended"]
        wait_until(lambda: not runners(server))


def test_progress_is_told_while_a_job_runs(start: Any, tmp_path: Path, wait_until: Any) -> None:
    """The second batch waits."""
    repository = make(tmp_path / "repository", GATE.replace("while not", "while view.view.name == 'second' and not"))
    with start(repository) as server:
        id = ask(server, of("first", "second"))
        wait_until(lambda: [view["rows"] for view in job(server, id)["feature_views"]] == [3, 0])
        assert job(server, id)["state"] == "running"
        (repository / "go").touch()
        wait_until(over(server, id))


def test_a_job_with_nothing_to_do_has_succeeded(start: Any, repository: Path) -> None:
    with start(repository) as server:
        assert job(server, ask(server, of()))["state"] == "succeeded"
        assert post(server, of("first")).status == 200
        body = {"end_ts": "2026-11-20", "feature_views": ["first"]}
        id = ask(server, body, path="/materialize-incremental")
        assert job(server, id)["state"] == "succeeded"


def test_an_unknown_job_is_not_found(start: Any, repository: Path) -> None:
    with start(repository) as server:
        for id in ("nope", "%27%3B--", "a" * 300, "%00"):
            answer = server.request("GET", f"/materialize/jobs/{id}")
            assert answer.status == 404, id
        assert server.request("POST", "/materialize/jobs/nope").status == 405
    assert "Traceback" not in server.errors()


def test_every_worker_tells_of_a_job(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated, "-w", 2) as server, contextlib.ExitStack() as open_connections:
        by_worker: dict[int, Any] = {}

        def reach_both() -> bool:
            connection = open_connections.enter_context(contextlib.closing(server.connect()))
            by_worker[server.request("GET", "/pid", on=connection).json] = connection
            return len(by_worker) == 2

        wait_until(reach_both)
        one, other = by_worker.values()
        id = ask(server, of("first"), on=one)
        wait_until(began(gated, "first"))
        for connection in (one, other):
            assert server.request("GET", f"/materialize/jobs/{id}", on=connection).json["state"] == "running"
            assert post(server, of("first"), on=connection).status == 409
        (gated / "go").touch()
        wait_until(lambda: server.request("GET", f"/materialize/jobs/{id}", on=other).json["state"] == "succeeded")


# What is refused.


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/materialize", {}, 422, ["start_ts", "end_ts"]),
        ("/materialize", {"start_ts": "2026-11-01"}, 422, ["end_ts"]),
        ("/materialize", {"start_ts": None, "end_ts": "2026-11-01"}, 422, ["start_ts"]),
        ("/materialize", {**WINDOW, "start_ts": "garbage"}, 422, ["start_ts"]),
        ("/materialize", {"start_ts": "x", "end_ts": "2026-13-01"}, 422, ["start_ts", "end_ts"]),
        ("/materialize", {**WINDOW, "end_ts": "1795338000"}, 422, ["end_ts"]),
        ("/materialize", {**WINDOW, "end_ts": 1795338000}, 422, ["end_ts"]),
        ("/materialize", {"start_ts": "2026-11-02", "end_ts": "2026-11-01T23:59:59"}, 422, ["start_ts"]),
        ("/materialize", {**WINDOW, **ALL}, 422, ["start_ts", "end_ts"]),
        ("/materialize", {**WINDOW, "feature_views": "first"}, 422, ["feature_views"]),
        ("/materialize", {**WINDOW, "feature_views": ["first", 5]}, 422, ["feature_views[1]"]),
        ("/materialize", {**ALL, "disable_event_timestamp": "banana"}, 422, ["disable_event_timestamp"]),
        ("/materialize", {**WINDOW, "version": "v1"}, 501, []),
        ("/materialize", of("first", "nope"), 404, []),
        ("/materialize", of("offline_only"), 422, []),
        ("/materialize", b"", 422, ["body"]),
        ("/materialize", b"[]", 422, ["body"]),
        ("/materialize", b'{"start_ts": ', 422, ["body"]),
        ("/materialize?async=banana", WINDOW, 422, ["query.async"]),
        ("/materialize?async=true&force=", WINDOW, 422, ["query.force"]),
        ("/materialize-incremental", {}, 422, ["end_ts"]),
        ("/materialize-incremental", {"end_ts": None}, 422, ["end_ts"]),
        ("/materialize-incremental", {"end_ts": "garbage"}, 422, ["end_ts"]),
        ("/materialize-incremental", {"end_ts": "2026-11-20", "feature_views": ["nope"]}, 404, []),
        ("/materialize-incremental", {"end_ts": "2026-11-20", "version": "v1"}, 501, []),
    ],
)
def test_what_cannot_be_done_is_refused_and_starts_nothing(
    unharmed: Any, path: str, body: object, status: int, says: list[str]
) -> None:
    answer = unharmed.request("POST", path, body)
    assert answer.status == status, answer.body
    assert [problem["path"] for problem in answer.json.get("errors", [])] == says
    assert not runners(unharmed)
    assert rates(unharmed) == [None, None]


@pytest.fixture(scope="module")
def unharmed(start: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server of which nothing is asked that it does."""
    with start(make(tmp_path_factory.mktemp("refused") / "repository")) as server:
        yield server
        assert "Traceback" not in server.errors()


@pytest.mark.parametrize("flag", ["true", "1", "yes", "on", "True"])
def test_flags_are_read_as_feast_reads_them(start: Any, repository: Path, flag: str) -> None:
    with start(repository) as server:
        assert post(server, of(), f"?async={flag}&force={flag}").status == 202
        assert post(server, of(), "?async=no&force=0").status == 200


def test_who_calls_and_what_they_may_is_asked_before_anything_is_told(start: Any, tmp_path: Path) -> None:
    guard = """
from feast_core import User, hookimpl
from feast_core.errors import PermissionDenied, Unauthenticated

@hookimpl
def feast_authenticator(store):
    async def authenticate(headers):
        if "authorization" not in headers:
            raise Unauthenticated("send a token")
        return User(headers["authorization"])
    return authenticate

@hookimpl
def feast_guard(store, action, resources):
    names = sorted(found if isinstance(found, str) else found.name for found in resources)
    def only_first(user):
        if user.name != "ada" and names != ["first"]:
            raise PermissionDenied(f"{user.name} may not {action} {names}")
    return only_first
"""
    with start(make(tmp_path / "repository", guard)) as server:
        bob, ada = {"Authorization": "bob"}, {"Authorization": "ada"}
        for path in ("/materialize", "/materialize-incremental"):
            assert post(server, b"no JSON", path=path).status == 401
            assert post(server, b"no JSON", path=path, headers=bob).status == 422
        denied = post(server, of("first", "nope"), headers=bob)
        assert (denied.status, denied.json["detail"]) == (403, "bob may not write_online ['first', 'nope']")
        assert post(server, of("offline_only"), headers=bob).status == 403
        every = post(server, WINDOW, headers=bob).json["detail"]
        assert every == "bob may not write_online ['broken', 'first', 'second']"
        assert post(server, {"end_ts": "2026-11-20"}, path="/materialize-incremental", headers=bob).status == 403
        assert post(server, of("second"), "?async=true&force=true", headers=bob).status == 403
        unknown = post(server, of("firts"), headers=ada)
        assert (unknown.status, "did you mean" in unknown.body.decode()) == (404, False)
        assert rates_are_none(server, ada)
        assert post(server, of("first"), headers=bob).status == 200
        id = ask(server, of(), headers=ada)
        assert server.request("GET", f"/materialize/jobs/{id}").status == 401
        assert server.request("GET", f"/materialize/jobs/{id}", headers=bob).status == 200


def rates_are_none(server: Any, headers: dict[str, str]) -> bool:
    body = {"features": ["first:rate"], "entities": {"driver_id": [1001]}}
    return bool(server.online(body, headers=headers).json["results"][0]["values"][1] is None)


# One run at a time.


@pytest.mark.parametrize("query", ["", "?async=true"])
def test_of_many_at_once_one_materializes_a_view(start: Any, gated: Path, wait_until: Any, query: str) -> None:
    with start(gated, "-w", 2) as server, concurrent.futures.ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(post, server, of("first", "second") if n % 2 else of("first"), query) for n in range(8)]
        refused = 8 - 1
        wait_until(lambda: sum(answer.done() and answer.result().status == 409 for answer in asked) == refused)
        (gated / "go").touch()
        statuses = sorted(answer.result().status for answer in asked)
        assert statuses == [202 if query else 200, *[409] * refused]
        problem = next(answer.result() for answer in asked if answer.result().status == 409)
        assert problem.headers["content-type"] == "application/problem+json"
        assert "first" in problem.json["feature_views"]
        assert "first" in problem.json["detail"]
        wait_until(lambda: not runners(server))
    assert intervals(gated) == 1


def test_feasts_clients_are_told_of_a_conflict_as_feast_tells_them(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated, "--response-format", "columns") as server:
        ask(server, of("first"))
        answer = post(server, of("first", "second"), "?async=true")
        assert answer.status == 409
        assert set(answer.json) == {"error", "feature_views"}
        assert answer.json["feature_views"] == ["first"]
        (gated / "go").touch()


def test_other_views_are_materialized_beside_it(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated) as server:
        ids = [ask(server, of(view)) for view in ("first", "second")]
        wait_until(began(gated, "first", "second"))
        assert len(runners(server)) == 2
        (gated / "go").touch()
        for id in ids:
            wait_until(over(server, id))
            assert job(server, id)["state"] == "succeeded"


def test_so_many_at_once_as_the_environment_says(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated, env={"FEAST_MATERIALIZE_MAX_WORKERS": "1"}) as server:
        first, second = (ask(server, of(view)) for view in ("first", "second"))
        wait_until(began(gated, "first"))
        assert job(server, second)["state"] == "queued"
        assert post(server, of("second")).status == 409
        assert len(runners(server)) == 1
        (gated / "go").touch()
        for id in (first, second):
            wait_until(over(server, id))
            assert job(server, id)["state"] == "succeeded"


def test_a_run_of_the_command_line_is_in_the_way_too(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated) as server, FeatureStore(repo_path=gated) as store:
        job_of_store = store.window_jobs(*map(parse_timestamp, WINDOW.values()), ["first"])
        with in_thread(lambda: store.run_jobs(job_of_store)) as outcomes:
            wait_until(began(gated, "first"))
            answer = post(server, of("first", "second"))
            assert (answer.status, answer.json["feature_views"]) == (409, ["first"])
            (gated / "go").touch()
            assert outcomes.result()[0].error is None
        assert post(server, of("first", "second")).status == 200


def test_a_view_may_be_taken_by_force(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated) as server:
        old = ask(server, of("first", "second"))
        wait_until(began(gated, "first"))
        new = ask(server, of("first"), "?async=true&force=true")
        lost = job(server, old)
        assert lost["state"] == "failed"
        assert new in lost["error"]
        wait_until(began(gated, "first", "first"))
        (gated / "go").touch()
        wait_until(over(server, new))
        assert job(server, new)["state"] == "succeeded"
        wait_until(lambda: not runners(server))
        assert job(server, old) == lost
    assert intervals(gated) == 1
    # The run that lost its first view does not go on with the next one.
    assert intervals(gated, "second") == 0


# Whatever ends.


def test_a_run_whose_process_is_killed_has_failed(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated) as server:
        with in_thread(lambda: post(server, of("first"))) as answer:
            wait_until(began(gated, "first"))
            runners(server)[0].kill()
            failed = answer.result()
        assert (failed.status, failed.json["feature_views"]) == (500, ["first"])
        found = job(server, failed.json["detail"].rpartition(" ")[2])
        assert found["state"] == "failed"
        assert found["error"]
        assert "ended with SIGKILL" in server.errors()
        (gated / "go").touch()
        assert post(server, of("first")).status == 200


def test_a_run_outlives_the_worker_that_asked_for_it(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated, "-w", 1) as server:
        connection = server.connect()
        worker = server.request("GET", "/pid", on=connection).json
        id = ask(server, of("first"), on=connection)
        wait_until(began(gated, "first"))
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: job(server, id)["state"] == "running")
        (gated / "go").touch()
        wait_until(over(server, id))
        assert job(server, id)["state"] == "succeeded"
        assert rates(server) == [0.0, 1.0]


def test_a_run_whose_process_and_asker_are_both_killed_has_failed(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated) as server:
        worker = server.request("GET", "/pid").json
        id = ask(server, of("first"))
        wait_until(began(gated, "first"))
        for pid in (worker, runners(server)[0].pid):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: job(server, id)["state"] == "failed")


def test_a_client_that_goes_away_does_not_stop_it(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated) as server:
        body = json.dumps(of("first")).encode()
        with server.socket() as client:
            client.sendall(b"POST /materialize HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            wait_until(began(gated, "first"))
        (gated / "go").touch()
        wait_until(lambda: rates(server) == [0.0, 1.0])
        wait_until(lambda: not runners(server))
    assert intervals(gated) == 1


def test_what_is_queued_or_running_when_the_server_is_killed_has_failed(
    start: Any, gated: Path, wait_until: Any
) -> None:
    with start(gated, env={"FEAST_MATERIALIZE_MAX_WORKERS": "1"}) as server:
        ids = [ask(server, of(view)) for view in ("first", "second")]
        wait_until(began(gated, "first"))
        (runner,) = runners(server)
        server.process.kill()
        runner.kill()
        server.process.wait()
    with start(gated) as server:
        assert [job(server, id)["state"] for id in ids] == ["failed", "failed"]
        (gated / "go").touch()
        assert post(server, of("first", "second")).status == 200


def test_a_run_stops_some_time_after_its_server_was_killed(start: Any, tmp_path: Path, wait_until: Any) -> None:
    repository = make(tmp_path / "repository", GATE, shutdown=0.2)
    with start(repository) as server:
        id = ask(server, of("first"))
        wait_until(began(repository, "first"))
        (runner,) = runners(server)
        server.process.kill()
        server.process.wait()
        wait_until(lambda: not runner.is_running() or runner.status() == psutil.STATUS_ZOMBIE)
    with start(repository) as server:
        assert "the server was stopped" in job(server, id)["error"]


def test_a_run_may_be_finished_when_the_server_is_told_to_end(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated) as server:
        with in_thread(lambda: post(server, of("first"))) as answer:
            wait_until(began(gated, "first"))
            server.process.send_signal(signal.SIGTERM)
            (gated / "go").touch()
            assert answer.result().status == 200
        assert server.process.wait(20) == 0
    assert intervals(gated) == 1


def test_what_is_queued_is_given_up_when_the_server_is_told_to_end(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated, env={"FEAST_MATERIALIZE_MAX_WORKERS": "1"}) as server:
        running = ask(server, of("first"))
        wait_until(began(gated, "first"))
        with in_thread(lambda: post(server, of("second"))) as answer:
            wait_until(lambda: "queued" in states(gated))
            server.process.send_signal(signal.SIGTERM)
            assert answer.result().status == 500
            assert "the server was stopped" in answer.result().json["detail"]
        (gated / "go").touch()
        assert server.process.wait(20) == 0
    with FeatureStore(repo_path=gated) as store:
        assert store.find_run(running).state == "succeeded"
        assert not store.intervals("second")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_takes_too_long_is_stopped_with_the_server(
    start: Any, tmp_path: Path, wait_until: Any, number: int
) -> None:
    repository = make(tmp_path / "repository", GATE, shutdown=0.2)
    with start(repository) as server:
        id = ask(server, of("first", "second"))
        wait_until(began(repository, "first"))
        assert server.stop(number) == 0
    assert "Traceback" not in server.errors()
    with start(repository) as server:
        found = job(server, id)
        assert found["state"] == "failed"
        assert "the server was stopped" in found["error"]
        (repository / "go").touch()
        assert post(server, of("first", "second")).status == 200
    assert intervals(repository) == 1


def test_a_second_signal_stops_a_run_at_once(start: Any, gated: Path, wait_until: Any) -> None:
    with start(gated) as server:
        id = ask(server, of("first"))
        wait_until(began(gated, "first"))
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: server.process.poll() is not None or not server_accepts(server))
        assert server.stop() == 128 + signal.SIGTERM
    with FeatureStore(repo_path=gated) as store:
        assert "the server was stopped" in (store.find_run(id).error or "")


def server_accepts(server: Any) -> bool:
    try:
        server.socket().close()
    except OSError:
        return False
    return True


# Beside it.


def test_old_values_are_served_while_a_view_is_materialized(start: Any, gated: Path, wait_until: Any) -> None:
    (gated / "go").touch()
    with start(gated) as server:
        assert post(server, of("first")).status == 200
        (gated / "go").unlink()
        with in_thread(lambda: post(server, {**ALL, "feature_views": ["first"]})) as answer:
            wait_until(began(gated, "first", "first"))
            assert rates(server) == [0.0, 1.0]
            assert server.request("GET", "/health").status == 200
            assert server.request("GET", "/ready").status == 200
            (gated / "go").touch()
            assert answer.result().status == 200


def test_an_answer_may_take_as_long_as_the_run(start: Any, gated: Path, wait_until: Any) -> None:
    """Sanic gives up one that takes more than RESPONSE_TIMEOUT."""
    with start(gated) as server:
        assert server.request("POST", "/hurry").status == 200
        with in_thread(lambda: post(server, of("first"))) as answer:
            wait_until(began(gated, "first"))
            with pytest.raises(concurrent.futures.TimeoutError):
                answer.result(2)
            (gated / "go").touch()
            assert answer.result().status == 200


def test_observers_are_told(start: Any, tmp_path: Path) -> None:
    observer = """
import json
from pathlib import Path
from feast_core import hookimpl

@hookimpl
def feast_observer(store, operation, labels):
    def observe(call):
        with (Path(__file__).parent / "calls").open("a") as calls:
            print(json.dumps([call.operation, call.rows, call.outcome]), file=calls)
    return observe
"""
    repository = make(tmp_path / "repository", observer)
    with start(repository) as server:
        post(server, of("first"))
        post(server, {"end_ts": "2026-11-20", "feature_views": ["first"]}, path="/materialize-incremental")
        post(server, of("broken"))
        post(server, b"{}")
    assert [json.loads(line) for line in (repository / "calls").read_text().splitlines()] == [
        ["materialize", 3, "success"],
        ["materialize-incremental", 0, "success"],
        ["materialize", 0, "RunFailed"],
        ["materialize", 0, "InvalidInput"],
    ]
