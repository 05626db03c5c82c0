"""The contract of an online store: what plans and materializations rely on, as tests to inherit."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, TypeAlias

import pytest

from feast_core.definitions import (
    Array,
    Entity,
    FeastType,
    FeatureView,
    Field,
    FileSource,
    Float32,
    Int64,
    Json,
    Set,
    String,
    Struct,
)
from feast_core.interfaces import KeyedRow, OnlineStore, Reader, Receipt, StoredRow, ViewRead
from feast_core.keys import KeyEncoder
from feast_core.rows import nulls_of, schema_of

MakeStore: TypeAlias = Callable[[], OnlineStore]
Wait: TypeAlias = Callable[..., Any]
Rows: TypeAlias = Callable[..., Any]

PROJECT = "contract"
OTHER_PROJECT = "contract_2"
#: Event times of the tests, in microseconds: one moment, and a second later.
EARLIER, LATER = 1_700_000_000_000_000, 1_700_000_001_000_000


def a_view(name: str = "stats", **features: FeastType) -> ViewRead:
    """A feature view of one entity, with these features, as a reader gets it."""
    fields = [Field(name=feature, dtype=dtype) for feature, dtype in (features or {"rate": Float32}).items()]
    driver = Entity(name="driver", join_keys=["driver_id"])
    view = FeatureView(name=name, entities=[driver], schema=fields, source=FileSource(path=f"{name}.parquet"))
    return ViewRead(view, schema_of(view.features))


def places(*names: str) -> list[str]:
    """Where the store keeps the rows of `a_view(name)`."""
    return [a_view(name).place for name in names]


def a_key(number: int) -> bytes:
    """The key of one entity with an integer join key."""
    return KeyEncoder({"driver_id": Int64}).encode([[number]], 1)[0]


def a_row(
    key: bytes,
    values: bytes = b"[0.5]",
    *,
    read: ViewRead | None = None,
    event_us: int = EARLIER,
    created_us: int = 0,
    nulls: bytes = b"",
) -> KeyedRow:
    """A row for a writer of `read` (default: that of `a_view()`)."""
    schema = (read or a_view()).schema
    return (key, event_us, created_us, schema.fingerprint, nulls, values)


#: Where the rows of `a_view()` are.
STATS = a_view().place


class OnlineStoreContract:
    """Inherit, and say how a store is made:

        class TestMysql(OnlineStoreContract):
            @pytest.fixture
            def make_store(self, mysql_url):
                return lambda: MysqlOnlineStore(MysqlOnlineStore.Options(url=mysql_url))

    Every call of `make_store` gives a new store over the same place, and a test starts with an empty place. Each
    docstring is a promise of the interface and begins with its number.
    """

    #: Two stores made from the same options see the same rows, as those of several server processes must.
    is_shared: ClassVar[bool] = True
    #: A reader's coroutine never suspends, so that a request is answered without a turn of the event loop.
    is_embedded: ClassVar[bool] = False

    def key(self, number: int) -> bytes:
        """The key of one entity; override it to test keys of another shape."""
        return a_key(number)

    @pytest.fixture
    def make_store(self) -> MakeStore:
        """Makes a store; override it."""
        raise NotImplementedError("define the fixture make_store, see OnlineStoreContract")

    @pytest.fixture
    def open_store(self, make_store: MakeStore) -> Iterator[MakeStore]:
        """Makes stores that are closed after the test."""
        opened: list[OnlineStore] = []

        def open_one() -> OnlineStore:
            opened.append(make_store())
            return opened[-1]

        yield open_one
        for store in reversed(opened):
            store.close()

    @pytest.fixture
    def store(self, open_store: MakeStore) -> Iterator[OnlineStore]:
        """A store with a place for the view `stats`, empty."""
        store = open_store()
        for project in (PROJECT, OTHER_PROJECT):
            store.teardown(project)
        store.update(PROJECT, places("stats"), [])
        yield store
        for project in (PROJECT, OTHER_PROJECT):
            store.teardown(project)

    @pytest.fixture
    def wait(self) -> Iterator[Wait]:
        """Runs coroutines of a test in one event loop, as a worker does."""
        with asyncio.Runner() as runner:
            yield runner.run

    @pytest.fixture
    def rows(self, wait: Wait) -> Rows:
        """`rows(store, keys, read=a_view(), project=PROJECT)`: what a new reader of one view gives for the keys."""

        def read_rows(
            store: OnlineStore, keys: Sequence[bytes], read: ViewRead | None = None, project: str = PROJECT
        ) -> list[StoredRow | None]:
            reader = store.reader(project, [read or a_view()])
            found: list[StoredRow | None] = wait(reader([list(keys)]))[0]
            return found

        return read_rows

    # What a row is.

    def test_a_row_comes_back_as_it_was_written(self, store: OnlineStore, rows: Rows) -> None:
        """1. A row is given back as (event time, fingerprint, nulls, values), the last two as bytes."""
        read = a_view(rate=Float32, trips=Int64)
        written = a_row(self.key(1), b"[null,3]", read=read, nulls=nulls_of([0]))
        assert write(store, read, [written]) == Receipt(written=1, superseded=0)
        (row,) = rows(store, [self.key(1)], read)
        assert tuple(row[:4]) == (EARLIER, read.schema.fingerprint, nulls_of([0]), b"[null,3]")
        assert [type(part) for part in row[:4]] == [int, int, bytes, bytes]

    @pytest.mark.parametrize(
        "event_us", [-62_135_596_800_000_000, -1, 0, 1, 253_402_300_799_999_999, -(2**63), 2**63 - 1]
    )
    def test_event_time_is_exact(self, store: OnlineStore, rows: Rows, event_us: int) -> None:
        """2. Event times are 64-bit microseconds, before 1970 too."""
        write(store, a_view(), [a_row(self.key(1), event_us=event_us)])
        assert rows(store, [self.key(1)])[0][0] == event_us

    def test_values_may_be_long_and_hold_any_text(self, store: OnlineStore, rows: Rows) -> None:
        """3. Values are bytes of any length and content."""
        values = ('["' + "é\u0000日本\\" * 100_000 + '"]').encode()
        write(store, a_view(), [a_row(self.key(1), values), a_row(self.key(2), b"[]")])
        assert [row[3] for row in rows(store, [self.key(1), self.key(2)])] == [values, b"[]"]

    def test_keys_are_compared_byte_by_byte(self, store: OnlineStore, rows: Rows) -> None:
        """4. A key is any bytes, also none, as that of a view without entities; nothing is trimmed or folded."""
        keys = [b"", b"\0", b"\0\0", b"a", b"A", b"a ", b"a\0", b"a\0b", b"\xff" * 8, b"k" * 4000]
        write(store, a_view(), [a_row(key, b"[%d]" % at) for at, key in enumerate(keys)])
        assert [row[3] for row in rows(store, keys)] == [b"[%d]" % at for at in range(len(keys))]

    # Which row wins.

    def test_newer_row_replaces_older(self, store: OnlineStore, rows: Rows) -> None:
        """5. The newest event wins."""
        write(store, a_view(), [a_row(self.key(1), b"[1.0]", event_us=EARLIER)])
        assert write(store, a_view(), [a_row(self.key(1), b"[2.0]", event_us=EARLIER + 1)]) == Receipt(1, 0)
        assert tuple(rows(store, [self.key(1)])[0][:4:3]) == (EARLIER + 1, b"[2.0]")

    def test_older_row_does_not_replace_newer(self, store: OnlineStore, rows: Rows) -> None:
        """6. An older event never replaces a newer one, whenever it was created; the receipt says so."""
        write(store, a_view(), [a_row(self.key(1), b"[1.0]", event_us=LATER)])
        older = a_row(self.key(1), b"[2.0]", event_us=EARLIER, created_us=LATER * 2)
        fresh = a_row(self.key(2), b"[3.0]", event_us=EARLIER)
        assert write(store, a_view(), [older, fresh]) == Receipt(written=1, superseded=1)
        assert [row[3] for row in rows(store, [self.key(1), self.key(2)])] == [b"[1.0]", b"[3.0]"]

    def test_created_time_decides_between_rows_of_one_event(self, store: OnlineStore, rows: Rows) -> None:
        """7. At the same event time the later created row wins; 0, no created time, is the earliest."""
        write(store, a_view(), [a_row(self.key(1), b"[1.0]", created_us=5), a_row(self.key(2), b"[1.0]", created_us=5)])
        receipt = write(
            store, a_view(), [a_row(self.key(1), b"[2.0]", created_us=4), a_row(self.key(2), b"[2.0]", created_us=6)]
        )
        assert receipt == Receipt(written=1, superseded=1)
        assert write(store, a_view(), [a_row(self.key(1), b"[0.0]")]) == Receipt(0, 1)
        assert [row[3] for row in rows(store, [self.key(1), self.key(2)])] == [b"[1.0]", b"[2.0]"]

    def test_later_write_wins_between_equal_times(self, store: OnlineStore, rows: Rows) -> None:
        """8. At the same event and created time the later write wins, so that a run can be repeated."""
        write(store, a_view(), [a_row(self.key(1), b"[1.0]", created_us=5)])
        assert write(store, a_view(), [a_row(self.key(1), b"[2.0]", created_us=5)]) == Receipt(1, 0)
        assert rows(store, [self.key(1)])[0][3] == b"[2.0]"

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
    def test_newest_of_a_batch_wins_whatever_its_order(
        self, store: OnlineStore, rows: Rows, order: tuple[int, ...]
    ) -> None:
        """9. A key may be repeated within a batch; every row is counted once in the receipt."""
        receipt = write(store, a_view(), [a_row(self.key(1), b"[%d]" % at, event_us=EARLIER + at) for at in order])
        assert receipt.written + receipt.superseded == 3
        assert receipt.written >= 1
        assert rows(store, [self.key(1)])[0][3] == b"[2]"

    def test_last_of_equal_rows_in_a_batch_wins(self, store: OnlineStore, rows: Rows) -> None:
        """10. Within a batch the later write is the one that stands later in it."""
        write(store, a_view(), [a_row(self.key(1), b"[%d]" % at) for at in range(3)])
        assert rows(store, [self.key(1)])[0][3] == b"[2]"

    def test_nothing_to_write_is_written(self, store: OnlineStore) -> None:
        """11. A batch may be empty."""
        assert write(store, a_view(), []) == Receipt(0, 0)

    # Reading.

    @pytest.mark.parametrize("count", [0, 1, 2, 3, 511, 512, 513, 1500])
    def test_rows_come_in_the_order_of_the_keys(self, store: OnlineStore, rows: Rows, count: int) -> None:
        """12. One row per key, in the order of the keys, for any number of keys; None where there is no row."""
        write(store, a_view(), [a_row(self.key(number), b"[%d]" % number) for number in range(0, count, 2)])
        numbers = [(number * 7919) % count for number in range(count)]
        expected = [None if number % 2 else b"[%d]" % number for number in numbers]
        found = rows(store, [self.key(number) for number in numbers])
        assert [row and row[3] for row in found] == expected

    @pytest.mark.parametrize("count", [2, 512, 600])
    def test_keys_may_repeat(self, store: OnlineStore, rows: Rows, count: int) -> None:
        """13. A key may be asked for more than once, known or not."""
        write(store, a_view(), [a_row(self.key(1), b"[1]"), a_row(self.key(3), b"[3]")])
        numbers = [1, 2, 3, 1, 2] * (count // 2)
        found = rows(store, [self.key(number) for number in numbers])
        assert [row and row[3] for row in found] == [{1: b"[1]", 2: None, 3: b"[3]"}[number] for number in numbers]

    def test_many_views_are_read_in_one_trip(self, store: OnlineStore, wait: Wait) -> None:
        """14. A reader of several views gives their rows in the order of the views, which may have keys of their own,
        be read twice, or have nothing to read."""
        reads = [a_view("stats"), a_view("prices"), a_view("stats"), a_view("empty")]
        store.update(PROJECT, places("stats", "prices", "empty"), [])
        write(store, reads[0], [a_row(self.key(number), b"[%d]" % number) for number in range(3)])
        write(store, reads[1], [a_row(b"price", b"[9]")])
        reader = store.reader(PROJECT, reads)
        found = wait(reader([[self.key(2), self.key(0)], [b"price"], [self.key(1)], []]))
        assert [[row and row[3] for row in view] for view in found] == [[b"[2]", b"[0]"], [b"[9]"], [b"[1]"], []]

    def test_a_reader_sees_what_is_written_after_it_was_made(self, store: OnlineStore, wait: Wait) -> None:
        """15. A reader lives as long as a plan; it reads what is there when it is called."""
        reader = store.reader(PROJECT, [a_view()])
        assert wait(reader([[self.key(1)]])) == [[None]]
        for at in range(3):
            write(store, a_view(), [a_row(self.key(1), b"[%d]" % at, event_us=EARLIER + at)])
            assert wait(reader([[self.key(1)]]))[0][0][3] == b"[%d]" % at

    def test_reads_at_the_same_time_do_not_mix(self, store: OnlineStore, wait: Wait) -> None:
        """16. One reader may run many times at once in one event loop."""
        write(store, a_view(), [a_row(self.key(number), b"[%d]" % number) for number in range(50)])
        reader = store.reader(PROJECT, [a_view()])

        async def many() -> list[bytes]:
            answers = await asyncio.gather(
                *(reader([[self.key(number), self.key(number + 1)]]) for number in range(49))
            )
            return [row[3] for answer in answers for row in answer[0] if row]

        assert wait(many()) == [b"[%d]" % (number + step) for number in range(49) for step in (0, 1)]

    def test_an_embedded_reader_never_suspends(self, store: OnlineStore) -> None:
        """17. The coroutine of an embedded store's reader ends in one step; that of another store suspends."""
        write(store, a_view(), [a_row(self.key(1))])

        async def in_a_loop() -> bool:
            coroutine = store.reader(PROJECT, [a_view()])([[self.key(1)] * 3])
            assert inspect.iscoroutine(coroutine)
            try:
                coroutine.send(None)
            except StopIteration as done:
                return len(done.value[0]) == 3
            coroutine.close()
            return False

        assert asyncio.run(in_a_loop()) is self.is_embedded

    # Whose rows they are.

    def test_views_do_not_see_each_others_rows(self, store: OnlineStore, rows: Rows) -> None:
        """18. Rows belong to one view, whatever its name looks like."""
        names = ["stats", "Stats", "stats_2", "stats 2", 'sta"ts', "st.ats", "stats; DROP TABLE x", "%", "é"]
        store.update(PROJECT, places(*names), [])
        for at, name in enumerate(names):
            write(store, a_view(name), [a_row(self.key(1), b"[%d]" % at)])
        assert [rows(store, [self.key(1)], a_view(name))[0][3] for name in names] == [
            b"[%d]" % at for at in range(len(names))
        ]

    def test_projects_do_not_see_each_others_rows(self, store: OnlineStore, rows: Rows) -> None:
        """19. Rows belong to one project; two projects may share a place, and names of views."""
        store.update(OTHER_PROJECT, places("stats"), [])
        write(store, a_view(), [a_row(self.key(1), b"[1]")])
        assert rows(store, [self.key(1)], project=OTHER_PROJECT) == [None]
        write(store, a_view(), [a_row(self.key(1), b"[2]")], OTHER_PROJECT)
        assert rows(store, [self.key(1)])[0][3] == b"[1]"
        assert rows(store, [self.key(1)], project=OTHER_PROJECT)[0][3] == b"[2]"

    # Schemas.

    def test_schema_is_stored_before_rows(self, store: OnlineStore, wait: Wait) -> None:
        """20. A writer stores its schema before its first row, so that whoever finds a row finds its schema."""
        everything = a_view(
            "stats",
            rate=Float32,
            tags=Set(String),
            nested=Array(Array(Int64)),
            place=Struct({"a 'b\" é": Int64, "c": Array(String)}),
            text=Json,
        )
        store.writer(PROJECT, STATS, everything.schema)
        fingerprint = everything.schema.fingerprint
        assert wait(store.schemas(PROJECT, [fingerprint])) == {fingerprint: everything.schema}

    def test_schemas_are_found_by_fingerprint(self, store: OnlineStore, wait: Wait) -> None:
        """21. Many at once, unknown ones are absent; writing under a schema again changes nothing."""
        reads = [a_view("stats", **{f"f{number}": Int64}) for number in range(4)]
        for read in [*reads, reads[0]]:
            store.writer(PROJECT, STATS, read.schema)
        wanted = [read.schema.fingerprint for read in reads]
        found = wait(store.schemas(PROJECT, [*wanted, 1, -1]))
        assert found == {read.schema.fingerprint: read.schema for read in reads}
        assert wait(store.schemas(PROJECT, [])) == {}

    def test_rows_of_every_schema_are_given_back(self, store: OnlineStore, rows: Rows) -> None:
        """22. A reader gives back rows as they were written, also under a schema that is not its own."""
        old, new = a_view("stats", rate=Float32), a_view("stats", rate=Float32, trips=Int64)
        write(store, old, [a_row(self.key(1), b"[0.5]", read=old), a_row(self.key(2), b"[0.5]", read=old)])
        write(store, new, [a_row(self.key(1), b"[0.5,1]", read=new)])
        assert [row[1] for row in rows(store, [self.key(1), self.key(2)], old)] == [
            new.schema.fingerprint,
            old.schema.fingerprint,
        ]

    # Places.

    def test_update_twice_keeps_rows(self, store: OnlineStore, rows: Rows) -> None:
        """23. Making place is idempotent, also for views that have rows."""
        write(store, a_view(), [a_row(self.key(1))])
        for _ in range(2):
            store.update(PROJECT, places("stats", "more"), [])
        assert rows(store, [self.key(1)]) != [None]

    def test_dropped_view_loses_its_rows(self, store: OnlineStore, rows: Rows) -> None:
        """24. Dropping forgets the rows of that view and of no other; dropping what is not there is no error."""
        store.update(PROJECT, places("stats", "kept"), [])
        for name in ("stats", "kept"):
            write(store, a_view(name), [a_row(self.key(1))])
        for _ in range(2):
            store.update(PROJECT, [], places("stats", "never_there"))
        assert rows(store, [self.key(1)]) == [None]
        assert rows(store, [self.key(1)], a_view("kept")) != [None]
        store.update(PROJECT, places("stats"), [])
        assert rows(store, [self.key(1)]) == [None]

    def test_rows_of_a_place_are_counted_up_to_a_limit(self, store: OnlineStore) -> None:
        """33. Or not at all, where a store cannot tell; a place that is not there has none, and is not made."""
        write(store, a_view(), [a_row(self.key(number)) for number in range(5)])
        found = [store.count(PROJECT, STATS, most) for most in (3, 5, 10)]
        assert found in ([3, 5, 5], [None, None, None])
        for project, place in ((PROJECT, places("never_there")[0]), (OTHER_PROJECT, STATS)):
            assert store.count(project, place, 10) in (0, None)

    def test_teardown_forgets_the_project_only(self, store: OnlineStore, rows: Rows) -> None:
        """25. After a teardown the project is empty, can be used again, and other projects are as they were."""
        store.update(OTHER_PROJECT, places("stats"), [])
        for project in (PROJECT, OTHER_PROJECT):
            write(store, a_view(), [a_row(self.key(1))], project)
        for _ in range(2):
            store.teardown(PROJECT)
        assert rows(store, [self.key(1)]) == [None]
        assert rows(store, [self.key(1)], project=OTHER_PROJECT) != [None]
        store.update(PROJECT, places("stats"), [])
        write(store, a_view(), [a_row(self.key(1))])
        assert rows(store, [self.key(1)]) != [None]

    def test_reader_may_be_made_before_its_view(self, open_store: MakeStore, store: OnlineStore, wait: Wait) -> None:
        """26. A view that nobody has applied or written yet has no rows; the same reader finds them later."""
        reader = store.reader(PROJECT, [a_view("later"), a_view("stats")])
        assert wait(reader([[self.key(1)], [self.key(1), self.key(2)]])) == [[None], [None, None]]
        store.update(PROJECT, places("later"), [])
        assert wait(reader([[self.key(1)], [self.key(1)]])) == [[None], [None]]
        write(store, a_view("later"), [a_row(self.key(1))])
        assert wait(reader([[self.key(1)], []]))[0][0] is not None

    def test_reader_survives_that_its_view_is_dropped_and_made_again(
        self, open_store: MakeStore, store: OnlineStore, wait: Wait
    ) -> None:
        """27. Also when another process does it: the reader sees no row, then the new ones, never those of a view that
        was made in its place."""
        other = open_store() if self.is_shared else store
        write(store, a_view(), [a_row(self.key(1), b"[1]")])
        reader = store.reader(PROJECT, [a_view()])
        assert wait(reader([[self.key(1)]]))[0][0][3] == b"[1]"
        other.update(PROJECT, [], places("stats"))
        other.update(PROJECT, places("intruder"), [])
        write(other, a_view("intruder"), [a_row(self.key(1), b"[666]")])
        assert wait(reader([[self.key(1)]])) == [[None]]
        other.update(PROJECT, places("stats"), [])
        assert wait(reader([[self.key(1)] * 3])) == [[None] * 3]
        write(other, a_view(), [a_row(self.key(1), b"[2]")])
        assert [row[3] for row in wait(reader([[self.key(1)] * 3]))[0]] == [b"[2]"] * 3

    # Several at once.

    def test_stores_over_one_place_see_each_others_rows(
        self, open_store: MakeStore, store: OnlineStore, wait: Wait
    ) -> None:
        """28. What one process writes, the readers of all others give at once, with its schema."""
        if not self.is_shared:
            pytest.skip("rows of this store are not shared")
        read = a_view("stats", trips=Int64)
        reader = open_store().reader(PROJECT, [read])
        assert wait(reader([[self.key(1)]])) == [[None]]
        write(store, read, [a_row(self.key(1), b"[5]", read=read)])
        assert wait(reader([[self.key(1)]]))[0][0][3] == b"[5]"
        fingerprint = read.schema.fingerprint
        assert wait(open_store().schemas(PROJECT, [fingerprint])) == {fingerprint: read.schema}

    def test_newest_event_wins_between_threads(self, store: OnlineStore, rows: Rows) -> None:
        """29. Writers may run in many threads, each with a writer of its own or all with one; nothing is lost and the
        newest event of each key stays."""
        threads, batches, keys = 4, 10, 20
        shared = store.writer(PROJECT, STATS, a_view().schema)
        receipts: list[Receipt] = []

        def work(thread: int) -> None:
            own = store.writer(PROJECT, STATS, a_view().schema)
            for batch in range(batches):
                event = EARLIER + (batch * 7 + thread * 3) % 40
                rows = [a_row(self.key(key), b"[%d]" % event, event_us=event) for key in range(keys)]
                receipts.append((own if batch % 2 else shared)(rows))

        in_threads(work, threads)
        newest = max(EARLIER + (batch * 7 + thread * 3) % 40 for batch in range(batches) for thread in range(threads))
        assert [row[0] for row in rows(store, [self.key(key) for key in range(keys)])] == [newest] * keys
        assert {row[3] for row in rows(store, [self.key(key) for key in range(keys)])} == {b"[%d]" % newest}
        assert sum(receipt.written + receipt.superseded for receipt in receipts) == threads * batches * keys

    def test_readers_work_while_others_write(self, store: OnlineStore, wait: Wait) -> None:
        """30. A row is read whole: its values are always those of its event time, and events never go back."""
        write(store, a_view(), [a_row(self.key(key), b"[0]", event_us=0) for key in range(50)])
        done = threading.Event()

        def work(_: int) -> None:
            try:
                for event in range(1, 60):
                    write(store, a_view(), [a_row(self.key(key), b"[%d]" % event, event_us=event) for key in range(50)])
            finally:
                done.set()

        writer = threading.Thread(target=work, args=(0,))
        writer.start()
        reader = store.reader(PROJECT, [a_view()])
        last = 0
        while not done.is_set():
            for row in wait(reader([[self.key(0), self.key(49)]]))[0]:
                assert row[3] == b"[%d]" % row[0]
            assert row[0] >= last
            last = row[0]
        writer.join()
        assert wait(reader([[self.key(0)]]))[0][0][0] == 59

    # Beginning and end.

    def test_check_says_that_the_store_is_there(self, store: OnlineStore) -> None:
        """31. `check` returns where the store can be used."""
        store.check()

    def test_close_gives_everything_back(self, open_store: MakeStore, make_store: MakeStore) -> None:
        """32. A store can be closed whether it was used or not, and leaves no thread behind."""
        before = set(threading.enumerate())
        make_store().close()
        used = make_store()
        used.update(PROJECT, places("stats"), [])
        write(used, a_view(), [a_row(self.key(1))])
        asyncio.run(_read(used.reader(PROJECT, [a_view()]), self.key(1)))
        used.close()
        left = [thread for thread in threading.enumerate() if thread not in before]
        for thread in left:
            thread.join(5)
        assert not [thread for thread in left if thread.is_alive()]
        if self.is_shared:
            again = open_store()
            assert asyncio.run(_read(again.reader(PROJECT, [a_view()]), self.key(1))) is not None
            again.teardown(PROJECT)


def write(store: OnlineStore, read: ViewRead, rows: Sequence[KeyedRow], project: str = PROJECT) -> Receipt:
    """Write rows with a new writer; their fingerprint is put right, so that `a_row` need not be told the view."""
    fingerprint = read.schema.fingerprint
    return store.writer(project, read.place, read.schema)([(*row[:3], fingerprint, *row[4:]) for row in rows])


def in_threads(work: Callable[[int], None], count: int) -> None:
    """Run `work(0)`, `work(1)`, ... at the same time; raises what the first of them raised."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        except BaseException as error:  # boundary: a thread of a test, whose error the test shall see
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


async def _read(reader: Reader, key: bytes) -> StoredRow | None:
    return (await reader([[key]]))[0][0]
