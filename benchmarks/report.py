"""Turns measurements into ratios against the targets: Rich tables and a JSON document."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from .figures import Figure, shown, table
from .serving import Measurement
from .timing import Timed

MATERIALIZE_TARGET = 20.0  # times as fast as Feast

# Times Feast's requests per second, one worker each.
SERVING_TARGETS = {
    ("rows", "50x1"): 60.0,
    ("rows", "50x10"): 100.0,
    ("rows", "50x100"): 100.0,
    ("rows", "250x1"): 100.0,
    ("rows", "250x10"): 100.0,
    ("rows", "250x100"): 100.0,
    ("columns", "50x1"): 40.0,
    ("columns", "50x10"): 40.0,
    ("columns", "50x100"): 40.0,
    ("columns", "250x1"): 40.0,
    ("columns", "250x10"): 40.0,
    ("columns", "250x100"): 40.0,
}
# Part of the bare handler's requests per second.
BARE_TARGETS = {("rows", "50x1"): 0.55}


@dataclass(frozen=True)
class Ratio:
    """A ratio of two medians and the least it should be; each None where it was not measured or has no target."""

    value: float | None
    target: float | None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is nothing to compare."""
        return None if self.value is None or self.target is None else self.value >= self.target


@dataclass(frozen=True)
class ServingLine:
    """One shape in one layout: the medians, in requests per second, and their ratios."""

    shape: str
    layout: str
    feast: float | None
    ours: float | None
    bare: float | None
    times_feast: Ratio
    part_of_bare: Ratio


@dataclass(frozen=True)
class MaterializeLine:
    """One side's medians over its runs."""

    side: str
    rounds: int
    seconds: float
    cpu_seconds: float
    peak_rss_mib: float


def serving_lines(measurements: Sequence[Measurement], layouts: Sequence[str]) -> list[ServingLine]:
    """One line for each shape that was measured, in each of `layouts`."""
    medians = {
        (found.side, str(found.shape), found.layout): median(load.per_second for load in found.rounds)
        for found in measurements
    }
    shapes = sorted({found.shape for found in measurements})
    return [_serving_line(medians, str(shape), layout) for layout in layouts for shape in shapes]


def _serving_line(medians: dict[tuple[str, str, str], float], shape: str, layout: str) -> ServingLine:
    # Feast knows one layout only, so its figure is the same in both.
    feast = medians.get(("feast", shape, "columns"))
    ours, bare = medians.get(("ours", shape, layout)), medians.get(("bare", shape, layout))
    return ServingLine(
        shape=shape,
        layout=layout,
        feast=feast,
        ours=ours,
        bare=bare,
        times_feast=Ratio(ours / feast if ours and feast else None, SERVING_TARGETS.get((layout, shape))),
        part_of_bare=Ratio(ours / bare if ours and bare else None, BARE_TARGETS.get((layout, shape))),
    )


def materialize_lines(runs: dict[str, list[Timed]]) -> list[MaterializeLine]:
    """One line for each side that ran."""
    return [
        MaterializeLine(
            side=side,
            rounds=len(found),
            seconds=median(run.seconds for run in found),
            cpu_seconds=median(run.cpu_seconds for run in found),
            peak_rss_mib=median(run.peak_rss_mib for run in found),
        )
        for side, found in runs.items()
    ]


def materialize_ratio(lines: Sequence[MaterializeLine]) -> Ratio:
    """How many times as fast ours was, by wall time."""
    seconds = {line.side: line.seconds for line in lines}
    both = "feast" in seconds and "ours" in seconds
    return Ratio(seconds["feast"] / seconds["ours"] if both else None, MATERIALIZE_TARGET)


def print_tables(
    console: Console,
    serving: Sequence[ServingLine],
    materialize: Sequence[MaterializeLine],
    figures: Sequence[Figure],
) -> None:
    """Print what was measured, one table for each kind."""
    if serving:
        console.print(_serving_table(serving))
    if materialize:
        console.print(_materialize_table(materialize))
    if figures:
        console.print(table(figures))


