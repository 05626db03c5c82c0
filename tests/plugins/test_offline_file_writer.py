"""Rows appended to parquet files: the contract, and what is particular to parts, companions and compaction."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from feast_offline_file.columns import quoted
from feast_offline_file.files import file_source
from feast_offline_file.source import OpenSource
from feast_offline_file.store import FileOfflineStore

from feast_core.definitions import DataSource, FeastType, FileSource
from feast_core.interfaces import OfflineStore, batch_id
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
