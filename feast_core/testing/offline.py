"""The contract of an offline store: what apply and materialize rely on, as tests to inherit."""

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import pytest

from feast_core.definitions import (
    Array,
    Bool,
    Bytes,
    DataSource,
    Decimal,
    Entity,
    FeastType,
    FeatureView,
    Field,
    Float32,
    Float64,
    Int32,
    Int64,
    Json,
    Map,
    PushSource,
    String,
    Struct,
    UnixTimestamp,
    Uuid,
)
from feast_core.errors import SourceError
from feast_core.interfaces import Batch, Columns, Job, OfflineStore
from feast_core.keys import KeyEncoder
from feast_core.timestamps import EPOCH, to_microseconds

MakeStore: TypeAlias = Callable[[], OfflineStore]
MakeSource: TypeAlias = Callable[..., DataSource]
"""`make_source(columns, types, **parameters)`: store the columns, of these types, in this order of rows, and describe
them by a source with these parameters: `timestamp_field`, `created_timestamp_column`, `field_mapping`. Columns of
UnixTimestamp hold aware datetimes."""

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MICROSECOND, SECOND, HOUR = timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1)
#: Type, values as they are stored, values as they come out.
VALUES: dict[str, tuple[FeastType, list[Any], list[Any]]] = {
    "Int32": (Int32, [-(2**31), 0, 2**31 - 1], [-(2**31), 0, 2**31 - 1]),
    "Int64": (Int64, [-(2**63), 0, 2**63 - 1], [-(2**63), 0, 2**63 - 1]),
    "Float32": (Float32, [0.5, -0.25, 2.0**100], [0.5, -0.25, 2.0**100]),
    "Float64": (Float64, [0.1, -1e300, math.inf], [0.1, -1e300, math.inf]),
    "String": (String, ["", 'it\'s "é" 日本 \U0001f600', "a\nb"], ["", 'it\'s "é" 日本 \U0001f600', "a\nb"]),
    "Bool": (Bool, [True, False], [True, False]),
    "Bytes": (Bytes, [b"", b"\x00\xff", b"abc"], [b"", b"\x00\xff", b"abc"]),
    "UnixTimestamp": (
        UnixTimestamp,
        [EPOCH, NOON + 999_999 * MICROSECOND, EPOCH - 1.5 * SECOND],
        [0, int(NOON.timestamp()), -1],
    ),
    "Decimal": (Decimal, ["1.2500", "-3.0000"], ["1.2500", "-3.0000"]),
    "Uuid": (Uuid, ["2f9b1ee4-0000-4000-8000-0123456789ab"], ["2f9b1ee4-0000-4000-8000-0123456789ab"]),
    "Json": (Json, ['{"a": [1, null]}', '"text"'], ['{"a": [1, null]}', '"text"']),
    "Map": (Map, [{"a": "1", "b": "é"}, {}], [{"a": "1", "b": "é"}, {}]),
    "Struct": (
        Struct({"a b": Int64, "c": String, "t": UnixTimestamp}),
        [{"a b": 1, "c": "x", "t": NOON}, {"a b": None, "c": None, "t": None}],
        [{"a b": 1, "c": "x", "t": int(NOON.timestamp())}, {"a b": None, "c": None, "t": None}],
    ),
    "Array(Int64)": (Array(Int64), [[1, 2], [], [None, 3]], [[1, 2], [], [None, 3]]),
    "Array(String)": (Array(String), [["a", "é"], [""]], [["a", "é"], [""]]),
    "Array(Bool)": (Array(Bool), [[True, None]], [[True, None]]),
    "Array(Float32)": (Array(Float32), [[0.5, 1.5]], [[0.5, 1.5]]),
    "Array(UnixTimestamp)": (
        Array(UnixTimestamp),
        [[NOON, None, EPOCH - 1.5 * SECOND], []],
        [[int(NOON.timestamp()), None, -1], []],
    ),
    "Array(Array(Int64))": (Array(Array(Int64)), [[[1], [], [2, 3]]], [[[1], [], [2, 3]]]),
    "Array(Array(UnixTimestamp))": (Array(Array(UnixTimestamp)), [[[NOON], []]], [[[int(NOON.timestamp())], []]]),
}
KEY_VALUES: dict[str, tuple[FeastType, list[Any]]] = {
    "Int32": (Int32, [5, 0, 2**31 - 1, 10, 9, 256]),
    "Int64": (Int64, [5, 0, 2**63 - 1, 10, 9, 2**32]),
    "String": (String, ["b", "a", "", "aa", "B", "é", "z", "日本", "10", "9"]),
    "Uuid": (Uuid, [f"{digit * 8}-0000-4000-8000-000000000000" for digit in "f9a0"]),
    "Bool": (Bool, [True, False]),
    "Bytes": (Bytes, [b"b", b"\xff", b"", b"aa", b"\x00"]),
}


