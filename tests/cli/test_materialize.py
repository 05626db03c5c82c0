"""`feast materialize` and `materialize-incremental`: what they load, and what they say about it."""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

#: A second view over a file of its own.
SECOND_VIEW = """
slow_stats = FeatureView(
    name="slow_stats",
    entities=[driver],
    ttl=timedelta(days=3650),
    schema=[Field(name="acc_rate", dtype=Float32)],
    source=FileSource(name="slow_source", path="data/slow.parquet", timestamp_field="event_timestamp"),
)
"""


@pytest.fixture
def applied(fresh: Path, call: Run) -> Path:
    assert call("apply", cwd=fresh).code == 0
    return fresh


@pytest.fixture
def two_views(fresh: Path, call: Run) -> Path:
    shutil.copy(fresh / "data" / "driver_stats.parquet", fresh / "data" / "slow.parquet")
    with (fresh / "features.py").open("a") as file:
        file.write(SECOND_VIEW)
    assert call("apply", cwd=fresh).code == 0
    return fresh


def now() -> str:
    return datetime.now(UTC).isoformat()


def test_a_line_per_view_says_rows_and_time(call: Run, applied: Path) -> None:
    done = call("materialize-incremental", now(), cwd=applied)
    assert done.code == 0
    assert re.fullmatch(r"driver_hourly_stats: 5 rows in \d+\.\d\d s\n", done.out)


def test_incremental_with_nothing_new_says_since_when_and_succeeds(call: Run, applied: Path) -> None:
    end = "2026-01-05T10:00:00Z"
    assert call("materialize-incremental", end, cwd=applied).code == 0
    for earlier_or_same in (end, "2026-01-05 12:00+02:00", "2026-01-05"):
        done = call("materialize-incremental", earlier_or_same, cwd=applied)
        assert done.code == 0
        assert done.out == "driver_hourly_stats: nothing new since 2026-01-05T10:00:00Z\n"
        assert call("materialize-incremental", earlier_or_same, "--json", cwd=applied).json == []
    later = call("materialize-incremental", "2026-01-05T10:00:01Z", "--json", cwd=applied).json
    assert [(found["start"], found["end"]) for found in later] == [("2026-01-05T10:00:00Z", "2026-01-05T10:00:01Z")]


def test_outcomes_as_json(call: Run, applied: Path) -> None:
    (found,) = call("materialize", "2020-01-01", now(), "--json", cwd=applied).json
    assert found["name"] == "driver_hourly_stats"
    assert (found["rows"], found["superseded"], found["error"]) == (5, 0, None)
    assert found["start"] == "2020-01-01T00:00:00Z"
    assert found["seconds"] > 0


def test_rows_that_are_older_than_what_is_stored_are_called_superseded(call: Run, applied: Path) -> None:
    call("materialize-incremental", now(), cwd=applied)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    done = call("materialize", "2020-01-01", yesterday, cwd=applied)
    assert done.code == 0
    assert re.fullmatch(r"driver_hourly_stats: 0 rows in .* s; 5 superseded: what is stored is newer\n", done.out)


def test_views_chooses_views_and_an_unknown_one_is_not_found(call: Run, two_views: Path) -> None:
    done = call("materialize", "2020-01-01", now(), "-v", "slow_stats", cwd=two_views)
    assert [line.split(":")[0] for line in done.lines] == ["slow_stats"]
    unknown = call("materialize-incremental", now(), "--views", "slow_stat", cwd=two_views)
    assert unknown.code == 1
    assert "slow_stat does not exist" in unknown.err
    assert "did you mean 'slow_stats'?" in unknown.err


def test_a_view_that_fails_is_named_and_the_others_go_on(call: Run, two_views: Path) -> None:
    (two_views / "data" / "slow.parquet").write_bytes(b"not parquet")
    done = call("materialize-incremental", now(), cwd=two_views)
    assert done.code == 1
    assert done.out.startswith("driver_hourly_stats: 5 rows in")
    assert done.err.startswith("error: slow_stats: ")
    assert done.err.count("\n") == 1
    as_json = call("materialize", "2020-01-01", now(), "--json", cwd=two_views)
    assert as_json.code == 1
    failed = {found["name"]: found["error"] for found in as_json.json}
    assert failed["driver_hourly_stats"] is None
    assert "slow.parquet" in failed["slow_stats"]


def test_a_failure_is_red_on_a_terminal(on_terminal: Run, two_views: Path) -> None:
    (two_views / "data" / "slow.parquet").unlink()
    code, drawn = on_terminal("materialize-incremental", now(), cwd=two_views)
    assert code == 1
    assert "\x1b[1;31merror: slow_stats: " in drawn
    assert "driver_hourly_stats: 5 rows in" in drawn


def test_disable_event_timestamp_takes_all_rows_and_stores_them_as_of_now(call: Run, applied: Path) -> None:
    (found,) = call("materialize", "--disable-event-timestamp", "--json", cwd=applied).json
    assert (found["rows"], found["error"]) == (5, None)
    assert abs(datetime.fromisoformat(found["end"]) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["materialize"], "START_TS and END_TS are needed"),
        (["materialize", "2026-01-01"], "START_TS and END_TS are needed"),
        (["materialize", "2026-01-01", "2026-01-02", "--disable-event-timestamp"], "leave START_TS and END_TS out"),
        (["materialize", "1767225600", "2026-01-02"], "bare number"),
        (["materialize-incremental", "20260102"], "bare number"),
        (["materialize-incremental", "tomorrow"], "is not a timestamp; write it as ISO 8601"),
        (["materialize-incremental"], "END_TS"),
        (["materialize", "2026-01-02", "2026-01-01"], "must not be after the end"),
    ],
)
def test_wrong_times_are_usage_errors(arguments: list[str], message: str, call: Run, served: Path) -> None:
    done = call(*arguments, cwd=served)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert message in done.err


def test_without_views_there_is_nothing_to_do(call: Run, tmp_path: Path) -> None:
    call("init", "empty", "-m", cwd=tmp_path)
    done = call("materialize-incremental", now(), cwd=tmp_path / "empty")
    assert done.code == 0
    assert done.out.startswith("There is nothing to materialize")
