"""Pushes rows to a server: one at a time, 1,000 at a time, while others read, and to the offline store in batches."""

import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from . import drivers
from .client import Answer, post_all, post_at_rate
from .drivers import Feed, Push
from .figures import Bench, Figure, Target
from .load import CONNECTIONS, Load, drive
from .materialize import materialize
from .repository import Repository, Shape
from .servers import Server, free_port, running, serve_command
from .timing import run

PATH = "/push"
SHAPE = Shape(50, 1)
SECONDS = 5.0  # of one run
FEWEST_PUSHES = 12  # of one run, however slow the server: three on each connection
READ_PAIRS = 6  # runs of reads with pushes, and as many without
READ_SECONDS = 3
PUSHED_PER_SECOND = 200

FEWEST_TIMES_FEAST = 40.0
LARGEST_READ_RATIO = 1.5
FEWEST_QUEUED_PER_SECOND = 1_000.0


@dataclass
class Subject:
    """A server under test, the layout of its answers, and what it was given so far."""

    side: str
    layout: str
    server: Server
    feed: Feed = field(default_factory=Feed)
    accepted: list[Push] = field(default_factory=list)
    failed: list[Push] = field(default_factory=list)


@dataclass(frozen=True)
class Round:
    """One run: the rows per second of the pushes that were accepted, what an answer took, how many were errors."""

    rows_per_second: float
    p50_ms: float
    p99_ms: float
    pushes: int
    failed: int


def measure(bench: Bench) -> list[Figure]:
    """Every kind of push in turn. The servers of both sides run at once; one is idle while the other is measured."""
    return [*_online(bench), *_reads(bench), *_queued(bench)]


def _drivers(bench: Bench, name: str, batching: bool) -> dict[str, Path]:
    """Repositories of the driver example, a folder for each side; the online stores are empty."""
    folders = {side: bench.work / f"writes-{name}-{side}" for side in bench.sides}
    for side, folder in folders.items():
        drivers.write_repo(folder, batching)
        run([bench.sides[side].feast, "apply"], folder, folder / "apply.log")
    return folders


@contextlib.contextmanager
def _served(bench: Bench, side: str, folder: Path, probe: str) -> Iterator[Subject]:
    port = free_port()
    # Feast's worker would be replaced every 1,000 requests, which ours is not; it answers in columns only.
    more, layout = (["--max-requests", "0"], "columns") if side == "feast" else ([], "rows")
    command = serve_command(bench.sides[side], port, *more)
    with running(f"writes-{side}", command, port, folder, folder / "serve.log", probe) as server:
        yield Subject(side, layout, server)


def _online(bench: Bench) -> list[Figure]:
    """Pushes to the online store, of one row and of 1,000."""
    figures = []
    with contextlib.ExitStack() as servers:
        folders = _drivers(bench, "online", batching=False)
        subjects = [servers.enter_context(_served(bench, *each, drivers.PROBE)) for each in folders.items()]
        for rows in (1, 1_000):
            name = f"pushes of {rows:,}"
            rounds = _rounds(bench, subjects, rows, "online")
            figures += _figures(name, rounds, Target("ratio", FEWEST_TIMES_FEAST, at_least=True))
            missing = {
                subject.side: drivers.missing(subject.server, subject.layout, subject.accepted, subject.failed)
                for subject in subjects
            }
            figures.append(_figure(f"{name}, accepted but not stored", "%", missing, Target("ours", 0.0)))
    return figures


def _rounds(bench: Bench, subjects: Sequence[Subject], rows: int, to: str) -> dict[str, list[Round]]:
    """Rounds of each side in turn: A B, A B, ... A first run of each shows how many pushes fill the seconds."""
    seconds = 1.0 if bench.quick else SECONDS
    rounds: dict[str, list[Round]] = {subject.side: [] for subject in subjects}
    counts = {}
    for subject in subjects:
        slow = _run(bench, subject, FEWEST_PUSHES, rows, to)
        fast = _run(bench, subject, max(FEWEST_PUSHES, int(slow.rows_per_second / rows)), rows, to)
        counts[subject.side] = max(FEWEST_PUSHES, int(fast.rows_per_second / rows * seconds))
    for _ in range(1 if bench.quick else 3):
        for subject in subjects:
            rounds[subject.side].append(_run(bench, subject, counts[subject.side], rows, to))
    return rounds


