"""POST /push and POST /write-to-online-store of a real server: the documented requests, bad ones, many at once."""

import http.client
import json
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest

from feast_core.definitions import PushMode
from feast_core.store import FeatureStore

YAML = """\
project: drivers
registry: registry.db
online_store:
  type: sqlite
  path: online.db
feature_server:
  limits:
    max_entity_rows: 1000
"""

FEATURES = """\
from feast import Entity, FeatureView, Field, FileSource, PushSource, ValueType
from feast.types import Float32, Int64

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
source = PushSource(
    name="driver_stats_push_source",
    batch_source=FileSource(
        name="stats", path="stats.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"
    ),
)
driver_hourly_stats = FeatureView(
    name="driver_hourly_stats",
    entities=[driver],
    schema=[
        Field(name="conv_rate", dtype=Float32),
        Field(name="acc_rate", dtype=Float32),
        Field(name="avg_daily_trips", dtype=Int64),
    ],
    source=source,
)
"""

ROWS = """
    SELECT 1001::BIGINT AS driver_id, 0.5::FLOAT AS conv_rate, 0.5::FLOAT AS acc_rate, 1::BIGINT AS avg_daily_trips,
        TIMESTAMPTZ '2021-01-01 00:00:00Z' AS event_timestamp, TIMESTAMPTZ '2021-01-01 00:00:00Z' AS created
"""

#: As in Feast's documentation of its feature server.
EVENT: Mapping[str, Any] = {
    "driver_id": [1001],
    "event_timestamp": ["2022-05-13 10:59:42"],
    "created": ["2022-05-13 10:59:42"],
    "conv_rate": [1.0],
    "acc_rate": [1.0],
    "avg_daily_trips": [1000],
}
STORED = {"driver_hourly_stats": {"online": 1, "superseded": 0, "offline": 0}}


def make_repository(path: Path, plugins: str | None = None) -> Path:
    path.mkdir()
    (path / "feature_store.yaml").write_text(YAML)
    (path / "features.py").write_text(FEATURES)
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({ROWS}) TO '{path / 'stats.parquet'}' (FORMAT parquet)")
    with FeatureStore(repo_path=path) as store:
        store.apply()
    if plugins is not None:
        (path / "feast_plugins.py").write_text(plugins)
    return path


@pytest.fixture(scope="module")
def server(start: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with start(make_repository(tmp_path_factory.mktemp("push") / "repository")) as running:
        yield running


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repository")


def event(driver: int, **columns: Any) -> dict[str, Any]:
    return {**EVENT, "driver_id": [driver], **columns}


def push(server: Any, df: Any, **more: Any) -> Any:
    return server.request("POST", "/push", {"push_source_name": "driver_stats_push_source", "df": df, **more})


def trips(server: Any, driver: int) -> Any:
    body = {"features": ["driver_hourly_stats:avg_daily_trips"], "entities": {"driver_id": [driver]}}
    return server.online(body).json["results"][0]["values"][1]


def test_the_documented_curl_is_answered_with_a_receipt(server: Any) -> None:
    body = json.dumps({"push_source_name": "driver_stats_push_source", "df": EVENT, "to": "online"})
    url = f"http://127.0.0.1:{server.port}/push"
    done = subprocess.run(["curl", "-s", "-X", "POST", url, "-d", body], capture_output=True, check=True)
    assert json.loads(done.stdout) == {"feature_views": STORED}
    assert trips(server, 1001) == 1000


def test_the_documented_call_of_requests_is_answered(server: Any) -> None:
    """`requests.post(url, data=json.dumps(...))`: no content type, and a single value that no view uses."""
    answer = push(server, event(1002, string_feature="test2"), to="online")
    assert (answer.status, answer.json) == (200, {"feature_views": STORED})
    assert answer.headers["content-type"] == "application/json"


def test_an_older_event_is_superseded(server: Any) -> None:
    push(server, event(1003))
    answer = push(server, event(1003, event_timestamp=["2021-05-13"], avg_daily_trips=[1]))
    assert answer.json == {"feature_views": {"driver_hourly_stats": {"online": 0, "superseded": 1, "offline": 0}}}
    assert trips(server, 1003) == 1000


def test_a_view_is_written_by_name(server: Any) -> None:
    body = {"feature_view_name": "driver_hourly_stats", "df": event(1004)}
    answer = server.request("POST", "/write-to-online-store", body)
    assert (answer.status, answer.json) == (200, {"feature_views": STORED})
    assert trips(server, 1004) == 1000


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/push", {"push_source_name": "nope", "df": EVENT}, 404, "Unable to find push source 'nope'"),
        ("/push", {"push_source_name": "stats", "df": EVENT}, 404, "which feeds no feature view"),
        ("/push", {"df": EVENT}, 422, "push_source_name: is missing; send the name of a push source"),
        ("/push", {"push_source_name": 7, "df": EVENT}, 422, "push_source_name: expected a text, got 7"),
        ("/push", {"push_source_name": "driver_stats_push_source"}, 422, "df: is missing; send columns such as"),
        ("/write-to-online-store", {"feature_view_name": "nope", "df": EVENT}, 404, "Feature view nope does not exist"),
        ("/write-to-online-store", {"df": EVENT}, 422, "feature_view_name: is missing"),
        (
            "/write-to-online-store",
            {},
            422,
            "feature_view_name: is missing; send the name of a feature view (and 1 more)",
        ),
        ("/push", b"", 422, "body: is empty; send JSON such as"),
        ("/push", b"[]", 422, "body: expected an object such as"),
    ],
)
def test_a_wrong_body_is_refused(server: Any, path: str, body: Any, status: int, says: str) -> None:
    answer = server.request("POST", path, body)
    assert answer.status == status, answer.body
    assert answer.json["detail"].startswith(says) or says in answer.json["detail"]


