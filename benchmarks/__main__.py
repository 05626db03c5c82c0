"""The command: `python -m benchmarks --feast-python FEAST/bin/python --python OURS/bin/python`."""

import argparse
import contextlib
import dataclasses
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from . import machine, materialize, materialize_http, memory, report, rows, size, start, views, writes
from .figures import Bench, Figure
from .load import find_wrk
from .repository import Repository, Shape
from .servers import Environment
from .serving import LAYOUTS, Measurement, Plan, measure
from .timing import Timed

RESULTS = Path(__file__).with_name("results") / "serving.json"
SHAPES = ("50x1", "50x10", "50x100", "250x1", "250x10", "250x100")
#: What can be measured by itself, in this order; the first two share their repositories.
FIGURES: dict[str, Callable[[Bench], list[Figure]]] = {
    "start": start.measure,
    "size": size.measure,
    "memory": memory.measure,
    "views": views.measure,
    "rows": rows.measure,
    "writes": writes.measure,
    "materialize_http": materialize_http.measure,
}
PARTS = ("materialize", "serving", *FIGURES)


def arguments(line: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line. `--quick` gives smaller defaults; what is given beside it stands."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--feast-python", type=Path, metavar="PATH", help="Python of the environment that has Feast")
    add("--python", type=Path, metavar="PATH", default=Path(sys.executable), help="ours, with Sanic (default: this)")
    add("--only", metavar="PART,..", default=",".join(PARTS), help=f"of: {','.join(PARTS)} (all)")
    add("--rounds", type=int, metavar="N", help="rounds of serving (3)")
    add("--seconds", type=int, metavar="N", help="seconds of one run of wrk (5)")
    add("--fewest-requests", type=int, metavar="N", help="run longer for a slow server, to hold about N requests (40)")
    add("--shapes", metavar="NxM,..", help=f"features x entities, of: {','.join(SHAPES)} (all)")
    add("--formats", metavar="NAME,..", default=",".join(LAYOUTS), help="of: rows,columns (both)")
    add("--entities", type=int, metavar="N", help="items in the store (10000)")
    add("--materialize-rounds", type=int, metavar="N", help="timed runs of our materialize-incremental (3)")
    add("--feast-materialize-rounds", type=int, metavar="N", help="of Feast's, at about 43 s each (3)")
    add("--skip-feast", action="store_true", help="measure without Feast")
    add("--skip-ours", action="store_true", help="measure without our server; columns only, as Feast's")
    add("--skip-bare", action="store_true", help="measure without the bare handler")
    add("--quick", action="store_true", help="a smoke run: one short round, two shapes, 500 items; figures mean little")
    add("--keep", type=Path, metavar="FOLDER", help="work in this new folder and keep it")
    add("--output", type=Path, metavar="FILE", default=RESULTS, help="where the JSON goes (benchmarks/results)")
    add("--json", action="store_true", help="print JSON only")
    add("--strict", action="store_true", help="exit 1 when a target is missed")
    given = parser.parse_args(line)

    quick: dict[str, Any] = {
        "rounds": 1,
        "seconds": 1,
        "fewest_requests": 4,
        "shapes": "50x1,250x10",
        "entities": 500,
        "materialize_rounds": 1,
        "feast_materialize_rounds": 1,
    }
    full: dict[str, Any] = {
        "rounds": 3,
        "seconds": 5,
        "fewest_requests": 40,
        "shapes": ",".join(SHAPES),
        "entities": 10_000,
        "materialize_rounds": 3,
        "feast_materialize_rounds": 3,
    }
    for name, value in (quick if given.quick else full).items():
        if getattr(given, name) is None:
            setattr(given, name, value)
        if name != "shapes" and getattr(given, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be 1 or more")
    if given.skip_feast and given.skip_ours:
        parser.error("--skip-feast and --skip-ours leave nothing to measure")
    if given.feast_python is None and not given.skip_feast:
        parser.error("--feast-python is needed, or --skip-feast")
    if unknown := set(given.only.split(",")) - set(PARTS):
        parser.error(f"--only: unknown {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    given.parts = [part for part in PARTS if part in given.only.split(",")]
    given.layouts = [layout for layout in LAYOUTS if layout in given.formats.split(",")]
    if unknown := set(given.formats.split(",")) - set(LAYOUTS):
        parser.error(f"--formats: unknown {', '.join(sorted(unknown))}; there are {' and '.join(LAYOUTS)}")
    if given.skip_ours:
        given.layouts = ["columns"]
    try:
        given.shapes = [Shape.parse(text) for text in given.shapes.split(",")]
    except ValueError as error:
        parser.error(f"--shapes: {error}")
    return given


def main() -> None:
    """Measure, print, and write the JSON file; exit code 1 on any failure, and on a missed target with `--strict`."""
    given = arguments()
    # A termination becomes an exit, so that every server is ended on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    talk, out = Console(stderr=True, highlight=False), Console()
    if not out.is_terminal:
        out = Console(width=124)  # the tables do not fit the 80 columns that Rich takes for a pipe
    began = time.monotonic()

    def say(text: str) -> None:
        talk.print(f"[dim]{time.monotonic() - began:6.1f}[/] {text}", markup=True)

    try:
        document, serving, materialized, figures = run(given, say)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        talk.print(str(error), style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(document, indent=2) + "\n")
    if not given.json:
        report.print_tables(out, serving, materialized, figures)
        if given.quick:
            out.print("A quick run: it shows that everything works; its figures mean little.")
    print(json.dumps({"machine": document["machine"], **document["summary"]}))
    say(f"every run is in {given.output}")
    misses = report.missed(serving, materialized, figures)
    for line in misses:
        talk.print(f"missed: {line}", style="yellow")
    if misses and given.strict:
        sys.exit(1)


def run(
    given: argparse.Namespace, say: Callable[[str], None]
) -> tuple[dict[str, Any], list[report.ServingLine], list[report.MaterializeLine], list[Figure]]:
    """Measure the parts that are asked for; the JSON document and the tables' lines."""
    find_wrk()
    ours = Environment(given.python.absolute())
    sides = {} if given.skip_feast else {"feast": Environment(given.feast_python.absolute())}
    if not given.skip_ours:
        sides["ours"] = ours
    facts = machine.facts() | {side: machine.versions(environment) for side, environment in sides.items()}
    runs: dict[str, list[Timed]] = {}
    measurements: list[Measurement] = []
    figures: list[Figure] = []
    with work_folder(given.keep) as work:
        if "materialize" in given.parts or "serving" in given.parts:
            runs, measurements = side_by_side(given, sides, ours, work, say)
        for part in given.parts:
            if part in FIGURES:
                found = FIGURES[part](Bench(sides, work, say, given.quick))
                # So few rows, views and rounds reach no target.
                figures += [dataclasses.replace(each, target=None) for each in found] if given.quick else found
    serving, materialized = report.serving_lines(measurements, given.layouts), report.materialize_lines(runs)
    options = ("rounds", "seconds", "fewest_requests", "entities", "quick", "parts")
    document = {
        "machine": facts,
        "options": {name: getattr(given, name) for name in options},
        "summary": report.summary(serving, materialized, figures),
        "runs": report.rounds(measurements, runs),
    }
    return document, serving, materialized, figures


def side_by_side(
    given: argparse.Namespace,
    sides: dict[str, Environment],
    ours: Environment,
    work: Path,
    say: Callable[[str], None],
) -> tuple[dict[str, list[Timed]], list[Measurement]]:
    """Make the repository, time the materializations, measure the serving."""
    wanted = "materialize" in given.parts
    rounds = {
        "feast": given.feast_materialize_rounds if wanted else 1,
        "ours": given.materialize_rounds if wanted else 1,
    }
    repository = Repository(work / "source", given.entities)
    say(f"writing {given.entities:,} items")
    repository.write_data()
    runs, folders = materialize.measure(sides, rounds, repository, work, say)
    if "serving" not in given.parts:
        return runs, []
    plan = Plan(
        rounds=given.rounds,
        seconds=given.seconds,
        fewest_requests=given.fewest_requests,
        shapes=given.shapes,
        layouts=given.layouts,
        bare=not given.skip_bare,
    )
    return runs if wanted else {}, measure(plan, repository, sides, folders, ours, work, say)


@contextlib.contextmanager
def work_folder(keep: Path | None) -> Iterator[Path]:
    """`keep`, made new, or a temporary folder that is removed at the end."""
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="feast-benchmark-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    main()
