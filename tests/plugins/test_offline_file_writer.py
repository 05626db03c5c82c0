"""Rows appended to parquet files: the contract, and what is particular to parts, companions and compaction."""

import errno
import math
import os
import resource
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from feast_offline_file import compaction, durable
from feast_offline_file import store as store_module
from feast_offline_file import writer as writer_module
from feast_offline_file.columns import quoted
from feast_offline_file.database import MIB
from feast_offline_file.files import file_source, parts_below
from feast_offline_file.parts import Place
from feast_offline_file.source import OpenSource
from feast_offline_file.store import FileOfflineStore

from feast_core.definitions import DataSource, FeastType, FileSource, Int64
from feast_core.errors import InvalidInput, SourceError, Unavailable
from feast_core.interfaces import Compaction, OfflineStore, batch_id
from feast_core.testing.offline import a_job, a_view, all_rows
from feast_core.testing.offline_writing import OfflineWriterContract


def empty_file(path: Path, types: dict[str, str]) -> Path:
    """A file with these columns and no row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = (f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in types.items())
    duckdb.sql(f"COPY (SELECT {', '.join(columns)} LIMIT 0) TO '{path}' (FORMAT parquet)")
    return path


def rows_in(source: DataSource, repo_path: Path) -> int:
    """Rows of all files and parts that are read."""
    with (
        duckdb.connect() as connection,
        OpenSource(file_source(source, source.label), repo_path, connection) as opened,
    ):
        (found,) = connection.execute(f"SELECT count(*) FROM {opened.table}").fetchone() or (0,)
        return int(found)


class Files(OfflineWriterContract):
    """`path`, of a number, says what sources are."""

    path = ""

    @pytest.fixture
    def make_store(self) -> Callable[[], OfflineStore]:
        return lambda: FileOfflineStore(FileOfflineStore.Options())

    @pytest.fixture
    def make_source(
        self, store: OfflineStore, repo_path: Path, duckdb_type: Callable[[FeastType], str]
    ) -> Callable[..., DataSource]:
        numbers = count()

        def make(columns: dict[str, list[Any]], types: dict[str, FeastType], **parameters: Any) -> DataSource:
            path = self.path.format(next(numbers))
            file = repo_path / path if path.endswith(".parquet") else repo_path / path / "stats.parquet"
            empty_file(file, {name: duckdb_type(types[name]) for name in columns})
            source = FileSource(path=path, **parameters)
            writer = store.writer(source, repo_path)
            writer.write([writer.encode(columns).body], batch_id())
            store.compact(source, repo_path)
            return source

        return make

    @pytest.fixture
    def count_rows(self, repo_path: Path) -> Callable[[DataSource], int]:
        return lambda source: rows_in(source, repo_path)


class TestSingleFile(Files):
    path = "data/{}.parquet"


class TestFolder(Files):
    path = "data/folder {}"


# Files.

T = "TIMESTAMP"
TYPES = {"k": "BIGINT", "t": T, "x": "BIGINT"}
AT = "2026-01-01T12:00:00Z"


@pytest.fixture
def store() -> Iterator[FileOfflineStore]:
    store = FileOfflineStore(FileOfflineStore.Options())
    yield store
    store.close()


def stats(path: str = "stats.parquet", **parameters: Any) -> FileSource:
    return FileSource(name="stats", path=path, timestamp_field="t", **parameters)


def push(
    store: FileOfflineStore, source: FileSource, repo_path: Path, keys: list[int], x: int = 0, batch: str = ""
) -> None:
    writer = store.writer(source, repo_path)
    columns = {"k": keys, "t": [AT] * len(keys), "x": [x or key for key in keys]}
    writer.write([writer.encode(columns).body], batch or batch_id())


def newest(store: FileOfflineStore, source: FileSource, repo_path: Path) -> dict[int, int]:
    rows = all_rows(store, a_job(a_view(source, {"x": Int64})), repo_path)
    return dict(zip(rows.columns["k"], rows.columns["x"], strict=True))


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden files too; batches by their number."""
    found = sorted(path.name for path in folder.iterdir())
    parts = [name for name in found if name.startswith("feast-push-")]
    known = {name: f"part {number}{'' if '-merged' not in name else ' merged'}" for number, name in enumerate(parts)}
    return [known.get(name, name) for name in found]


