"""What brings queued rows to their batch sources, and the plugin that queues them."""

import json
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import feast_push_batching
import pytest

from feast_core import hookimpl
from feast_core.errors import InvalidInput, SourceError, Unavailable
from feast_core.interfaces import Call, Columns, EncodedRows, OfflineReceipt, OfflineWriter, batch_id
from feast_core.push_queue import PushQueue
from feast_core.store import FeatureStore

DEFINITIONS = """
    from feast import Entity, FeatureView, Field, FileSource, PushSource, ValueType
    from feast.types import Int64

    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)

    def view(name):
        batch = FileSource(name=f"{name}_source", path=f"{name}.parquet", timestamp_field="ts")
        push = PushSource(name=f"{name}_push", batch_source=batch)
        return FeatureView(name=name, entities=[driver], schema=[Field(name="n", dtype=Int64)], source=push)

    stats, trips = view("stats"), view("trips")
"""
BATCHING = {"offline_push_batching_enabled": True, "offline_push_batching_batch_interval_seconds": 1}


class Lines(OfflineWriter):
    """Keeps batches in memory, and refuses rows without a column `n`."""

    def __init__(self, written: dict[str, list[Any]], failing: Callable[[], Exception | None]) -> None:
        self._written = written
        self._failing = failing

    def encode(self, columns: Columns) -> EncodedRows:
        if set(columns) != {"n"}:
            raise InvalidInput.at("n", "is missing")
        return EncodedRows(len(columns["n"]), json.dumps(columns["n"]).encode())

    def write(self, encoded: Sequence[bytes], batch_id: str) -> OfflineReceipt:
        if error := self._failing():
            raise error
        rows = [row for body in encoded for row in json.loads(body)]
        self._written.setdefault(batch_id, rows)
        return OfflineReceipt(len(rows))


class Sources:
    """A plugin: the batch sources of the test, what is in them, and what is told of it."""

    def __init__(self) -> None:
        self.written: dict[str, dict[str, list[Any]]] = {}
        self.errors: dict[str, Exception] = {}
        self.calls: list[tuple[str, Call]] = []
        self.told = threading.Event()

    def rows(self, source: str) -> list[Any]:
        return [row for batch in self.written.get(source, {}).values() for row in batch]

    @hookimpl
    def feast_offline_writer(self, source: Any) -> OfflineWriter:
        return Lines(self.written.setdefault(source.name, {}), lambda: self.errors.get(source.name))

    @hookimpl
    def feast_observer(self, operation: str, labels: dict[str, str]) -> Any:
        if operation != "offline-push-flush":
            return None

        def note(call: Call) -> None:
            self.calls.append((labels["data_source"], call))
            self.told.set()

        return note


@pytest.fixture
def sources() -> Sources:
    return Sources()


@pytest.fixture
def make(feature_repo: Any, make_store: Any, only_plugins: Any, sources: Sources) -> Callable[..., FeatureStore]:
    """`make(*plugins, **feature_server)`: a store with the sources above."""
    import feast_online_sqlite
    import feast_registry_sql

    feature_repo({"definitions.py": DEFINITIONS})

    def made(*plugins: Any, **feature_server: Any) -> FeatureStore:
        manager = only_plugins(feast_registry_sql, feast_online_sqlite, sources, feast_push_batching, *plugins)
        store: FeatureStore = make_store(plugins=manager, feature_server=feature_server)
        store.apply()
        return store

    return made


def writer_of(store: FeatureStore, name: str = "stats_source") -> OfflineWriter:
    source = store.snapshot.data_sources[name]
    writer: OfflineWriter = store.plugins.hook.feast_offline_writer(store=store, source=source)
    return writer


def push(store: FeatureStore, *rows: int, name: str = "stats_source") -> OfflineReceipt:
    writer = writer_of(store, name)
    return writer.write([writer.encode({"n": list(rows)}).body], batch_id())


def queue(store: FeatureStore, *rows: int, name: str = "stats_source") -> None:
    """As a worker with batching has done before."""
    body = json.dumps(rows).encode()
    store.push_queue.put(store.project, name, [EncodedRows(len(rows), body)])


def queued(store: FeatureStore) -> int:
    return sum(found.rows for found in store.push_queue.status(store.project))