@pytest.mark.parametrize(
    ("df", "says"),
    [
        ([event(1)], "df: expected columns such as"),
        ("x", "df: expected columns such as"),
        (None, "df: expected columns such as"),
        ({name: values[0] for name, values in EVENT.items()}, "df: holds single values only"),
        ({}, "df: has no columns"),
        ({name: [] for name in EVENT}, "df: has no rows"),
        (event(1, driver_id=[1, 2]), "df.event_timestamp: has 1 values, driver_id has 2; all columns need"),
        ({"driver_id": [1]}, "df.conv_rate: is missing; feature view 'driver_hourly_stats' needs it (and 4 more)"),
        (event(1, driver_id=[None]), "df.driver_id[0]: an entity value cannot be null"),
        (event(1, driver_id=["x"]), "df.driver_id[0]: expected an integer, got 'x'"),
        (event(1, driver_id=[10**20]), "df.driver_id[0]: 100000000000000000000 does not fit a 64-bit integer"),
        (event(1, driver_id=[[1]]), "df.driver_id[0]: expected an integer, got [1]"),
        (event(1, avg_daily_trips=[{"a": [[[1]]]}]), "df.avg_daily_trips[0]: expected an integer, got {'a':"),
        (event(1, event_timestamp=[1795338000]), "df.event_timestamp[0]: '1795338000' is a bare number"),
        (event(1, event_timestamp=[None]), "df.event_timestamp[0]: the time of the event is needed"),
        (event(1, created=["yesterday"]), "df.created[0]: 'yesterday' is not a timestamp"),
        (event(1, conv_rate=[float("nan")]), "df.conv_rate[0]: NaN is no JSON; send null"),
        (event(1, conv_rate=[float("-inf")]), "df.conv_rate[0]: -Infinity is no JSON"),
    ],
)
@pytest.mark.parametrize("to", ["online", "online_and_offline"])
def test_a_wrong_frame_is_refused_and_nothing_is_written(server: Any, df: Any, says: str, to: str) -> None:
    answer = push(server, df, to=to)
    assert answer.status == 422, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["detail"].startswith(says)
    assert answer.json["errors"][0]["path"] == says.partition(": ")[0]
    assert trips(server, 1) is None


def test_of_many_problems_the_first_are_listed(server: Any) -> None:
    frame = event(1) | {f"unknown{number}": [1] for number in range(5000)}
    answer = push(server, frame, to="offline")
    assert answer.status == 422
    assert answer.json["detail"].startswith("df.unknown0: is no column of the batch source, which has driver_id, ")
    assert answer.json["detail"].endswith("(and 4999 more)")
    assert len(answer.json["errors"]) == 20


def test_rows_before_a_wrong_one_are_not_written_either(server: Any) -> None:
    frame = {name: values * 3 for name, values in EVENT.items()} | {"driver_id": [1, 2, None]}
    assert push(server, frame).json["detail"].startswith("df.driver_id[2]: ")
    assert (trips(server, 1), trips(server, 2)) == (None, None)


