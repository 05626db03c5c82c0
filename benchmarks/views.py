"""A repository of 1,000 feature views of 100 features: apply, start, requests, a change while it is served, memory.

Its requests are compared with the same requests to a repository of one such view, in turn, A B, A B, ...
"""

import contextlib
import json
import math
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

import duckdb

from .figures import Bench, Figure, Target
from .load import Load, drive
from .memory import memory_of
from .servers import Environment, Server, free_port, running, serve_command
from .start import in_turn, seconds_until
from .timing import run, timed

FEATURES = 100
ENTITIES = 1_000
MOST_APPLY_SECONDS = 10.0
MOST_START_SECONDS = 3.0
MOST_REQUEST_RATIO = 1.05
REFRESH_SECONDS = 60.0

CONFIGURATION = """\
project: views
provider: local
registry: data/registry.db
online_store:
  type: sqlite
  path: data/online.db
offline_store:
  type: file
entity_key_serialization_version: 3
"""

# The views have sources of their own, of one file.
DEFINITIONS = """\
from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, Int64

item = Entity(name="item", join_keys=["item_id"], value_type=ValueType.INT64)

for number in range({views}):
    name = f"view_{{number:04d}}"
    globals()[name] = FeatureView(
        name=name,
        entities=[item],
        ttl=timedelta(days=30),
        schema=[Field(name=f"feature_{{i:03d}}", dtype=Float32 if i % 2 else Int64) for i in range({features})],
        source=FileSource(name=f"source_{{number:04d}}", path={path!r}, timestamp_field="event_timestamp"),
    )
"""


def measure(bench: Bench) -> list[Figure]:
    """What a repository of many views takes; Feast's apply and start beside it."""
    views = 20 if bench.quick else 1_000
    parquet = bench.work / "views.parquet"
    _write_parquet(parquet)
    figures = [_apply(bench, views, parquet), *_start(bench, views)]
    if "ours" in bench.sides:
        ours = bench.sides["ours"]
        figures += _commands(bench, ours, views)
        one = bench.work / "views-one"
        _write_repo(one, 1, parquet)
        run([ours.feast, "apply"], one, one / "apply.log")
        figures += _requests(bench, ours, bench.work / "views-ours", one, views)
        figures.append(_refresh(bench, ours, bench.work / "views-ours", views, parquet))
    return figures


def _apply(bench: Bench, views: int, parquet: Path) -> Figure:
    seconds = {}
    for side, environment in bench.sides.items():
        folder = bench.work / f"views-{side}"
        _write_repo(folder, views, parquet)
        seconds[side] = timed([environment.feast, "apply"], folder, "apply").seconds
        bench.say(f"views: {side} applied {views} views in {seconds[side]:.1f} s")
    target = Target("ours", MOST_APPLY_SECONDS)
    return Figure("views", f"apply, {views} views", "s", seconds.get("ours"), seconds.get("feast"), target=target)


def _start(bench: Bench, views: int) -> list[Figure]:
    figures = []
    # Feast's server has no /ready.
    for path, sides in (("/health", list(bench.sides)), ("/ready", ["ours"] if "ours" in bench.sides else [])):
        starts = {side: partial(seconds_until, bench.sides[side], bench.work / f"views-{side}", path) for side in sides}
        found = in_turn(1 if bench.quick else 3, starts)
        bench.say(f"views: {path} after " + ", ".join(f"{value:.2f} s ({side})" for side, value in found.items()))
        target = Target("ours", MOST_START_SECONDS)
        figures.append(Figure("views", f"serve to {path}", "s", found.get("ours"), found.get("feast"), target=target))
    return figures


def _commands(bench: Bench, ours: Environment, views: int) -> list[Figure]:
    folder = bench.work / "views-ours"
    commands = {f"apply again, {views} views": ["apply"], "feature-views list": ["feature-views", "list"]}
    found = {
        name: median(timed([ours.feast, *command], folder, "again").seconds for _ in range(1 if bench.quick else 3))
        for name, command in commands.items()
    }
    for name, seconds in found.items():
        bench.say(f"views: {name}: {seconds:.2f} s")
    return [Figure("views", name, "s", seconds) for name, seconds in found.items()]