def test_pushed_rows_are_beside_a_single_file_until_they_are_folded_into_it(
    store: FileOfflineStore, tmp_path: Path
) -> None:
    main = empty_file(tmp_path / "stats.parquet", TYPES)
    before = main.read_bytes()
    for x in (1, 2):
        push(store, stats(), tmp_path, [1, 2], x)
    assert main.read_bytes() == before
    assert names(tmp_path) == ["stats.parquet", "stats.parquet.pushed"]
    assert names(tmp_path / "stats.parquet.pushed") == ["part 0", "part 1"]
    assert newest(store, stats(), tmp_path) == {1: 2, 2: 2}
    assert store.compact(stats(), tmp_path) == Compaction(2, 4)
    assert names(tmp_path / "stats.parquet.pushed") == [".feast-compacting"]
    assert duckdb.sql(f"SELECT k, x FROM '{main}'").fetchall() == [(1, 1), (2, 1), (1, 2), (2, 2)]
    assert store.compact(stats(), tmp_path) == Compaction(0, 0)
    assert newest(store, stats(), tmp_path) == {1: 2, 2: 2}


def test_pushed_rows_are_files_of_a_folder(store: FileOfflineStore, tmp_path: Path) -> None:
    """After the others, whatever these are called, so that the later row wins."""
    for name in ("a", "z"):
        empty_file(tmp_path / "stats" / f"{name}.parquet", TYPES)
    duckdb.sql(f"COPY (SELECT 1 AS k, {T} '2026-01-01 12:00' AS t, 9 AS x) TO '{tmp_path}/stats/z.parquet'")
    for x in (1, 2):
        push(store, stats("stats"), tmp_path, [1, 2], x)
    assert names(tmp_path / "stats") == ["a.parquet", "part 0", "part 1", "z.parquet"]
    assert newest(store, stats("stats"), tmp_path) == {1: 2, 2: 2}
    assert store.compact(stats("stats"), tmp_path) == Compaction(2, 4)
    assert names(tmp_path / "stats") == [".feast-compacting", "a.parquet", "part 0 merged", "z.parquet"]
    assert store.compact(stats("stats"), tmp_path) == Compaction(0, 0)
    push(store, stats("stats"), tmp_path, [1], 3)
    assert newest(store, stats("stats"), tmp_path) == {1: 3, 2: 2}
    assert store.compact(stats("stats"), tmp_path) == Compaction(2, 5)
    assert newest(store, stats("stats"), tmp_path) == {1: 3, 2: 2}
    assert rows_in(stats("stats"), tmp_path) == 6


