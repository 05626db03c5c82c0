"""Servers on an older snapshot, and on a newer one, while `feast apply` and `feast materialize` go on beside them."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from feast_core.store import FeatureStore

FEAST = shutil.which("feast", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))

YAML = """\
project: drivers
registry: registry.db
online_store: {type: sqlite, path: online.db}
"""

OLD = """\
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float64, Int64, String

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
source = FileSource(name="source", path="stats.parquet", timestamp_field="event_timestamp")
stats = FeatureView(
    name="stats",
    entities=[driver],
    schema=[Field(name="a", dtype=Int64), Field(name="b", dtype=Float64), Field(name="c", dtype=String)],
    source=source,
)
whole = FeatureService(name="whole", features=[stats])
"""
#: `a` is retyped, `c` is gone, `d` is new, and `b` is where it was not.
NEW = OLD.replace(
    'Field(name="a", dtype=Int64), Field(name="b", dtype=Float64), Field(name="c", dtype=String)',
    'Field(name="d", dtype=String), Field(name="b", dtype=Float64), Field(name="a", dtype=Float64)',
)
#: Driver 1 has a later row, of the second day.
DATA = """
    COPY (SELECT * FROM (VALUES
        (1, 10, 0.5, 'one', 'een', TIMESTAMP '2026-01-01 12:00:00'),
        (2, 20, 1.5, 'two', 'twee', TIMESTAMP '2026-01-01 12:00:00'),
        (1, 11, 2.5, 'uno', 'un', TIMESTAMP '2026-01-02 12:00:00')
    ) AS rows (driver_id, a, b, c, d, event_timestamp)) TO '{path}' (FORMAT parquet)
"""
DAYS = ("2026-01-01T00:00:00", "2026-01-02T00:00:00", "2026-01-03T00:00:00")
P, F = "PRESENT", "NOT_FOUND"


def feast(repository: Path, *arguments: str) -> None:
    assert FEAST
    done = subprocess.run([FEAST, *arguments], cwd=repository, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def apply(repository: Path, definitions: str) -> None:
    """As `feast apply` of these does, which takes a second longer."""
    (repository / "features.py").write_text(definitions)
    with FeatureStore(repository) as store:
        assert not store.apply().empty


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The old definitions applied, the first day materialized. No test changes it."""
    root = tmp_path_factory.mktemp("first_day")
    (root / "feature_store.yaml").write_text(YAML)
    with duckdb.connect() as connection:
        connection.execute(DATA.format(path=root / "stats.parquet"))
    apply(root, OLD)
    with FeatureStore(root) as store:
        store.materialize(*map(datetime.fromisoformat, DAYS[:2]))
    return root


@pytest.fixture
def stats(first_day: Path, tmp_path: Path) -> Path:
    """A copy to do anything with."""
    return shutil.copytree(first_day, tmp_path / "stats")


def read(server: Any, *features: str) -> Any:
    """Per driver 1 and 2, the value and status of each feature; the status code where it is not 200."""
    body = {"features": [f"stats:{name}" for name in features], "entities": {"driver_id": [1, 2]}}
    answer = server.online(body)
    if answer.status != 200:
        return answer.status
    rows = answer.json["results"]
    return [list(zip(row["values"][1:], row["statuses"][1:], strict=True)) for row in rows]


