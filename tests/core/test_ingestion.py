"""Pushes: what is checked, what is written where, and that nothing is written where anything is wrong."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import pandas
import pytest

from feast_core import hookimpl
from feast_core.definitions import DataSource, PushMode
from feast_core.errors import (
    FeastError,
    InvalidInput,
    NotSupported,
    ObjectNotFound,
    PermissionDenied,
    PushSourceNotFound,
    Unavailable,
)
from feast_core.frames import columns_of
from feast_core.ingestion import IngestionPlan, PushReceipt, PushRequest, ViewReceipt
from feast_core.interfaces import Columns, EncodedRows, OfflineReceipt, OfflineWriter, User, Writer
from feast_core.plugins import load_plugins
from feast_core.security import ANYONE
from feast_core.store import FeatureStore
from feast_core.testing.fixtures import MakeRepository, MakeStore

DEFINITIONS = """
    from datetime import timedelta
    from feast import Entity, FeatureView, Field, FileSource, KafkaSource, LabelView, PushSource, ValueType
    from feast.data_format import JsonFormat
    from feast.types import Bytes, Float32, Int64, String

    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    stats = FileSource(
        name="stats", path="stats.parquet", timestamp_field="happened", created_timestamp_column="created",
        field_mapping={"rate": "conv_rate", "happened": "at"},
    )
    pushed = PushSource(name="pushed", batch_source=stats)
    first = FeatureView(
        name="first", entities=[driver], source=pushed,
        schema=[Field(name="conv_rate", dtype=Float32), Field(name="trips", dtype=Int64)],
    )
    second = FeatureView(name="second", entities=[driver], source=pushed, schema=[Field(name="trips", dtype=Int64)])
    kept_offline = FeatureView(
        name="kept_offline", entities=[driver], source=pushed, online=False, schema=[Field(name="trips", dtype=Int64)]
    )
    nowhere = PushSource(name="nowhere")
    everybody = FeatureView(
        name="everybody", source=nowhere, schema=[Field(name="blob", dtype=Bytes), Field(name="word", dtype=String)]
    )
    labels = LabelView(
        name="labels", entities=[driver], schema=[Field(name="label", dtype=String)],
        source=PushSource(name="labelled", batch_source=stats),
    )
    unused = PushSource(name="unused", batch_source=stats)
    kept = FeatureView(
        name="kept", entities=[driver], source=PushSource(name="kept", batch_source=stats), online=False,
        schema=[Field(name="trips", dtype=Int64)],
    )
"""

STATS = """
    SELECT 1::BIGINT AS driver_id, 0.1::DOUBLE AS rate, 1::BIGINT AS trips,
        TIMESTAMPTZ '2026-01-01 00:00:00Z' AS happened, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS created
"""
ROW: Mapping[str, Any] = {
    "driver_id": [1],
    "rate": [0.5],
    "trips": [7],
    "happened": ["2026-11-22T09:00:00Z"],
    "created": ["2026-11-22T09:00:01Z"],
}
EVENT = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Written(OfflineWriter):
    """A batch source in memory: the calls of `write`."""

    def __init__(self, source: DataSource, offline: "Offline") -> None:
        self._source = source
        self._offline = offline

    def encode(self, columns: Columns) -> EncodedRows:
        if unknown := columns.keys() - {"driver_id", "rate", "trips", "happened", "created"}:
            raise InvalidInput.at(sorted(unknown)[0], "is no column of the source")
        return EncodedRows(len(columns["driver_id"]), json.dumps(columns).encode())

    def write(self, encoded: Sequence[bytes], batch_id: str) -> OfflineReceipt:
        if self._offline.error is not None:
            raise self._offline.error
        self._offline.writes += 1
        self._offline.batches.extend((self._source.name, json.loads(body)) for body in encoded)
        return OfflineReceipt(sum(len(json.loads(body)["driver_id"]) for body in encoded))


class Offline:
    """The plugin that has rows written there; `asked` are the sources for which it was asked."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, Columns]] = []
        self.asked: list[str] = []
        self.writes = 0
        self.error: FeastError | None = None

    @hookimpl
    def feast_offline_writer(self, store: FeatureStore, source: DataSource) -> OfflineWriter:
        self.asked.append(source.name)
        return Written(source, self)


