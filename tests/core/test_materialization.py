"""Materializing: which windows of which views, and source rows on their way to the online store."""

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import feast_engine_local
import feast_offline_file
import feast_online_sqlite
import feast_registry_sql
import pytest

from feast_core import Batch, Interval, Job, Latest, Outcome, ViewRead, hookimpl
from feast_core.definitions import Entity, FeatureView, Field, FileSource, Int32, Int64, PushSource, String, ValueType
from feast_core.errors import (
    Conflict,
    DefinitionError,
    FeatureViewNotFound,
    InvalidInput,
    MaterializationError,
    NotSupported,
    SourceError,
    Unavailable,
)
from feast_core.materialization import (
    FIRST_WINDOW,
    UpToDate,
    check_storable,
    choose_views,
    incremental_jobs,
    keyed_batches,
    window_jobs,
)
from feast_core.rows import schema_of
from feast_core.snapshot import Snapshot
from feast_core.store import FeatureStore
from feast_core.timestamps import EPOCH

DRIVER = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
SOURCE = FileSource(name="source", path="a.parquet", timestamp_field="ts")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def a_view(name: str = "a", ttl: timedelta | None = DAY, **options: Any) -> FeatureView:
    options = {"source": SOURCE, **options}
    return FeatureView(name=name, entities=[DRIVER], schema=[Field(name="x", dtype=Int64)], ttl=ttl, **options)


def snapshot_of(*views: FeatureView) -> Snapshot:
    return Snapshot("project", 1, views)


# Windows.

TO_COME = NOW + 6 * HOUR


@pytest.mark.parametrize(
    ("ttl", "done", "end", "window"),
    [
        # The first run starts the ttl before the earlier of now and the end.
        (DAY, [], NOW, (NOW - DAY, NOW)),
        (DAY, [], NOW - 10 * DAY, (NOW - 11 * DAY, NOW - 10 * DAY)),
        (DAY, [], NOW + 10 * DAY, (NOW - DAY, NOW + 10 * DAY)),
        (None, [], NOW, (NOW - FIRST_WINDOW, NOW)),
        (timedelta(0), [], NOW - DAY, (NOW - DAY - FIRST_WINDOW, NOW - DAY)),
        (timedelta(days=36500), [], NOW, (EPOCH, NOW)),
        (timedelta.max, [], NOW, (EPOCH, NOW)),
        # The next one starts where the last one ended.
        (DAY, [(NOW - 3 * HOUR, NOW - HOUR, NOW)], NOW, (NOW - HOUR, NOW)),
        (DAY, [(NOW - 9 * DAY, NOW - 8 * DAY, NOW)], NOW, (NOW - 8 * DAY, NOW)),
        (DAY, [(NOW - 9 * HOUR, NOW - HOUR, NOW), (NOW - 8 * HOUR, NOW - 7 * HOUR, NOW)], NOW, (NOW - HOUR, NOW)),
        (DAY, [(NOW - HOUR, NOW - HOUR, None)], NOW, (NOW - HOUR, NOW)),
        # Nothing is new.
        (DAY, [(NOW - DAY, NOW, NOW)], NOW, NOW),
        (DAY, [(NOW - DAY, NOW, NOW)], NOW - HOUR, NOW),
        (DAY, [(NOW - DAY, NOW, None)], NOW, NOW),
        # An end that was still to come counts up to the moment when it was recorded: rows have arrived since.
        (DAY, [(NOW - DAY, TO_COME, NOW)], TO_COME, (NOW, TO_COME)),
        (DAY, [(NOW - DAY, TO_COME, NOW)], TO_COME + HOUR, (NOW, TO_COME + HOUR)),
        (DAY, [(NOW - DAY, TO_COME, NOW)], NOW + HOUR, (NOW, NOW + HOUR)),
        (DAY, [(NOW - DAY, TO_COME, NOW)], NOW, TO_COME),
        (DAY, [(NOW - DAY, TO_COME, NOW - HOUR), (NOW - DAY, NOW, NOW)], TO_COME, (NOW, TO_COME)),
    ],
)
def test_incremental_windows(
    ttl: timedelta | None, done: list[tuple[datetime, datetime, datetime | None]], end: datetime, window: Any
) -> None:
    intervals = {"a": tuple(Interval(*times) for times in done)}
    jobs, current = incremental_jobs(snapshot_of(a_view(ttl=ttl)), intervals, end, None, NOW)
    if isinstance(window, datetime):
        assert (jobs, current) == ([], [UpToDate("a", window)])
    else:
        assert current == []
        assert [(job.start, job.end, job.ignore_event_time) for job in jobs] == [(*window, False)]


