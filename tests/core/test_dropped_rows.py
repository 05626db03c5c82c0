"""Rows of views that are deleted, or get other join keys: gone whatever happens to the apply, and never read as rows
of the view that comes after."""

import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from feast_core.errors import Conflict, SourceError, Unavailable
from feast_core.interfaces import Interval
from feast_core.leases import HeldLease
from feast_core.store import FeatureStore

Put = Callable[..., Any]
Ask = Callable[..., Any]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

WITH_VIEW = """
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Int64

    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
    source = FileSource(name="source", path="trips.parquet", timestamp_field="event_timestamp")
    trips = FeatureView(name="trips", entities=[driver], schema=[Field(name="n", dtype=Int64)], source=source)
"""
DELETED = "\n".join(line for line in WITH_VIEW.splitlines() if "trips =" not in line)
OTHER_KEYS = WITH_VIEW.replace("entities=[driver]", "entities=[customer]")

#: Applies a repository, and is killed when it comes to drop rows: before it does, or before it can say that it has.
KILLED = """
    import os, signal, sys
    from feast_core.store import FeatureStore
    from feast_online_sqlite.store import SqliteOnlineStore

    update = SqliteOnlineStore.update

    def killed(self, project, keep, drop):
        filled = any("driver_id" in place for place in drop)
        if not filled or sys.argv[2] == "after":
            update(self, project, keep, drop)
        if filled:
            os.kill(os.getpid(), signal.SIGKILL)

    SqliteOnlineStore.update = killed
    FeatureStore(sys.argv[1]).apply()
"""


def apply_and_be_killed(store: FeatureStore, when: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(store.repo_path), when]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == -signal.SIGKILL


@pytest.fixture
def applied(make_store: Any, feature_repo: Any, put: Put) -> FeatureStore:
    """The view with a row of driver 1."""
    feature_repo({"definitions.py": WITH_VIEW})
    store: FeatureStore = make_store()
    store.apply()
    put(store, "trips", {"driver_id": [1], "n": [5]})
    return store


def read(store: FeatureStore, ask: Ask, key: str = "driver_id") -> list[Any]:
    found = ask(store, ["trips:n"], {key: [1]})["results"][0]
    return [found["values"][1], found["statuses"][1]]


def stored_rows(store: FeatureStore) -> int:
    """Rows in the file, whoever can read them."""
    with closing(sqlite3.connect(store.repo_path / "data" / "online.db")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'rows_%'").fetchall()
        return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for (table,) in tables)


@pytest.mark.parametrize("when", ["before", "after"])
def test_rows_of_a_deleted_view_do_not_come_back_when_the_apply_was_killed(
    applied: FeatureStore, feature_repo: Any, ask: Ask, when: str
) -> None:
    assert read(applied, ask) == [5, "PRESENT"]
    feature_repo({"definitions.py": DELETED})
    apply_and_be_killed(applied, when)
    applied.refresh()
    assert applied.objects("feature view") == []
    feature_repo({"definitions.py": WITH_VIEW})
    assert [change.name for change in applied.apply().changes] == ["trips"]
    assert read(applied, ask) == [None, "NOT_FOUND"]


def test_the_next_apply_drops_what_a_killed_one_has_left(applied: FeatureStore, feature_repo: Any) -> None:
    """Although it has nothing to change."""
    feature_repo({"definitions.py": DELETED})
    apply_and_be_killed(applied, "before")
    assert stored_rows(applied) == 1
    assert applied.plan().empty
    assert stored_rows(applied) == 1
    assert applied.apply().empty
    assert stored_rows(applied) == 0


def test_rows_of_other_join_keys_do_not_come_back_with_the_old_ones(
    applied: FeatureStore, feature_repo: Any, ask: Ask
) -> None:
    feature_repo({"definitions.py": OTHER_KEYS})
    apply_and_be_killed(applied, "before")
    applied.refresh()
    assert read(applied, ask, "customer_id") == [None, "NOT_FOUND"]
    feature_repo({"definitions.py": WITH_VIEW})
    applied.apply()
    assert read(applied, ask) == [None, "NOT_FOUND"]