def _run(bench: Bench, subject: Subject, count: int, rows: int, to: str) -> Round:
    """`count` pushes; every answer is looked at. What was accepted and what was not is kept with the subject."""
    pushes = subject.feed.pushes(count, rows, to)
    subject.server.wait_until_idle()
    posted = post_all(subject.server, PATH, [push.body for push in pushes], CONNECTIONS)
    subject.server.wait_until_idle()
    failed = [answer for answer in posted.answers if not _accepted(subject.side, answer, rows, to)]
    refused = {answer.body for answer in failed}
    subject.failed += [push for turn, push in enumerate(pushes) if turn in refused]
    subject.accepted += [push for turn, push in enumerate(pushes) if turn not in refused]
    found = Round(
        rows_per_second=(count - len(failed)) * rows / posted.seconds,
        p50_ms=posted.percentile_ms(50),
        p99_ms=posted.percentile_ms(99),
        pushes=count,
        failed=len(failed),
    )
    told = f"{to}, {rows:,} rows each: {subject.side} {found.rows_per_second:,.0f} rows/s, p99 {found.p99_ms:,.1f} ms"
    bench.say(f"writes: {told}, {len(failed)} of {count} failed{_first_words(failed)}")
    return found


def _accepted(side: str, answer: Answer, rows: int, to: str) -> bool:
    """Whether the answer says that the rows are written; ours counts them."""
    if answer.status != (200 if to == "online" else 202):
        return False
    if side == "feast" or to != "online":
        return True
    receipt = json.loads(answer.content)["feature_views"][drivers.VIEW]
    return bool(receipt["online"] + receipt["superseded"] == rows)


def _first_words(failed: Sequence[Answer]) -> str:
    return f", first {failed[0].status} {failed[0].content[:200].decode(errors='replace')}" if failed else ""


def _figures(name: str, rounds: Mapping[str, Sequence[Round]], target: Target) -> list[Figure]:
    """Medians of the rounds, but failures in all of them."""

    def each(value: Callable[[Round], float]) -> dict[str, float]:
        return {side: median(map(value, found)) for side, found in rounds.items()}

    failed = {
        side: 100 * sum(each.failed for each in found) / sum(each.pushes for each in found)
        for side, found in rounds.items()
    }
    return [
        _figure(name, "rows/s", each(lambda found: found.rows_per_second), target),
        _figure(f"{name}, p50", "ms", each(lambda found: found.p50_ms)),
        _figure(f"{name}, p99", "ms", each(lambda found: found.p99_ms)),
        _figure(f"{name}, failed", "%", failed, Target("ours", 0.0)),
    ]


def _figure(name: str, unit: str, values: Mapping[str, float], target: Target | None = None) -> Figure:
    return Figure("writes", name, unit, values.get("ours"), values.get("feast"), target=target)


@dataclass
class Reads:
    """Runs of wrk against one server: without pushes, and with; and what became of the pushes, in rows/s."""

    alone: list[Load] = field(default_factory=list)
    pushing: list[Load] = field(default_factory=list)
    pushed_per_second: list[float] = field(default_factory=list)
    failed: int = 0


def _reads(bench: Bench) -> list[Figure]:
    """Reads of a view while another client pushes rows of it, and while none does, in short runs: A B, B A, ..."""
    repository = Repository(bench.work / "writes-source", 500 if bench.quick else 10_000)
    repository.write_data()
    found = {side: _reads_of(bench, side, repository) for side in bench.sides}
    return _read_figures(found)


def _reads_of(bench: Bench, side: str, repository: Repository) -> Reads:
    environment, folder = bench.sides[side], bench.work / f"writes-reads-{side}"
    repository.write_repo(folder)
    run([environment.feast, "apply"], folder, folder / "apply.log")
    bench.say(f"writes: {side} materializes")
    materialize(environment, folder)
    bodies, file = repository.bodies(SHAPE), folder / "bodies.jsonl"
    file.write_text("\n".join(bodies) + "\n")
    pairs, reads = 1 if bench.quick else READ_PAIRS, Reads()
    pushes = iter(repository.pushes(2 * pairs * READ_SECONDS * PUSHED_PER_SECOND))
    with _served(bench, side, folder, bodies[0]) as subject:
        drive(subject.server, file, READ_SECONDS)
        for pair in range(pairs):
            for pushing in (False, True) if pair % 2 == 0 else (True, False):
                if pushing:
                    load = _read_while_pushing(subject.server, file, pushes, reads)
                    reads.pushing.append(load)
                else:
                    load = drive(subject.server, file, READ_SECONDS)
                    reads.alone.append(load)
                told = f"{load.per_second:,.0f} requests/s, p50 {load.p50_ms:.2f}, p99 {load.p99_ms:.2f} ms"
                more = f", {reads.pushed_per_second[-1]:.0f} rows/s pushed" if pushing else ""
                bench.say(f"writes: reads {SHAPE}: {side} {told}{more}")
    return reads