@pytest.mark.parametrize("zone", [-12, -5, 0, 5.75, 14])
def test_a_window_ends_at_the_same_moment_in_every_zone(zone: float) -> None:
    end = NOW.astimezone(timezone(timedelta(hours=zone)))
    (job,), _ = incremental_jobs(snapshot_of(a_view()), {}, end, None, NOW)
    assert job.end == NOW
    assert job.end.utcoffset() == timedelta(0)
    (naive,), _ = incremental_jobs(snapshot_of(a_view()), {}, NOW.replace(tzinfo=None), None, NOW)
    assert naive.end == NOW


def test_views_are_done_each_from_where_it_ended() -> None:
    snapshot = snapshot_of(a_view("b"), a_view("a"), a_view("c"))
    intervals = {"a": (Interval(NOW - DAY, NOW - HOUR),), "c": (Interval(NOW - DAY, NOW),)}
    jobs, current = incremental_jobs(snapshot, intervals, NOW, None, NOW)
    assert [(job.view.name, job.start) for job in jobs] == [("a", NOW - HOUR), ("b", NOW - DAY)]
    assert current == [UpToDate("c", NOW)]


def test_a_window_is_the_same_for_all_views() -> None:
    jobs = window_jobs(snapshot_of(a_view("b"), a_view("a")), NOW.replace(tzinfo=None) - HOUR, NOW, None, False)
    assert [(job.project, job.view.name, job.start, job.end) for job in jobs] == [
        ("project", "a", NOW - HOUR, NOW),
        ("project", "b", NOW - HOUR, NOW),
    ]
    assert window_jobs(snapshot_of(a_view()), NOW, NOW, None, False)[0].start == NOW
    with pytest.raises(InvalidInput, match="must not be after the end"):
        window_jobs(snapshot_of(a_view()), NOW, NOW - HOUR, None, False)


def test_only_what_can_be_materialized_is_chosen() -> None:
    snapshot = snapshot_of(
        a_view("fine"),
        a_view("pushed", source=PushSource(name="p", batch_source=SOURCE)),
        a_view("not_online", online=False),
        a_view("not_enabled", enabled=False),
        a_view("no_batch", source=PushSource(name="q")),
        a_view("derived", source=a_view("fine"), sink_source=SOURCE),
    )
    assert [view.name for view in choose_views(snapshot, None)] == ["fine", "pushed"]
    assert [view.name for view in choose_views(snapshot, ["pushed", "fine", "pushed"])] == ["pushed", "fine"]
    assert choose_views(snapshot, []) == []
    for name, reason in {
        "not_online": "online=False",
        "not_enabled": "enabled=False",
        "no_batch": "no batch source",
        "derived": "derived from other views",
    }.items():
        with pytest.raises(InvalidInput, match=f"feature view {name} cannot be materialized: .*{reason}"):
            choose_views(snapshot, ["fine", name])
    with pytest.raises(FeatureViewNotFound, match="did you mean 'fine'"):
        choose_views(snapshot, ["fin"])


def test_what_cannot_be_stored_is_said_with_the_view() -> None:
    view = FeatureView(name="v", entities=[Entity(name="e", value_type=ValueType.FLOAT)], schema=[], source=SOURCE)
    with pytest.raises(DefinitionError, match="feature view 'v': join key 'e' has type Float32"):
        check_storable(snapshot_of(view), view)


# From batches to rows.


def batch(**columns: list[Any]) -> Batch:
    count = len(next(iter(columns.values())))
    return Batch(columns, list(range(count)), [0] * count)


def rows_of(batch: Batch) -> list[Any]:
    view = FeatureView(name="v", entities=[DRIVER], schema=[Field(name="x", dtype=Int32)], source=SOURCE)
    read = ViewRead(view, schema_of(view.features))
    return [row for rows in keyed_batches(read, {"driver_id": Int64}, iter([batch])) for row in rows]