@pytest.mark.parametrize("to", ["ONLINE", "bogus", None, 1, ["online"]])
def test_an_unknown_mode_is_refused(server: Any, to: Any) -> None:
    answer = push(server, event(1), to=to)
    assert answer.status == 422
    assert answer.json["detail"].startswith("to: expected online, offline or online_and_offline, got ")


def test_a_body_that_is_nested_deeply_is_refused(server: Any) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    answer = server.request("POST", "/push", b'{"push_source_name": "x", "df": {"a": ' + deep + b"}}")
    assert (answer.status, answer.json["detail"]) == (422, "body: is nested too deeply")


def test_a_body_of_a_hundred_megabytes_is_refused(server: Any) -> None:
    body = b'{"push_source_name": "x", "df": {"a": ["' + b"x" * 100 * 2**20 + b'"]}}'
    answer = server.request("POST", "/push", body)
    assert answer.status == 413
    assert "send less at once" in answer.json["detail"]


def test_more_rows_than_the_limit_are_refused(server: Any) -> None:
    answer = push(server, {name: values * 1001 for name, values in EVENT.items()})
    assert answer.status == 413
    assert "has 1001 rows, the limit is 1000" in answer.json["detail"]


def test_errors_are_those_of_feast_where_answers_are_columns(server: Any) -> None:
    body = {"push_source_name": "nope", "df": EVENT}
    answer = server.request("POST", "/push?response_format=columns", body)
    assert answer.status == 404
    assert json.loads(answer.json) == {
        "module": "feast.errors",
        "class": "PushSourceNotFoundException",
        "message": "Unable to find push source 'nope'",
    }


def test_other_methods_are_refused(server: Any) -> None:
    answer = server.request("GET", "/push")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_many_clients_and_workers_push_at_once_and_the_newest_event_wins(start: Any, repository: Path) -> None:
    """Into one SQLite file: nobody is told that it is locked."""
    with start(repository, "-w", "2") as server:

        def one_client(client: int) -> set[int]:
            connection = server.connect()
            seen = set()
            for number in range(100):
                second = (number * 37 + client * 11) % 100
                frame = event(
                    5,
                    event_timestamp=[f"2026-11-22T09:{second // 60:02}:{second % 60:02}"],
                    created=[f"2026-11-22T09:00:0{client}"],
                    avg_daily_trips=[second * 10 + client],
                )
                body = {"push_source_name": "driver_stats_push_source", "df": frame}
                seen.add(server.request("POST", "/push", body, on=connection).status)
            return seen

        with ThreadPoolExecutor(6) as clients:
            assert set().union(*clients.map(one_client, range(6))) == {200}
        assert trips(server, 5) == 995


BLOCKED = """
import pathlib, time
from feast_core import hookimpl

GATE = pathlib.Path(__file__).parent / "gate"

@hookimpl(wrapper=True)
def feast_writer(store, view):
    write = yield

    def waiting(rows):
        (GATE.parent / "arrived").touch()
        while not GATE.exists():
            time.sleep(0.01)
        return write(rows)

    return waiting
"""


def test_the_server_answers_others_while_rows_are_written(start: Any, tmp_path: Path, wait_until: Any) -> None:
    repository = make_repository(tmp_path / "repository", BLOCKED)
    with start(repository) as server:
        answers: list[Any] = []
        pushing = threading.Thread(target=lambda: answers.append(push(server, event(6))))
        pushing.start()
        wait_until((repository / "arrived").exists)
        assert server.request("GET", "/health").status == 200
        assert trips(server, 6) is None
        (repository / "gate").touch()
        pushing.join(30)
        assert answers[0].json == {"feature_views": STORED}