def test_a_drop_that_fails_is_made_up_for(
    applied: FeatureStore, feature_repo: Any, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    feature_repo({"definitions.py": DELETED})
    update = applied.online.update

    def fail(project: str, keep: list[str], drop: list[str]) -> None:
        if drop:
            raise Unavailable("the disk is full")
        update(project, keep, drop)

    with monkeypatch.context() as patched:
        patched.setattr(applied.online, "update", fail)
        with pytest.raises(Unavailable, match="disk is full"):
            applied.apply()
        # A view could get the same place again: not while rows are there.
        feature_repo({"definitions.py": WITH_VIEW})
        with pytest.raises(Unavailable, match="disk is full"):
            applied.apply()
    assert stored_rows(applied) == 1
    applied.apply()
    assert read(applied, ask) == [None, "NOT_FOUND"]
    assert stored_rows(applied) == 0


def test_who_knows_the_old_join_keys_reads_and_writes_no_row_of_the_new(
    applied: FeatureStore, feature_repo: Any, put: Put, ask: Ask
) -> None:
    """A server, or a materialization, that began before the apply: driver 1 is not customer 1."""
    feature_repo({"definitions.py": OTHER_KEYS})
    with FeatureStore(applied.repo_path) as newer:
        newer.apply()
        put(newer, "trips", {"customer_id": [1], "n": [7]})
        assert read(applied, ask) == [None, "NOT_FOUND"]
        put(applied, "trips", {"driver_id": [1], "n": [9]})
        assert read(applied, ask) == [9, "PRESENT"]
        assert read(newer, ask, "customer_id") == [7, "PRESENT"]
    assert applied.refresh()
    assert read(applied, ask, "customer_id") == [7, "PRESENT"]


def test_rows_that_somebody_wrote_too_late_do_not_come_back_with_the_old_join_keys(
    applied: FeatureStore, feature_repo: Any, put: Put, ask: Ask
) -> None:
    with FeatureStore(applied.repo_path) as newer:
        feature_repo({"definitions.py": OTHER_KEYS})
        newer.apply()
        put(applied, "trips", {"driver_id": [1], "n": [9]})
        feature_repo({"definitions.py": WITH_VIEW})
        newer.apply()
        assert read(newer, ask) == [None, "NOT_FOUND"]


def test_an_apply_that_comes_too_late_with_the_same_change_drops_nothing(
    applied: FeatureStore, feature_repo: Any, put: Put, ask: Ask
) -> None:
    """Two at once saw the old join keys; the second one comes when the view is materialized by the new ones."""
    feature_repo({"definitions.py": OTHER_KEYS})
    late = applied.plan()
    applied.apply()
    put(applied, "trips", {"customer_id": [1], "n": [7]})
    applied.registry.record_interval(applied.project, "trips", Interval(NOON, NOON))
    applied.plugins.hook.feast_apply(store=applied, diff=late)
    assert len(applied.intervals("trips")) == 1
    assert read(applied, ask, "customer_id") == [7, "PRESENT"]


SWAPPED = """
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Int64

    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    first = FileSource(name="first", path="first.parquet", timestamp_field="event_timestamp")
    second = FileSource(name="second", path="second.parquet", timestamp_field="event_timestamp")
    a = FeatureView(name="NAME_A", entities=[driver], schema=[Field(name="n", dtype=Int64)], source=first)
    b = FeatureView(name="NAME_B", entities=[driver], schema=[Field(name="n", dtype=Int64)], source=second)
"""


@pytest.mark.parametrize(
    ("names", "dropped"),
    [
        (("b", "a"), ["a", "b"]),
        (("b", "c"), ["b", "a"]),
        (("a", "c"), ["b"]),
    ],
    ids=["swapped", "moved on", "renamed"],
)
def test_views_that_take_over_a_name_do_not_take_over_its_rows(
    make_store: Any, feature_repo: Any, put: Put, ask: Ask, names: tuple[str, str], dropped: list[str]
) -> None:
    feature_repo({"definitions.py": SWAPPED.replace("NAME_A", "a").replace("NAME_B", "b")})
    store = make_store()
    store.apply()
    for name in ("a", "b"):
        put(store, name, {"driver_id": [1], "n": [5]})
    feature_repo({"definitions.py": SWAPPED.replace("NAME_A", names[0]).replace("NAME_B", names[1])})
    change = store.apply()
    assert sorted(change.dropped) == sorted(f'{name} {{"driver_id": "Int64"}}' for name in dropped)
    found = {name: ask(store, [f"{name}:n"], {"driver_id": [1]})["results"][0]["values"][1] for name in names}
    assert found == {name: 5 if name == "a" and "a" not in dropped else None for name in names}
    for name in names:
        put(store, name, {"driver_id": [1], "n": [6]})
        assert ask(store, [f"{name}:n"], {"driver_id": [1]})["results"][0]["values"] == [1, 6]


def test_a_materialization_does_first_what_a_killed_apply_has_left(
    make_store: Any, feature_repo: Any, put: Put, ask: Ask
) -> None:
    """Else the next apply would drop what it has written."""
    feature_repo({"definitions.py": SWAPPED.replace("NAME_A", "a").replace("NAME_B", "b")})
    store = make_store()
    store.apply()
    put(store, "a", {"driver_id": [1], "n": [5]})
    feature_repo({"definitions.py": SWAPPED.replace("NAME_A", "b").replace("NAME_B", "a")})
    apply_and_be_killed(store, "before")
    (outcome,) = store.run_jobs(store.window_jobs(NOON, NOON, ["a"]))
    assert isinstance(outcome.error, SourceError)  # there is no such file: nothing was written
    assert ask(store, ["a:n"], {"driver_id": [1]})["results"][0]["statuses"] == ["PRESENT", "NOT_FOUND"]
    put(store, "a", {"driver_id": [1], "n": [6]})
    assert store.apply().empty
    assert ask(store, ["a:n"], {"driver_id": [1]})["results"][0]["values"] == [1, 6]


def test_a_registry_that_is_made_anew_keeps_the_rows(applied: FeatureStore, ask: Ask) -> None:
    """As Feast: it may be a file that every deployment makes, beside an online store that stays."""
    (applied.repo_path / "data" / "registry.db").unlink()
    with FeatureStore(applied.repo_path) as store:
        store.apply()
        assert read(store, ask) == [5, "PRESENT"]


def test_a_view_that_gets_another_source_keeps_its_rows(make_store: Any, feature_repo: Any, put: Put, ask: Ask) -> None:
    text = SWAPPED.replace("NAME_A", "a").replace("NAME_B", "b")
    feature_repo({"definitions.py": text})
    store = make_store()
    store.apply()
    put(store, "a", {"driver_id": [1], "n": [5]})
    feature_repo({"definitions.py": text.replace("source=first", "source=second")})
    assert store.apply().dropped == []
    assert ask(store, ["a:n"], {"driver_id": [1]})["results"][0]["values"] == [1, 5]


def test_an_entity_that_is_renamed_keeps_the_rows_of_its_join_key(
    applied: FeatureStore, feature_repo: Any, ask: Ask
) -> None:
    feature_repo({"definitions.py": WITH_VIEW.replace('name="driver"', 'name="chauffeur"')})
    change = applied.apply()
    assert [(found.action, found.name) for found in change.changes] == [
        ("create", "chauffeur"),
        ("update", "trips"),
        ("delete", "driver"),
    ]
    assert read(applied, ask) == [5, "PRESENT"]


def test_a_service_of_a_view_that_is_applied_alone_is_looked_at(applied: FeatureStore, feature_repo: Any) -> None:
    """Its feature must not go while the service still names it."""
    from feast_core.definitions import FeatureService, FeatureView, Field, Int64
    from feast_core.errors import DefinitionError

    trips = applied.snapshot.view("trips")
    applied.apply(FeatureService(name="service", features=["trips:n"]))
    without = FeatureView(
        name="trips", entities=trips.entity_objects, schema=[Field(name="m", dtype=Int64)], source=trips.source
    )
    with pytest.raises(DefinitionError, match="feature service 'service' uses trips:n, which does not exist"):
        applied.apply(without)
    assert [field.name for field in applied.snapshot.view("trips").features] == ["n"]


def test_a_run_that_began_with_other_join_keys_does_not_say_that_the_view_is_done(
    applied: FeatureStore, feature_repo: Any
) -> None:
    """The next incremental run would leave out what it has not written."""
    feature_repo({"definitions.py": OTHER_KEYS})
    with FeatureStore(applied.repo_path) as newer:
        with HeldLease(applied.registry, applied.project, "trips") as lease:
            newer.apply()
            with pytest.raises(Conflict, match="an apply has deleted the view or given it other join keys"):
                lease.record(Interval(NOON, NOON))
        assert newer.intervals("trips") == ()


@pytest.mark.parametrize("after", [OTHER_KEYS, DELETED], ids=["other join keys", "deleted"])
def test_a_run_whose_turn_comes_after_such_an_apply_is_refused(
    applied: FeatureStore, feature_repo: Any, after: str
) -> None:
    """As the last of many views: its job was made before the first of them."""
    row = "SELECT 1 AS driver_id, 1 AS customer_id, 7 AS n, TIMESTAMPTZ '2026-01-01 12:00+00' AS event_timestamp"
    duckdb.execute(f"COPY ({row}) TO '{applied.repo_path / 'trips.parquet'}' (FORMAT parquet)")
    jobs = applied.window_jobs(NOON, NOON)
    feature_repo({"definitions.py": after})
    with FeatureStore(applied.repo_path) as newer:
        newer.apply()
        (outcome,) = applied.run_jobs(jobs)
        assert isinstance(outcome.error, Conflict)
        assert str(outcome.error) == "feature view 'trips' was changed by an apply after this run began; run it again"
        assert newer.intervals("trips") == ()
        assert stored_rows(newer) == 0
        if after == OTHER_KEYS:
            (outcome,) = applied.run_jobs(applied.window_jobs(NOON, NOON))
            assert (outcome.error, outcome.rows) == (None, 1)


def test_a_teardown_that_fails_does_not_leave_views_that_say_that_they_are_done(
    applied: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where their rows are gone, the next incremental run would leave them out."""
    applied.registry.record_interval(applied.project, "trips", Interval(NOON, NOON))

    def interrupted(project: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(applied.online, "teardown", interrupted)
        with pytest.raises(KeyboardInterrupt):
            applied.teardown()
    assert applied.intervals("trips") == ()
    applied.teardown()
    assert stored_rows(applied) == 0