def hours(*numbers: float) -> list[datetime]:
    """Times this many hours after noon."""
    return [NOON + number * HOUR for number in numbers]


def a_view(
    source: DataSource, features: Mapping[str, FeastType], keys: Mapping[str, FeastType] | None = None
) -> FeatureView:
    """A feature view of a source, with one entity per key: by default `k`, an integer."""
    keys = {"k": Int64} if keys is None else keys
    fields = [Field(name=name, dtype=dtype) for name, dtype in {**keys, **features}.items()]
    entities = [Entity(name=f"entity_{name}", join_keys=[name]) for name in keys]
    return FeatureView(name="stats", entities=entities, schema=fields, source=source)


def a_job(view: FeatureView, start: datetime = NOON, end: datetime = NOON + 24 * HOUR, **options: Any) -> Job:
    """A job for the day from noon on."""
    return Job("contract", view, start, end, **options)


class OfflineFixtures:
    """What all contracts of offline stores are given."""

    @pytest.fixture
    def make_store(self) -> MakeStore:
        """Makes a store; override it."""
        raise NotImplementedError("define the fixture make_store, see the contract")

    @pytest.fixture
    def make_source(self) -> MakeSource:
        """Stores columns and describes them; override it. See MakeSource."""
        raise NotImplementedError("define the fixture make_source, see the contract")

    @pytest.fixture
    def repo_path(self, tmp_path: Path) -> Path:
        """What relative paths of sources are meant against."""
        return tmp_path

    @pytest.fixture
    def store(self, make_store: MakeStore) -> Iterator[OfflineStore]:
        """A store, closed after the test."""
        store = make_store()
        yield store
        store.close()


