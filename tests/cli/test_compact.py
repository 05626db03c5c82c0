"""`feast compact`: what it merges, and what it says about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from feast_core.definitions import PushMode
from feast_core.store import FeatureStore

Run = Callable[..., Any]
ROW = {
    "driver_id": [1001],
    "conv_rate": [0.5],
    "acc_rate": [0.5],
    "avg_daily_trips": [77],
    "event_timestamp": ["2030-01-01T00:00:00Z"],
    "created": ["2030-01-01T00:00:00Z"],
}


@pytest.fixture
def pushed(fresh: Path, call: Run) -> Path:
    """Applied, and two rows are pushed."""
    assert call("apply", cwd=fresh).code == 0
    with FeatureStore(fresh) as store:
        for _ in range(2):
            store.push("driver_stats_push_source", ROW, to=PushMode.OFFLINE)
    return fresh


def rows(repo: Path) -> int:
    ((found,),) = duckdb.sql(f"SELECT count(*) FROM '{repo / 'data' / 'driver_stats.parquet'}'").fetchall()
    return int(found)


def test_what_was_pushed_is_merged_into_the_file(call: Run, pushed: Path) -> None:
    before = rows(pushed)
    done = call("compact", cwd=pushed)
    assert (done.code, done.out, done.err) == (0, "driver_hourly_stats_source: 2 parts with 2 rows merged\n", "")
    assert rows(pushed) == before + 2
    assert call("compact", cwd=pushed).out == "driver_hourly_stats_source: nothing to compact\n"


@pytest.mark.parametrize("name", ["driver_hourly_stats_source", "driver_stats_push_source"])
def test_a_source_is_named_itself_or_by_its_push_source(call: Run, pushed: Path, name: str) -> None:
    done = call("compact", name, "--json", cwd=pushed)
    assert done.json == [{"name": name, "parts": 2, "rows": 2, "error": None}]


def test_a_source_that_fails_is_named_while_the_others_go_on(call: Run, pushed: Path) -> None:
    done = call("compact", "nothing", "driver_hourly_stats_source", cwd=pushed)
    assert (done.code, done.out) == (1, "driver_hourly_stats_source: 2 parts with 2 rows merged\n")
    assert done.err == "error: nothing: data source nothing does not exist in project driver_repo\n"
    (pushed / "data" / "driver_stats.parquet").unlink()
    done = call("compact", "--json", cwd=pushed)
    assert done.code == 1
    assert "there is no 'data/driver_stats.parquet'" in done.json[0]["error"]
    assert done.err == f"error: driver_hourly_stats_source: {done.json[0]['error']}\n"


def test_without_views_it_says_so(call: Run, fresh: Path) -> None:
    done = call("compact", cwd=fresh)
    assert (done.code, done.out.splitlines()[0]) == (
        0,
        "There is nothing to compact: no feature view has a batch source",
    )
