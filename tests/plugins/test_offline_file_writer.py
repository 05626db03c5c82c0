"""Rows appended to parquet files: the contract, and what is particular to parts, companions and compaction."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from feast_offline_file.columns import quoted
from feast_offline_file.files import file_source
from feast_offline_file.source import OpenSource
from feast_offline_file.store import FileOfflineStore

from feast_core.definitions import DataSource, FeastType, FileSource, Int64
from feast_core.errors import SourceError
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