class OfflineStoreContract(OfflineFixtures):
    """Inherit, and say how a store and a source are made:

        class TestWarehouse(OfflineStoreContract):
            @pytest.fixture
            def make_store(self, url):
                return lambda: WarehouseStore(WarehouseStore.Options(url=url))

            @pytest.fixture
            def make_source(self, url):
                def make(columns, types, **parameters): ...
                return make

    Each docstring is a promise of the interface and begins with its number.
    """

    #: Types of features that sources of this store can hold; see VALUES.
    types: ClassVar[Sequence[str]] = tuple(VALUES)
    #: Types of join keys that sources of this store can hold; see KEY_VALUES.
    key_types: ClassVar[Sequence[str]] = tuple(KEY_VALUES)
    #: Rows of a source have an order, so that of two rows with equal times the later one is the newer.
    is_ordered: ClassVar[bool] = True

    @pytest.fixture
    def newest(self, store: OfflineStore, repo_path: Path) -> Callable[[Job], dict[Any, Any]]:
        """`newest(job)`: the feature `x` of each key `k`."""

        def by_key(job: Job) -> dict[Any, Any]:
            rows = all_rows(store, job, repo_path)
            return dict(zip(rows.columns["k"], rows.columns["x"], strict=True))

        return by_key

    @pytest.fixture
    def stats(self, make_source: MakeSource) -> Callable[..., FeatureView]:
        """`stats(k=[..], t=[..], x=[..])`: a view of keys, event times and values; `c=[..]` adds created times."""

        def view(**columns: list[Any]) -> FeatureView:
            types = {"k": Int64, "t": UnixTimestamp, "x": Int64, "c": UnixTimestamp}
            parameters = {"timestamp_field": "t", "created_timestamp_column": "c" if "c" in columns else ""}
            source = make_source(columns, {name: types[name] for name in columns}, **parameters)
            return a_view(source, {"x": Int64})

        return view

    # Which row it is.

    def test_the_newest_row_of_each_key_is_given(self, newest: Any, stats: Any) -> None:
        """1. One row per key, that with the latest event time, wherever it stands."""
        view = stats(k=[1, 2, 1, 2, 1], t=hours(1, 9, 3, 2, 2), x=[11, 29, 13, 22, 12])
        assert newest(a_job(view)) == {1: 13, 2: 29}

    def test_both_ends_belong_to_the_window(self, newest: Any, stats: Any) -> None:
        """2. `start <= event time <= end`, to the microsecond."""
        start, end = NOON, NOON + HOUR
        view = stats(k=[1, 2, 3, 4], t=[start - MICROSECOND, start, end, end + MICROSECOND], x=[1, 2, 3, 4])
        assert newest(a_job(view, start, end)) == {2: 2, 3: 3}
        assert newest(a_job(view, end, end)) == {3: 3}

    def test_rows_outside_the_window_do_not_take_part(self, newest: Any, stats: Any) -> None:
        """3. Also where they are newer."""
        view = stats(k=[1, 1, 1, 2], t=hours(1, 2, 3, 3), x=[1, 2, 3, 9])
        assert newest(a_job(view, NOON, NOON + 2 * HOUR)) == {1: 2}

    def test_created_time_decides_between_rows_of_one_event(self, newest: Any, stats: Any) -> None:
        """4. The latest created wins, a row without created time loses; event time comes first."""
        view = stats(
            k=[1, 1, 1, 2, 2, 3, 3],
            t=hours(1, 1, 1, 1, 1, 1, 2),
            c=[*hours(1, 3, 2), None, *hours(0, 9, 1)],
            x=[11, 13, 12, 20, 21, 31, 32],
        )
        assert newest(a_job(view)) == {1: 13, 2: 21, 3: 32}

    def test_the_later_row_wins_between_equal_times(self, newest: Any, stats: Any) -> None:
        """5. In the order of the source, where it has one; it is one of them in any case."""
        plain = newest(a_job(stats(k=[1, 2, 1, 2], t=hours(1, 1, 1, 1), x=[1, 2, 3, 4])))
        created = newest(a_job(stats(k=[1, 1, 1], t=hours(1, 1, 1), c=[*hours(2, 2), None], x=[1, 2, 3])))
        assert plain[1] in (1, 3)
        assert created[1] in (1, 2)
        if self.is_ordered:
            assert (plain, created) == ({1: 3, 2: 4}, {1: 2})

    def test_rows_without_event_time_are_left_out(self, newest: Any, stats: Any) -> None:
        """6. A null is in no window."""
        assert newest(a_job(stats(k=[1, 1, 2], t=[NOON, None, None], x=[1, 2, 3]))) == {1: 1}

    def test_rows_without_a_key_are_left_out(
        self, store: OfflineStore, make_source: MakeSource, repo_path: Path
    ) -> None:
        """7. A null in any part of the key."""
        columns = {"a": [1, None, 1, None], "b": ["x", "x", None, None], "t": hours(1, 1, 1, 1), "x": [1, 2, 3, 4]}
        types = {"a": Int64, "b": String, "t": UnixTimestamp, "x": Int64}
        source = make_source(columns, types, timestamp_field="t")
        rows = all_rows(store, a_job(a_view(source, {"x": Int64}, {"a": Int64, "b": String})), repo_path)
        assert rows.columns == {"a": [1], "b": ["x"], "x": [1]}

    def test_an_empty_window_has_no_rows(self, store: OfflineStore, stats: Any, repo_path: Path) -> None:
        """8. Nor has an empty source."""
        for view in (stats(k=[1], t=hours(-1), x=[1]), stats(k=[], t=[], x=[])):
            latest = store.latest(a_job(view), repo_path)
            assert latest.total in (0, None)
            assert list(latest.batches) == []

    def test_composite_keys_are_compared_whole(
        self, store: OfflineStore, make_source: MakeSource, repo_path: Path
    ) -> None:
        """9. Rows belong to one entity if all parts of the key are equal."""
        columns = {"b": ["x", "x", "y", "x"], "a": [1, 2, 1, 1], "t": hours(1, 1, 1, 2), "x": [1, 2, 3, 4]}
        types = {"b": String, "a": Int64, "t": UnixTimestamp, "x": Int64}
        source = make_source(columns, types, timestamp_field="t")
        rows = all_rows(store, a_job(a_view(source, {"x": Int64}, {"b": String, "a": Int64})), repo_path)
        found = dict(zip(zip(rows.columns["a"], rows.columns["b"], strict=True), rows.columns["x"], strict=True))
        assert found == {(1, "x"): 4, (1, "y"): 3, (2, "x"): 2}

    def test_a_view_without_entities_has_one_row(
        self, store: OfflineStore, make_source: MakeSource, repo_path: Path
    ) -> None:
        """10. The newest of all, or none."""
        columns = {"t": hours(1, 3, 2), "x": [1, 3, 2]}
        source = make_source(columns, {"t": UnixTimestamp, "x": Int64}, timestamp_field="t")
        view = a_view(source, {"x": Int64}, {})
        assert all_rows(store, a_job(view), repo_path).columns == {"x": [3]}
        assert list(store.latest(a_job(view, NOON, NOON), repo_path).batches) == []

    def test_keys_that_are_one_entity_are_compared_as_one(
        self, store: OfflineStore, make_source: MakeSource, repo_path: Path
    ) -> None:
        """27. Instants of one second, and spellings of one UUID in a column of texts: the newest row of all of them."""
        spellings = ["2F9B1EE4-0000-4000-8000-0123456789AB", "2f9b1ee4000040008000-0123456789ab"]
        second = [NOON, NOON + 999_999 * MICROSECOND]
        for stored, declared, keys in ((UnixTimestamp, UnixTimestamp, second), (String, Uuid, spellings)):
            columns = {"k": [*keys, *keys], "t": hours(1, 3, 2, 1), "x": [1, 3, 2, 1]}
            source = make_source(columns, {"k": stored, "t": UnixTimestamp, "x": Int64}, timestamp_field="t")
            rows = all_rows(store, a_job(a_view(source, {"x": Int64}, {"k": declared})), repo_path)
            assert (len(rows), rows.columns["x"]) == (1, [3])

    # Without event times.

    def test_every_row_takes_part_where_event_times_are_ignored(
        self, store: OfflineStore, stats: Any, repo_path: Path
    ) -> None:
        """11. Whatever the window; the newest of a key wins all the same, and all rows have the end as event time."""
        view = stats(k=[1, 1, 2, 3], t=[*hours(-1000, -2000, 9000), None], x=[1, 2, 3, 4])
        rows = all_rows(store, a_job(view, ignore_event_time=True), repo_path)
        assert rows.columns == {"k": [1, 2, 3], "x": [1, 3, 4]}
        assert rows.event_us == [to_microseconds(NOON + 24 * HOUR)] * 3

    def test_a_source_need_not_have_event_times_where_they_are_ignored(
        self, store: OfflineStore, make_source: MakeSource, newest: Any
    ) -> None:
        """12. Then the latest created wins or, where there is no created time, the later row."""
        columns = {"k": [1, 1, 2, 2], "x": [1, 2, 3, 4], "c": hours(2, 1, 1, 2)}
        types = {"k": Int64, "x": Int64, "c": UnixTimestamp}
        created = a_view(make_source(columns, types, created_timestamp_column="c"), {"x": Int64})
        assert newest(a_job(created, ignore_event_time=True)) == {1: 1, 2: 4}
        plain = a_view(make_source({"k": [1, 2, 1], "x": [1, 2, 3]}, {"k": Int64, "x": Int64}), {"x": Int64})
        found = newest(a_job(plain, ignore_event_time=True))
        assert found in ([{1: 3, 2: 2}] if self.is_ordered else [{1: 3, 2: 2}, {1: 1, 2: 2}])

    # What is given.

    def test_times_are_microseconds(self, store: OfflineStore, stats: Any, repo_path: Path) -> None:
        """13. Event and created times since 1970 UTC, before it too; a created time that is not there is 0."""
        times = [EPOCH - MICROSECOND, EPOCH, NOON + MICROSECOND]
        view = stats(k=[1, 2, 3], t=times, c=[NOON - MICROSECOND, None, EPOCH - HOUR], x=[1, 2, 3])
        rows = all_rows(store, a_job(view, EPOCH - HOUR), repo_path)
        assert rows.event_us == [-1, 0, to_microseconds(NOON) + 1]
        assert rows.created_us == [to_microseconds(NOON) - 1, 0, -3_600_000_000]
        plain = stats(k=[1], t=[NOON], x=[1])
        assert all_rows(store, a_job(plain), repo_path).created_us == [0]

    def test_a_batch_holds_join_keys_and_features(
        self, store: OfflineStore, make_source: MakeSource, repo_path: Path
    ) -> None:
        """14. And nothing else; under the names of the view, as parallel lists."""
        columns = {"other": [1], "x": [2], "k": [3], "t": [NOON], "y": [4]}
        source = make_source(columns, {**dict.fromkeys(columns, Int64), "t": UnixTimestamp}, timestamp_field="t")
        (batch,) = store.latest(a_job(a_view(source, {"y": Int64, "x": Int64})), repo_path).batches
        assert batch.columns == {"k": [3], "x": [2], "y": [4]}
        assert (batch.event_us, batch.created_us, len(batch)) == ([to_microseconds(NOON)], [0], 1)

    @pytest.mark.parametrize("name", VALUES)
    def test_values_of_every_type_come_out_plain(
        self, store: OfflineStore, make_source: MakeSource, repo_path: Path, name: str
    ) -> None:
        """15. As the types of Python that VALUES shows, and None for null: instants as seconds toward zero, decimals
        and UUIDs as texts, JSON as its text."""
        if name not in self.types:
            pytest.skip(f"sources of this store do not hold {name}")
        dtype, stored, expected = VALUES[name]
        columns = {"k": list(range(len(stored) + 1)), "t": [NOON] * (len(stored) + 1), "x": [*stored, None]}
        source = make_source(columns, {"k": Int64, "t": UnixTimestamp, "x": dtype}, timestamp_field="t")
        values = all_rows(store, a_job(a_view(source, {"x": dtype})), repo_path).columns["x"]
        assert values == [*expected, None]
        assert [type(value) for value in values] == [type(value) for value in (*expected, None)]

    def test_nan_stays_nan(self, store: OfflineStore, make_source: MakeSource, repo_path: Path) -> None:
        """16. It is for the row to say what it means."""
        columns = {"k": [1, 2], "t": [NOON, NOON], "x": [math.nan, 1.0]}
        source = make_source(columns, {"k": Int64, "t": UnixTimestamp, "x": Float64}, timestamp_field="t")
        values = all_rows(store, a_job(a_view(source, {"x": Float64})), repo_path).columns["x"]
        assert math.isnan(values[0])
        assert values[1:] == [1.0]

    @pytest.mark.parametrize("name", KEY_VALUES)
    def test_rows_come_in_key_order(
        self, store: OfflineStore, make_source: MakeSource, repo_path: Path, name: str
    ) -> None:
        """17. In the order of the bytes that `KeyEncoder` makes, so that an online store is written from end to end;
        negative integers, which are rare, may come first."""
        if name not in self.key_types:
            pytest.skip(f"sources of this store do not hold keys of type {name}")
        dtype, keys = KEY_VALUES[name]
        second = [3, 1, 2] * len(keys)
        first = [key for key in keys for _ in range(3)]
        columns = {"z": first, "a": second, "t": [NOON] * len(first)}
        source = make_source(columns, {"z": dtype, "a": Int64, "t": UnixTimestamp}, timestamp_field="t")
        for types in ({"z": dtype, "a": Int64}, {"z": dtype}):
            rows = all_rows(store, a_job(a_view(source, {}, types)), repo_path)
            encoder = KeyEncoder(types)
            encoded = encoder.encode([rows.columns[key] for key in encoder.join_keys], len(rows))
            assert len(set(encoded)) == len(encoded) == (len(first) if "a" in types else len(keys))
            assert encoded == sorted(encoded)

    def test_many_rows_come_in_batches(self, store: OfflineStore, stats: Any, repo_path: Path) -> None:
        """18. Every key once, in order across batches, and `total` is their number, if the store knows it."""
        count = 20_000
        view = stats(k=[(at * 7919) % count for at in range(count)], t=[NOON] * count, x=list(range(count)))
        latest = store.latest(a_job(view), repo_path)
        batches = list(latest.batches)
        assert [key for batch in batches for key in batch.columns["k"]] == list(range(count))
        assert latest.total in (count, None)
        assert max(map(len, batches)) <= 10_000

    def test_field_mapping_names_columns(self, store: OfflineStore, make_source: MakeSource, repo_path: Path) -> None:
        """19. It maps columns of the source to names of the view: keys, features and times alike."""
        columns = {"id": [1], "when": [NOON], "made": [NOON + HOUR], "value": [7]}
        types = {"id": Int64, "when": UnixTimestamp, "made": UnixTimestamp, "value": Int64}
        mapping = {"id": "k", "value": "x", "when": "t", "not there": "y"}
        for event in ("when", "t"):
            parameters = {"timestamp_field": event, "created_timestamp_column": "made", "field_mapping": mapping}
            source = make_source(columns, types, **parameters)
            assert list(store.columns(source, repo_path)) == ["k", "t", "made", "x"]
            rows = all_rows(store, a_job(a_view(source, {"x": Int64})), repo_path)
            assert (rows.columns, rows.created_us) == ({"k": [1], "x": [7]}, [to_microseconds(NOON + HOUR)])

    def test_columns_may_have_any_name(self, store: OfflineStore, make_source: MakeSource, repo_path: Path) -> None:
        """20. Names are never taken for SQL."""
        names = ['a "quoted" name', "it's", "é 日本", "select", "x; --", "place", "row", "count(*)"]
        columns = {name: [at] for at, name in enumerate(names)}
        types = {**dict.fromkeys(names, Int64), "the key": Int64, "the time": UnixTimestamp}
        source = make_source({**columns, "the key": [9], "the time": [NOON]}, types, timestamp_field="the time")
        view = a_view(source, dict.fromkeys(names, Int64), {"the key": Int64})
        assert all_rows(store, a_job(view), repo_path).columns == {**columns, "the key": [9]}

    def test_the_source_behind_a_push_source_is_read(self, store: OfflineStore, stats: Any, repo_path: Path) -> None:
        """21. As for any other source."""
        pushed = PushSource(name="pushed", batch_source=stats(k=[1], t=[NOON], x=[7]).batch_source)
        assert all_rows(store, a_job(a_view(pushed, {"x": Int64})), repo_path).columns == {"k": [1], "x": [7]}
        assert list(store.columns(pushed, repo_path)) == ["k", "t", "x"]

    # Columns of a source.

    @pytest.mark.parametrize("name", VALUES)
    def test_columns_tell_the_type_to_serve(
        self, store: OfflineStore, make_source: MakeSource, repo_path: Path, name: str
    ) -> None:
        """22. In the order of the source."""
        if name not in self.types:
            pytest.skip(f"sources of this store do not hold {name}")
        dtype, stored, _ = VALUES[name]
        columns = {"x": stored, "t": [NOON] * len(stored), "k": list(range(len(stored)))}
        source = make_source(columns, {"x": dtype, "t": UnixTimestamp, "k": Int64}, timestamp_field="t")
        found = store.columns(source, repo_path)
        assert list(found.items()) == [("x", dtype), ("t", UnixTimestamp), ("k", Int64)]

    def test_missing_columns_are_named(self, store: OfflineStore, make_source: MakeSource, repo_path: Path) -> None:
        """23. Those of the view, the key and the times, with the ones there are and the closest of them."""
        columns = {"driver_id": [1], "event_time": [NOON], "conv_rate": [1]}
        types = {"driver_id": Int64, "event_time": UnixTimestamp, "conv_rate": Int64}

        def message(features: Sequence[str], key: str, **parameters: str) -> str:
            source = make_source(columns, types, **parameters)
            with pytest.raises(SourceError) as caught:
                store.latest(a_job(a_view(source, dict.fromkeys(features, Int64), {key: Int64})), repo_path)
            assert "\n" not in str(caught.value)
            return str(caught.value)

        missing = message(["conv_rat", "conv_rate", "absent"], "driver_id", timestamp_field="event_time")
        for part in ("'conv_rat'", "'absent'", "did you mean 'conv_rate'", "driver_id, event_time, conv_rate"):
            assert part in missing
        assert "'driver'" in message(["conv_rate"], "driver", timestamp_field="event_time")
        assert "'event_tim'" in message(["conv_rate"], "driver_id", timestamp_field="event_tim")
        assert "'made'" in message(
            ["conv_rate"], "driver_id", timestamp_field="event_time", created_timestamp_column="made"
        )
        assert "timestamp_field" in message(["conv_rate"], "driver_id")

    def test_times_must_be_instants(self, store: OfflineStore, make_source: MakeSource, repo_path: Path) -> None:
        """24. A number or a text is not guessed at: the message names the column."""
        columns = {"k": [1], "t": [NOON], "number": [1_700_000_000], "text": ["2026-01-01"], "x": [1]}
        types = {"k": Int64, "t": UnixTimestamp, "number": Int64, "text": String, "x": Int64}
        for parameters in (
            {"timestamp_field": "number"},
            {"timestamp_field": "text"},
            {"timestamp_field": "t", "created_timestamp_column": "number"},
        ):
            source = make_source(columns, types, **parameters)
            wrong = next(column for column in parameters.values() if column != "t")
            with pytest.raises(SourceError, match=f"'{wrong}'.*timestamp"):
                store.latest(a_job(a_view(source, {"x": Int64})), repo_path)

    # Several at once.

    def test_jobs_may_be_read_side_by_side(self, store: OfflineStore, stats: Any, repo_path: Path) -> None:
        """25. Also of the same source; one that is not read to its end harms nobody."""
        count = 12_000
        view = stats(k=list(range(count)), t=[NOON] * count, x=list(range(count)))
        abandoned = store.latest(a_job(view), repo_path).batches
        next(abandoned)
        pair = [store.latest(a_job(view), repo_path).batches for _ in range(2)]
        keys = [[key for batch in one for key in batch.columns["k"]] for one in zip(*pair, strict=True)]
        assert sum(map(len, keys)) == 2 * count
        del abandoned
        assert len(all_rows(store, a_job(view), repo_path)) == count

    def test_threads_may_use_one_store(self, store: OfflineStore, stats: Any, repo_path: Path) -> None:
        """26. Each gets its own rows."""
        views = [stats(k=[1, 2], t=hours(1, 1), x=[at, at + 1]) for at in range(6)]
        found: dict[int, Columns] = {}

        def read(at: int) -> None:
            found[at] = all_rows(store, a_job(views[at]), repo_path).columns

        threads = [threading.Thread(target=read, args=[at]) for at in range(len(views))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {at: {"k": [1, 2], "x": [at, at + 1]} for at in range(len(views))}


def all_rows(store: OfflineStore, job: Job, repo_path: Path) -> Batch:
    """All batches as one."""
    columns: Columns = {field.name: [] for field in (*job.view.entity_columns, *job.view.features)}
    event_us: list[int] = []
    created_us: list[int] = []
    for batch in store.latest(job, repo_path).batches:
        assert batch.columns.keys() == columns.keys()
        for name, values in batch.columns.items():
            assert len(values) == len(batch.event_us) == len(batch.created_us) == len(batch) > 0
            columns[name] += values
        event_us += batch.event_us
        created_us += batch.created_us
    return Batch(columns, event_us, created_us)