def _requests(bench: Bench, ours: Environment, many: Path, one: Path, views: int) -> list[Figure]:
    """The same request to both, first and later, and the worker's memory."""
    bodies = bench.work / "views.jsonl"
    bodies.write_text("\n".join(_body("view_0000", item) for item in range(ENTITIES)) + "\n")
    end = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    for folder in (many, one):
        run([ours.feast, "materialize-incremental", end, "--views", "view_0000"], folder, folder / "materialize.log")
    with contextlib.ExitStack() as servers:
        first, rounds, subjects = {}, {}, {}
        for name, folder in (("many", many), ("one", one)):
            server = servers.enter_context(_serving(ours, folder, name))
            start = time.perf_counter()
            # The probe of the start was for another feature, so that this plan is a new one.
            server.post(_body("view_0000", 1))
            first[name] = (time.perf_counter() - start) * 1e3
            subjects[name] = server
            rounds[name] = list[Load]()
            drive(server, bodies, 1)
        for _ in range(2 if bench.quick else 7):
            for name, server in subjects.items():
                rounds[name].append(drive(server, bodies, 1 if bench.quick else 5))
        memory = {name: memory_of(server) for name, server in subjects.items()}
    # The least: what others do on the machine can only add to it.
    cpu = {name: min(load.cpu_us_per_request or math.inf for load in found) for name, found in rounds.items()}
    rate = {name: median(load.per_second for load in found) for name, found in rounds.items()}
    bench.say(f"views: a request takes {cpu['many']:.1f} us of CPU with {views} views, {cpu['one']:.1f} us with one")
    target, against = Target("ratio", MOST_REQUEST_RATIO), "1 view"
    return [
        Figure("views", "CPU of a request", "us", cpu["many"], cpu["one"], against, target),
        Figure("views", "requests/s", "1/s", rate["many"], rate["one"], against),
        Figure("views", "first request", "ms", first["many"], first["one"], against),
        *(Figure("views", f"worker, {kind}", "MiB", memory["many"][kind], memory["one"][kind], against)
          for kind in memory["one"]),
    ]  # fmt: skip


def _refresh(bench: Bench, ours: Environment, folder: Path, views: int, parquet: Path) -> Figure:
    """The longest request while a running server reads the registry anew, beside the median of its requests."""
    with _serving(ours, folder, "refresh", "--registry_ttl_sec", "1") as server:
        times: list[float] = []
        stop = threading.Event()
        asking = threading.Thread(target=_ask, args=(server, times, stop))
        asking.start()
        try:
            _write_definitions(folder, views + 1, parquet)
            run([ours.feast, "apply"], folder, folder / "apply.log")
            start, before = time.monotonic(), len(times)
            while time.monotonic() - start < REFRESH_SECONDS:
                with contextlib.suppress(RuntimeError):
                    server.post(_body(f"view_{views:04d}", 1))
                    break
                time.sleep(0.02)
            else:
                raise RuntimeError(f"the new view is not served after {REFRESH_SECONDS:.0f} s{server.last_words()}")
            seconds = time.monotonic() - start
            time.sleep(1)
        finally:
            stop.set()
            asking.join()
    longest, usual = max(times[before:]) * 1e3, median(times[before:]) * 1e3
    bench.say(f"views: a new view is served {seconds:.1f} s after its apply; the longest request took {longest:.0f} ms")
    return Figure("views", "longest request while refreshing", "ms", longest, usual, "median")


def _ask(server: Server, times: list[float], stop: threading.Event) -> None:
    body = _body("view_0000", 1)
    while not stop.is_set():
        start = time.perf_counter()
        server.post(body)
        times.append(time.perf_counter() - start)
        time.sleep(0.002)


@contextlib.contextmanager
def _serving(ours: Environment, folder: Path, name: str, *more: str) -> Iterator[Server]:
    port = free_port()
    command = serve_command(ours, port, *more)
    probe = json.dumps({"features": ["view_0000:feature_000"], "entities": {"item_id": [1]}})
    with running(name, command, port, folder, folder / f"{name}.log", probe) as server:
        yield server


def _body(view: str, item: int) -> str:
    features = [f"{view}:feature_{index:03d}" for index in range(FEATURES)]
    return json.dumps({"features": features, "entities": {"item_id": [item]}})


def _write_repo(folder: Path, views: int, parquet: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "feature_store.yaml").write_text(CONFIGURATION)
    _write_definitions(folder, views, parquet)


def _write_definitions(folder: Path, views: int, parquet: Path) -> None:
    text = DEFINITIONS.format(views=views, features=FEATURES, path=str(parquet))
    (folder / "definitions.py").write_text(text)


def _write_parquet(path: Path) -> None:
    features = ", ".join(
        f"(i * {index + 1})::{'FLOAT' if index % 2 else 'BIGINT'} AS feature_{index:03d}" for index in range(FEATURES)
    )
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT i AS item_id, now() - INTERVAL 1 HOUR AS event_timestamp, {features}"
            f" FROM range({ENTITIES}) AS numbers(i)) TO '{path}' (FORMAT parquet)"
        )