@pytest.fixture
def offline() -> Offline:
    return Offline()


@pytest.fixture
def store(feature_repo: MakeRepository, make_store: MakeStore, offline: Offline) -> FeatureStore:
    repository = feature_repo({"features.py": DEFINITIONS})
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({STATS}) TO '{repository / 'stats.parquet'}' (FORMAT parquet)")
    plugins = load_plugins()
    plugins.register(offline)
    made = make_store(plugins=plugins)
    made.apply()
    return made


def trips(store: FeatureStore, view: str = "first", driver: int = 1) -> Any:
    return store.get_online_features([f"{view}:trips"], {"driver_id": [driver]}).to_dict()["trips"][0]


# Where rows go.


def test_a_push_goes_to_every_view_that_the_source_feeds(store: FeatureStore) -> None:
    receipt = store.push("pushed", ROW)
    assert receipt.views == {
        "first": ViewReceipt(online=1),
        "second": ViewReceipt(online=1),
        "kept_offline": ViewReceipt(),
    }
    assert not receipt.queued
    found = store.get_online_features(["first:conv_rate", "first:trips", "second:trips"], {"driver_id": [1]}, True)
    assert found.to_dict() == {
        "driver_id": [1],
        "first__conv_rate": [0.5],
        "first__trips": [7],
        "second__trips": [7],
    }
    assert found.to_dict(include_event_timestamps=True)["first__trips__ts"] == [int(EVENT.timestamp())]


def test_views_on_one_batch_source_append_once(store: FeatureStore, offline: Offline) -> None:
    receipt = store.push("pushed", ROW, to=PushMode.OFFLINE)
    assert offline.batches == [("stats", dict(ROW))]
    assert receipt.views == {name: ViewReceipt(offline=1) for name in ("first", "second", "kept_offline")}
    assert trips(store) is None


def test_online_and_offline_is_both(store: FeatureStore, offline: Offline) -> None:
    receipt = store.push("pushed", ROW, to=PushMode.ONLINE_AND_OFFLINE)
    assert receipt.views["first"] == ViewReceipt(online=1, offline=1)
    assert len(offline.batches) == 1
    assert trips(store) == 7


def test_the_online_mode_asks_for_no_offline_writer(store: FeatureStore, offline: Offline) -> None:
    store.push("pushed", ROW)
    assert offline.asked == []


def test_a_view_is_written_by_its_name(store: FeatureStore) -> None:
    assert store.write_to_online_store("second", ROW).views == {"second": ViewReceipt(online=1)}
    assert trips(store, "second") == 7
    assert trips(store, "first") is None


def test_rows_are_given_as_df_or_as_inputs(store: FeatureStore) -> None:
    store.write_to_online_store("second", inputs=ROW)
    assert trips(store, "second") == 7
    with pytest.raises(InvalidInput, match="as df or as inputs"):
        store.write_to_online_store("second")


def test_the_batch_source_of_a_view_is_written(store: FeatureStore, offline: Offline) -> None:
    assert store.write_to_offline_store("kept_offline", ROW).views == {"kept_offline": ViewReceipt(offline=1)}
    assert len(offline.batches) == 1


def test_the_asynchronous_forms_do_the_same(store: FeatureStore) -> None:
    async def both() -> None:
        await store.push_async("pushed", ROW, to=PushMode.ONLINE)
        await store.write_to_online_store_async("second", {**ROW, "trips": [8]})

    asyncio.run(both())
    assert (trips(store, "first"), trips(store, "second")) == (7, 8)


def test_a_view_without_entities_has_one_row(store: FeatureStore) -> None:
    store.push("nowhere", {"blob": ["AP8B"], "word": ["hi"]})
    found = store.get_online_features(["everybody:blob", "everybody:word"], {}).to_dict()
    assert found == {"blob": [b"\x00\xff\x01"], "word": ["hi"]}


def test_rows_without_a_declared_time_have_that_of_the_push(store: FeatureStore) -> None:
    before = datetime.now(UTC).timestamp()
    store.push("nowhere", {"blob": ["AP8B"], "word": ["hi"]})
    at = store.get_online_features(["everybody:word"], {}).to_dict(include_event_timestamps=True)["word__ts"][0]
    assert int(before) <= at <= datetime.now(UTC).timestamp()


