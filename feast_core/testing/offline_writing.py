"""The contract of offline stores that write: what pushes to a batch source rely on, as tests to inherit."""

import base64
import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest

from feast_core.definitions import (
    Bytes,
    DataSource,
    FeastType,
    Float64,
    Int64,
    PushSource,
    String,
    UnixTimestamp,
)
from feast_core.errors import InvalidInput
from feast_core.interfaces import Columns, OfflineStore, batch_id
from feast_core.testing.offline import (
    HOUR,
    MICROSECOND,
    NOON,
    VALUES,
    MakeSource,
    MakeStore,
    OfflineFixtures,
    a_job,
    a_view,
    all_rows,
    hours,
)
from feast_core.timestamps import to_microseconds

STATS: dict[str, FeastType] = {"k": Int64, "t": UnixTimestamp, "x": Int64}


class OfflineWriterContract(OfflineFixtures):
    """For stores that write. Inherit, and say how a store and a source are made, as for OfflineStoreContract, and by
    the fixture `count_rows` how many rows a source has.

    Each docstring is a promise of the interface and begins with its number.
    """

    #: Types of features that can be appended; see VALUES.
    types: ClassVar[Sequence[str]] = tuple(VALUES)

    @pytest.fixture
    def count_rows(self) -> Callable[[DataSource], int]:
        """`count_rows(source)`: how many rows are in it, by whatever means; override it."""
        raise NotImplementedError("define the fixture count_rows, see OfflineWriterContract")

    @pytest.fixture
    def stats_source(self, make_source: MakeSource) -> DataSource:
        """Keys, times and values; one row, of key 0."""
        return make_source({"k": [0], "t": [NOON], "x": [0]}, STATS, timestamp_field="t")

    @pytest.fixture
    def append(self, store: OfflineStore, repo_path: Path) -> Callable[..., None]:
        """`append(source, columns)`: one batch."""

        def to(source: DataSource, columns: Columns, batch: str = "") -> None:
            writer = store.writer(source, repo_path)
            encoded = writer.encode(columns)
            receipt = writer.write([encoded.body], batch or batch_id())
            rows = len(next(iter(columns.values())))
            assert (receipt.rows, encoded.rows, receipt.queued) == (rows, rows, False)

        return to

    @pytest.fixture
    def values(self, store: OfflineStore, repo_path: Path) -> Callable[..., dict[Any, Any]]:
        """`values(source)`: the newest `x` of each `k`."""

        def of(source: DataSource, dtype: FeastType = Int64) -> dict[Any, Any]:
            rows = all_rows(store, a_job(a_view(source, {"x": dtype})), repo_path)
            return dict(zip(rows.columns["k"], rows.columns["x"], strict=True))

        return of

    # What is appended is read.

    @pytest.mark.parametrize("name", VALUES)
    def test_values_of_every_type_are_read_back(
        self, make_source: MakeSource, append: Any, values: Any, name: str
    ) -> None:
        """1. As if they had been in the source, and so are nulls."""
        if name not in self.types:
            pytest.skip(f"this store does not append {name}")
        dtype, stored, expected = VALUES[name]
        types = {"k": Int64, "t": UnixTimestamp, "x": dtype}
        source = make_source({"k": [-1], "t": [NOON], "x": stored[:1]}, types, timestamp_field="t")
        count = len(stored) + 1
        append(source, {"x": [*stored, None], "t": [NOON] * count, "k": list(range(count))})
        assert values(source, dtype) == {-1: expected[0], **dict(enumerate([*expected, None]))}

    def test_values_may_come_as_json_has_them(self, make_source: MakeSource, append: Any, values: Any) -> None:
        """2. Bytes as base64, times in ISO 8601 with or without an offset, NaN of a float for null, integers as texts
        and as floats."""
        types = {"k": Int64, "t": UnixTimestamp, "x": Bytes}
        source = make_source({"k": [0], "t": [NOON], "x": [b""]}, types, timestamp_field="t")
        append(source, {"k": ["1"], "t": ["2026-01-01 13:00:00"], "x": [base64.b64encode(b"\x00\xff").decode()]})
        append(source, {"k": [2.0], "t": ["2026-01-01T15:00:00.000001+02:00"], "x": [None]})
        assert values(source, Bytes) == {0: b"", 1: b"\x00\xff", 2: None}
        floats = make_source({"k": [0], "t": [NOON], "x": [1.5]}, types | {"x": Float64}, timestamp_field="t")
        append(floats, {"k": [1, 2], "t": [NOON, NOON], "x": [math.nan, 7]})
        assert values(floats, Float64) == {0: 1.5, 1: None, 2: 7.0}

    def test_times_are_kept_to_the_microsecond(
        self, store: OfflineStore, make_source: MakeSource, append: Any, repo_path: Path
    ) -> None:
        """3. Event and created times, with zone or, in UTC, without one."""
        source = make_source(
            {"k": [0], "t": [NOON], "c": [NOON], "x": [0]},
            {**STATS, "c": UnixTimestamp},
            timestamp_field="t",
            created_timestamp_column="c",
        )
        at = NOON + HOUR + MICROSECOND
        append(source, {"k": [1, 2], "t": [at, at.replace(tzinfo=None)], "c": [at, None], "x": [1, 2]})
        rows = all_rows(store, a_job(a_view(source, {"x": Int64})), repo_path)
        assert rows.event_us == [to_microseconds(moment) for moment in (NOON, at, at)]
        assert rows.created_us == [to_microseconds(NOON), to_microseconds(at), 0]

    def test_the_newest_event_wins_wherever_it_is(self, stats_source: DataSource, append: Any, values: Any) -> None:
        """4. Of rows with equal times, the one that was appended later, within a batch too."""
        append(stats_source, {"k": [0, 1, 1, 1], "t": hours(0, 2, 3, 3), "x": [1, 12, 13, 14]})
        assert values(stats_source) == {0: 1, 1: 14}
        append(stats_source, {"k": [0, 1], "t": hours(-1, 1), "x": [2, 11]})
        assert values(stats_source) == {0: 1, 1: 14}
        append(stats_source, {"k": [0, 1], "t": hours(0, 3), "x": [3, 15]})
        assert values(stats_source) == {0: 3, 1: 15}

    def test_columns_are_those_of_the_source(self, make_source: MakeSource, append: Any, values: Any) -> None:
        """5. Under the names before `field_mapping`, in any order, whatever they are called."""
        mapping = {'the "id"': "k", "when": "t", "it's; --": "x"}
        for event in ("when", "t"):
            source = make_source(
                {'the "id"': [0], "when": [NOON], "it's; --": [0], "a.b": [0], "select": ["é"]},
                {'the "id"': Int64, "when": UnixTimestamp, "it's; --": Int64, "a.b": Int64, "select": String},
                timestamp_field=event,
                field_mapping=mapping,
            )
            append(source, {"select": ["日本"], "a.b": [5], "it's; --": [7], 'the "id"': [1], "when": [NOON]})
            assert values(source) == {0: 0, 1: 7}

    def test_the_source_behind_a_push_source_is_appended_to(
        self, stats_source: DataSource, append: Any, values: Any
    ) -> None:
        """6. As for any other source."""
        pushed = PushSource(name="pushed", batch_source=stats_source)
        append(pushed, {"k": [1], "t": [NOON], "x": [7]})
        assert values(pushed) == values(stats_source) == {0: 0, 1: 7}

    # Batches.

    def test_bodies_are_written_in_their_order(
        self, store: OfflineStore, stats_source: DataSource, values: Any, repo_path: Path
    ) -> None:
        """7. All of them in one batch, also by another store than the one that encoded them."""
        writer = store.writer(stats_source, repo_path)
        bodies = [writer.encode({"k": [1, at], "t": [NOON] * 2, "x": [at, at]}).body for at in range(2, 40)]
        assert values(stats_source) == {0: 0}
        assert store.writer(stats_source, repo_path).write(bodies, batch_id()).rows == 76
        assert values(stats_source) == {0: 0, 1: 39, **{at: at for at in range(2, 40)}}

    def test_a_batch_is_written_once(
        self, count_rows: Any, store: OfflineStore, make_store: MakeStore, stats_source: DataSource, repo_path: Path
    ) -> None:
        """8. However often it comes, and also when it comes twice at once; the receipt is the same."""
        writers = [store.writer(stats_source, repo_path) for _ in range(4)]
        body = writers[0].encode({"k": [1, 2], "t": [NOON] * 2, "x": [7, 8]}).body
        batch = batch_id()
        with ThreadPoolExecutor(len(writers)) as threads:
            receipts = list(threads.map(lambda writer: writer.write([body], batch), writers))
        receipts.append(writers[0].write([body], batch))
        assert {receipt.rows for receipt in receipts} == {2}
        assert count_rows(stats_source) == 3
        other = make_store()
        other.writer(stats_source, repo_path).write([body], batch)
        other.close()
        assert count_rows(stats_source) == 3

    def test_writers_at_once_lose_nothing_and_readers_see_whole_batches(
        self, count_rows: Any, make_store: MakeStore, stats_source: DataSource, repo_path: Path
    ) -> None:
        """9. Of several stores, each from several threads, while others read and compact."""
        stores = [make_store() for _ in range(3)]
        batches, rows = 6, 50
        over = threading.Event()
        torn: list[int] = []

        def write(number: int) -> None:
            writer = stores[number % 2].writer(stats_source, repo_path)
            for batch in range(batches):
                first = 1 + (number * batches + batch) * rows
                keys = list(range(first, first + rows))
                body = writer.encode({"k": keys, "t": [NOON] * rows, "x": keys}).body
                writer.write([body], batch_id())

        def read() -> None:
            while not over.is_set():
                found = all_rows(stores[2], a_job(a_view(stats_source, {"x": Int64})), repo_path)
                torn.append((len(found) - 1) % rows)

        def compact() -> None:
            while not over.is_set():
                stores[2].compact(stats_source, repo_path)

        with ThreadPoolExecutor(6) as threads:
            others = [threads.submit(read), threads.submit(compact)]
            try:
                list(threads.map(write, range(4)))
            finally:
                over.set()
            for other in others:
                other.result()
        assert count_rows(stats_source) == 1 + 4 * batches * rows
        assert set(torn) == {0}
        for store in stores:
            store.close()

    # What is refused.

    def test_columns_that_do_not_fit_are_named(
        self, count_rows: Any, store: OfflineStore, stats_source: DataSource, repo_path: Path
    ) -> None:
        """10. Missing ones, unknown ones, and those of another length; nothing is written."""
        writer = store.writer(stats_source, repo_path)
        refused: list[tuple[Columns, list[str]]] = [
            ({"k": [1], "x": [1]}, ["t"]),
            ({"k": [1], "t": [NOON], "x": [1], "y": [1], "K": [1]}, ["y", "K"]),
            ({"k": [1], "t": [NOON], "z": [1]}, ["x", "z"]),
            ({"k": [1, 2], "t": [NOON, NOON], "x": [1]}, ["x"]),
        ]
        for columns, wrong in refused:
            with pytest.raises(InvalidInput) as caught:
                writer.encode(columns)
            assert [path for path, _ in caught.value.problems] == wrong
            assert wrong[0] in str(caught.value)
        assert count_rows(stats_source) == 1

    @pytest.mark.parametrize(
        ("name", "wrong"),
        [
            ("Int32", 2**31),
            ("Int64", 2**63),
            ("Int64", "seven"),
            ("Int64", 2**200),
            ("Float64", "many"),
            ("Bool", 2),
            ("String", ["a"]),
            ("String", "\ud800"),
            ("Bytes", "no base64!"),
            ("UnixTimestamp", "yesterday"),
            ("Decimal", "1.23456"),
            ("Decimal", "1e40"),
            ("Decimal", "NaN"),
            ("Uuid", "2f9b"),
            ("Json", "{"),
            ("Map", [1]),
            ("Struct", {"a b": "x", "c": "x", "t": NOON}),
            ("Array(Int64)", [1, "x"]),
            ("Array(Int64)", 1),
        ],
    )
    def test_a_value_that_does_not_fit_is_named(
        self, store: OfflineStore, make_source: MakeSource, repo_path: Path, name: str, wrong: Any
    ) -> None:
        """11. With its column and row, in one line; nothing is written."""
        if name not in self.types:
            pytest.skip(f"this store does not append {name}")
        dtype, stored, _ = VALUES[name]
        types = {"k": Int64, "t": UnixTimestamp, "x": dtype}
        source = make_source({"k": [0], "t": [NOON], "x": stored[:1]}, types, timestamp_field="t")
        writer = store.writer(source, repo_path)
        with pytest.raises(InvalidInput) as caught:
            writer.encode({"k": [1, 2, 3], "t": [NOON] * 3, "x": [stored[0], None, wrong]})
        assert [path for path, _ in caught.value.problems] == ["x[2]"]
        assert str(caught.value).startswith("x[2]: ")
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("wrong", [None, math.nan, 1_767_265_200, 1.5, "1767265200", "noon", True])
    def test_an_event_time_is_needed(
        self, store: OfflineStore, stats_source: DataSource, repo_path: Path, wrong: Any
    ) -> None:
        """12. Nulls and bare numbers are none."""
        writer = store.writer(stats_source, repo_path)
        with pytest.raises(InvalidInput, match=r"^t\[1\]: "):
            writer.encode({"k": [1, 2], "t": [NOON, wrong], "x": [1, 2]})

    # Compaction.

    def test_compaction_changes_nothing_that_is_read(
        self, count_rows: Any, store: OfflineStore, stats_source: DataSource, append: Any, values: Any, repo_path: Path
    ) -> None:
        """13. Neither which row is the newest, nor that a batch is known; done twice it does nothing more."""
        known = batch_id()
        append(stats_source, {"k": [1, 1], "t": hours(1, 1), "x": [1, 2]}, known)
        for x in (3, 4):
            append(stats_source, {"k": [1, 2], "t": hours(1, x), "x": [x, x]})
        before = values(stats_source)
        assert before == {0: 0, 1: 4, 2: 4}
        store.compact(stats_source, repo_path)
        assert store.compact(stats_source, repo_path).parts == 0
        append(stats_source, {"k": [1, 1], "t": hours(1, 1), "x": [1, 2]}, known)
        assert values(stats_source) == before
        assert count_rows(stats_source) == 7
        append(stats_source, {"k": [1], "t": hours(1), "x": [5]})
        assert values(stats_source) == {**before, 1: 5}
