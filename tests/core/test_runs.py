"""Runs: what is asked for in one process and done in another, here both in this one."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from feast_core import hookimpl
from feast_core.definitions import Entity, FeatureView, Field, FileSource, Int64, ValueType
from feast_core.errors import Conflict, NotFound, Unavailable
from feast_core.interfaces import Job, Outcome, Progress, Run
from feast_core.plugins import load_plugins
from feast_core.processes import Process
from feast_core.runs import RunRequest
from feast_core.security import ANYONE
from feast_core.store import FeatureStore

ME = Process.current()
START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)


class Materializing:
    """A plugin in the place of the engine, which a test tells what to do."""

    do: Any = None

    @hookimpl
    def feast_materialize(self, store: FeatureStore, jobs: list[Job], progress: Progress) -> Any:
        return self.do(jobs, progress) if self.do else None


def view(name: str) -> FeatureView:
    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    source = FileSource(name=f"source of {name}", path="rows.parquet", timestamp_field="ts")
    return FeatureView(name=name, entities=[driver], schema=[Field(name="n", dtype=Int64)], source=source)


@pytest.fixture
def plugin() -> Materializing:
    return Materializing()


@pytest.fixture
def store(tmp_path: Path, plugin: Materializing) -> Iterator[FeatureStore]:
    """A store with the views `a` and `b`, whose source has two rows."""
    (tmp_path / "feature_store.yaml").write_text(
        "project: p\nregistry: registry.db\nonline_store: {type: sqlite, path: online.db}\n"
    )
    with duckdb.connect() as connection:
        rows = "SELECT i AS driver_id, i AS n, TIMESTAMPTZ '2026-11-20 10:00:00Z' AS ts FROM range(2) AS t(i)"
        connection.execute(f"COPY ({rows}) TO '{tmp_path / 'rows.parquet'}' (FORMAT parquet)")
    plugins = load_plugins(tmp_path)
    plugins.register(plugin)
    with FeatureStore(repo_path=tmp_path, plugins=plugins) as store:
        store.apply([view("a"), view("b")])
        yield store


def add(store: FeatureStore, *views: str, force: bool = False) -> Run:
    return store.add_run(RunRequest(views, START, END), ANYONE, ME, force)


def perform(store: FeatureStore, run: Run, stopped: threading.Event | None = None) -> Run:
    store.perform_run(run.id, ME, stopped or threading.Event())
    return store.find_run(run.id)


def test_a_run_is_kept_done_and_found(store: FeatureStore) -> None:
    run = add(store, "b", "a")
    assert [found.name for found in run.views] == ["a", "b"]
    assert store.find_run(run.id).state == "queued"
    done = perform(store, run)
    assert (done.state, done.error) == ("succeeded", None)
    assert [(found.name, found.rows, found.superseded, found.error) for found in done.views] == [
        ("a", 2, 0, None),
        ("b", 2, 0, None),
    ]
    assert [len(store.intervals(name)) for name in ("a", "b")] == [1, 1]
    for id in ("nope", "0" * 32, "\0", "\ud800", "x" * 1000, f"{run.id}\n"):
        with pytest.raises(NotFound, match="no materialization job '"):
            store.find_run(id)


def test_a_view_that_another_run_has_is_a_conflict(store: FeatureStore) -> None:
    first = add(store, "a")
    with pytest.raises(Conflict, match=r"^feature view a is being materialized .* force=true$") as refused:
        add(store, "a", "b")
    assert refused.value.views == ("a",)
    second = add(store, "a", force=True)
    assert second.id in (store.find_run(first.id).error or "")


def test_a_run_that_is_not_queued_any_more_is_not_done(store: FeatureStore) -> None:
    run = add(store, "a")
    store.give_up_run(run.id, "no process")
    assert perform(store, run).error == "no process"
    assert store.intervals("a") == ()
    store.give_up_run(run.id, "too late")
    assert store.find_run(run.id).error == "no process"
    store.give_up_run("nope", "no such run")


def test_a_view_that_was_deleted_meanwhile_fails_and_the_others_are_done(store: FeatureStore) -> None:
    run = add(store, "a", "b")
    store.delete("feature view", "a")
    done = perform(store, run)
    assert done.state == "failed"
    assert [(found.rows, found.error) for found in done.views] == [
        (0, "feature view a was deleted after the run was asked for"),
        (2, None),
    ]


def test_clients_are_told_the_kind_of_an_error_and_the_log_the_rest(
    store: FeatureStore, caplog: pytest.LogCaptureFixture
) -> None:
    (store.repo_path / "rows.parquet").unlink()
    run = add(store, "a")
    (found,) = perform(store, run).views
    assert found.error == "Data source error"
    assert f"run {run.id}: a failed: " in caplog.text
    assert "rows.parquet" in caplog.text


def test_what_is_not_ours_is_logged_with_its_traceback(
    store: FeatureStore, plugin: Materializing, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(jobs: list[Job], progress: Progress) -> list[Outcome]:
        return [Outcome(job, 0, 0, 0.5, ValueError("secret")) for job in jobs]

    plugin.do = broken
    (found,) = perform(store, add(store, "a")).views
    assert (found.error, found.seconds) == ("Internal error", 0.5)
    assert "ValueError: secret" in caplog.text


def test_a_store_that_cannot_be_reached_fails_the_run(store: FeatureStore, plugin: Materializing) -> None:
    def unreachable(jobs: list[Job], progress: Progress) -> list[Outcome]:
        raise Unavailable("the store at secret:1234 cannot be reached")

    plugin.do = unreachable
    done = perform(store, add(store, "a"))
    assert (done.state, done.error, done.views[0].seconds) == ("failed", "Unavailable", None)


def test_a_run_that_is_stopped_says_so(store: FeatureStore, plugin: Materializing) -> None:
    stopped = threading.Event()

    def interrupted(jobs: list[Job], progress: Progress) -> list[Outcome]:
        progress(jobs[0], 1, 2)
        stopped.set()
        raise KeyboardInterrupt

    plugin.do = interrupted
    done = perform(store, add(store, "a", "b"), stopped)
    assert done.state == "failed"
    assert "the server was stopped" in (done.error or "")
    assert [found.rows for found in done.views] == [1, 0]


def test_what_takes_the_interruption_for_its_own_error_stops_all_the_same(
    store: FeatureStore, plugin: Materializing
) -> None:
    stopped = threading.Event()

    def swallowed(jobs: list[Job], progress: Progress) -> list[Outcome]:
        stopped.set()
        with pytest.raises(KeyboardInterrupt):
            progress(jobs[1], 0, 2)
        return [Outcome(jobs[0], 2, 0, 0.1), Outcome(jobs[1], 0, 0, 0.1, ValueError("interrupted"))]

    plugin.do = swallowed
    done = perform(store, add(store, "a", "b"), stopped)
    assert "the server was stopped" in (done.error or "")


def test_a_run_that_is_done_when_it_is_stopped_has_succeeded(store: FeatureStore, plugin: Materializing) -> None:
    stopped = threading.Event()

    def late(jobs: list[Job], progress: Progress) -> list[Outcome]:
        stopped.set()
        return [Outcome(job, 2, 0, 0.1) for job in jobs]

    plugin.do = late
    assert perform(store, add(store, "a"), stopped).state == "succeeded"


def progress_for_ever(job: Job, progress: Progress) -> None:
    while True:
        progress(job, 1, None)


def test_a_run_that_was_taken_over_does_not_go_on(store: FeatureStore, plugin: Materializing) -> None:
    run = add(store, "a")

    def taken_over(jobs: list[Job], progress: Progress) -> list[Outcome]:
        add(store, "a", force=True)
        with pytest.raises(Conflict, match="by force"):
            progress_for_ever(jobs[0], progress)  # until the next report finds it out
        return [Outcome(job, 0, 0, 0.1, Conflict("taken")) for job in jobs]

    plugin.do = taken_over
    done = perform(store, run)
    assert (done.state, "by force" in (done.error or "")) == ("failed", True)


def test_a_registry_that_cannot_be_reached_for_a_while_does_not_stop_it(
    store: FeatureStore, plugin: Materializing, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = threading.Event()

    def unreachable(run: Run, waiting: Process) -> bool:
        told.set()
        raise Unavailable("not now")

    def wait(jobs: list[Job], progress: Progress) -> list[Outcome]:
        assert told.wait(60)
        return [Outcome(job, 2, 0, 0.1) for job in jobs]

    plugin.do = wait
    monkeypatch.setattr(store.registry, "report_run", unreachable)
    with caplog.at_level(logging.DEBUG, "feast"):
        assert perform(store, add(store, "a")).state == "succeeded"
    assert "could not tell how far it is" in caplog.text


def test_an_incremental_run_lists_what_is_up_to_date_and_leaves_it_alone(store: FeatureStore) -> None:
    perform(store, add(store, "a"))
    run = store.add_run(RunRequest(None, None, END), ANYONE, ME)
    assert run.to_do == {"b"}
    (done, _) = perform(store, run).views
    assert (done.name, done.rows, done.seconds, done.start, done.end) == ("a", 0, 0.0, END, END)
    again = store.add_run(RunRequest(None, None, END), ANYONE, ME)
    assert (again.state, again.to_do) == ("succeeded", frozenset())
    found = store.find_run(again.id)
    assert found == replace(again, created=found.created, ended=found.ended)