def test_columns_may_be_sent_under_the_names_of_the_view_too(store: FeatureStore) -> None:
    sent = {"conv_rate" if name == "rate" else name: values for name, values in ROW.items()}
    store.push("pushed", sent)
    assert store.get_online_features(["first:conv_rate"], {"driver_id": [1]}).to_dict()["conv_rate"] == [0.5]


def test_a_column_that_no_view_uses_is_ignored_online_and_refused_for_offline(
    store: FeatureStore, offline: Offline
) -> None:
    more = {**ROW, "string_feature": "test2"}
    assert store.push("pushed", more).views["first"].online == 1
    for mode in (PushMode.OFFLINE, PushMode.ONLINE_AND_OFFLINE):
        with pytest.raises(InvalidInput, match=r"^df\.string_feature: is no column"):
            store.push("pushed", {**more, "trips": [99]}, to=mode)
    assert trips(store) == 7, "neither half is written"
    assert offline.batches == []


# Which row wins.


@pytest.mark.parametrize(
    ("rows", "wins"),
    [
        ([("09:00", "09:00", 1), ("10:00", "09:00", 2)], 2),
        ([("10:00", "09:00", 1), ("09:00", "11:00", 2)], 1),
        ([("09:00", "10:00", 1), ("09:00", "09:00", 2)], 1),
        ([("09:00", "09:00", 1), ("09:00", "09:00", 2)], 2),
        ([("09:00", None, 1), ("09:00", "08:00", 2), ("09:00", None, 3)], 2),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_the_newest_event_wins_then_the_created_time_then_the_later_row(
    store: FeatureStore, rows: list[tuple[str, str | None, int]], wins: int, together: bool
) -> None:
    for batch in [rows] if together else [[row] for row in rows]:
        columns = {
            "driver_id": [1] * len(batch),
            "trips": [number for _, _, number in batch],
            "happened": [f"2026-11-22T{event}" for event, _, _ in batch],
            "created": [created and f"2026-11-22T{created}" for _, created, _ in batch],
        }
        receipt = store.push("pushed", {**columns, "rate": 0.5}).views["second"]
        assert receipt.online + receipt.superseded == len(batch)
    assert trips(store, "second") == wins


WRITER = """
import random, sys
from feast_core.security import ANYONE
from feast_core.store import FeatureStore

seed = int(sys.argv[2])
order = list(range(200))
random.Random(seed).shuffle(order)
with FeatureStore(repo_path=sys.argv[1]) as store:
    for number in order:
        # Of one time there are three rows, one per process: the created time decides.
        row = {"driver_id": [1], "trips": [number * 10 + seed], "rate": [0.0], "created": [f"2026-01-0{seed}"]}
        store.push("pushed", {**row, "happened": [f"2026-11-22T09:{number // 60:02}:{number % 60:02}"]})
"""


def test_the_newest_event_wins_with_writers_in_several_processes(store: FeatureStore) -> None:
    commands = [[sys.executable, "-c", WRITER, str(store.repo_path), str(seed)] for seed in (1, 2, 3)]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert (trips(store, "first"), trips(store, "second")) == (1993, 1993)


# What a frame may be.


def test_a_data_frame_is_pushed(store: FeatureStore) -> None:
    frame = pandas.DataFrame(
        {
            "driver_id": [1, 2],
            "rate": [0.5, None],
            "trips": pandas.array([7, None], dtype="Int64"),
            "happened": pandas.to_datetime(["2026-11-22T09:00:00Z"] * 2),
            "created": [pandas.NaT, pandas.Timestamp("2026-11-22")],
        }
    )
    store.push("pushed", frame)
    found = store.get_online_features(["first:conv_rate", "first:trips"], {"driver_id": [1, 2]}).to_dict()
    assert found == {"driver_id": [1, 2], "conv_rate": [0.5, None], "trips": [7, None]}


@pytest.mark.parametrize(
    ("frame", "columns"),
    [
        ({"a": [1, 2], "b": "x"}, {"a": [1, 2], "b": ["x", "x"]}),
        ({"a": [1], "b": None}, {"a": [1], "b": [None]}),
        ({"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}, {"a": [1, 2], "b": [3, 4]}),
        ({"a": {"x": 1, "y": 2}, "b": 3}, {"a": [1, 2], "b": [3, 3]}),
        ({"a": (1, 2)}, {"a": [1, 2]}),
        (pandas.DataFrame({"a": [1, 2]}), {"a": [1, 2]}),
        ({"a": pandas.Series([1, 2]).to_numpy()}, {"a": [1, 2]}),
    ],
)
def test_a_frame_is_turned_to_columns(frame: Any, columns: Columns) -> None:
    assert columns_of(frame) == columns


@pytest.mark.parametrize(
    ("frame", "problems"),
    [
        ({}, [("df", "has no columns")]),
        ({"a": [], "b": []}, [("df", "has no rows")]),
        ({"a": {}, "b": {}}, [("df", "has no rows")]),
        ({"a": 1, "b": "x"}, [("df", "holds single values only")]),
        ({"a": [1, 2], "b": [1], "c": [1, 2, 3]}, [("df.b", "has 1 values, a has 2"), ("df.c", "has 3 values")]),
        ({"a": [1], "b": {"0": 1}}, [("df.a", "is a list, and b maps an index")]),
        ({"a": {"0": 1}, "b": {"1": 1}}, [("df.b", "has another index than a")]),
        (
            {"a": [1] * 10_000} | {f"c{number}": 1 for number in range(2_000)},
            [("df.c0", "is one of 2000 single values to be repeated 10000 times")],
        ),
        ({1: [1]}, [("df", "names of columns are texts")]),
        ([{"a": 1}], [("df", "expected columns")]),
        (7, [("df", "expected columns")]),
        (None, [("df", "expected columns")]),
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), [("df.a", "is there twice")]),
    ],
)
def test_a_frame_of_the_wrong_shape_is_refused(frame: Any, problems: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidInput) as refused:
        columns_of(frame)
    assert [path for path, _ in refused.value.problems] == [path for path, _ in problems]
    for (_, message), (_, text) in zip(refused.value.problems, problems, strict=True):
        assert message.startswith(text)


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"driver_id": [1, None]}, "df.driver_id[1]", "an entity value cannot be null"),
        ({"driver_id": [1, float("nan")]}, "df.driver_id[1]", "an entity value cannot be missing"),
        ({"driver_id": [1, 2.5]}, "df.driver_id[1]", "the join key is an integer, this is 2.5"),
        ({"driver_id": [1, "x"]}, "df.driver_id[1]", "expected an integer, got 'x'"),
        ({"driver_id": [1, 2**63]}, "df.driver_id[1]", "9223372036854775808 does not fit a 64-bit integer"),
        ({"rate": [0.5, "abc"]}, "df.rate[1]", "expected a number, got 'abc'"),
        ({"rate": [0.5, [1]]}, "df.rate[1]", "expected a number, got [1]"),
        ({"trips": [1, 10**20]}, "df.trips[1]", "100000000000000000000 does not fit a 64-bit integer"),
        ({"trips": [1, float("inf")]}, "df.trips[1]", "cannot convert float infinity to integer"),
        ({"happened": ["2026-11-22", None]}, "df.happened[1]", "the time of the event is needed"),
        ({"happened": ["2026-11-22", 1795338000]}, "df.happened[1]", "'1795338000' is a bare number"),
        ({"happened": ["2026-11-22", "22/11/2026"]}, "df.happened[1]", "'22/11/2026' is not a timestamp"),
        ({"happened": ["2026-11-22", "2026-13-01"]}, "df.happened[1]", "'2026-13-01' is not a time that exists"),
        ({"happened": ["2026-11-22", True]}, "df.happened[1]", "expected a time such as"),
        ({"created": ["2026-11-22", 5]}, "df.created[1]", "'5' is a bare number"),
    ],
)
@pytest.mark.parametrize("mode", [PushMode.ONLINE, PushMode.ONLINE_AND_OFFLINE])
def test_a_wrong_value_is_named_by_column_and_row_and_nothing_is_written(
    store: FeatureStore, offline: Offline, mode: PushMode, change: Columns, path: str, message: str
) -> None:
    frame = {**{name: values * 2 for name, values in ROW.items()}, **change}
    with pytest.raises(InvalidInput) as refused:
        store.push("pushed", frame, to=mode)
    [(found, told)] = refused.value.problems
    assert (found, told[: len(message)]) == (path, message)
    assert str(refused.value).startswith(f"{path}: {message}")
    assert trips(store) is None
    assert offline.batches == []


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (None, "an entity value cannot be null"),
        (float("nan"), "an entity value cannot be missing"),
        (2.5, "the join key is an integer, this is 2.5"),
    ],
)
@pytest.mark.parametrize("source", ["pushed", "kept"])
def test_rows_for_the_batch_source_alone_need_keys_too(
    store: FeatureStore, offline: Offline, source: str, key: Any, message: str
) -> None:
    frame = {**{name: values * 2 for name, values in ROW.items()}, "driver_id": [1, key]}
    with pytest.raises(InvalidInput) as refused:
        store.push(source, frame, to=PushMode.OFFLINE)
    [(path, told)] = refused.value.problems
    assert (path, told[: len(message)]) == ("df.driver_id[1]", message)
    assert offline.batches == []