def wait_for(told: threading.Event) -> None:
    assert told.wait(20), "nothing was written"
    told.clear()


def test_rows_are_queued_where_somebody_brings_them_on(make: Any, sources: Sources) -> None:
    store = make(**BATCHING)
    assert push(store, 1, 2) == OfflineReceipt(2)
    assert sources.rows("stats_source") == [1, 2]
    store.flusher.start()
    assert push(store, 3) == OfflineReceipt(1, queued=True)
    assert push(store, 4, 5) == OfflineReceipt(2, queued=True)
    assert sources.rows("stats_source") == [1, 2]
    wait_for(sources.told)
    assert sources.rows("stats_source") == [1, 2, 3, 4, 5]


def test_without_batching_rows_are_written_at_once(make: Any, sources: Sources) -> None:
    store = make()
    store.flusher.start()
    assert push(store, 1) == OfflineReceipt(1)
    assert sources.rows("stats_source") == [1]
    assert not store.push_queue.path.exists()


def test_a_batch_is_written_when_it_has_its_size_however_long_the_interval(make: Any, sources: Sources) -> None:
    store = make(
        **{**BATCHING, "offline_push_batching_batch_interval_seconds": 3600, "offline_push_batching_batch_size": 3}
    )
    store.flusher.start()
    push(store, 1, 2)
    push(store, 7, name="trips_source")
    push(store, 3)
    wait_for(sources.told)
    assert sources.written["stats_source"].popitem()[1] == [1, 2, 3]
    assert queued(store) == 1


def test_what_the_source_would_refuse_does_not_come_into_the_queue(make: Any) -> None:
    store = make(**BATCHING)
    store.flusher.start()
    with pytest.raises(InvalidInput, match="n: is missing"):
        writer_of(store).encode({"m": [1]})
    assert not store.push_queue.path.exists()


def test_what_is_queued_is_brought_on_where_batching_is_off_or_blocked(
    make: Any, make_store: Any, only_plugins: Any, sources: Sources
) -> None:
    store = make()
    queue(store, 1, 2)
    store.flusher.start()
    wait_for(sources.told)
    assert sources.rows("stats_source") == [1, 2]
    assert queued(store) == 0


def test_a_wrapper_around_the_one_that_queues_does_not_queue_again(make: Any, sources: Sources) -> None:
    class Passing(OfflineWriter):
        def __init__(self, writer: OfflineWriter) -> None:
            self._writer = writer

        def encode(self, columns: Columns) -> EncodedRows:
            return self._writer.encode(columns)

        def write(self, encoded: Sequence[bytes], batch_id: str) -> OfflineReceipt:
            return self._writer.write(encoded, batch_id)

    class Wrapper:
        @hookimpl(wrapper=True, tryfirst=True)
        def feast_offline_writer(self) -> Any:
            return Passing((yield))

    store = make(Wrapper(), **BATCHING)
    store.flusher.start()
    assert push(store, 1).queued
    wait_for(sources.told)
    assert sources.rows("stats_source") == [1]
    assert queued(store) == 0


def test_a_failing_source_is_told_once_kept_and_does_not_hold_up_another(
    make: Any, sources: Sources, caplog: pytest.LogCaptureFixture
) -> None:
    store = make()
    sources.errors["stats_source"] = SourceError("the file is gone")
    queue(store, 1)
    queue(store, 2, name="trips_source")
    store.flush_pushes()
    store.flush_pushes()
    assert sources.rows("trips_source") == [2]
    (status,) = store.push_queue.status(store.project)
    assert (status.source, status.failing_rows, status.attempts, status.error) == (
        "stats_source",
        1,
        2,
        "the file is gone",
    )
    said = "stats_source: pushed rows cannot be written and stay in the queue: the file is gone"
    assert [record.message for record in caplog.records] == [said]
    assert [(name, call.outcome, call.rows) for name, call in sources.calls if name == "stats_source"] == [
        ("stats_source", "SourceError", 1),
        ("stats_source", "SourceError", 1),
    ]
    sources.errors.clear()
    store.flush_pushes()
    assert sources.rows("stats_source") == [1]
    assert sources.calls[-1][1].outcome == "success"
    assert caplog.records[-1].message == f"{said}: it is over"


