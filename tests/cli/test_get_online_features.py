"""`feast get-online-features` shows what a model would be served."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

CONV_RATE = "driver_hourly_stats:conv_rate"


def test_one_line_per_entity_row(call: Run, served: Path) -> None:
    done = call("get-online-features", "-e", "driver_id=1002", "-e", "driver_id=7", "-f", CONV_RATE, cwd=served)
    assert done.code == 0
    header, known, unknown = [line.split() for line in done.lines]
    assert header == ["driver_id", "conv_rate"]
    assert known[0] == "1002"
    assert 0 <= float(known[1]) <= 1
    assert unknown == ["7", "-"]


def test_json_has_a_list_per_column(call: Run, served: Path) -> None:
    done = call("get-online-features", "-e", "driver_id=1002", "-f", CONV_RATE, "--json", cwd=served)
    assert list(done.json) == ["driver_id", "conv_rate"]
    assert done.json["driver_id"] == [1002]


def test_a_service_and_full_names(call: Run, served: Path) -> None:
    arguments = ["-e", "driver_id=1001", "--feature-service", "driver_activity", "--full-feature-names", "--json"]
    assert list(call("get-online-features", *arguments, cwd=served).json) == [
        "driver_id",
        "driver_hourly_stats__conv_rate",
        "driver_hourly_stats__acc_rate",
        "driver_hourly_stats__avg_daily_trips",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["-e", "driver_id=1001"], 2, "-f VIEW:FEATURE, or a --feature-service"),
        (
            ["-e", "driver_id=1001", "-f", CONV_RATE, "--feature-service", "x"],
            2,
            "-f VIEW:FEATURE, or a --feature-service",
        ),
        (["-e", "driver_id", "-f", CONV_RATE], 2, "'driver_id' is not KEY=VALUE"),
        (["-e", "driver_id=1", "-e", "a=1", "-e", "a=2", "-f", CONV_RATE], 2, "there are: driver_id 1, a 2"),
        (["-f", CONV_RATE], 2, "-e"),
        (["-e", "driver_id=abc", "-f", CONV_RATE], 2, "driver_id"),
        (["-e", "driver_id=1001", "-f", "driver_hourly_stats"], 2, "driver_hourly_stats"),
        (["-e", "driver_id=1001", "-f", "driver_stats:conv_rate"], 1, "Feature view driver_stats does not exist"),
        (["-e", "driver_id=1001", "-f", "driver_hourly_stats:rate"], 1, "Feature rate does not exist"),
        (["-e", "driver_id=1001", "--feature-service", "driver"], 1, "Feature service driver does not exist"),
    ],
)
def test_wrong_requests_are_one_clear_line(
    arguments: list[str], code: int, message: str, call: Run, served: Path
) -> None:
    done = call("get-online-features", *arguments, cwd=served)
    assert done.code == code
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert message in done.err


@pytest.mark.parametrize("width", [80, 160])
def test_a_table_on_a_terminal(width: int, on_terminal: Run, served: Path) -> None:
    arguments = ["-e", "driver_id=1001", "--feature-service", "driver_activity"]
    code, drawn = on_terminal("get-online-features", *arguments, cwd=served, width=width)
    assert code == 0
    assert "\x1b[1m" in drawn
    assert "avg_daily_trips" in drawn
    assert "1001" in drawn
