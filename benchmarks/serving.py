"""Measures requests per second: every server at every shape, in rounds of A B C, A B C, ..."""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .load import CONNECTIONS, Load, check, drive
from .repository import Repository, Shape
from .servers import Environment, Server, bare_command, free_port, running, serve_command

LAYOUTS = ("rows", "columns")
LONGEST_SECONDS = 90  # of one run, however slow the server


@dataclass(frozen=True)
class Measurement:
    """The rounds of one server at one shape; `layout` is that of its answers, rows or columns."""

    side: str
    shape: Shape
    layout: str
    rounds: tuple[Load, ...]


@dataclass(frozen=True)
class Plan:
    """What to measure.

    `seconds` is one run of wrk, longer for a server that would not answer about `fewest_requests` in that time.
    `layouts` are those of our server.
    """

    rounds: int
    seconds: int
    fewest_requests: int
    shapes: Sequence[Shape]
    layouts: Sequence[str]
    bare: bool


@dataclass(frozen=True)
class Subject:
    """A server under test and the layout in which it answers."""

    side: str
    layout: str
    server: Server


def measure(
    plan: Plan,
    repository: Repository,
    sides: Mapping[str, Environment],
    folders: Mapping[str, Path],
    bare: Environment,
    work: Path,
    say: Callable[[str], None],
) -> list[Measurement]:
    """Run the plan. `folders` are the materialized repositories of `sides` (feast, ours); `work` takes the logs.

    Feast answers in columns only and is measured once; its figure stands beside both of our layouts.
    """
    results = []
    with contextlib.ExitStack() as servers:
        probe = repository.bodies(plan.shapes[0])[0]
        subjects = []
        for side, layout, more in _subjects(plan, sides):
            port, name = free_port(), f"{side}-{layout}"
            say(f"starting {name}")
            command = serve_command(sides[side], port, *more)
            server = servers.enter_context(running(name, command, port, folders[side], work / f"{name}.log", probe))
            subjects.append(Subject(side, layout, server))
        for shape in plan.shapes:
            results += _measure_shape(plan, shape, repository, subjects, bare, work, say)
    return results


def _subjects(plan: Plan, sides: Mapping[str, Environment]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if "feast" in sides:
        # Its worker would be replaced every 1,000 requests, which ours is not.
        yield "feast", "columns", ("--max-requests", "0")
    if "ours" in sides:
        for layout in plan.layouts:
            yield "ours", layout, ("--response-format", layout)


def _measure_shape(
    plan: Plan,
    shape: Shape,
    repository: Repository,
    subjects: Sequence[Subject],
    bare: Environment,
    work: Path,
    say: Callable[[str], None],
) -> list[Measurement]:
    """All rounds of one shape. A bare handler answers what ours answered, or Feast where ours is left out."""
    bodies = repository.bodies(shape)
    file = work / f"{shape}.jsonl"
    file.write_text("\n".join(bodies) + "\n")
    with contextlib.ExitStack() as servers:
        seconds, warm_up, answers = {}, {}, {}
        for subject in subjects:
            say(f"{shape}: checking the answers of {subject.server.name}")
            answers[subject.layout], took = check(subject.server, subject.layout, repository, bodies)
            # A first wave of answers, one on each connection, and a second.
            warm_up[subject.server.name] = max(1, math.ceil(2 * CONNECTIONS * took))
            # Counting whole answers of a slow server for a short while would count it too low.
            seconds[subject.server.name] = min(
                LONGEST_SECONDS, max(plan.seconds, math.ceil(plan.fewest_requests * took))
            )
        everyone = list(subjects)
        for layout in plan.layouts if plan.bare else ():
            path, port, name = work / f"{shape}-{layout}.json", free_port(), f"bare-{layout}"
            path.write_bytes(answers[layout])
            command = bare_command(bare, port, path)
            server = servers.enter_context(running(name, command, port, work, work / f"{name}.log", bodies[0]))
            everyone.append(Subject("bare", layout, server))
            seconds[name], warm_up[name] = plan.seconds, 1
        for subject in everyone:
            say(f"{shape}: warming up {subject.server.name}")
            drive(subject.server, file, warm_up[subject.server.name])
        rounds: dict[str, list[Load]] = {subject.server.name: [] for subject in everyone}
        for number in range(1, plan.rounds + 1):
            for subject in everyone:
                name = subject.server.name
                load = drive(subject.server, file, seconds[name])
                rounds[name].append(load)
                say(f"{shape}: round {number}: {name} {load.per_second:,.1f} requests/s, p99 {load.p99_ms:,.1f} ms")
    return [
        Measurement(subject.side, shape, subject.layout, tuple(rounds[subject.server.name])) for subject in everyone
    ]
