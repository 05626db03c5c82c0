"""Times `feast --help` beside a bare interpreter, and `feast serve` until `/health` answers."""

import contextlib
import http.client
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from .figures import Bench, Figure, Target
from .repository import Repository
from .servers import Environment, free_port, launched, serve_command
from .timing import run, timed

ENTITIES = 100
MOST_HELP_SECONDS = 0.25  # above a bare interpreter
MOST_HEALTH_SECONDS = 1.5
PROBE_SECONDS = 0.005
LIMIT_SECONDS = 120.0


def measure(bench: Bench) -> list[Figure]:
    """Medians of runs in turn: A B C, A B C, ... after one of each that is not counted, which reads the files."""
    rounds = 1 if bench.quick else 7
    return [*_help(bench, rounds), _health(bench, rounds)]


def _help(bench: Bench, rounds: int) -> list[Figure]:
    commands = {f"{side} --help": [each.feast, "--help"] for side, each in bench.sides.items()}
    commands |= {f"{side} bare": [str(each.python), "-c", "pass"] for side, each in bench.sides.items()}
    seconds = in_turn(rounds, {name: partial(_seconds, command, bench.work) for name, command in commands.items()})
    for name, found in seconds.items():
        bench.say(f"start: {name} {found:.3f} s")
    ours, feast = seconds.get("ours --help"), seconds.get("feast --help")
    bare = seconds.get("ours bare")
    target = Target("more", MOST_HELP_SECONDS)
    return [
        Figure("start", "feast --help", "s", ours, bare, "bare Python", target),
        Figure("start", "feast --help", "s", ours, feast),
    ]


def _seconds(command: Sequence[str], folder: Path) -> float:
    return timed(command, folder, "start").seconds


def _health(bench: Bench, rounds: int) -> Figure:
    repository = Repository(bench.work / "start-source", ENTITIES)
    repository.write_data()
    starts = {}
    for side, environment in bench.sides.items():
        folder = bench.work / f"start-{side}"
        repository.write_repo(folder)
        run([environment.feast, "apply"], folder, folder / "apply.log")
        starts[side] = partial(seconds_until, environment, folder, "/health")
    seconds = in_turn(rounds, starts)
    for side, found in seconds.items():
        bench.say(f"start: {side} answers /health after {found:.2f} s")
    target = Target("ours", MOST_HEALTH_SECONDS)
    return Figure("start", "serve to /health", "s", seconds.get("ours"), seconds.get("feast"), target=target)


def in_turn(rounds: int, measurements: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """The median of each, after one that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in measurements}
    for number in range(rounds + 1):
        for name, measured in measurements.items():
            value = measured()
            if number:
                found[name].append(value)
    return {name: median(values) for name, values in found.items()}


def seconds_until(environment: Environment, folder: Path, path: str) -> float:
    """From the start of `feast serve` in `folder` to the first 200 of GET `path`."""
    port = free_port()
    start = time.perf_counter()
    with launched("serve", serve_command(environment, port), port, folder, folder / "serve.log") as server:
        while time.perf_counter() - start < LIMIT_SECONDS:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if server.status(path) == 200:
                    return time.perf_counter() - start
            server.raise_if_ended()
            time.sleep(PROBE_SECONDS)
    raise RuntimeError(f"{environment.feast} serve: no {path} within {LIMIT_SECONDS:.0f} s{server.last_words()}")