@dataclass
class Load:
    """What came of requests that were sent without a pause: status codes by what was asked for, and bodies."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    bodies: set[str] = field(default_factory=set)


@contextlib.contextmanager
def under_load(server: Any, bodies: dict[str, Any], clients: int = 2) -> Iterator[Load]:
    """Send these bodies in turn, from several connections, while the block runs."""
    load, over = Load(), threading.Event()

    def client() -> None:
        try:
            connection = server.connect()
            while not over.is_set():
                for name, body in bodies.items():
                    answer = server.online(body, on=connection)
                    load.statuses[name, answer.status] += 1
                    if answer.status == 200:
                        load.bodies.add(f"{name}: {json.dumps(answer.json['results'])}")
                    if answer.headers.get("connection") == "close":
                        connection = server.connect()
                    time.sleep(0.01)
        except BaseException as error:
            load.errors.append(repr(error))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        over.set()
        for thread in threads:
            thread.join(20)


def test_servers_read_old_and_new_rows_by_the_definitions_they_know(
    start: Any, stats: Path, wait_until: Callable[..., None]
) -> None:
    with start(stats, "-r", 3600) as older, start(stats, "-r", 1) as newer:
        before = [[(10, P), (0.5, P), ("one", P)], [(20, P), (1.5, P), ("two", P)]]
        assert read(older, "a", "b", "c") == read(newer, "a", "b", "c") == before
        asked = {
            "stays": {"features": ["stats:b"], "entities": {"driver_id": [1, 2]}},
            "goes": {"features": ["stats:c"], "entities": {"driver_id": [1, 2]}},
            "service": {"feature_service": "whole", "entities": {"driver_id": [1, 2]}},
        }
        with under_load(older, asked) as of_older, under_load(newer, asked) as of_newer:
            (stats / "features.py").write_text(NEW)
            feast(stats, "apply")
            wait_until(lambda: read(newer, "c") == 404)
            # Rows of the old schema, read by name.
            assert read(newer, "a", "b", "d") == [[(None, F), (0.5, P), (None, F)], [(None, F), (1.5, P), (None, F)]]
            assert read(older, "a", "b", "c") == before
            feast(stats, "materialize", *DAYS[1:])
            # Driver 1 has a row of the new schema, driver 2 still one of the old.
            assert read(newer, "d", "b", "a") == [[("un", P), (2.5, P), (11.0, P)], [(None, F), (1.5, P), (None, F)]]
            assert read(older, "a", "b", "c") == [[(None, F), (2.5, P), (None, F)], before[1]]
            assert read(older, "d") == 404
            feast(stats, "materialize", *DAYS[::2])
            assert read(newer, "d", "b", "a") == [[("un", P), (2.5, P), (11.0, P)], [("twee", P), (1.5, P), (20.0, P)]]
            assert read(older, "a", "b", "c") == [[(None, F), (2.5, P), (None, F)], [(None, F), (1.5, P), (None, F)]]
        assert (of_older.errors, of_newer.errors) == ([], [])
        assert of_older.statuses.keys() == {("stays", 200), ("goes", 200), ("service", 200)}
        assert of_newer.statuses.keys() == {("stays", 200), ("goes", 200), ("goes", 404), ("service", 200)}
        values = {body for load in (of_older, of_newer) for body in load.bodies if body.startswith("stays")}
        assert {tuple(row["values"][1] for row in json.loads(body.partition(": ")[2])) for body in values} == {
            (0.5, 1.5),
            (2.5, 1.5),
        }
        assert "Traceback" not in older.errors() + newer.errors()


OTHER_KEY = OLD.replace('name="driver", join_keys=["driver_id"]', 'name="car", join_keys=["car_id"]')
GONE = "\n".join(OLD.partition("stats =")[0].splitlines()) + "\n"


def test_refreshes_fail_no_request_whatever_becomes_of_the_view(
    start: Any, stats: Path, wait_until: Callable[..., None]
) -> None:
    """Two workers, many clients; the view changes, gets another join key, goes, comes again."""
    car = {"features": ["stats:b"], "entities": {"car_id": [1, 2]}}
    driver = {"features": ["stats:b"], "entities": {"driver_id": [1, 2]}}
    with start(stats, "-r", 1, "-w", 2) as server, under_load(server, {"driver": driver, "car": car}, 3) as load:

        def settled(asked: dict[str, Any], status: int, found: str | None = None) -> bool:
            """Whether both workers answer so: a worker that does not would be met in so many connections."""
            answers = [server.online(asked) for _ in range(12)]
            return all(
                answer.status == status and (found is None or answer.json["results"][0]["statuses"][1] == found)
                for answer in answers
            )

        for definitions, asked, status, found in (
            (NEW, driver, 200, P),
            (OTHER_KEY, car, 200, F),
            (GONE, driver, 404, None),
            (OLD, driver, 200, F),
        ):
            apply(stats, definitions)
            wait_until(lambda asked=asked, status=status, found=found: settled(asked, status, found))
    assert load.errors == []
    # 422 where the join key of the other version was sent.
    assert {status for _, status in load.statuses} == {200, 404, 422}
    assert load.statuses["driver", 200] > 0 < load.statuses["car", 200]
    assert "Traceback" not in server.errors()


#: Reading is slow where the file says so, and a file says that it has begun.
WAITING_READER = """
import asyncio
from pathlib import Path
from feast_core import hookimpl

@hookimpl(wrapper=True)
def feast_reader(store, reads):
    read = yield
    root = store.repo_path

    async def slow(keys):
        if len(keys[0]) == 5:
            (root / "begun").touch()
            while not (root / "go on").exists():
                await asyncio.sleep(0.01)
        return await read(keys)

    return slow
"""


def test_a_request_in_flight_is_finished_by_the_definitions_it_began_with(
    start: Any, stats: Path, wait_until: Callable[..., None]
) -> None:
    (stats / "feast_plugins.py").write_text(WAITING_READER)
    with start(stats, "-r", 1) as server:
        answers: list[Any] = []
        body = {"features": ["stats:c", "stats:a"], "entities": {"driver_id": [1, 2, 1, 2, 3]}}
        request = threading.Thread(target=lambda: answers.append(server.online(body)))
        request.start()
        wait_until(lambda: (stats / "begun").exists())
        apply(stats, NEW)
        wait_until(lambda: read(server, "c") == 404)
        (stats / "go on").touch()
        request.join(20)
        assert answers[0].status == 200
        found = [row["values"][1:] for row in answers[0].json["results"]]
        assert found == [["one", 10], ["two", 20], ["one", 10], ["two", 20], [None, None]]