def test_rows_are_written_also_when_the_client_goes_away(start: Any, tmp_path: Path, wait_until: Any) -> None:
    repository = make_repository(tmp_path / "repository", BLOCKED)
    with start(repository) as server:
        body = json.dumps({"push_source_name": "driver_stats_push_source", "df": event(7)}).encode()
        with server.socket() as client:
            client.sendall(b"POST /push HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            wait_until((repository / "arrived").exists)
        (repository / "gate").touch()
        wait_until(lambda: trips(server, 7) == 1000)


def test_a_push_under_way_is_finished_when_the_server_ends(start: Any, tmp_path: Path, wait_until: Any) -> None:
    repository = make_repository(tmp_path / "repository", BLOCKED)
    with start(repository) as server:
        answers: list[Any] = []
        pushing = threading.Thread(target=lambda: answers.append(push(server, event(8))))
        pushing.start()
        wait_until((repository / "arrived").exists)
        server.process.terminate()
        (repository / "gate").touch()
        pushing.join(30)
        assert answers[0].json == {"feature_views": STORED}
        assert server.process.wait(30) == 0


def test_a_server_that_has_written_parquet_ends_without_a_word(start: Any, repository: Path) -> None:
    with start(repository) as server:
        answer = push(server, event(10), to="online_and_offline")
        assert answer.json == {"feature_views": {"driver_hourly_stats": {"online": 1, "superseded": 0, "offline": 1}}}
        assert server.stop() == 0
        assert [line for line in server.errors().splitlines() if "POST /push" not in line] == []


DOWN = """
from feast_core import hookimpl
from feast_core.errors import Unavailable

@hookimpl
def feast_writer(store, view):
    def write(rows):
        raise Unavailable("the store at secret-host is down")

    return write
"""


def test_a_store_that_is_down_is_503_without_its_name(start: Any, tmp_path: Path) -> None:
    with start(make_repository(tmp_path / "repository", DOWN)) as server:
        answer = push(server, event(9))
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert b"secret-host" not in answer.body
        assert "secret-host" in server.errors()


GUARDED = """
from feast_core import User, hookimpl
from feast_core.errors import PermissionDenied, Unauthenticated

@hookimpl
def feast_authenticator(store):
    async def by_header(headers):
        if "x-user" not in headers:
            raise Unauthenticated("no user")
        return User(headers["x-user"])

    return by_header

@hookimpl
def feast_guard(store, action, resources):
    def only_writers(user):
        if user.name not in ("writer", action):
            raise PermissionDenied(f"{user.name} may not {action}")

    return only_writers

@hookimpl
def feast_observer(store, operation, labels):
    def note(call):
        print("CALL", operation, labels.get("name"), call.user.name, call.rows, call.outcome, flush=True)

    return note
"""


def test_who_is_calling_comes_before_what_is_wrong(start: Any, tmp_path: Path) -> None:
    with start(make_repository(tmp_path / "repository", GUARDED)) as server:

        def status(user: str | None, source: str = "driver_stats_push_source", df: Any = EVENT, **more: Any) -> int:
            body = {"push_source_name": source, "df": df, **more}
            found: int = server.request("POST", "/push", body, {"X-User": user} if user else {}).status
            return found

        assert status(None, df="nonsense") == 401
        assert status("eve", df={"driver_id": []}) == 403
        assert status("eve", source="unknown") == 403
        assert status("writer", source="unknown") == 404
        assert status("writer") == 200
        assert status("write_online") == 200
        assert status("write_offline") == 403
        assert status("write_online", to="online_and_offline") == 403
        body = {"feature_view_name": "unknown", "df": EVENT}
        assert server.request("POST", "/write-to-online-store", body, {"X-User": "eve"}).status == 403
        server.stop()
        lines = server.process.stdout.read().splitlines()
    assert "CALL push None anyone 0 Unauthenticated" in lines
    assert "CALL push driver_stats_push_source eve 0 PermissionDenied" in lines
    assert "CALL push driver_stats_push_source writer 1 success" in lines
    assert "CALL write-to-online-store  eve 0 PermissionDenied" in lines


def test_what_python_and_http_write_is_the_same(start: Any, repository: Path) -> None:
    with FeatureStore(repo_path=repository) as store, start(repository) as server:
        push(server, event(1))
        store.push("driver_stats_push_source", event(2), to=PushMode.ONLINE)
        rows = [server.online(_body(driver)).json["results"][0]["values"][1:] for driver in (1, 2)]
    assert rows == [[1.0, 1.0, 1000]] * 2


def _body(driver: int) -> dict[str, Any]:
    names = ("conv_rate", "acc_rate", "avg_daily_trips")
    return {"features": [f"driver_hourly_stats:{name}" for name in names], "entities": {"driver_id": [driver]}}


def test_a_form_that_is_no_json_is_refused(server: Any) -> None:
    connection: http.client.HTTPConnection = server.connect()
    answer = server.request("POST", "/push", urllib.parse.urlencode({"df": "1"}).encode(), on=connection)
    assert answer.status == 422
    assert "is not JSON" in answer.json["detail"]