def test_times_of_several_spellings_stand_in_one_column(store: FeatureStore) -> None:
    times = ["2026-11-22T10:00:00+01:00", "2026-11-22 09:00:00", "2026-11-22T09:00:00.000Z", "2026-11-22"]
    frame = {"driver_id": [1, 2, 3, 4], "rate": 0.5, "trips": 7, "happened": times, "created": None}
    store.push("pushed", frame)
    found = store.get_online_features(["first:trips"], {"driver_id": [1, 2, 3, 4]})
    stamps = found.to_dict(include_event_timestamps=True)["trips__ts"]
    assert stamps == [int(EVENT.timestamp())] * 3 + [int(EVENT.timestamp()) - 9 * 3600]


@pytest.mark.parametrize("to", ["online", 1, None])
def test_a_mode_that_is_none_is_refused(store: FeatureStore, to: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^to: expected a PushMode"):
        store.push("pushed", ROW, to=to)
    assert trips(store) is None


def test_missing_columns_are_named_all_of_them(store: FeatureStore) -> None:
    with pytest.raises(InvalidInput) as refused:
        store.push("pushed", {"driver_id": [1], "happened": ["2026-11-22"]})
    assert refused.value.problems == (
        ("df.rate", "is missing; feature view 'first' needs it"),
        ("df.trips", "is missing; feature view 'first' needs it"),
        ("df.created", "is missing; feature view 'first' needs it"),
    )
    assert trips(store) is None


# Names, guards, plans.


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("push", PushSourceNotFound, "^Unable to find push source 'push', did you mean 'pushed'"),
        ("stats", PushSourceNotFound, "^Unable to find push source 'stats', which feeds no feature view$"),
        ("unused", PushSourceNotFound, "^Unable to find push source 'unused', which feeds no feature view$"),
        ("labelled", NotSupported, "feeds label views only"),
    ],
)
def test_a_source_that_feeds_nothing_is_refused(
    store: FeatureStore, source: str, error: type[FeastError], message: str
) -> None:
    with pytest.raises(error, match=message):
        store.push(source, ROW)