def test_a_plugin_that_fails_in_a_way_nobody_foresaw_costs_no_row(
    make: Any, sources: Sources, caplog: pytest.LogCaptureFixture
) -> None:
    store = make()
    sources.errors["stats_source"] = ZeroDivisionError("of its own")
    queue(store, 1)
    store.flush_pushes()
    assert "unexpected ZeroDivisionError: of its own" in caplog.text
    assert queued(store) == 1


def test_rows_for_a_source_that_is_not_applied_any_more_are_kept(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    store = make()
    queue(store, 1, name="gone_source")
    store.flush_pushes()
    assert queued(store) == 1
    assert (
        "gone_source: pushed rows cannot be written and stay in the queue: no data source of this name" in caplog.text
    )


def test_a_crash_between_writing_and_forgetting_writes_nothing_twice(
    make: Any, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make()
    queue(store, 1, 2)
    monkeypatch.setattr(PushQueue, "forget", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        store.flush_pushes()
    monkeypatch.undo()
    assert (sources.rows("stats_source"), queued(store)) == ([1, 2], 2)
    with store.push_queue._writer.writing() as connection:
        connection.execute("UPDATE batches SET started = 1")  # as if that process were gone
    store.flush_pushes()
    assert (sources.rows("stats_source"), queued(store)) == ([1, 2], 0)
    assert len(sources.written["stats_source"]) == 1


def test_materialize_begins_with_what_is_queued(make: Any, sources: Sources) -> None:
    seen = []

    class Engine:
        @hookimpl(tryfirst=True)
        def feast_materialize(self) -> list[Any]:
            seen.extend(sources.rows("stats_source"))
            return []

    from datetime import UTC, datetime

    store = make(Engine())
    queue(store, 1)
    store.materialize(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    assert seen == [1]


def test_what_is_read_waits_for_its_own_rows_only(make: Any, sources: Sources) -> None:
    class Engine:
        @hookimpl(tryfirst=True)
        def feast_materialize(self) -> list[Any]:
            return []

    from datetime import UTC, datetime

    store = make(Engine())
    queue(store, 1)
    queue(store, 2, name="trips_source")
    store.materialize(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC), feature_views=["stats"])
    assert (sources.rows("stats_source"), sources.rows("trips_source")) == ([1], [])
    store.flush_pushes()
    assert sources.rows("trips_source") == [2]


def test_a_queue_that_cannot_be_used_is_warned_of_and_no_more(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    store = make()
    path: Path = store.push_queue.path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"no database " * 1000)
    store.flush_pushes()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.message.startswith("rows that are queued are not in their batch sources yet: the push queue")
    with pytest.raises(Unavailable):
        store.push_queue.status(store.project)


def test_the_thread_goes_on_after_what_it_did_not_expect(
    make: Any, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make()
    queue(store, 1)
    forget, failures = PushQueue.forget, [RuntimeError("a first time"), Unavailable("a second time")]
    tried = threading.Event()

    def failing(self: PushQueue, batch: Any) -> None:
        if failures:
            error = failures.pop(0)
            with self._writer.writing() as connection:
                connection.execute("UPDATE batches SET started = 1, tried_us = 0")
            raise error
        forget(self, batch)
        tried.set()

    monkeypatch.setattr(PushQueue, "forget", failing)
    store.flusher.start()
    wait_for(tried)
    assert (sources.rows("stats_source"), queued(store)) == ([1], 0)


def test_where_it_is_stopped_what_is_queued_is_written_first_and_nothing_is_queued_after(
    make: Any, sources: Sources
) -> None:
    store = make(**{**BATCHING, "offline_push_batching_batch_interval_seconds": 3600})
    store.flusher.start()
    push(store, 1)
    store.flusher.stop(20)
    assert sources.rows("stats_source") == [1]
    assert push(store, 2) == OfflineReceipt(1)
    assert sources.rows("stats_source") == [1, 2]


@pytest.mark.parametrize("key", ["batch_size", "batch_interval_seconds"])
def test_size_and_interval_are_at_least_one(make: Any, key: str) -> None:
    from feast_core.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match=rf"line \d+, feature_server.offline_push_batching_{key}: must be at"):
        make(**{f"offline_push_batching_{key}": 0})
