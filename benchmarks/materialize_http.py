"""Reads of a view while its rows are materialized anew over HTTP, beside reads while nothing else is done."""

import contextlib
import json
import random
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

from .figures import Bench, Figure, Target
from .load import Load, drive
from .rows import FEATURES, write_repo
from .servers import Server, free_port, running, serve_command
from .timing import run

ROWS = 1_000_000
BODIES = 1_000
ROUNDS = 3  # materializations, and as many rests
LOADS = 3  # runs of wrk in each
SECONDS = 2  # of one
HEALTH_CHECKS = 200  # in each round

LARGEST_RATIO = 1.5


@dataclass
class Side:
    """What was measured alone, or while rows were materialized; health checks in seconds."""

    loads: list[Load] = field(default_factory=list)
    health: list[float] = field(default_factory=list)


def measure(bench: Bench) -> list[Figure]:
    """Ours only: Feast would take hours for as many rows, and does it in the process that answers."""
    if "ours" not in bench.sides:
        return []
    rows = 20_000 if bench.quick else ROWS
    folder = bench.work / "materialize-http"
    write_repo(folder, rows, rows)
    environment = bench.sides["ours"]
    run([environment.feast, "apply"], folder, folder / "apply.log")
    bodies = folder / "bodies.jsonl"
    bodies.write_text("\n".join(_bodies(rows)) + "\n")
    alone, beside, speeds = Side(), Side(), []
    port = free_port()
    with running("ours", serve_command(environment, port), port, folder, folder / "serve.log", _body(0)) as server:
        _finished(server, _begin(server))
        drive(server, bodies, 1)
        for _ in range(1 if bench.quick else ROUNDS):
            _load(bench, server, bodies, alone, "alone")
            job = _begin(server)
            _load(bench, server, bodies, beside, "while materializing")
            still = _job(server, job)["ended"] is None
            if not still and not bench.quick:
                raise RuntimeError("the rows were materialized before the reads were measured; take more of them")
            view = _finished(server, job)["feature_views"][0]
            speeds.append(rows / view["seconds"])
            bench.say(f"materialize_http: {speeds[-1]:,.0f} rows/s meanwhile")
    return _figures(alone, beside, speeds)


def _bodies(rows: int) -> Iterator[str]:
    chosen = random.Random(0)
    for _ in range(BODIES):
        yield _body(chosen.randrange(rows))


def _body(item: int) -> str:
    features = [f"view:feature_{index}" for index in range(FEATURES)]
    return json.dumps({"features": features, "entities": {"item_id": [item]}})


def _load(bench: Bench, server: Server, bodies: Path, side: Side, how: str) -> None:
    for _ in range(1 if bench.quick else LOADS):
        load = drive(server, bodies, SECONDS, alone=False)
        side.loads.append(load)
        told = f"{load.per_second:,.0f} requests/s, p50 {load.p50_ms:.2f}, p99 {load.p99_ms:.2f} ms"
        bench.say(f"materialize_http: reads {how}: {told}")
    for _ in range(HEALTH_CHECKS):
        started = time.perf_counter()
        with contextlib.closing(urllib.request.urlopen(f"{_root(server)}/health", timeout=60)) as answer:
            answer.read()
        side.health.append(time.perf_counter() - started)


def _begin(server: Server) -> str:
    """The id of a job that stores every row anew, with the time of its run."""
    request = urllib.request.Request(f"{_root(server)}/materialize?async=true", b'{"disable_event_timestamp": true}')
    with contextlib.closing(urllib.request.urlopen(request, timeout=60)) as answer:
        return str(json.load(answer)["job"])


def _job(server: Server, job: str) -> Any:
    with contextlib.closing(urllib.request.urlopen(f"{_root(server)}/materialize/jobs/{job}", timeout=60)) as answer:
        return json.load(answer)


def _finished(server: Server, job: str) -> Any:
    """The job when it has ended. Raises RuntimeError where it failed."""
    while (found := _job(server, job))["ended"] is None:
        time.sleep(0.1)
    if found["state"] != "succeeded":
        raise RuntimeError(f"the materialization failed: {found}{server.last_words()}")
    return found


def _root(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def _figures(alone: Side, beside: Side, speeds: Sequence[float]) -> list[Figure]:
    def figure(name: str, unit: str, value: Any, target: Target | None = None) -> Figure:
        return Figure("materialize_http", name, unit, value(beside), value(alone), "alone", target)

    within = Target("ratio", LARGEST_RATIO)
    return [
        figure("reads meanwhile", "requests/s", lambda side: median(load.per_second for load in side.loads)),
        figure("reads meanwhile, p50", "ms", lambda side: median(load.p50_ms for load in side.loads)),
        figure("reads meanwhile, p99", "ms", lambda side: median(load.p99_ms for load in side.loads), within),
        figure("/health meanwhile, p50", "ms", lambda side: median(side.health) * 1e3),
        figure("/health meanwhile, p99", "ms", lambda side: _p99(side.health) * 1e3, within),
        Figure("materialize_http", "materialized under load", "rows/s", median(speeds)),
    ]


def _p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[ceil(len(seconds) * 0.99) - 1]
