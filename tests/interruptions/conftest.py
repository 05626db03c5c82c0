"""A repository whose commands can be stopped at named points, and a few ways to run them."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import duckdb
import pytest

from feast_core.store import FeatureStore

FEAST = shutil.which("feast", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
START, END = (NOON - DAY).isoformat(), (NOON + DAY).isoformat()
#: More than two batches.
DRIVERS = 1500

YAML = """\
project: drivers
registry: data/registry.db
online_store:
  type: sqlite
  path: data/online.db
"""

FEATURES = """\
from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Int64

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
car = Entity(name="car", join_keys=["car_id"], value_type=ValueType.INT64)


def view(name, entity=driver):
    source = FileSource(name=f"{name}_source", path=f"data/{name}.parquet", timestamp_field="ts")
    return FeatureView(name=name, entities=[entity], schema=[Field(name="trips", dtype=Int64)], source=source)


first, second, third = view("first"), view("second"), view("third")
"""

#: In the repository: does `ACT` at the point `ACT_AT`, for tests of what a command leaves behind.
PLUGIN = '''\
"""Stops the command at a named point: kills it, sends it a signal, or lets it wait for a file."""

import os
import signal
import time
from pathlib import Path

import feast_registry_sql.registry as registry_module
from feast_core import hookimpl

POINT, ACT = os.environ.get("ACT_AT"), os.environ.get("ACT", "SIGKILL")


def reached(point):
    if point != POINT:
        return
    if ACT.startswith("SIG"):
        os.kill(os.getpid(), getattr(signal, ACT))
        return
    Path(f"{ACT}.reached").touch()
    while not Path(ACT).exists():
        time.sleep(0.01)


def around(owner, name, before=None, after=None):
    function = getattr(owner, name)

    def wrapped(*args, **kwargs):
        reached(before)
        result = function(*args, **kwargs)
        reached(after(*args) if callable(after) else after)
        return result

    setattr(owner, name, wrapped)


class Dropping:
    """What drops rows, before the registry forgets that they are to go."""

    def __init__(self, drop):
        self.drop = drop

    def __call__(self, places):
        self.drop(places)
        reached("rows are dropped")


if POINT:
    around(registry_module, "_bump", before="in the transaction of an apply")
    around(registry_module, "_has_view", before="in the transaction of an interval")


@hookimpl(wrapper=True)
def feast_apply(store, diff):
    if POINT:
        reached("before an apply")
        around(store.online, "update", after=lambda *given: "place is made" if given[1] else None)
        drop_rows = store.registry.drop_rows
        store.registry.drop_rows = lambda project, drop: drop_rows(project, Dropping(drop))
        around(store.registry, "apply", after="the registry is written")
    return (yield)


@hookimpl(wrapper=True)
def feast_writer(store, view):
    write = yield
    if not POINT:
        return write
    count = 0
    around(store.registry, "record_interval", "all is written", "the interval is recorded")
    reached("the lease is taken")

    def counting(rows):
        nonlocal count
        receipt = write(rows)
        count += 1
        reached(f"batch {count} of {view.view.name}")
        return receipt

    return counting
'''


def write_rows(path: Path, factor: int, count: int = DRIVERS) -> None:
    """Of each driver, and car, its number times `factor` trips at noon and 0 an hour before."""
    path.parent.mkdir(exist_ok=True)
    query = (
        f"SELECT id AS driver_id, id AS car_id, id * times AS trips, TIMESTAMP '2026-01-01 12:00:00' -"
        f" to_hours(CASE times WHEN 0 THEN 1 ELSE 0 END) AS ts FROM range({count}) AS ids(id),"
        f" (VALUES (0), ({factor})) AS factors(times)"
    )
    duckdb.sql(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


@dataclass(frozen=True)
class Finished:
    """A command that is over."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        """Lines of standard error."""
        return self.err.splitlines()


class Repository:
    """A feature repository with the views first, second and third."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.registry = path / "data" / "registry.db"
        self.online = path / "data" / "online.db"
        self.features = path / "features.py"

    def change(self, old: str, new: str) -> None:
        """Replace a text in the definitions."""
        text = self.features.read_text()
        assert old in text
        self.features.write_text(text.replace(old, new))

    def start(self, *arguments: str, at: str = "", act: str = "SIGKILL", **options: Any) -> "subprocess.Popen[str]":
        """Start a command that acts at a point."""
        assert FEAST, "the project is not installed in this environment: pip install -e ."
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FEAST_", "FEATURE_"))}
        return subprocess.Popen(
            [FEAST, *arguments],
            cwd=self.path,
            env={**kept, "ACT_AT": at, "ACT": act},
            stdin=subprocess.DEVNULL,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options},
        )

    def run(self, *arguments: str, at: str = "", act: str = "SIGKILL", **options: Any) -> Finished:
        """Run a command to its end."""
        process = self.start(*arguments, at=at, act=act, **options)
        out, err = process.communicate(timeout=60)
        return Finished(process.returncode, out, err)

    def store(self) -> FeatureStore:
        """A store of this process, to be closed."""
        return FeatureStore(self.path)

    def trips(self, view: str, key: str = "driver_id", drivers: tuple[int, ...] = (1, DRIVERS - 1)) -> list[Any]:
        """What is served of a view now."""
        with self.store() as store:
            found: list[Any] = store.get_online_features([f"{view}:trips"], {key: list(drivers)}).to_dict()["trips"]
        return found