def test_an_unknown_view_is_refused(store: FeatureStore) -> None:
    with pytest.raises(ObjectNotFound, match=r"Feature view frist does not exist .*, did you mean 'first'"):
        store.write_to_online_store("frist", ROW)


def test_a_view_that_is_not_served_online_is_refused(store: FeatureStore) -> None:
    with pytest.raises(InvalidInput, match="'kept_offline' is declared with online=False"):
        store.write_to_online_store("kept_offline", ROW)


def test_a_source_without_a_batch_source_has_no_offline_part(store: FeatureStore) -> None:
    with pytest.raises(InvalidInput, match="push source nowhere has no batch source"):
        store.push("nowhere", {"blob": [None], "word": [None]}, to=PushMode.OFFLINE)


def test_without_an_offline_store_there_is_no_offline_part(store: FeatureStore, make_store: MakeStore) -> None:
    other = make_store(offline_store=None)
    assert other.push("pushed", ROW).views["first"].online == 1
    with pytest.raises(NotSupported, match="the offline store is switched off"):
        other.push("pushed", ROW, to=PushMode.ONLINE_AND_OFFLINE)


class Guarded:
    """Lets nobody write; `asked` is what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    @hookimpl
    def feast_guard(self, action: str, resources: Sequence[Any]) -> Any:
        self.asked.append((action, [getattr(resource, "name", resource) for resource in resources]))

        def refuse(user: User) -> None:
            raise PermissionDenied(f"{user.name} may not {action}")

        return refuse


@pytest.mark.parametrize("source", ["pushed", "labelled", "unknown"])
def test_a_push_is_guarded_on_every_view_it_feeds_before_anything_is_said(
    store: FeatureStore, offline: Offline, source: str
) -> None:
    guard = Guarded()
    store.plugins.register(guard)
    with pytest.raises(PermissionDenied, match="anyone may not write_online"):
        store.push(source, {"nonsense": [1]}, to=PushMode.ONLINE_AND_OFFLINE)
    views = {"pushed": ["first", "kept_offline", "second"], "labelled": ["labelled"], "unknown": ["unknown"]}
    assert ("write_online", views[source]) in guard.asked
    assert ("write_offline", views[source]) in guard.asked
    assert offline.batches == []


def test_observers_are_asked_with_the_name_of_the_source(store: FeatureStore) -> None:
    asked = []

    class Observing:
        @hookimpl
        def feast_observer(self, operation: str, labels: dict[str, str]) -> None:
            asked.append((operation, labels))

    store.plugins.register(Observing())
    store.push("pushed", ROW)
    store.write_to_online_store("first", ROW)
    assert asked == [
        ("push", {"name": "pushed", "mode": "online"}),
        ("write-to-online-store", {"name": "first", "mode": "online"}),
    ]


def test_a_plan_is_made_once(store: FeatureStore) -> None:
    request = PushRequest("pushed")
    assert store.known_ingestion_plan(request) is None
    plan = store.ingestion_plan(request)
    assert store.ingestion_plan(request) is plan
    assert store.known_ingestion_plan(request) is plan


def test_a_push_follows_an_apply(store: FeatureStore, feature_repo: MakeRepository) -> None:
    store.push("pushed", ROW)
    feature_repo(
        {"features.py": DEFINITIONS.replace('Field(name="trips", dtype=Int64)', 'Field(name="trips", dtype=String)')}
    )
    store.apply()
    store.push("pushed", {**ROW, "trips": ["many"], "happened": ["2026-11-22T10:00:00"]})
    assert trips(store) == "many"


def test_the_registry_is_asked_first_without_its_cache(store: FeatureStore, make_store: MakeStore) -> None:
    other = make_store()
    with pytest.raises(PushSourceNotFound):
        other.push("later", ROW)
    path = store.repo_path / "features.py"
    path.write_text(path.read_text().replace('name="pushed"', 'name="later"'))
    store.apply()
    with pytest.raises(PushSourceNotFound):
        other.push("later", ROW)
    assert other.push("later", ROW, allow_registry_cache=False).views["first"].online == 1


def test_a_push_goes_on_when_the_online_store_was_made_anew(store: FeatureStore) -> None:
    store.push("pushed", ROW)
    for file in (store.repo_path / "data").glob("online.db*"):
        file.unlink()
    assert store.push("pushed", ROW).views["first"].online == 1
    assert trips(store) == 7


def test_rows_of_one_view_can_be_written_at_once(store: FeatureStore) -> None:
    plan = store.ingestion_plan(PushRequest("first", is_view=True))
    assert plan.ingest_at_once(columns_of(ROW)) == store.write_to_online_store("first", ROW)
    assert trips(store) == 7
    with pytest.raises(InvalidInput, match=r"df\.trips\[0\]"):
        plan.ingest_at_once(columns_of({**ROW, "trips": ["many"]}))


@pytest.mark.parametrize(
    "request_",
    [
        PushRequest("pushed"),  # feeds two views that are served online
        PushRequest("first", PushMode.OFFLINE, is_view=True),
        PushRequest("first", PushMode.ONLINE_AND_OFFLINE, is_view=True),
    ],
)
def test_what_may_have_to_wait_is_not_written_at_once(
    store: FeatureStore, offline: Offline, request_: PushRequest
) -> None:
    assert store.ingestion_plan(request_).ingest_at_once(columns_of(ROW)) is None
    assert trips(store) is None
    assert not offline.batches


def test_a_plugin_that_wraps_writers_is_not_passed_by(store: FeatureStore) -> None:
    class Wrapping:
        @hookimpl(wrapper=True)
        def feast_writer(self) -> Generator[None, Writer, Writer]:
            write = yield
            return lambda rows: write(rows)

    store.plugins.register(Wrapping())
    assert store.ingestion_plan(PushRequest("first", is_view=True)).ingest_at_once(columns_of(ROW)) is None
    assert trips(store) is None


def test_a_store_that_stays_unavailable_is_tried_twice_and_told(store: FeatureStore) -> None:
    tries = []

    class Down:
        @hookimpl
        def feast_writer(self, store: FeatureStore) -> Any:
            def write(rows: object) -> None:
                tries.append(rows)
                raise Unavailable("the online store is down")

            return write

    store.plugins.register(Down())
    with pytest.raises(Unavailable, match="is down"):
        store.push("pushed", ROW)
    assert len(tries) == 2


def test_what_an_interrupted_apply_left_is_dropped_before_a_push(store: FeatureStore) -> None:
    """Otherwise the rows of the push would go with it later."""
    view: Any = store.get_object("feature view", "first")
    store.registry.apply(store.project, [view], [view], [view.place])
    store.refresh()
    assert store.push("pushed", ROW).views["first"].online == 1
    store.drop_rows()
    assert trips(store) == 7


# Several pushes of one plan at once.


def test_pushes_that_are_written_together_are_one_batch(store: FeatureStore, offline: Offline) -> None:
    plan = store.ingestion_plan(PushRequest("pushed", PushMode.ONLINE_AND_OFFLINE))
    assert isinstance(plan, IngestionPlan)
    pushes: list[tuple[Columns, User]] = [({**ROW, "driver_id": [number]}, ANYONE) for number in (1, 2)]
    wrong: tuple[Columns, User] = ({**ROW, "driver_id": [None]}, ANYONE)
    first, refused, second = store.ingest_together(plan, [pushes[0], wrong, pushes[1]])
    assert isinstance(refused, InvalidInput)
    for receipt in (first, second):
        assert isinstance(receipt, PushReceipt)
        assert receipt.views["first"] == ViewReceipt(online=1, offline=1)
    assert [columns["driver_id"] for _, columns in offline.batches] == [[1], [2]]
    assert offline.writes == 1
    assert (trips(store, driver=1), trips(store, driver=2)) == (7, 7)


def test_a_batch_source_that_cannot_be_written_is_told_to_all_of_them(store: FeatureStore, offline: Offline) -> None:
    plan = store.ingestion_plan(PushRequest("pushed", PushMode.OFFLINE))
    assert isinstance(plan, IngestionPlan)
    offline.error = Unavailable("the disk is full")
    wrong: tuple[Columns, User] = ({**ROW, "driver_id": [None]}, ANYONE)
    found = store.ingest_together(plan, [(dict(ROW), ANYONE), wrong, (dict(ROW), ANYONE)])
    assert [type(result) for result in found] == [Unavailable, InvalidInput, Unavailable]
    assert offline.batches == []


def test_a_place_that_is_gone_is_looked_for_by_each_of_them(store: FeatureStore, offline: Offline) -> None:
    store.push("pushed", ROW)
    plan = store.ingestion_plan(PushRequest("pushed", PushMode.ONLINE_AND_OFFLINE))
    assert isinstance(plan, IngestionPlan)
    for file in (store.repo_path / "data").glob("online.db*"):
        file.unlink()
    found = store.ingest_together(plan, [({**ROW, "driver_id": [number]}, ANYONE) for number in (1, 2)])
    assert [isinstance(receipt, PushReceipt) for receipt in found] == [True, True]
    assert (trips(store, driver=1), trips(store, driver=2)) == (7, 7)
    assert len(offline.batches) == 2