def _read_while_pushing(server: Server, bodies: Path, pushes: Iterator[bytes], reads: Reads) -> Load:
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pushing = pool.submit(post_at_rate, server, PATH, pushes, PUSHED_PER_SECOND, stop)
        try:
            load = drive(server, bodies, READ_SECONDS, alone=False)
        finally:
            stop.set()
        posted = pushing.result()
    failed = [answer for answer in posted.answers if answer.status != 200]
    reads.failed += len(failed)
    reads.pushed_per_second.append((len(posted.answers) - len(failed)) / posted.seconds)
    return load


def _read_figures(found: Mapping[str, Reads]) -> list[Figure]:
    def each(value: Callable[[Reads], float]) -> dict[str, float]:
        return {side: value(reads) for side, reads in found.items()}

    alone = each(lambda reads: median(load.p99_ms for load in reads.alone))
    pushing = each(lambda reads: median(load.p99_ms for load in reads.pushing))
    figures = [
        _figure("reads alone, p50", "ms", each(lambda reads: median(load.p50_ms for load in reads.alone))),
        _figure("reads alone, p99", "ms", alone),
        _figure("reads while pushing, p50", "ms", each(lambda reads: median(load.p50_ms for load in reads.pushing))),
        _figure("reads while pushing, p99", "ms", pushing),
        _figure("pushed meanwhile", "rows/s", each(lambda reads: median(reads.pushed_per_second))),
        _figure("pushed meanwhile, failed", "rows", each(lambda reads: float(reads.failed)), Target("ours", 0.0)),
    ]
    if "ours" in found:
        target = Target("ratio", LARGEST_READ_RATIO)
        figures.append(
            Figure("writes", "reads while pushing, p99", "ms", pushing["ours"], alone["ours"], "alone", target)
        )
    return figures


def _queued(bench: Bench) -> list[Figure]:
    """Pushes of one row to the offline store, with batching. Feast answers 202 before a row is on any disk."""
    folders = _drivers(bench, "queued", batching=True)
    with contextlib.ExitStack() as servers:
        subjects = [servers.enter_context(_served(bench, *each, drivers.PROBE)) for each in folders.items()]
        rounds = _rounds(bench, subjects, 1, "offline")
        for subject in subjects:
            if subject.side == "ours":
                # Nothing is left to a shutdown: what was answered has to be on disk.
                os.killpg(subject.server.group, signal.SIGKILL)
    lost, twice = {}, {}
    for subject in subjects:
        side, folder = subject.side, folders[subject.side]
        if side == "ours":
            _recover(bench, folder)
        rows, accepted = drivers.rows_in_file(folder), drivers.numbers_of(subject.accepted)
        if strange := rows.keys() - accepted - drivers.numbers_of(subject.failed):
            raise RuntimeError(f"{len(strange)} rows that nobody pushed are in the file of {side}")
        lost[side] = float(len(accepted - rows.keys()))
        twice[side] = float(sum(times > 1 for times in rows.values()))
        bench.say(f"writes: {side}: {len(accepted):,} rows answered 202, {len(rows):,} in the file")
    return [
        *_figures("queued pushes of 1", rounds, Target("ours", FEWEST_QUEUED_PER_SECOND, at_least=True)),
        _figure("queued pushes of 1, lost", "rows", lost, Target("ours", 0.0)),
        _figure("queued pushes of 1, in the file twice", "rows", twice, Target("ours", 0.0)),
    ]


def _recover(bench: Bench, folder: Path) -> None:
    """Start our server again, stop it, and bring the rows that it has written beside the source into its file."""
    with _served(bench, "ours", folder, drivers.PROBE):
        pass
    run([bench.sides["ours"].feast, "compact"], folder, folder / "compact.log")