def test_a_source_that_covers_a_file_covers_what_was_pushed_to_it(store: FileOfflineStore, tmp_path: Path) -> None:
    empty_file(tmp_path / "data" / "stats.parquet", TYPES)
    push(store, stats("data/stats.parquet"), tmp_path, [1], 7)
    for path in ("data", "data/*.parquet", "data/*", "data/**/*.parquet"):
        assert newest(store, stats(path), tmp_path) == {1: 7}
        assert rows_in(stats(path), tmp_path) == 1
    push(store, stats("data"), tmp_path, [1], 8)
    assert newest(store, stats("data/stats.parquet"), tmp_path) == {1: 7}
    assert newest(store, stats("data"), tmp_path) == {1: 8}
    store.compact(stats("data/stats.parquet"), tmp_path)
    assert rows_in(stats("data"), tmp_path) == 2


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("data/*.parquet", "stands for several files"),
        ("partitioned", "column=value"),
        ("absent.parquet", "there is no 'absent.parquet'"),
        ("empty", "holds no parquet file"),
        ("s3://bucket/stats.parquet", "is remote"),
    ],
)
def test_a_source_that_does_not_say_where_rows_go_is_refused(
    store: FileOfflineStore, tmp_path: Path, path: str, reason: str
) -> None:
    empty_file(tmp_path / "data" / "stats.parquet", TYPES)
    empty_file(tmp_path / "partitioned" / "day=1" / "stats.parquet", TYPES)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=reason) as caught:
        store.writer(stats(path), tmp_path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_read_right_after_it_was_exchanged_is_the_new_one(
    store: FileOfflineStore, tmp_path: Path
) -> None:
    empty_file(tmp_path / "stats.parquet", TYPES)
    for x in range(1, 40):
        push(store, stats(), tmp_path, [1], x)
        assert newest(store, stats(), tmp_path) == {1: x}
        assert store.compact(stats(), tmp_path) == Compaction(1, 1)
        assert newest(store, stats(), tmp_path) == {1: x}
    assert rows_in(stats(), tmp_path) == 39


# What a source becomes.


def rewrite(path: Path, query: str) -> None:
    """Put another file in its place, at once."""
    new = path.with_suffix(".new")
    duckdb.sql(f"COPY ({query}) TO '{new}' (FORMAT parquet)")
    new.replace(path)


def test_a_replaced_file_is_read_with_the_parts_that_are_there(store: FileOfflineStore, tmp_path: Path) -> None:
    main = empty_file(tmp_path / "stats.parquet", TYPES)
    push(store, stats(), tmp_path, [1, 2], 7)
    rewrite(main, f"SELECT 3::BIGINT AS k, {T} '2026-01-01 12:00' AS t, 9::BIGINT AS x")
    assert newest(store, stats(), tmp_path) == {1: 7, 2: 7, 3: 9}
    assert store.compact(stats(), tmp_path) == Compaction(1, 2)
    assert newest(store, stats(), tmp_path) == {1: 7, 2: 7, 3: 9}


def test_a_writer_sees_that_the_file_has_other_columns(store: FileOfflineStore, tmp_path: Path) -> None:
    """Rows that were encoded before get null for a new one, and are refused where one is gone."""
    main = empty_file(tmp_path / "stats.parquet", TYPES)
    writer = store.writer(stats(), tmp_path)
    columns = {"k": [1], "t": [AT], "x": [7]}
    waiting = writer.encode(columns).body
    rewrite(main, f"SELECT 3::BIGINT AS k, {T} '2026-01-01 12:00' AS t, 9::BIGINT AS x, 'a' AS y")
    with pytest.raises(InvalidInput, match=r"^y: is missing"):
        writer.encode(columns)
    assert writer.write([waiting, writer.encode({**columns, "k": [2], "y": ["b"]}).body], batch_id()).rows == 2
    store.compact(stats(), tmp_path)
    assert duckdb.sql(f"SELECT k, y FROM '{main}' ORDER BY k").fetchall() == [(1, None), (2, "b"), (3, "a")]
    rewrite(main, f"SELECT 3::BIGINT AS k, {T} '2026-01-01 12:00' AS t")
    with pytest.raises(SourceError, match="no column 'x' any more"):
        writer.write([waiting], batch_id())


def test_rows_that_wait_are_written_as_the_type_that_the_file_has_now(store: FileOfflineStore, tmp_path: Path) -> None:
    """Where it holds them exactly."""
    main = empty_file(tmp_path / "stats.parquet", TYPES)
    writer = store.writer(stats(), tmp_path)
    small, large = (writer.encode({"k": [1], "t": [AT], "x": [x]}).body for x in (7, 2**53 + 1))
    rewrite(main, f"SELECT 3::BIGINT AS k, {T} '2026-01-01 12:00' AS t, 0.5::DOUBLE AS x")
    writer.write([small], batch_id())
    with pytest.raises(SourceError, match="'x' was BIGINT when rows were pushed, and is DOUBLE now"):
        writer.write([large], batch_id())
    store.compact(stats(), tmp_path)
    assert duckdb.sql(f"SELECT k, x FROM '{main}' ORDER BY k").fetchall() == [(1, 7.0), (3, 0.5)]


def test_parts_of_another_type_stay_parts(store: FileOfflineStore, tmp_path: Path) -> None:
    """Merged, large integers would be rounded."""
    main = empty_file(tmp_path / "stats.parquet", TYPES)
    push(store, stats(), tmp_path, [1], 7)
    rewrite(main, f"SELECT 3::BIGINT AS k, {T} '2026-01-01 12:00' AS t, 0.5::DOUBLE AS x")
    with pytest.raises(SourceError, match=r"column 'x' of rows that were pushed is BIGINT, and is DOUBLE in"):
        store.compact(stats(), tmp_path)
    assert rows_in(stats(), tmp_path) == 2
    assert names(tmp_path / "stats.parquet.pushed") == [".feast-compacting", "part 0"]


def test_a_compacted_file_is_as_it_was_but_for_its_rows(store: FileOfflineStore, tmp_path: Path) -> None:
    """Types, compression, permissions, notes of its owner; and a link stays a link."""
    kinds = {
        "a": "TINYINT", "b": "UBIGINT", "c": "FLOAT", "d": "DECIMAL(30, 3)", "e": "DATE", "f": "TIMESTAMP_NS",
        "g": "TIMESTAMPTZ", "h": "TIME", "i": "UUID", "j": "BLOB", "l": "STRUCT(a TINYINT, b DATE[])",
        "m": "MAP(VARCHAR, DOUBLE)", "n": "JSON", "o": "UINTEGER", "p": "INTERVAL",
    }  # fmt: skip
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in kinds.items())
    main = tmp_path / "elsewhere" / "real.parquet"
    main.parent.mkdir()
    options = "FORMAT parquet, COMPRESSION zstd, KV_METADATA {owner: 'me', pandas: 'not true any more'}"
    duckdb.sql(f"COPY (SELECT {columns}, {T} '2026-01-01' AS t) TO '{main}' ({options})")
    main.chmod(0o640)
    (tmp_path / "stats.parquet").symlink_to(main)
    types = duckdb.sql(f"SELECT * FROM '{main}'").types
    writer = store.writer(stats(), tmp_path)
    row = {
        "a": -128, "b": 2**64 - 1, "c": 0.5, "d": "123456789012345678901234567.125", "e": "1969-12-31",
        "f": "2026-01-01T00:00:00.000001Z", "g": 1_767_225_600, "h": "10:20:30", "t": AT, "j": "AP8=",
        "i": "2F9B1EE4-0000-4000-8000-0123456789AB", "l": {"a": 1, "b": ["2026-01-01", None]}, "m": {"x": math.nan},
        "n": '{"a": 1}', "o": 2**32 - 1, "p": "3 days",
    }  # fmt: skip
    writer.write([writer.encode({name: [value] for name, value in row.items()}).body], batch_id())
    assert store.compact(stats(), tmp_path) == Compaction(1, 1)
    assert (tmp_path / "stats.parquet").is_symlink()
    assert stat.S_IMODE(main.stat().st_mode) == 0o640
    found = duckdb.sql(f"SELECT * FROM '{main}'")
    assert (found.columns, found.types) == ([*kinds, "t"], types)
    (shown,) = duckdb.sql(f"SELECT COLUMNS(*)::VARCHAR FROM '{main}' WHERE a IS NOT NULL").fetchall()
    assert shown == (
        "-128", "18446744073709551615", "0.5", "123456789012345678901234567.125", "1969-12-31",
        "2026-01-01 00:00:00.000001", shown[6], "10:20:30", "2f9b1ee4-0000-4000-8000-0123456789ab", "\\x00\\xFF",
        "{'a': 1, 'b': [2026-01-01, NULL]}", "{x=nan}", '{"a": 1}', "4294967295", "3 days", "2026-01-01 12:00:00",
    )  # fmt: skip
    assert duckdb.sql(f"SELECT epoch_us(g) FROM '{main}' WHERE a = -128").fetchall() == [(1_767_225_600_000_000,)]
    notes = dict(duckdb.sql(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{main}')").fetchall())
    assert (notes.get("owner"), "pandas" in notes) == ("me", False)
    assert duckdb.sql(f"SELECT DISTINCT compression FROM parquet_metadata('{main}')").fetchall() == [("ZSTD",)]


@pytest.mark.parametrize("wrong", ["-1 hour", "1 day -2 hours", "soon"])
def test_an_interval_that_parquet_lacks_is_refused(store: FileOfflineStore, tmp_path: Path, wrong: str) -> None:
    empty_file(tmp_path / "stats.parquet", {**TYPES, "x": "INTERVAL"})
    writer = store.writer(stats(), tmp_path)
    right = {"k": [1, 2], "t": [AT, AT], "x": ["36:00:00", None]}
    writer.write([writer.encode(right).body], batch_id())
    with pytest.raises(InvalidInput, match=r"^x\[1\]: is no INTERVAL"):
        writer.encode({**right, "x": ["1 month", wrong]})
    assert rows_in(stats(), tmp_path) == 2


def test_a_file_whose_event_times_are_texts_is_refused(store: FileOfflineStore, tmp_path: Path) -> None:
    duckdb.sql(f"COPY (SELECT 1::BIGINT AS k, 'noon' AS t) TO '{tmp_path}/stats.parquet' (FORMAT parquet)")
    with pytest.raises(SourceError, match="'t' is VARCHAR, and must be a timestamp"):
        store.writer(stats(), tmp_path)


# What keeps it from being written.


def test_a_file_that_goes_while_a_batch_is_written_is_told_of(
    store: FileOfflineStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = empty_file(tmp_path / "stats.parquet", TYPES)
    push(store, stats(), tmp_path, [1])
    monkeypatch.setattr(writer_module, "make_directory", lambda directory: main.unlink())
    with pytest.raises(SourceError, match="No such file"):
        push(store, stats(), tmp_path, [2])


def test_a_full_disk_leaves_nothing_behind(
    store: FileOfflineStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the same batch is written when there is room."""
    empty_file(tmp_path / "stats.parquet", TYPES)
    writer = store.writer(stats(), tmp_path)
    body = writer.encode({"k": [1], "t": [AT], "x": [7]}).body
    push(store, stats(), tmp_path, [1], 6)
    batch = batch_id()

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(durable, "sync", full)
        with pytest.raises(Unavailable, match=r"no room .* 'stats.parquet'; make room"):
            writer.write([body], batch)
    assert names(tmp_path / "stats.parquet.pushed") == ["part 0"]
    writer.write([body], batch)
    assert newest(store, stats(), tmp_path) == {1: 7}


def test_leftovers_of_killed_processes_are_removed_when_they_are_old(store: FileOfflineStore, tmp_path: Path) -> None:
    empty_file(tmp_path / "stats.parquet", TYPES)
    push(store, stats(), tmp_path, [1])
    old, new, other = (tmp_path / name for name in (".feast-x-1.tmp", ".feast-x-2.tmp", "x.tmp"))
    for path in (old, new, other):
        path.touch()
    for path in (old, other):
        os.utime(path, (0, 0))
    store.compact(stats(), tmp_path)
    assert [path.exists() for path in (old, new, other)] == [False, True, True]


# Who reads and who compacts at once.


def test_a_compaction_waits_for_readers(
    store: FileOfflineStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a reader has begun to read stays until it is done."""
    empty_file(tmp_path / "stats.parquet", TYPES)
    push(store, stats(), tmp_path, list(range(5000)), 7)
    batches = store.latest(a_job(a_view(stats(), {"x": Int64})), tmp_path).batches
    next(batches)
    monkeypatch.setattr(store_module, "COMPACTION_SECONDS", 0.0)
    with pytest.raises(Unavailable, match="is being read; compact it when that is done"):
        store.compact(stats(), tmp_path)
    assert names(tmp_path / "stats.parquet.pushed") == [".feast-compacting", "part 0"]
    assert sum(map(len, batches)) == 5000 - 512
    assert store.compact(stats(), tmp_path) == Compaction(1, 5000)


def test_a_reader_that_is_forgotten_holds_up_nobody(store: FileOfflineStore, tmp_path: Path) -> None:
    empty_file(tmp_path / "stats.parquet", TYPES)
    push(store, stats(), tmp_path, list(range(5000)), 7)
    started = store.latest(a_job(a_view(stats(), {"x": Int64})), tmp_path)
    next(started.batches)
    unstarted = store.latest(a_job(a_view(stats(), {"x": Int64})), tmp_path)
    del started, unstarted
    assert store.compact(stats(), tmp_path) == Compaction(1, 5000)


# By itself.


def test_many_small_parts_are_merged_by_who_writes(
    store: FileOfflineStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "MOST_PARTS", 20)
    empty_file(tmp_path / "stats.parquet", TYPES)
    for key in range(100):
        push(store, stats(), tmp_path, [key, -1], key)
    store.close()  # which waits for what is being merged
    assert len(parts_below(tmp_path / "stats.parquet.pushed")) < 60
    assert rows_in(stats(), tmp_path) == 200
    other = FileOfflineStore(FileOfflineStore.Options())
    assert newest(other, stats(), tmp_path) == {-1: 99, **{key: key or 0 for key in range(100)}}
    other.close()


def test_a_file_is_written_anew_when_as_much_was_pushed(
    store: FileOfflineStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "SMALL_BYTES", 1)
    main = empty_file(tmp_path / "stats.parquet", TYPES)
    for key in range(17):
        push(store, stats(), tmp_path, [key])
    store.close()
    assert duckdb.sql(f"SELECT count(*) FROM '{main}'").fetchall() == [(16,)]
    assert rows_in(stats(), tmp_path) == 17


def test_parts_are_merged_in_an_order_that_keeps_the_later_row_the_newer(tmp_path: Path) -> None:
    """Only parts that follow each other, the last ones, up to a large one."""
    sizes = [10, 20 * MIB, *[1000] * 300]
    parts = []
    for number, size in enumerate(sizes):
        part = tmp_path / f"feast-push-{number:03}.parquet"
        with part.open("wb") as file:
            file.truncate(size)
        parts.append(part)
    place = Place(tmp_path, None)
    assert compaction.what_is_due(place, parts) == compaction.Choice(parts[2:], into_main=False)
    assert compaction.what_is_due(place, parts[:250]).parts == ()


# Processes, and those that are killed.

#: What a process does before the statement that is its first argument.
PROCESS = """
import os, signal, sys
from pathlib import Path
from feast_core.definitions import FileSource
from feast_core.interfaces import batch_id
from feast_offline_file import compaction, durable, writer
from feast_offline_file.store import FileOfflineStore

def killed(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)

def killed_after(function):
    def wrapped(*arguments):
        function(*arguments)
        killed()
    return wrapped

source = FileSource(name="stats", path=sys.argv[2], timestamp_field="t")
store = FileOfflineStore(FileOfflineStore.Options())
repo_path = Path(sys.argv[1])
appending = store.writer(source, repo_path)

def push(key, batch=None):
    encoded = appending.encode({"k": [key, -1], "t": ["2026-01-01T12:00:00Z"] * 2, "x": [key, key]})
    appending.write([encoded.body], batch or batch_id())
"""


def run(repo_path: Path, path: str, statements: str, **options: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", f"{PROCESS}\n{textwrap.dedent(statements)}", str(repo_path), path]
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, **piped, **options)


@pytest.fixture(params=["stats.parquet", "stats"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A single file, and a folder."""
    path: str = request.param
    empty_file(tmp_path / path if path.endswith("parquet") else tmp_path / path / "first.parquet", TYPES)
    return path


@pytest.mark.parametrize(
    ("point", "is_written"),
    [
        ("writer.put = killed", False),
        ("durable.sync = killed", False),
        ("writer.put = killed_after(durable.put)", True),
    ],
)
def test_a_writer_that_is_killed_leaves_all_or_nothing_and_the_batch_may_come_again(
    store: FileOfflineStore, tmp_path: Path, path: str, point: str, is_written: bool
) -> None:
    push(store, stats(path), tmp_path, [0])
    batch = batch_id()
    ended = run(tmp_path, path, f"{point}\npush(1, {batch!r})")
    assert ended.communicate(timeout=60)[1] == ""
    assert ended.returncode == -signal.SIGKILL
    assert rows_in(stats(path), tmp_path) == (3 if is_written else 1)
    writer = store.writer(stats(path), tmp_path)
    body = writer.encode({"k": [1, -1], "t": [AT] * 2, "x": [1, 1]}).body
    for _ in range(2):
        assert writer.write([body], batch).rows == 2
        assert rows_in(stats(path), tmp_path) == 3
        store.compact(stats(path), tmp_path)
        assert rows_in(stats(path), tmp_path) == 3
    assert newest(store, stats(path), tmp_path) == {-1: 1, 0: 0, 1: 1}


@pytest.mark.parametrize(
    "point",
    [
        "compaction.sync = killed",
        "compaction.put = killed",
        "compaction.put = killed_after(durable.put)",
        "compaction._remove = lambda paths: (list(paths)[0].unlink(), killed()) if paths else None",
        "compaction._remove = lambda paths: ([path.unlink() for path in paths], killed()) if paths else None",
    ],
)
def test_a_compaction_that_is_killed_loses_nothing_and_doubles_nothing(
    store: FileOfflineStore, tmp_path: Path, path: str, point: str
) -> None:
    batches = [batch_id() for _ in range(3)]
    for x, batch in enumerate(batches):
        push(store, stats(path), tmp_path, [-1, x], x, batch)
    before = newest(store, stats(path), tmp_path)
    ended = run(tmp_path, path, f"{point}\nstore.compact(source, repo_path)")
    assert ended.communicate(timeout=60)[1] == ""
    assert ended.returncode == -signal.SIGKILL

    def holds(keys: int) -> None:
        assert rows_in(stats(path), tmp_path) == 2 * keys
        assert newest(store, stats(path), tmp_path)[-1] == keys - 1
        assert len(newest(store, stats(path), tmp_path)) == keys + 1

    holds(3)
    assert newest(store, stats(path), tmp_path) == before
    for x, batch in enumerate(batches):
        push(store, stats(path), tmp_path, [-1, x], x, batch)
    holds(3)
    push(store, stats(path), tmp_path, [-1, 3], 3)
    holds(4)
    store.compact(stats(path), tmp_path)
    holds(4)
    parts = parts_below(tmp_path / path if path == "stats" else tmp_path / "stats.parquet.pushed")
    assert len(parts) == (1 if path == "stats" else 0)
    for x, batch in enumerate(batches):
        push(store, stats(path), tmp_path, [-1, x], x, batch)
    holds(4)


def test_processes_that_push_and_compact_at_once_lose_nothing_wherever_they_are_killed(
    store: FileOfflineStore, tmp_path: Path, path: str
) -> None:
    """Each says which rows are written; those that it was about to write may be there, once."""
    pushing = """
        sys.stdin.readline()
        for key in range(int(sys.stdin.readline()), 10_000_000):
            push(key)
            print(key, flush=True)
    """
    compacting = "sys.stdin.readline()\nwhile True:\n    store.compact(source, repo_path)"
    writers = [run(tmp_path, path, pushing) for _ in range(3)]
    compactors = [run(tmp_path, path, compacting) for _ in range(2)]
    for number, writer in enumerate(writers):
        assert writer.stdin
        writer.stdin.write(f"go\n{number * 1_000_000}\n")
        writer.stdin.flush()
    for compactor in compactors:
        assert compactor.stdin
        compactor.stdin.write("go\n")
        compactor.stdin.flush()
    written: set[int] = set()
    for turn in range(20):
        for writer in writers:
            assert writer.stdout
            written.add(int(writer.stdout.readline()))
        assert written <= set(newest(store, stats(path), tmp_path))
        if turn == 10:
            compactors[0].kill()
    for process in (*writers, *compactors):
        process.kill()
    for process in (*writers, *compactors):
        _, err = process.communicate(timeout=60)
        assert err == "" or "compacted by another process" in err
    found = set(newest(store, stats(path), tmp_path)) - {-1}
    assert written <= found
    assert rows_in(stats(path), tmp_path) == 2 * len(found)
    store.compact(stats(path), tmp_path)
    assert rows_in(stats(path), tmp_path) == 2 * len(found)


#: Says what becomes of a push of many rows and of a compaction, and how many rows there are.
TRYING = """
from feast_core.errors import FeastError
from feast_core.testing.offline import Int64, a_job, a_view, all_rows

encoded = appending.encode({"k": list(range(50_000)), "t": ["2026-01-01"] * 50_000, "x": list(range(50_000))})
for action in (lambda: appending.write([encoded.body], batch_id()), lambda: store.compact(source, repo_path)):
    try:
        print(action())
    except FeastError as error:
        print(f"{type(error).__name__}: {error}")
print(len(all_rows(store, a_job(a_view(source, {"x": Int64})), repo_path)))
"""


def test_a_folder_that_may_not_be_written_is_told_of_and_read(
    store: FileOfflineStore, tmp_path: Path, path: str, without_privileges: Callable[[], None]
) -> None:
    push(store, stats(path), tmp_path, [1, 2])
    push(store, stats(path), tmp_path, [3])
    folder = tmp_path / path if path == "stats" else tmp_path / "stats.parquet.pushed"
    folder.chmod(0o555)
    try:
        out, err = run(tmp_path, path, TRYING, preexec_fn=without_privileges).communicate(timeout=60)
    finally:
        folder.chmod(0o755)
    refusal = f"SourceError: data source 'stats': what is pushed cannot be written to '{path}': Permission denied"
    assert (out.splitlines(), err) == ([refusal, refusal, "3"], "")


def test_files_that_cannot_grow_are_told_of_and_nothing_is_left_behind(
    store: FileOfflineStore, tmp_path: Path, path: str
) -> None:
    """A limit of the process stands for a full disk."""
    push(store, stats(path), tmp_path, list(range(2000)))
    push(store, stats(path), tmp_path, list(range(2000)))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    before = sorted(tmp_path.rglob("*.*"))
    out, err = run(tmp_path, path, TRYING, preexec_fn=limit).communicate(timeout=60)
    refusal = f"Unavailable: data source 'stats': there is no room to write what is pushed to '{path}'; make room there"
    assert (out.splitlines(), err) == ([refusal, refusal, "2000"], "")
    assert [found for found in sorted(tmp_path.rglob("*.*")) if found.name != ".feast-compacting"] == before