def test_batches_become_keyed_rows() -> None:
    first, second = rows_of(batch(driver_id=[7, "8"], x=[1, None], other=["a", "b"]))
    assert first[1:3] == (0, 0)
    assert first[4:] == (b"", b"[1]")
    assert second[4:] == (b"\0\0", b"[null]")
    assert first[0] != second[0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"driver_id": [1, None], "x": [1, 1]}, "feature view v: column driver_id, row of driver_id=None: .*null"),
        ({"driver_id": [1, "k"], "x": [1, 1]}, "feature view v: column driver_id, row of driver_id='k': .*integer"),
        ({"driver_id": [1.0, 1.5], "x": [1, 1]}, "feature view v: column driver_id, row of driver_id=1.5: .*integer"),
        ({"driver_id": [1, Decimal("1.5")], "x": [1, 1]}, r"driver_id=Decimal\('1.5'\): .*this is 1.5$"),
        ({"driver_id": ["a" * 1000], "x": [1]}, "row of driver_id='a{30,40}[.]{3}a+[.]{3}: expected an integer"),
        ({"driver_id": [1, 2], "x": [1, 2**31]}, "feature view v: column x, row of driver_id=2: .*32-bit"),
        ({"driver_id": [1, 2], "x": ["a", 1]}, "feature view v: column x, row of driver_id=1: .*integer"),
    ],
)
def test_source_rows_that_do_not_fit_name_view_column_and_entity(columns: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        rows_of(batch(**columns))


def test_a_window_never_ends_before_it_starts() -> None:
    ((job,), _) = incremental_jobs(snapshot_of(a_view()), {}, datetime(1, 1, 1, tzinfo=UTC), None, NOW)
    assert job.start <= job.end


# The whole way.

DEFINITIONS = """
    from datetime import timedelta
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Int64, String

    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)

    def view(name):
        return FeatureView(
            name=name,
            entities=[driver],
            ttl=timedelta(days=1),
            schema=[Field(name="x", dtype=Int64), Field(name="word", dtype=String)],
            source=FileSource(
                name=f"{name}_source",
                path=f"data/{name}.parquet",
                timestamp_field="ts",
                created_timestamp_column="created",
            ),
        )

    a, b = view("a"), view("b")
"""


def write_parquet(path: Path, rows: str) -> None:
    """`rows` is VALUES of (driver_id, x, word, ts, created)."""
    path.parent.mkdir(exist_ok=True)
    names = ("driver_id", "x", "word", "ts", "created")
    types = ("BIGINT", "BIGINT", "VARCHAR", "TIMESTAMP", "TIMESTAMP")
    columns = ", ".join(f"{name}::{dtype} AS {name}" for name, dtype in zip(names, types, strict=True))
    query = f"SELECT {columns} FROM (VALUES {rows}) AS source({', '.join(names)})"
    duckdb.sql(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


ROWS = """
    (1, 10, 'old', '2026-11-22 08:00:00', '2026-11-22 08:01:00'),
    (1, 11, 'new', '2026-11-22 09:00:00', '2026-11-22 09:01:00'),
    (1, 12, 'tie', '2026-11-22 09:00:00', '2026-11-22 09:02:00'),
    (2, NULL, NULL, '2026-11-22 09:30:00.123456', '2026-11-22 09:31:00'),
    (3, 30, 'early', '2026-11-20 00:00:00', '2026-11-20 00:01:00')
"""


@pytest.fixture
def repo(feature_repo: Any) -> Path:
    root: Path = feature_repo({"definitions.py": DEFINITIONS})
    for name in ("a", "b"):
        write_parquet(root / "data" / f"{name}.parquet", ROWS)
    return root


@pytest.fixture
def store(repo: Path, make_store: Any) -> FeatureStore:
    store: FeatureStore = make_store()
    store.apply()
    return store


def served(store: FeatureStore, view: str = "a") -> dict[str, list[Any]]:
    return store.get_online_features([f"{view}:x", f"{view}:word"], {"driver_id": [1, 2, 3]}).to_dict()


def test_the_newest_row_of_each_key_is_served(store: FeatureStore) -> None:
    outcomes = store.materialize(NOW - DAY, NOW)
    assert [(done.job.view.name, done.rows, done.superseded, done.error) for done in outcomes] == [
        ("a", 2, 0, None),
        ("b", 2, 0, None),
    ]
    assert served(store) == {"driver_id": [1, 2, 3], "x": [12, None, None], "word": ["tie", None, None]}
    statuses = store.get_online_features(["a:x"], {"driver_id": [1, 2, 3]}).statuses()["x"]
    assert statuses == ["PRESENT", "NULL_VALUE", "NOT_FOUND"]
    assert [(done.start, done.end) for done in store.intervals("a")] == [(NOW - DAY, NOW)]


def test_both_ends_of_a_window_belong_to_it(store: FeatureStore) -> None:
    start = datetime(2026, 11, 22, 8, tzinfo=UTC)
    (outcome,) = store.materialize(start, start, ["a"])
    assert outcome.rows == 1
    assert served(store)["word"] == ["old", None, None]
    store.materialize(start, datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=UTC), ["a"])
    assert served(store)["x"] == [12, None, None]
    assert store.get_online_features(["a:x"], {"driver_id": [2]}).statuses()["x"] == ["NULL_VALUE"]


def test_an_older_window_does_not_replace_what_is_served(store: FeatureStore) -> None:
    store.materialize(NOW - DAY, NOW, ["a"])
    (outcome,) = store.materialize(NOW - 10 * DAY, datetime(2026, 11, 22, 8, tzinfo=UTC), ["a"])
    assert (outcome.rows, outcome.superseded) == (1, 1)
    assert served(store)["word"] == ["tie", None, "early"]


def test_incremental_goes_on_where_it_ended(store: FeatureStore, repo: Path) -> None:
    morning = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    assert [done.rows for done in store.materialize_incremental(morning)] == [1, 1]
    assert served(store)["word"] == ["old", None, None]
    assert [done.rows for done in store.materialize_incremental(NOW, ["a"])] == [2]
    assert served(store)["word"] == ["tie", None, None]
    assert served(store, "b")["word"] == ["old", None, None]
    before = store.intervals("a")
    assert store.materialize_incremental(NOW, ["a"]) == []
    assert store.materialize_incremental(morning, ["a"]) == []
    assert store.intervals("a") == before
    jobs, current = store.incremental_jobs(NOW)
    assert [job.view.name for job in jobs] == ["b"]
    assert [found.view for found in current] == ["a"]


def test_a_store_that_lost_what_was_materialized_is_told_of(
    store: FeatureStore, repo: Path, make_store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise "nothing new" would be all that is said, for ever."""
    store.materialize(NOW - DAY, NOW, ["a"])
    store.incremental_jobs(NOW)
    assert caplog.messages == []
    (repo / "data" / "online.db").unlink()
    again: FeatureStore = make_store()
    assert again.materialize_incremental(NOW, ["a"]) == []
    (message,) = caplog.messages
    assert message.startswith(
        "a was materialized up to 2026-11-22T12:00:00+00:00, and the online store has no row of it"
    )
    assert message.endswith("`feast materialize START END -v a`")
    again.materialize(NOW - DAY, NOW, ["a"])
    caplog.clear()
    assert [done.rows for done in again.materialize_incremental(NOW + HOUR, ["a"])] == [0]
    assert caplog.messages == []


def test_without_event_times_every_row_takes_part(store: FeatureStore) -> None:
    before = datetime.now(UTC)
    (outcome,) = store.materialize(NOW, NOW, ["a"], disable_event_timestamp=True)
    assert outcome.rows == 3
    assert outcome.job.ignore_event_time
    assert outcome.job.end >= before
    answer = store.get_online_features(["a:word"], {"driver_id": [1, 2, 3]}).to_dict(include_event_timestamps=True)
    assert answer["word"][2] == "early"
    assert answer["word__ts"] == [int(outcome.job.end.timestamp())] * 3


def test_a_view_that_fails_does_not_stop_the_others(store: FeatureStore, repo: Path) -> None:
    (repo / "data" / "a.parquet").unlink()
    with pytest.raises(MaterializationError, match=r"^a: .*a\.parquet") as raised:
        store.materialize(NOW - DAY, NOW)
    failed, done = raised.value.outcomes
    assert isinstance(failed, Outcome)
    assert isinstance(done, Outcome)
    assert isinstance(failed.error, SourceError)
    assert "a.parquet" in str(failed.error)
    assert (done.rows, done.error) == (2, None)
    assert store.intervals("a") == ()
    assert len(store.intervals("b")) == 1
    assert served(store, "b")["x"][0] == 12


def test_a_view_that_is_not_there_is_refused_before_anything_runs(store: FeatureStore) -> None:
    with pytest.raises(FeatureViewNotFound):
        store.materialize(NOW - DAY, NOW, ["a", "nope"])
    assert store.intervals("a") == ()
    assert store.materialize(NOW - DAY, NOW, []) == []


def test_definitions_of_other_processes_are_seen(store: FeatureStore, repo: Path) -> None:
    text = (repo / "definitions.py").read_text()
    write_parquet(repo / "data" / "c.parquet", ROWS)
    (repo / "definitions.py").write_text(f'{text}\nc = view("c")\n')
    with FeatureStore(repo) as other:
        other.apply()
    assert [done.job.view.name for done in store.materialize_incremental(NOW)] == ["a", "b", "c"]


def test_progress_is_told_until_all_is_done(store: FeatureStore) -> None:
    seen: list[tuple[str, int, int | None]] = []
    store.materialize(NOW - DAY, NOW, progress=lambda job, done, total: seen.append((job.view.name, done, total)))
    for name in ("a", "b"):
        steps = [(done, total) for view, done, total in seen if view == name]
        assert steps[0][0] == 0
        assert steps[-1] == (2, 2)
        assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_old_values_are_served_while_a_view_is_materialized(store: FeatureStore, repo: Path) -> None:
    store.materialize(NOW - DAY, datetime(2026, 11, 22, 8, tzinfo=UTC), ["a"])
    seen = []
    store.materialize(NOW - DAY, NOW, ["a"], progress=lambda job, done, total: seen.append(served(store)["word"][0]))
    assert seen[0] == "old"
    assert seen[-1] == "tie"


class Wrapping:
    """Sees what runs and what is written."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    @hookimpl(wrapper=True)
    def feast_materialize(self, store: FeatureStore, jobs: list[Job], progress: Any) -> Any:
        self.events.append([job.view.name for job in jobs])
        outcomes: list[Outcome] = yield
        self.events.append(sum(outcome.rows for outcome in outcomes))
        return outcomes

    @hookimpl(wrapper=True)
    def feast_writer(self, store: FeatureStore, view: ViewRead) -> Any:
        write = yield

        def counting(rows: Any) -> Any:
            self.events.append((view.view.name, len(rows)))
            return write(rows)

        return counting


OURS = (feast_registry_sql, feast_online_sqlite, feast_offline_file, feast_engine_local)


def test_plugins_may_wrap_runs_and_writes(repo: Path, make_store: Any, only_plugins: Any) -> None:
    wrapping = Wrapping()
    store = make_store(plugins=only_plugins(*OURS, wrapping))
    store.apply()
    store.materialize(NOW - DAY, NOW)
    assert wrapping.events == [["a", "b"], ("a", 2), ("b", 2), 4]
    assert served(store)["word"] == ["tie", None, None]


def test_a_store_that_fails_is_an_outcome(repo: Path, make_store: Any, only_plugins: Any) -> None:
    class Failing:
        @hookimpl(tryfirst=True)
        def feast_writer(self, store: FeatureStore, view: ViewRead) -> Any:
            def write(rows: Any) -> Any:
                raise Unavailable("the network is down")

            return write if view.view.name == "a" else None

    store = make_store(plugins=only_plugins(*OURS, Failing()))
    store.apply()
    outcomes = store.run_jobs(store.window_jobs(NOW - DAY, NOW))
    assert [type(outcome.error) for outcome in outcomes] == [Unavailable, type(None)]
    assert store.intervals("a") == ()


def test_a_second_run_of_a_view_is_refused_and_its_other_views_go_on(store: FeatureStore, repo: Path) -> None:
    """In the middle of the first run, which goes on."""
    seconds: list[list[Outcome]] = []

    def meanwhile(job: Job, done: int, total: int | None) -> None:
        if not seconds:
            with FeatureStore(repo) as other:
                seconds.append(other.run_jobs(other.window_jobs(NOW - DAY, NOW)))

    (first,) = store.materialize(NOW - DAY, NOW, ["a"], progress=meanwhile)
    refused, done = seconds[0]
    assert isinstance(refused.error, Conflict)
    assert str(refused.error).startswith("feature view a is being materialized by another run, process ")
    assert (refused.rows, done.rows, done.error) == (0, 2, None)
    assert (first.rows, first.error) == (2, None)
    assert [len(store.intervals(view)) for view in ("a", "b")] == [1, 1]
    assert served(store)["word"] == ["tie", None, None]


def test_a_run_that_was_taken_over_from_is_an_error_and_harms_nothing(store: FeatureStore, repo: Path) -> None:
    """It stood still while its lease ended, and a later run has written newer rows by then."""
    morning = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    seen: list[int] = []

    def standing_still(job: Job, done: int, total: int | None) -> None:
        seen.append(done)
        if len(seen) == 1:
            with sqlite3.connect(repo / "data" / "registry.db") as connection:
                assert connection.execute("UPDATE feast_leases SET until_us = 0").rowcount == 1
            with FeatureStore(repo) as other:
                other.materialize(NOW - DAY, NOW, ["a"])

    (outcome,) = store.run_jobs(store.window_jobs(NOW - 2 * DAY, morning, ["a"]), standing_still)
    assert isinstance(outcome.error, Conflict)
    assert "took the view over" in str(outcome.error)
    assert [(found.start, found.end) for found in store.intervals("a")] == [(NOW - DAY, NOW)]
    assert served(store)["word"] == ["tie", None, None]


def test_a_registry_of_the_version_before_leases_is_read_and_gets_them(store: FeatureStore, repo: Path) -> None:
    with sqlite3.connect(repo / "data" / "registry.db") as connection:
        connection.execute("DROP TABLE feast_leases")
    with FeatureStore(repo) as later:
        assert later.intervals("a") == ()
        assert served(later)["word"] == [None, None, None]
        assert [done.rows for done in later.materialize(NOW - DAY, NOW)] == [2, 2]
    with sqlite3.connect(repo / "data" / "registry.db") as connection:
        assert connection.execute("SELECT count(*) FROM feast_leases").fetchone() == (0,)


def test_schema_and_timestamp_are_read_from_the_source(repo: Path, make_store: Any) -> None:
    (repo / "definitions.py").write_text(
        "from feast import Entity, FeatureView, FileSource\n"
        'driver = Entity(name="driver", join_keys=["driver_id"])\n'
        'a = FeatureView(name="a", entities=[driver], source=FileSource(name="s", path="data/a.parquet",'
        ' created_timestamp_column="created"))\n'
    )
    store = make_store()
    store.apply()
    view = store.get_object("feature view", "a")
    assert isinstance(view, FeatureView)
    assert {field.name: field.dtype for field in view.features} == {"x": Int64, "word": String}
    assert [field.dtype for field in view.entity_columns] == [Int64]
    source = store.get_object("data source", "s")
    assert isinstance(source, FileSource)
    assert source.timestamp_field == "ts"
    assert store.plan().empty
    store.materialize_incremental(NOW)
    assert served(store)["word"] == ["tie", None, "early"]


def test_unsupported_views_are_left_out(repo: Path, make_store: Any, caplog: pytest.LogCaptureFixture) -> None:
    text = (repo / "definitions.py").read_text()
    (repo / "definitions.py").write_text(
        text
        + "\nfrom feast import OnDemandFeatureView\nfrom feast.on_demand_feature_view import on_demand_feature_view\n"
        '@on_demand_feature_view(sources=[a], schema=[Field(name="y", dtype=Int64)], mode="python")\n'
        "def doubled(inputs):\n    return inputs\n"
    )
    store = make_store()
    store.apply()
    assert [done.job.view.name for done in store.materialize_incremental(NOW)] == ["a", "b"]
    with pytest.raises(NotSupported, match="doubled"):
        store.materialize(NOW - DAY, NOW, ["doubled"])


def test_rows_are_written_as_they_come(repo: Path, make_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by a batch: each is written before the next one is asked for."""
    store = make_store()
    store.apply()
    alive: list[int] = []

    def latest(job: Job, repo_path: Path) -> Latest:
        def batches() -> Any:
            for number in range(50):
                words = store.get_online_features(["a:x"], {"driver_id": list(range(number + 1))}).to_dict()["x"]
                alive.append(words.count(None))
                yield Batch({"driver_id": [number], "x": [number], "word": ["w"]}, [0], [0])

        return Latest(batches(), 50)

    monkeypatch.setattr(store.offline, "latest", latest)
    (outcome,) = store.materialize(NOW - DAY, NOW, ["a"])
    assert outcome.rows == 50
    assert alive == [1] * 50
