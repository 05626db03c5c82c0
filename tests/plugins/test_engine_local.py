"""The default engine: jobs of a real repository, one after the other, from parquet to the online store."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from feast_engine_local.engine import LocalEngine

from feast_core.errors import ConfigurationError, SourceError
from feast_core.interfaces import Job, Outcome
from feast_core.store import FeatureStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)

DEFINITIONS = """
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Int64

    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)


    def view(name):
        source = FileSource(name=f"{name}_source", path=f"data/{name}.parquet", timestamp_field="event_timestamp")
        return FeatureView(name=name, entities=[driver], schema=[Field(name="trips", dtype=Int64)], source=source)


    first, second, third = view("first"), view("second"), view("third")
"""


def write(path: Path, rows: int) -> None:
    """Two rows per driver; the later one has ten times as many trips."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT id AS driver_id, id * factor AS trips,"
            f" TIMESTAMP '2026-01-01 12:00:00' + to_hours(factor::INTEGER) AS event_timestamp"
            f" FROM range({rows}) AS drivers(id), (VALUES (1), (10)) AS factors(factor))"
            f" TO '{path}' (FORMAT parquet)"
        )


@pytest.fixture
def store(feature_repo: Callable[..., Path], make_store: Callable[..., FeatureStore]) -> FeatureStore:
    root = feature_repo({"features.py": DEFINITIONS})
    for name, rows in (("first", 3), ("second", 5000), ("third", 3)):
        write(root / "data" / f"{name}.parquet", rows)
    store = make_store(batch_engine={"type": "local", "backend": "pandas"})
    store.apply()
    return store


def materialize(store: FeatureStore, seen: list[tuple[str, int, int | None]]) -> list[Outcome]:
    def progress(job: Job, done: int, total: int | None) -> None:
        seen.append((job.view.name, done, total))

    return store.run_jobs(store.window_jobs(NOON, NOON + DAY), progress)


def trips(store: FeatureStore, view: str, *drivers: int) -> Any:
    return store.get_online_features([f"{view}:trips"], {"driver_id": list(drivers)}).to_dict()["trips"]


def test_jobs_run_in_order_and_end_in_the_online_store(store: FeatureStore) -> None:
    assert type(store.engine) is LocalEngine
    seen: list[tuple[str, int, int | None]] = []
    outcomes = materialize(store, seen)
    assert [(o.job.view.name, o.rows, o.superseded, o.error) for o in outcomes] == [
        ("first", 3, 0, None),
        ("second", 5000, 0, None),
        ("third", 3, 0, None),
    ]
    assert all(outcome.seconds > 0 for outcome in outcomes)
    assert trips(store, "second", 0, 7, 4999, 5000) == [0, 70, 49990, None]
    assert trips(store, "third", 2) == [20]


def test_progress_goes_on_per_batch_and_ends_with_all(store: FeatureStore) -> None:
    seen: list[tuple[str, int, int | None]] = []
    materialize(store, seen)
    steps = [(done, total) for name, done, total in seen if name == "second"]
    assert steps[0] == (0, 5000)
    assert steps[-1] == (5000, 5000)
    assert len(steps) > 3
    assert steps == sorted(steps)


def test_a_view_that_fails_does_not_stop_the_others(store: FeatureStore) -> None:
    (store.repo_path / "data" / "second.parquet").write_bytes(b"no parquet")
    outcomes = materialize(store, [])
    assert [outcome.job.view.name for outcome in outcomes] == ["first", "second", "third"]
    assert [type(outcome.error) for outcome in outcomes] == [type(None), SourceError, type(None)]
    assert "data/second.parquet is not parquet" in str(outcomes[1].error)
    assert trips(store, "third", 2) == [20]
    assert [len(store.intervals(view)) for view in ("first", "second", "third")] == [1, 0, 1]


def test_a_second_run_stores_the_same(store: FeatureStore) -> None:
    materialize(store, [])
    assert [outcome.rows for outcome in materialize(store, [])] == [3, 5000, 3]
    assert trips(store, "first", 1) == [10]


def test_no_jobs_are_no_outcomes(store: FeatureStore) -> None:
    assert store.engine.materialize(store, [], lambda job, done, total: None) == []


def test_an_unknown_option_is_refused(make_store: Callable[..., FeatureStore]) -> None:
    with pytest.raises(ConfigurationError, match=r"batch_engine\.backnd: unknown key 'backnd', did you mean 'backend'"):
        _ = make_store(batch_engine={"type": "local", "backnd": "x"}).engine
