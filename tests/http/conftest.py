"""The installed `feast serve` in a process of its own, over real sockets, on a repository with real rows."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from feast_core.interfaces import ViewRead
from feast_core.keys import KeyEncoder
from feast_core.rows import RowEncoder, keyed_rows
from feast_core.store import FeatureStore

FEAST = shutil.which("feast", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))

YAML = """\
project: drivers
registry: registry.db
online_store:
  type: sqlite
  path: online.db
"""

FEATURES = """\
from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, Int64

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
source = FileSource(name="stats", path="stats.parquet", timestamp_field="event_timestamp")
driver_hourly_stats = FeatureView(
    name="driver_hourly_stats",
    entities=[driver],
    ttl=timedelta(days=1),
    schema=[
        Field(name="conv_rate", dtype=Float32),
        Field(name="acc_rate", dtype=Float32),
        Field(name="avg_daily_trips", dtype=Int64),
    ],
    source=source,
)
again = FeatureView(name="again", entities=[driver], schema=[Field(name="conv_rate", dtype=Float32)], source=source)
driver_activity = FeatureService(name="driver_activity", features=[driver_hourly_stats])
"""

#: 2026-11-22 09:00:00 UTC, in microseconds.
EVENT_US = 1_795_338_000_000_000


@dataclass(frozen=True)
class Answer:
    """A response that was read to its end; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A running `feast serve`."""

    def __init__(self, process: "subprocess.Popen[str]", errors: Path) -> None:
        self.process = process
        self._errors = errors
        assert process.stdout is not None
        self.announced = process.stdout.readline()
        found = re.search(r"http://\S+:(\d+)", self.announced)
        assert found, f"{self.announced!r} {self.errors()}"
        self.port = int(found[1])

    def errors(self) -> str:
        """What was written to standard error so far."""
        return self._errors.read_text()

    def connect(self, timeout: float = 10.0) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def socket(self, timeout: float = 10.0) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        on: http.client.HTTPConnection | None = None,
    ) -> Answer:
        """One request, on a connection of its own where none is given. A body that is not bytes is sent as JSON."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = on or self.connect()
        try:
            connection.request(method, path, content, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            if on is None:
                connection.close()

    def online(self, body: object, query: str = "", **more: Any) -> Answer:
        return self.request("POST", f"/get-online-features{query}", body, **more)

    def workers(self) -> list[int]:
        """Process ids of its workers."""
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


def eventually(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until it holds; an error of the network counts as not yet."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if condition():
                return
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.05)


def make_repository(path: Path, yaml: str = YAML, plugins: str | None = None) -> Path:
    """The repository in a directory, applied, with rows of the drivers 1001 (whole) and 1002 (without acc_rate)."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "feature_store.yaml").write_text(yaml)
    (path / "features.py").write_text(FEATURES)
    with FeatureStore(repo_path=path) as store:
        store.apply()
        view: Any = store.get_object("feature view", "driver_hourly_stats")
        read = ViewRead(view, store.snapshot.schema(view))
        write = store.plugins.hook.feast_writer(store=store, view=read)
        keys = KeyEncoder(store.snapshot.key_types(view)).encode([[1001, 1002]], 2)
        values = {"conv_rate": [0.5, 0.25], "acc_rate": [0.75, None], "avg_daily_trips": [10, 20]}
        encoded = RowEncoder(read.schema).encode(values, 2)
        write(keyed_rows(keys, [EVENT_US] * 2, [0, 0], read.schema.fingerprint, encoded))
    if plugins is not None:
        (path / "feast_plugins.py").write_text(plugins)
    return path


@contextlib.contextmanager
def serving(
    repository: Path, *options: object, env: Mapping[str, str] | None = None, log_level: str = "warning"
) -> Iterator[Server]:
    """`feast serve` with these options, killed at the end of the block where it still runs."""
    assert FEAST, "the project is not installed in this environment: pip install -e ."
    errors = repository / "stderr.txt"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            [FEAST, "-c", str(repository), "--log-level", log_level, "serve", "-p", "0", *map(str, options)],
            cwd=repository,
            env={name: value for name, value in os.environ.items() if not name.startswith(("FEAST_", "FEATURE_"))}
            | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    children: list[psutil.Process] = []
    try:
        yield Server(process, errors)
    finally:
        if process.poll() is None:
            children = psutil.Process(process.pid).children()
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="session")
def shared_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository that no test changes."""
    return make_repository(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="session")
def server(shared_repository: Path) -> Iterator[Server]:
    """A server with default options that no test may harm."""
    with serving(shared_repository) as running:
        yield running


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of one's own."""
    return make_repository(tmp_path / "repository")


@pytest.fixture(scope="session")
def start() -> Callable[..., contextlib.AbstractContextManager[Server]]:
    """`with start(repository, *options, env=..., log_level=...) as server`."""
    return serving


@pytest.fixture(scope="session")
def make() -> Callable[..., Path]:
    """`make(path, yaml=..., plugins=...)` makes a repository with rows."""
    return make_repository


@pytest.fixture(scope="session")
def wait_until() -> Callable[..., None]:
    """`wait_until(condition, seconds=60)`."""
    return eventually
