"""The memory of one worker: after its start, after a load of each shape, and after many requests more."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from .figures import Bench, Figure, Target
from .load import drive
from .materialize import materialize
from .repository import Repository, Shape
from .servers import Server, free_port, running, serve_command
from .timing import run

LARGEST_MIB = 110.0
# What is left open: a worker that lost 100 bytes a request would grow by 10 MiB in 100,000.
LARGEST_GROWTH_MIB = 5.0
SHAPES = ("50x1", "50x10", "50x100", "250x1", "250x10", "250x100")
REQUESTS = 40  # of each shape: Feast answers 1.3 of the largest in a second
LONG_SHAPE = "50x1"


def measure(bench: Bench) -> list[Figure]:
    """Resident (RSS), and its own share of what it has in common with others (PSS) and alone (USS), in MiB."""
    repository = Repository(bench.work / "memory-source", 500 if bench.quick else 10_000)
    repository.write_data()
    bodies = {}
    for shape in SHAPES:
        bodies[shape] = bench.work / f"memory-{shape}.jsonl"
        bodies[shape].write_text("\n".join(repository.bodies(Shape.parse(shape))) + "\n")
    found = {side: dict(_worker(bench, side, repository, bodies)) for side in bench.sides}
    ours, feast = found.get("ours", {}), found.get("feast", {})
    figures = [
        Figure(
            "memory",
            f"worker {moment}, {kind}",
            "MiB",
            ours.get((moment, kind)),
            feast.get((moment, kind)),
            target=Target("ours", LARGEST_MIB) if kind == "RSS" else None,
        )
        for moment, kind in (ours or feast)
    ]
    if ours:
        grown = [value for (_, kind), value in ours.items() if kind == "RSS"][-2:]
        target = Target("more", LARGEST_GROWTH_MIB)
        growth = Figure("memory", "growth of RSS in these", "MiB", grown[1], grown[0], "before", target)
        figures.append(growth)
    return figures


def _worker(
    bench: Bench, side: str, repository: Repository, bodies: dict[str, Path]
) -> Iterator[tuple[tuple[str, str], float]]:
    environment, folder, port = bench.sides[side], bench.work / f"memory-{side}", free_port()
    repository.write_repo(folder)
    run([environment.feast, "apply"], folder, folder / "apply.log")
    bench.say(f"memory: {side} materializes")
    materialize(environment, folder)
    # Feast's worker would be replaced every 1,000 requests.
    more = ["--max-requests", "0"] if side == "feast" else []
    command = serve_command(environment, port, *more)
    probe = repository.bodies(Shape.parse("50x1"))[0]
    with running(f"memory-{side}", command, port, folder, folder / "serve.log", probe) as server:
        yield from _told(bench, side, "at start", server)
        for shape in SHAPES:
            for body in bodies[shape].read_text().splitlines()[: 2 if bench.quick else REQUESTS]:
                server.post(body)
        yield from _told(bench, side, "after each shape", server)
        if side == "feast":  # 124 requests/s: another 100,000 would take a quarter of an hour
            return
        for requests in (1_000, 2_000) if bench.quick else (10_000, 100_000):
            done = 0
            while done < requests:
                done += drive(server, bodies[LONG_SHAPE], 1 if bench.quick else 5).requests
            yield from _told(bench, side, f"after {requests:,} requests", server)


def _told(bench: Bench, side: str, moment: str, server: Server) -> Iterator[tuple[tuple[str, str], float]]:
    found = memory_of(server)
    bench.say(f"memory: {side}: {moment}: " + ", ".join(f"{kind} {mib:.0f}" for kind, mib in found.items()))
    return (((moment, kind), mib) for kind, mib in found.items())


def memory_of(server: Server) -> dict[str, float]:
    """RSS, PSS and USS of the server's worker, its largest process, in MiB."""
    found = []
    for process in server.cpu_seconds():
        with contextlib.suppress(OSError):
            found.append(_memory(Path(f"/proc/{process}/smaps_rollup").read_text()))
    return max(found, key=lambda memory: memory["RSS"])


def _memory(smaps: str) -> dict[str, float]:
    lines = (line.split() for line in smaps.splitlines()[1:])
    mib = {name.rstrip(":"): int(kib) / 1024 for name, kib, *_ in lines}
    return {"RSS": mib["Rss"], "PSS": mib["Pss"], "USS": mib["Private_Clean"] + mib["Private_Dirty"]}
