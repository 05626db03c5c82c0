"""The cost of a request, in counts of instructions, calls and bytes, stays what was recorded of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
#: How far a count may be from the recorded one.
MARGIN = 0.05

Costs = dict[str, dict[str, int]]


def measure(*options: str) -> Costs:
    """By shape, in a process of its own: what is counted may not be traced by anything else."""
    command = [sys.executable, "-m", "benchmarks.request_cost", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    costs: dict[str, Costs] = json.loads(done.stdout)
    return costs[VERSION]


@pytest.fixture(scope="module")
def measured() -> Costs:
    return measure()


@pytest.fixture(scope="module")
def recorded() -> Costs:
    """By shape, for the Python that runs."""
    by_version: dict[str, Costs] = json.loads((ROOT / "benchmarks" / "request_cost.json").read_text())
    assert VERSION in by_version, (
        f"nothing is recorded for Python {VERSION}: python -m benchmarks.request_cost --record"
    )
    return by_version[VERSION]


def differences(measured: Costs, recorded: Costs) -> list[str]:
    """A line for each count that is further from the recorded one than the margin."""
    return [
        f"{shape}: {measured[shape][count]} {count}, recorded are {value}"
        for shape, counts in recorded.items()
        for count, value in counts.items()
        if abs(measured[shape][count] - value) > MARGIN * value
    ]


def test_a_request_costs_what_was_recorded(measured: Costs, recorded: Costs) -> None:
    assert measured.keys() == recorded.keys()
    found = differences(measured, recorded)
    assert not found, "\n".join(
        [*found, "if it is worth it, or cheaper than before: python -m benchmarks.request_cost --record"]
    )


@pytest.mark.parametrize("factor", [0.94, 1.06])
@pytest.mark.parametrize("count", ["instructions", "calls", "peak bytes"])
def test_a_change_of_six_percent_is_noticed(recorded: Costs, count: str, factor: float) -> None:
    for shape, counts in recorded.items():
        changed: dict[str, Any] = {**recorded, shape: {**counts, count: round(counts[count] * factor)}}
        assert differences(changed, recorded), f"{shape}: {count}"


def test_every_count_is_of_a_request_that_did_something(recorded: Costs) -> None:
    for shape, counts in recorded.items():
        assert counts["instructions"] > counts["calls"] > 100, shape
        assert counts["peak bytes"] > 1000, shape


def test_a_request_costs_the_same_whatever_else_the_repository_holds(measured: Costs) -> None:
    found = differences(measure("--views", "200"), measured)
    assert not found, "\n".join(found)