@pytest.fixture(scope="session")
def materialized_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Applied and materialized: `first` has ten trips for each driver's number, `second` twenty, `third` thirty."""
    path = tmp_path_factory.mktemp("interruptions") / "drivers"
    path.mkdir()
    (path / "feature_store.yaml").write_text(YAML)
    (path / "features.py").write_text(FEATURES)
    for name, factor in (("first", 10), ("second", 20), ("third", 30)):
        write_rows(path / "data" / f"{name}.parquet", factor)
    with FeatureStore(path) as store:
        store.apply()
        store.materialize(NOON - DAY, NOON + DAY)
    return path


@pytest.fixture
def repository(materialized_once: Path, tmp_path: Path) -> Repository:
    """Applied and materialized, with a plugin that stops commands."""
    path = tmp_path / "drivers"
    shutil.copytree(materialized_once, path)
    (path / "feast_plugins.py").write_text(PLUGIN)
    return Repository(path)


@pytest.fixture
def fresh(repository: Repository) -> Repository:
    """Nothing is applied yet."""
    for path in repository.registry, repository.online:
        path.unlink()
    return repository


@pytest.fixture
def feast(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Finished]:
    """`feast(path, *arguments)` without a process of its own: quicker, for what does not depend on being one."""
    from feast_cli.main import main

    def run(path: Path, *arguments: str) -> Finished:
        monkeypatch.chdir(path)
        capsys.readouterr()
        code = main(arguments)
        printed = capsys.readouterr()
        return Finished(code, printed.out, printed.err)

    return run


class Server:
    """A running `feast serve`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://\S+:(\d+)", line)
        assert found, line
        self._url = f"http://127.0.0.1:{found[1]}"

    def request(self, path: str, body: object = None) -> tuple[int, str]:
        """Status and body."""
        content = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(self._url + path, content), timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def trips(self, *views: str, driver: int = 1) -> tuple[int, Any]:
        """Status, and one value per view or the problem."""
        features = [f"{view}:trips" for view in views]
        body = {"features": features, "full_feature_names": True, "entities": {"driver_id": [driver]}}
        status, text = self.request("/get-online-features", body)
        answer = json.loads(text)
        return status, answer["results"][0]["values"][1:] if status == 200 else answer


@contextlib.contextmanager
def serve(
    repository: Repository, *options: str, stderr: "IO[str] | int" = subprocess.DEVNULL, **more: Any
) -> Iterator[Server]:
    process = repository.start("serve", "-p", "0", *options, stderr=stderr, **more)
    try:
        yield Server(process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def serving() -> Callable[..., contextlib.AbstractContextManager[Server]]:
    """`with serving(repository, *options, stderr=..., preexec_fn=...) as server`."""
    return serve


@pytest.fixture(scope="session")
def write() -> Callable[..., None]:
    """`write(path, factor, count=DRIVERS)`: see `write_rows`."""
    return write_rows