def _serving_table(lines: Sequence[ServingLine]) -> Table:
    table = Table(title="requests/s: 1 worker, 4 connections, medians")
    table.add_column("format", no_wrap=True)
    for name in ("shape", "Feast", "ours", "bare", "x Feast", "target", "of bare", "target"):
        table.add_column(name, justify="right")
    for line in lines:
        times, part = line.times_feast, line.part_of_bare
        table.add_row(
            line.layout,
            line.shape,
            *(_number(value) for value in (line.feast, line.ours, line.bare)),
            "" if times.value is None else f"{times.value:,.1f}",
            _verdict(times, "" if times.target is None else f"{times.target:.0f}"),
            "" if part.value is None else f"{part.value:.0%}",
            _verdict(part, "" if part.target is None else f"{part.target:.0%}"),
        )
    return table


def _materialize_table(lines: Sequence[MaterializeLine]) -> Table:
    ratio = materialize_ratio(lines)
    table = Table(title="materialize-incremental: whole process, medians")
    table.add_column("side")
    for name in ("runs", "seconds", "CPU seconds", "peak MiB", "x Feast", "target"):
        table.add_column(name, justify="right")
    for line in lines:
        ours = line.side == "ours"
        table.add_row(
            line.side,
            str(line.rounds),
            f"{line.seconds:.2f}",
            f"{line.cpu_seconds:.2f}",
            f"{line.peak_rss_mib:,.0f}",
            f"{ratio.value:,.1f}" if ours and ratio.value is not None else "",
            _verdict(ratio, f"{ratio.target:.0f}") if ours else "",
        )
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:,.2f}"


def _verdict(ratio: Ratio, target: str) -> str:
    if ratio.met is None:
        return target
    return f"[green]{target} met[/]" if ratio.met else f"[red]{target} missed[/]"


def missed(
    serving: Sequence[ServingLine], materialize: Sequence[MaterializeLine], figures: Sequence[Figure]
) -> list[str]:
    """The targets that were measured and not reached, each in words."""
    ratios = {f"{line.layout} {line.shape} against Feast": line.times_feast for line in serving}
    ratios |= {f"{line.layout} {line.shape} against the bare handler": line.part_of_bare for line in serving}
    ratios["materialize against Feast"] = materialize_ratio(materialize)
    return [
        *(f"{what}: {ratio.value:.2f}, target {ratio.target}" for what, ratio in ratios.items() if ratio.met is False),
        *(
            f"{figure.part}, {figure.name}: {shown(figure.ours)} {figure.unit}, target {figure.target}"
            for figure in figures
            if figure.met is False
        ),
    ]


def summary(
    serving: Sequence[ServingLine], materialize: Sequence[MaterializeLine], figures: Sequence[Figure]
) -> dict[str, Any]:
    """The tables as plain data."""
    return {
        "serving": [
            {
                **asdict(line),
                "times_feast": _ratio_document(line.times_feast),
                "part_of_bare": _ratio_document(line.part_of_bare),
            }
            for line in serving
        ],
        "materialize": {
            "sides": [asdict(line) for line in materialize],
            "times_feast": _ratio_document(materialize_ratio(materialize)),
        },
        "figures": [figure.document() for figure in figures],
    }


def _ratio_document(ratio: Ratio) -> dict[str, float | bool | None]:
    return {"value": ratio.value, "target": ratio.target, "met": ratio.met}


def rounds(measurements: Sequence[Measurement], runs: dict[str, list[Timed]]) -> dict[str, Any]:
    """Every single run as plain data, for who wants the spread, the latencies or the CPU."""
    return {
        "serving": [
            {
                "side": found.side,
                "shape": str(found.shape),
                "layout": found.layout,
                "rounds": [asdict(load) for load in found.rounds],
            }
            for found in measurements
        ],
        "materialize": {side: [asdict(run) for run in found] for side, found in runs.items()},
    }
