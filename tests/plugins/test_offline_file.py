"""Parquet files: the contract, and what is particular to files, folders, globs and the types of parquet."""

import math
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal as Number
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from feast_offline_file import database, feast_components
from feast_offline_file.store import FileOfflineStore

from feast_core.components import Catalog
from feast_core.config import parse_config
from feast_core.definitions import (
    Array,
    DataSource,
    Decimal,
    DeltaFormat,
    FeastType,
    FeatureView,
    FileSource,
    Float32,
    Float64,
    Int32,
    Int64,
    Json,
    Map,
    ParquetFormat,
    PushSource,
    Set,
    SnowflakeSource,
    String,
    Struct,
    UnixTimestamp,
    Uuid,
    ZonedTimestamp,
)
from feast_core.errors import SourceError
from feast_core.interfaces import OfflineStore
from feast_core.testing.offline import HOUR, NOON, OfflineStoreContract, a_job, a_view, all_rows
from feast_core.timestamps import to_microseconds


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def write(path: Path, columns: Mapping[str, Sequence[Any]], types: Mapping[str, str]) -> Path:
    """Write a parquet file of columns with these types of DuckDB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        declared = ", ".join(f"{quoted(name)} {types[name]}" for name in columns)
        connection.execute(f"CREATE TABLE written ({declared})")
        # Lists as parameters: a statement per row is too slow for many rows.
        values = ", ".join(f"unnest(?::{types[name]}[])" for name in columns)
        lists = [list(map(_parameter, column)) for column in columns.values()]
        connection.execute(f"INSERT INTO written SELECT {values}", lists)
        connection.execute(f"COPY written TO '{str(path).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
    return path


def _parameter(value: Any) -> Any:
    """A dict is a STRUCT for DuckDB unless it says that it is a MAP, and older versions take NaN for null."""
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    is_map = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    return {"key": list(value), "value": list(value.values())} if is_map else value


class TestParquet(OfflineStoreContract):
    @pytest.fixture
    def make_store(self) -> Callable[[], OfflineStore]:
        return lambda: FileOfflineStore(FileOfflineStore.Options())

    @pytest.fixture
    def make_source(self, repo_path: Path, duckdb_type: Callable[[FeastType], str]) -> Callable[..., DataSource]:
        numbers = count()

        def make(columns: dict[str, list[Any]], types: dict[str, FeastType], **parameters: Any) -> DataSource:
            path = f"data/{next(numbers)}.parquet"
            write(repo_path / path, columns, {name: duckdb_type(dtype) for name, dtype in types.items()})
            return FileSource(path=path, **parameters)

        return make


# Paths.


@pytest.fixture
def store() -> Iterator[FileOfflineStore]:
    store = FileOfflineStore(FileOfflineStore.Options())
    yield store
    store.close()


STATS = {"k": "BIGINT", "t": "TIMESTAMP", "x": "BIGINT"}


def stats(path: Path, keys: list[int], values: list[int], at: datetime = NOON) -> Path:
    """A file of keys and values, all with one event time."""
    return write(path, {"k": keys, "t": [at.replace(tzinfo=None)] * len(keys), "x": values}, STATS)


def source(path: str, **parameters: Any) -> FileSource:
    return FileSource(name="files", path=path, timestamp_field="t", **parameters)


def newest(store: FileOfflineStore, path: str, repo_path: Path, **parameters: Any) -> dict[int, int]:
    """The value of each key."""
    rows = all_rows(store, a_job(a_view(source(path, **parameters), {"x": Int64})), repo_path)
    return dict(zip(rows.columns["k"], rows.columns["x"], strict=True))


@pytest.mark.parametrize("path", ["data/stats.parquet", "file://data/stats.parquet", "./data/../data/stats.parquet"])
def test_a_relative_path_belongs_to_the_repository(store: FileOfflineStore, tmp_path: Path, path: str) -> None:
    stats(tmp_path / "data" / "stats.parquet", [1], [7])
    assert newest(store, path, tmp_path) == {1: 7}


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_an_absolute_path_is_itself(store: FileOfflineStore, tmp_path: Path, prefix: str) -> None:
    path = stats(tmp_path / "stats.parquet", [1], [7])
    assert newest(store, f"{prefix}{path}", tmp_path / "elsewhere") == {1: 7}


def test_a_folder_stands_for_the_files_below_it(store: FileOfflineStore, tmp_path: Path) -> None:
    for number, name in enumerate(["a.parquet", "b/c.parq", "b/d/e.pq", "_temporary/f.parquet", ".g.parquet"]):
        stats(tmp_path / "data" / name, [number], [number])
    (tmp_path / "data" / "_SUCCESS").touch()
    (tmp_path / "data" / "notes.txt").write_text("not data")
    for path in ("data", "data/", "file://data"):
        assert newest(store, path, tmp_path) == {0: 0, 1: 1, 2: 2}


def test_a_glob_stands_for_the_files_that_match(store: FileOfflineStore, tmp_path: Path) -> None:
    for number, name in enumerate(["a1.parquet", "a2.parquet", "b1.parquet", "deep/er/a3.parquet"]):
        stats(tmp_path / "data" / name, [number], [number])
    assert newest(store, "data/a*.parquet", tmp_path) == {0: 0, 1: 1}
    assert newest(store, "data/?1.parquet", tmp_path) == {0: 0, 2: 2}
    assert newest(store, "data/[b]*.parquet", tmp_path) == {2: 2}
    assert newest(store, "data/**/*.parquet", tmp_path) == {0: 0, 1: 1, 2: 2, 3: 3}
    assert newest(store, str(tmp_path / "data" / "de*"), tmp_path) == {3: 3}


def test_files_are_read_in_the_order_of_their_names(store: FileOfflineStore, tmp_path: Path) -> None:
    stats(tmp_path / "data" / "c.parquet", [1, 2, 2], [31, 32, 33])
    stats(tmp_path / "data" / "a.parquet", [1, 2, 3, 3, 4], [11, 12, 13, 14, 15])
    stats(tmp_path / "data" / "b.parquet", [1, 2, 3], [21, 22, 23], NOON - HOUR)
    assert newest(store, "data", tmp_path) == {1: 31, 2: 33, 3: 14, 4: 15}


@pytest.mark.parametrize(
    ("name", "neighbour"),
    [
        ("a[1].parquet", "a1.parquet"),
        ("b*.parquet", "bb.parquet"),
        ("c?.parquet", "cc.parquet"),
        ("d'q\".parquet", "d.parquet"),
        ("f {g,h} é.parquet", "f.parquet"),
        ("year=2026.parquet", "year.parquet"),
    ],
)
def test_a_name_is_taken_literally_where_there_is_such_a_file(
    store: FileOfflineStore, tmp_path: Path, name: str, neighbour: str
) -> None:
    folder = tmp_path / "odd [0-9]* 'name'"
    stats(folder / name, [1], [7])
    stats(folder / neighbour, [2], [8])
    assert newest(store, name, folder) == {1: 7}
    assert newest(store, str(folder / name), tmp_path) == {1: 7}
    assert newest(store, ".", folder) == newest(store, "*.parquet", folder) == {1: 7, 2: 8}


def test_files_may_have_different_columns(store: FileOfflineStore, tmp_path: Path) -> None:
    stats(tmp_path / "data" / "a.parquet", [1], [7])
    times = {"t": [NOON.replace(tzinfo=None)]}
    write(tmp_path / "data" / "b.parquet", {"y": ["new"], "k": [2], **times}, {**STATS, "y": "VARCHAR"})
    view = a_view(source("data"), {"x": Int64, "y": String})
    rows = all_rows(store, a_job(view), tmp_path)
    assert rows.columns == {"k": [1, 2], "x": [7, None], "y": [None, "new"]}


def test_folders_of_a_partitioned_source_are_columns(store: FileOfflineStore, tmp_path: Path) -> None:
    for number, region in enumerate(["eu", "us"]):
        stats(tmp_path / "data" / f"region={region}" / "part.parquet", [number], [number])
    view = a_view(source("data"), {"region": String})
    assert list(store.columns(source("data"), tmp_path)) == ["k", "t", "x", "region"]
    assert all_rows(store, a_job(view), tmp_path).columns == {"k": [0, 1], "region": ["eu", "us"]}


def test_folders_in_which_a_source_stands_are_no_columns(store: FileOfflineStore, tmp_path: Path) -> None:
    stats(tmp_path / "run=5" / "data" / "a.parquet", [1], [7])
    stats(tmp_path / "run=5" / "data" / "b.parquet", [2], [8])
    for path in ("data", "data/*.parquet", "data/a.parquet"):
        assert list(store.columns(source(path), tmp_path / "run=5")) == ["k", "t", "x"]


# Names of columns.


TAKEN = ["file_row_number", "FILE_ROW_NUMBER", "filename", "Feast File Name"]
AT_NOON = "TIMESTAMP '2026-01-01 12:00:00' AS t"


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("file_count", [1, 3])
def test_a_column_may_be_called_as_one_of_duckdbs_own(
    store: FileOfflineStore, tmp_path: Path, name: str, file_count: int
) -> None:
    (tmp_path / "data").mkdir()
    with duckdb.connect() as connection:
        for number in range(file_count):
            # The last of each key's ten rows is the newest; many row groups, for several threads.
            connection.execute(
                f"COPY (SELECT i // 10 AS k, {AT_NOON}, i + {number} AS x, -i AS {quoted(name)}"
                f" FROM range(60000) AS rows(i) ORDER BY i) TO '{tmp_path}/data/{number}.parquet'"
                " (FORMAT parquet, ROW_GROUP_SIZE 2048)"
            )
    expected = {key: key * 10 + 9 + file_count - 1 for key in range(6000)}
    path = "data" if file_count > 1 else "data/0.parquet"
    assert list(store.columns(source(path), tmp_path)) == ["k", "t", "x", name]
    assert newest(store, path, tmp_path) == expected
    rows = all_rows(store, a_job(a_view(source(path), {name: Int64})), tmp_path)
    assert rows.columns[name] == [-(key * 10 + 9) for key in rows.columns["k"]]


@pytest.mark.parametrize("name", [*TAKEN, "x"])
def test_a_folder_may_be_called_as_any_column(store: FileOfflineStore, tmp_path: Path, name: str) -> None:
    for number in (3, 4):
        stats(tmp_path / "data" / f"{name}={number}" / "part.parquet", [1, 1, number], [7, 8, 9])
    assert newest(store, "data", tmp_path) == ({1: 4, 3: 3, 4: 4} if name == "x" else {1: 8, 3: 9, 4: 9})
    rows = all_rows(store, a_job(a_view(source("data"), {name: Int64})), tmp_path)
    assert rows.columns == {"k": [1, 3, 4], name: [4, 3, 4]}


def write_cases(path: Path, values: Mapping[str, str]) -> None:
    """Write a row of SQL values to columns whose names may differ in case only, which DuckDB itself does not write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    placeholders = {name: f"n{number}".ljust(len(name), "_") for number, name in enumerate(values)}
    selected = ", ".join(f"{sql} AS {quoted(placeholders[name])}" for name, sql in values.items())
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1::BIGINT AS k, {AT_NOON}, {selected}) TO '{path}' (FORMAT parquet)")
    content = path.read_bytes()
    for name, placeholder in placeholders.items():
        content = content.replace(placeholder.encode(), name.encode())
    path.write_bytes(content)


@pytest.mark.parametrize("file_count", [1, 2])
def test_columns_that_differ_only_in_case_are_told_apart(
    store: FileOfflineStore, tmp_path: Path, file_count: int
) -> None:
    values = {"amount": "{'a': 1, 'b': [2]}", "Amount": "2", "AMOUNT_1": "3", "total": "4", "tOtal": "5"}
    for number in range(file_count):
        write_cases(tmp_path / "data" / f"region=e{number}" / "x.parquet", values)
    path = "data" if file_count == 2 else "data/region=e0/x.parquet"
    found = store.columns(source(path), tmp_path)
    assert list(found) == ["k", "t", *values, *["region"][: file_count - 1]]
    assert found["amount"] == Struct({"a": Int32, "b": Array(Int32)})
    features = {"Amount": Int32, "AMOUNT_1": Int32, "total": Int32, "tOtal": Int32}
    rows = all_rows(store, a_job(a_view(source(path), features)), tmp_path)
    assert rows.columns == {"k": [1], "Amount": [2], "AMOUNT_1": [3], "total": [4], "tOtal": [5]}
    mapped = source(path, field_mapping={"Amount": "mapped"})
    assert all_rows(store, a_job(a_view(mapped, {"mapped": Int32})), tmp_path).columns["mapped"] == [2]


def test_columns_that_differ_only_in_case_may_end_in_a_number(store: FileOfflineStore, tmp_path: Path) -> None:
    write_cases(tmp_path / "x.parquet", {"amount_1": "1", "Amount_1": "2"})
    rows = all_rows(store, a_job(a_view(source("x.parquet"), {"Amount_1": Int32})), tmp_path)
    assert rows.columns == {"k": [1], "Amount_1": [2]}


def test_columns_with_numbers_in_their_names_are_themselves(store: FileOfflineStore, tmp_path: Path) -> None:
    write_cases(tmp_path / "data" / "a.parquet", {"amount": "1", "amount_1": "2"})
    write_cases(tmp_path / "data" / "b.parquet", {"amount_1": "3", "Amount_2": "4"})
    names = ["amount", "amount_1", "Amount_2"]
    assert list(store.columns(source("data"), tmp_path)) == ["k", "t", *names]
    rows = all_rows(store, a_job(a_view(source("data"), dict.fromkeys(names, Int32))), tmp_path)
    assert rows.columns == {"k": [1], "amount": [None], "amount_1": [3], "Amount_2": [4]}


def test_columns_that_differ_only_in_case_are_refused_where_files_differ(
    store: FileOfflineStore, tmp_path: Path
) -> None:
    write_cases(tmp_path / "data" / "a.parquet", {"amount": "1", "Amount": "2"})
    write_cases(tmp_path / "data" / "b.parquet", {"Amount": "1", "amount": "2"})
    message = refused(store, source("data"), tmp_path)
    assert "data source 'files': data has columns 'amount' and 'Amount', which differ only in case" in message
    rows = all_rows(store, a_job(a_view(source("data/b.parquet"), {"amount": Int32})), tmp_path)
    assert rows.columns == {"k": [1], "amount": [2]}


# What cannot be read.


def refused(store: FileOfflineStore, read: FileSource | FeatureView, repo_path: Path) -> str:
    """The message, the same one for columns and for a job."""
    view = read if isinstance(read, FeatureView) else a_view(read, {"x": Int64})
    with pytest.raises(SourceError) as caught:
        store.latest(a_job(view), repo_path)
    if isinstance(read, FileSource):
        with pytest.raises(SourceError, match=re.escape(str(caught.value))):
            store.columns(read, repo_path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("path", ["data/none.parquet", "/nowhere/none.parquet", "data/no*.parquet", "empty"])
def test_a_source_without_files_is_refused(store: FileOfflineStore, tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    message = refused(store, source(path), tmp_path)
    assert message.startswith("data source 'files'")
    assert repr(path) in message


@pytest.mark.parametrize("path", ["s3://bucket/stats.parquet", "gs://bucket/*.parquet", "https://host/stats.parquet"])
def test_a_remote_source_is_refused(store: FileOfflineStore, tmp_path: Path, path: str) -> None:
    assert f"{path} is remote, and only local files can be read" in refused(store, source(path), tmp_path)


@pytest.mark.parametrize("content", [b"", b"k,t,x\n1,2,3\n", None])
def test_a_file_that_is_not_parquet_is_refused(store: FileOfflineStore, tmp_path: Path, content: bytes | None) -> None:
    whole = stats(tmp_path / "good.parquet", list(range(1000)), list(range(1000))).read_bytes()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bad.parquet").write_bytes(whole[: len(whole) // 2] if content is None else content)
    for path in ("data/bad.parquet", "data", "data/*.parquet"):
        message = refused(store, source(path), tmp_path)
        assert f"'files': {path} is not parquet, or is damaged" in message
        assert "data/bad.parquet" in message
        assert str(tmp_path) not in message


def test_a_file_that_is_damaged_inside_is_refused(store: FileOfflineStore, tmp_path: Path) -> None:
    path = stats(tmp_path / "bad.parquet", list(range(1000)), list(range(1000)))
    content = path.read_bytes()
    path.write_bytes(b"PAR1" + b"\xff" * 3000 + content[3004:])
    with pytest.raises(SourceError, match=r"data source 'files': bad\.parquet") as caught:
        newest(store, "bad.parquet", tmp_path)
    assert "\n" not in str(caught.value)


def test_only_parquet_files_are_read(store: FileOfflineStore, tmp_path: Path) -> None:
    stats(tmp_path / "x.parquet", [1], [7])
    assert newest(store, "x.parquet", tmp_path, file_format=ParquetFormat()) == {1: 7}
    assert "DeltaFormat are not supported" in refused(store, source("x.parquet", file_format=DeltaFormat()), tmp_path)
    warehouse = SnowflakeSource(name="elsewhere", database="d", table="t", timestamp_field="t")
    message = refused(store, a_view(warehouse, {"x": Int64}), tmp_path)
    assert "data source 'elsewhere': Snowflake is not read here; export to parquet" in message
    assert "feature view 'stats'" in message
    assert "no batch source" in refused(store, a_view(PushSource(name="pushed"), {"x": Int64}), tmp_path)


# Times.


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("TIMESTAMP '2026-01-01 12:00:00.123456'", 123_456),
        ("TIMESTAMP_S '2026-01-01 12:00:01'", 1_000_000),
        ("TIMESTAMP_MS '2026-01-01 12:00:00.123'", 123_000),
        ("TIMESTAMP_NS '2026-01-01 12:00:00.123456789'", 123_456),
        ("TIMESTAMPTZ '2026-01-01 14:00:00.123456+02'", 123_456),
        ("TIMESTAMPTZ_NS '2026-01-01 12:00:00.123456789+00'", 123_456),
        ("DATE '2026-01-02'", 12 * 3600 * 1_000_000),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_every_column_of_instants_can_be_an_event_time(
    tmp_path: Path, sql: str, expected: int, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    with duckdb.connect() as connection:
        try:
            selected = f"SELECT 1 AS k, 2 AS x, {sql} AS t, {sql} AS c"
            connection.execute(f"COPY ({selected}) TO '{tmp_path}/x.parquet' (FORMAT parquet)")
        except duckdb.CatalogException:
            pytest.skip("this version of DuckDB does not have the type")
    store = FileOfflineStore(FileOfflineStore.Options())
    view = a_view(source("x.parquet", created_timestamp_column="c"), {"t": UnixTimestamp})
    rows = all_rows(store, a_job(view), tmp_path)
    assert (rows.event_us, rows.created_us) == ([to_microseconds(NOON) + expected],) * 2
    assert rows.columns["t"] == [(to_microseconds(NOON) + expected) // 1_000_000]
    assert store.columns(source("x.parquet"), tmp_path)["t"] == UnixTimestamp
    store.close()
    monkeypatch.undo()
    time.tzset()


MIXED = """
    import sys
    from pathlib import Path
    from feast_core.definitions import FileSource, Int64, UnixTimestamp
    from feast_core.testing.offline import a_job, a_view, all_rows
    from feast_offline_file.store import FileOfflineStore

    store = FileOfflineStore(FileOfflineStore.Options())
    view = a_view(FileSource(path="data", timestamp_field="t"), {"x": Int64, "t": UnixTimestamp})
    rows = all_rows(store, a_job(view), Path(sys.argv[1]))
    print(rows.columns["k"], rows.event_us, rows.columns["t"])
"""


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("naive_type", ["TIMESTAMP", "TIMESTAMP_MS", "DATE"])
def test_a_naive_time_is_utc_beside_files_with_aware_ones(tmp_path: Path, zone: str, naive_type: str) -> None:
    aware = NOON + 11 * HOUR
    naive = NOON + 12 * HOUR  # A midnight, which a date can hold too.
    write(tmp_path / "data" / "a.parquet", {"k": [1], "t": [aware], "x": [1]}, {**STATS, "t": "TIMESTAMPTZ"})
    columns = {"k": [2], "t": [naive.replace(tzinfo=None)], "x": [2]}
    write(tmp_path / "data" / "b.parquet", columns, {**STATS, "t": naive_type})
    command = [sys.executable, "-c", textwrap.dedent(MIXED), str(tmp_path)]
    environment = {**os.environ, "TZ": zone}
    printed = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    times = [to_microseconds(aware), to_microseconds(naive)]
    assert printed == f"[1, 2] {times} {[time // 1_000_000 for time in times]}\n"


# Types.


@pytest.mark.parametrize(
    ("sql", "declared", "expected"),
    [
        ("1.5::DECIMAL(4, 1)", Float64, 1.5),
        ("3.9::DECIMAL(4, 1)", Int64, 3),
        ("1.50::DECIMAL(4, 2)", Decimal, "1.50"),
        ("7::INTEGER", Int64, 7),
        ("7::TINYINT", Int32, 7),
        ("18446744073709551615::UBIGINT", Int64, 18446744073709551615),
        ("7::BIGINT", String, "7"),
        ("DATE '2026-01-01'", String, "2026-01-01"),
        ("'infinity'::DATE", String, None),
        ("[DATE '0001-01-01', NULL]", Array(String), ["0001-01-01", None]),
        ("encode('é')", String, "é".encode()),  # what is no UTF-8 is told of by who knows the column and the entity
        ("1.5::FLOAT", Float64, 1.5),
        ("2.0::DOUBLE", Int64, 2.0),
        ("{'a': [1, NULL], 'b': 'x'}", Json, '{"a":[1,null],"b":"x"}'),
        ("[1, 2]", Json, "[1,2]"),
        ("'nan'::DOUBLE", Json, None),
        ("['nan'::FLOAT, 0.5]", Array(Json), [None, "0.5"]),
        ("TIMESTAMP '2026-01-01 12:00:00'", String, "2026-01-01 12:00:00"),
        ("TIMESTAMPTZ '2026-01-01 12:00:00+02'", ZonedTimestamp, "2026-01-01T10:00:00.000000+00:00"),
        ("[TIMESTAMP '1970-01-01 00:00:01']", Set(UnixTimestamp), [1]),
        ("[1.5::DECIMAL(4, 1)]", Array(Float64), [1.5]),
        ("MAP {'a': TIMESTAMPTZ '1970-01-01 00:00:01+00'}", Map, {"a": 1}),
        ("{'a': {'b': [DATE '1970-01-02']}}", Map, {"a": {"b": [86400]}}),
        (
            "[{'t': TIMESTAMP '1970-01-01 00:00:01', 'd': 1.5::DECIMAL(4, 1)}, NULL]",
            Array(Map),
            [{"t": 1, "d": "1.5"}, None],
        ),
        ("TIME '10:00:00'", String, "10:00:00"),
        ("uuid_value", Uuid, "2f9b1ee4-0000-4000-8000-0123456789ab"),
    ],
)
def test_a_column_is_read_as_the_declared_type(
    store: FileOfflineStore, tmp_path: Path, sql: str, declared: FeastType, expected: Any
) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT 1 AS k, TIMESTAMP '2026-01-01 12:00:00' AS t, {sql} AS x FROM"
            " (SELECT '2f9b1ee4-0000-4000-8000-0123456789ab'::UUID AS uuid_value))"
            f" TO '{tmp_path}/x.parquet' (FORMAT parquet)"
        )
    values = all_rows(store, a_job(a_view(source("x.parquet"), {"x": declared})), tmp_path).columns["x"]
    assert values == [expected]
    assert type(values[0]) is type(expected)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("1::TINYINT", Int32),
        ("1::SMALLINT", Int32),
        ("1::UTINYINT", Int32),
        ("1::USMALLINT", Int32),
        ("1::UINTEGER", Int64),
        ("1::UBIGINT", Int64),
        ("[[1.5::FLOAT]]", Array(Array(Float32))),
        ("{'a': [DATE '2026-01-01'], 'b c': 1::BIGINT}", Struct({"a": Array(UnixTimestamp), "b c": Int64})),
        ("TIME '10:00:00'", String),
    ],
)
def test_columns_tell_the_type_of_others_too(
    store: FileOfflineStore, tmp_path: Path, sql: str, expected: FeastType
) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {sql} AS x) TO '{tmp_path}/x.parquet' (FORMAT parquet)")
    assert store.columns(source("x.parquet"), tmp_path) == {"x": expected}


def copy(select: str, path: Path) -> None:
    """Write what a statement selects."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")


def test_rows_a_nanosecond_apart_are_told_apart(store: FileOfflineStore, tmp_path: Path) -> None:
    times = "(1, 3, '00.000000001'), (1, 4, '00'), (2, 5, '00.000000001'), (2, 6, '00.000000002'), (3, 7, NULL)"
    for year in ("2026", "1700"):
        moment = f"('{year}-01-01 12:00:' || s)::TIMESTAMP_NS"
        rows = f"SELECT k::BIGINT AS k, {moment} AS t, x FROM (VALUES {times}) AS rows(k, x, s)"
        copy(f"SELECT *, t AS c FROM ({rows})", tmp_path / "x.parquet")
        start = NOON.replace(year=1600)
        for created in ("", "c"):
            view = a_view(source("x.parquet", created_timestamp_column=created), {"x": Int64})
            assert all_rows(store, a_job(view, start), tmp_path).columns == {"k": [1, 2], "x": [3, 6]}


def test_a_time_that_is_not_on_the_calendar_is_null_or_its_number(store: FileOfflineStore, tmp_path: Path) -> None:
    """An infinite one is no time. Years beyond 9999 have seconds like all others."""
    values = {
        "TIMESTAMP": ["'infinity'", "'-infinity'", "'294246-12-31 23:59:59.5'"],
        "TIMESTAMPTZ": ["'infinity'", "'-infinity'", "'290000-01-01 (BC) 00:00:00+00'"],
        "DATE": ["'infinity'", "'-infinity'", "'5000000-01-01'"],
    }
    # The calendar repeats itself every 400 years, which are 146,097 days.
    cycles = 146_097 * 86_400
    seconds = {
        "TIMESTAMP": 730 * cycles + int(datetime(2246, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()),
        "TIMESTAMPTZ": -730 * cycles + int(datetime(2001, 1, 1, tzinfo=UTC).timestamp()),
        "DATE": 12495 * cycles + int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()),
    }
    for kind, texts in values.items():
        rows = " UNION ALL ".join(f"SELECT {k}::BIGINT AS k, {kind} {text} AS x" for k, text in enumerate(texts))
        copy(f"SELECT *, {AT_NOON}, x AS e, [x] AS l FROM ({rows})", tmp_path / "x.parquet")
        features = {"x": UnixTimestamp, "l": Array(UnixTimestamp)}
        expected = [None, None, seconds[kind]]
        found = all_rows(store, a_job(a_view(source("x.parquet"), features)), tmp_path).columns
        assert found == {"k": [0, 1, 2], "x": expected, "l": [[value] for value in expected]}
        # As an event time it is in no window, as null is.
        events = FileSource(path="x.parquet", timestamp_field="e")
        assert len(all_rows(store, a_job(a_view(events, {"x": UnixTimestamp})), tmp_path)) == 0


def test_the_first_and_last_time_of_pandas_are_times(store: FileOfflineStore, tmp_path: Path) -> None:
    """DuckDB takes them for infinite."""
    copy("SELECT 1 AS k, 7 AS x, 'infinity'::TIMESTAMP_NS AS t, '-infinity'::TIMESTAMP_NS AS c", tmp_path / "x.parquet")
    view = a_view(source("x.parquet", created_timestamp_column="c"), {"t": UnixTimestamp, "c": UnixTimestamp})
    rows = all_rows(store, a_job(view, NOON, datetime(2300, 1, 1, tzinfo=UTC)), tmp_path)
    assert rows.columns == {"k": [1], "t": [9_223_372_036], "c": [-9_223_372_036]}
    assert (rows.event_us, rows.created_us) == ([9_223_372_036_854_775], [-9_223_372_036_854_775])


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("MAP {'a': 1, 'b': NULL}", {"a": 1, "b": None}),
        ("MAP {DATE '1970-01-02': 1}", {86400: 1}),
        ("MAP {[1, 2]: 'x'}", {"[1, 2]": "x"}),
        ("MAP {{'a': 1}: 'x'}", {"{'a': 1}": "x"}),
        ("MAP {encode('a'): 1}", {b"a": 1}),
    ],
)
def test_keys_of_maps_make_a_dictionary(store: FileOfflineStore, tmp_path: Path, sql: str, expected: Any) -> None:
    copy(f"SELECT 1 AS k, {AT_NOON}, {sql} AS x, [{sql}, NULL] AS l, {{'m': {sql}}} AS s", tmp_path / "x.parquet")
    features = {"x": Map, "l": Array(Map), "s": Struct({"m": Map})}
    columns = all_rows(store, a_job(a_view(source("x.parquet"), features)), tmp_path).columns
    assert columns == {"k": [1], "x": [expected], "l": [[expected, None]], "s": [{"m": expected}]}


def test_a_map_with_one_key_twice_is_told_as_a_value_and_not_as_damage(store: FileOfflineStore, tmp_path: Path) -> None:
    """Others write such maps; DuckDB does not, so that one of its keys is changed into the other."""
    copy(f"SELECT 1 AS k, {AT_NOON}, MAP {{'the 1st': 1, 'the 2nd': 2}} AS x", tmp_path / "x.parquet")
    content = (tmp_path / "x.parquet").read_bytes()
    (tmp_path / "x.parquet").write_bytes(content.replace(b"the 2nd", b"the 1st"))
    with pytest.raises(SourceError, match=r"x\.parquet holds a value that does not fit: Map keys must be unique"):
        all_rows(store, a_job(a_view(source("x.parquet"), {"x": Map})), tmp_path)


def test_decimals_of_more_digits_than_duckdb_has_are_refused(store: FileOfflineStore, tmp_path: Path) -> None:
    """It gives them as DOUBLE. Parquet says 38 digits and a scale of 10 as b"15 14 15 4c"."""
    decimal = "1.5::DECIMAL(38, 10)"
    copy(f"SELECT 1 AS k, {AT_NOON}, {decimal} AS x, [{decimal}] AS l, {{'d': {decimal}}} AS s", tmp_path / "x.parquet")
    features: dict[str, FeastType] = {"x": Decimal, "l": Array(Decimal), "s": Struct({"d": Decimal})}
    given = all_rows(store, a_job(a_view(source("x.parquet"), features)), tmp_path).columns
    assert given == {"k": [1], "x": ["1.5000000000"], "l": [["1.5000000000"]], "s": [{"d": "1.5000000000"}]}
    content = (tmp_path / "x.parquet").read_bytes()
    fifty = content.replace(b"\x15\x14\x15\x4c", b"\x15\x14\x15\x64")
    assert fifty != content
    (tmp_path / "x.parquet").write_bytes(fifty)
    for name, dtype in features.items():
        with pytest.raises(SourceError, match=f"'{name}'.*more than 38 digits.*write it as text"):
            store.latest(a_job(a_view(source("x.parquet"), {name: dtype})), tmp_path)
    view = a_view(source("x.parquet", field_mapping={"x": "y"}), {"y": Float64})
    assert all_rows(store, a_job(view), tmp_path).columns == {"k": [1], "y": [1.5]}


# Keys.


def test_rows_without_a_key_are_counted_in_a_warning(
    store: FileOfflineStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    columns: dict[str, list[Any]] = {"k": [1.0, math.nan, None, 2.0], "t": [NOON] * 4, "x": [1, 2, 3, 4]}
    write(tmp_path / "x.parquet", columns, {**STATS, "k": "DOUBLE"})
    assert newest(store, "x.parquet", tmp_path) == {1: 1, 2: 4}
    assert caplog.messages == ["feature view 'stats': 2 rows of the source have no value for k and are left out"]


def test_integer_keys_of_a_view_that_declares_texts_are_texts(store: FileOfflineStore, tmp_path: Path) -> None:
    stats(tmp_path / "x.parquet", [10, 9, 1], [1, 2, 3])
    view = a_view(source("x.parquet"), {"x": Int64}, {"k": String})
    assert all_rows(store, a_job(view), tmp_path).columns == {"k": ["1", "9", "10"], "x": [3, 2, 1]}


def keys_of(values: str, dtype: FeastType, store: FileOfflineStore, folder: Path) -> list[Any]:
    copy(f"SELECT k, {AT_NOON}, 1 AS x FROM (VALUES {values}) AS rows(k)", folder / "x.parquet")
    return all_rows(store, a_job(a_view(source("x.parquet"), {"x": Int64}, {"k": dtype})), folder).columns["k"]


def test_decimal_keys_keep_the_fraction_that_an_integer_has_not(store: FileOfflineStore, tmp_path: Path) -> None:
    """Without it the rows of two entities would be those of one, and one of them be lost."""
    fractions = [Number("1.25"), Number("1.50"), Number("2.00")]
    assert keys_of("(1.5), (1.25), (2)", Int64, store, tmp_path) == fractions
    whole = keys_of("(1::DECIMAL(38, 0)), (12345678901), (2)", Int64, store, tmp_path)
    assert [(key, type(key)) for key in whole] == [(1, int), (2, int), (12345678901, int)]


def test_texts_and_dates_are_keys_whatever_a_file_calls_them(store: FileOfflineStore, tmp_path: Path) -> None:
    texts = "(encode('b')), (encode('é')), (encode('a'))"
    assert keys_of(texts, String, store, tmp_path) == [b"a", b"b", "é".encode()]
    assert keys_of("(DATE '2026-01-02'), (DATE '2026-01-01')", String, store, tmp_path) == ["2026-01-01", "2026-01-02"]


@pytest.mark.parametrize(
    ("integer", "number", "exact"),
    [
        ("9007199254740991::BIGINT", "7::DOUBLE", True),
        ("9007199254740993::BIGINT", "7::DOUBLE", False),
        ("16777217::INTEGER", "7::DOUBLE", True),
        ("16777217::INTEGER", "7::FLOAT", False),
    ],
)
def test_integers_are_not_rounded_by_floats_in_other_files(
    store: FileOfflineStore, tmp_path: Path, integer: str, number: str, exact: bool
) -> None:
    """pandas writes integers as floats on days on which one is missing; DuckDB reads the column of all days as that."""
    for day, k in (("1", integer), ("2", number)):
        copy(f"SELECT {k} AS k, '{day}' AS day, {AT_NOON}, {k} AS x", tmp_path / f"{day}.parquet")
    for name, view in (
        ("k", a_view(source("*.parquet"), {"x": Float64})),
        ("x", a_view(source("*.parquet"), {"x": Int64}, {"day": String})),
        ("x", a_view(source("*.parquet"), {"x": String}, {"day": String})),
    ):
        if exact:
            columns = all_rows(store, a_job(view), tmp_path).columns
            assert sorted(columns[name]) == [7, int(integer.partition(":")[0])]
            continue
        with pytest.raises(SourceError, match=rf"does not fit: column {name} has numbers beyond .* same type in all"):
            all_rows(store, a_job(view), tmp_path)
    floats = a_view(source("*.parquet"), {"x": Float64}, {"day": String})
    assert all_rows(store, a_job(floats), tmp_path).columns["day"] == ["1", "2"]


def test_decimals_are_not_rounded_by_floats_in_other_files(store: FileOfflineStore, tmp_path: Path) -> None:
    for path, decimal in (("long", "0.1::DECIMAL(18, 17)"), ("short", "0.1::DECIMAL(15, 2)")):
        (tmp_path / path).mkdir()
        copy(f"SELECT 1 AS k, {AT_NOON}, {decimal} AS x", tmp_path / path / "1.parquet")
        copy(f"SELECT 2 AS k, {AT_NOON}, 1.5::DOUBLE AS x", tmp_path / path / "2.parquet")
    job = a_job(a_view(source("short"), {"x": Decimal}))
    assert all_rows(store, job, tmp_path).columns["x"] == [0.1, 1.5]
    with pytest.raises(SourceError, match=r"'x' of .* holds decimals in some files and floats in others.*as text"):
        all_rows(store, a_job(a_view(source("long"), {"x": Decimal})), tmp_path)


# Memory.


def wide(path: Path) -> FeatureView:
    """A file that does not fit into the little memory of the tests below."""
    names = [f"x{number}" for number in range(60)]
    features = ", ".join(f"hash(k * {number + 2}) / 3 AS {name}" for number, name in enumerate(names))
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT (k * 7919) % 60000 AS k, TIMESTAMP '2026-01-01 12:00:00' AS t, {features}"
            f" FROM range(60000) AS rows(k)) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 20000)"
        )
    return a_view(source(path.name), dict.fromkeys(names, Float64))


def test_a_store_that_runs_out_of_memory_takes_more_and_goes_on(
    store: FileOfflineStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = wide(tmp_path / "wide.parquet")
    expected = all_rows(FileOfflineStore(FileOfflineStore.Options()), a_job(view), tmp_path)
    monkeypatch.setattr(database, "MEMORY_LIMIT", 8 * database.MIB)
    small = FileOfflineStore(FileOfflineStore.Options())
    assert all_rows(small, a_job(view), tmp_path) == expected
    assert small._database._limit > 8 * database.MIB
    small.close()


def test_a_store_that_cannot_get_more_memory_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view = wide(tmp_path / "wide.parquet")
    monkeypatch.setattr(database, "MEMORY_LIMIT", 8 * database.MIB)
    monkeypatch.setattr(database, "_size", lambda row: 8 * database.MIB)
    small = FileOfflineStore(FileOfflineStore.Options())
    with pytest.raises(SourceError, match=r"wide\.parquet needs more memory than there is") as caught:
        all_rows(small, a_job(view), tmp_path)
    assert "\n" not in str(caught.value)
    small.close()


def test_what_was_spilled_is_removed_with_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(database, "MEMORY_LIMIT", 32 * database.MIB)
    small = FileOfflineStore(FileOfflineStore.Options())
    batches = small.latest(a_job(wide(tmp_path / "wide.parquet")), tmp_path).batches
    next(batches)
    assert len(list((tmp_path / "tmp").iterdir())) == 1
    batches.close()  # type: ignore[attr-defined]
    small.close()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_no_room_for_what_is_spilled_is_told_with_the_variable_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = wide(tmp_path / "wide.parquet")
    (tmp_path / "file").touch()
    monkeypatch.setattr(database, "MEMORY_LIMIT", 32 * database.MIB)
    monkeypatch.setattr(database, "_size", lambda row: 32 * database.MIB)
    for directory, said in (
        (tmp_path, r"wide\.parquet does not fit into memory, and there is no room .*; make room there, or set TMPDIR"),
        (tmp_path / "file", "the directory for temporary files cannot be used: .*; set TMPDIR to another one"),
    ):
        monkeypatch.setattr(tempfile, "tempdir", str(directory))
        small = FileOfflineStore(FileOfflineStore.Options())
        with small._database.connect() as connection:
            connection.execute("SET GLOBAL max_temp_directory_size = '64KB'")
        with pytest.raises(SourceError, match=said) as caught:
            all_rows(small, a_job(view), tmp_path)
        assert "\n" not in str(caught.value)
        small.close()


def test_where_nothing_can_be_spilled_memory_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container with nothing but read-only file systems."""

    def nowhere() -> str:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    store = FileOfflineStore(FileOfflineStore.Options())
    assert len(all_rows(store, a_job(wide(tmp_path / "wide.parquet")), tmp_path)) > 0
    store.close()


READ = """
    import sys
    from pathlib import Path
    from feast_core.definitions import Int64
    from feast_core.testing.offline import a_job, a_view
    from feast_core.definitions import FileSource, UnixTimestamp
    from feast_offline_file.store import FileOfflineStore

    store = FileOfflineStore(FileOfflineStore.Options())
    view = a_view(FileSource(path="x.parquet", timestamp_field="t"), {"x": Int64, "t": UnixTimestamp})
    (batch,) = store.latest(a_job(view), Path(sys.argv[1])).batches
    print(batch.columns["x"], *sorted({"pandas", "numpy", "pyarrow", "pytz"} & set(sys.modules)))
"""


def test_nothing_but_duckdb_is_needed(tmp_path: Path) -> None:
    write(tmp_path / "x.parquet", {"k": [1], "t": [NOON], "x": [7]}, {**STATS, "t": "TIMESTAMPTZ"})
    command = [sys.executable, "-c", textwrap.dedent(READ), str(tmp_path)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout == "[7]\n"


@pytest.mark.parametrize(
    "section", ["file", "{type: file}", "{type: dask}", "{type: duckdb, staging_location: s3://bucket/staging}"]
)
def test_the_names_of_feasts_engines_mean_this_store(tmp_path: Path, section: str) -> None:
    config = parse_config(f"project: p\nregistry: r.db\noffline_store: {section}\n", tmp_path)
    assert config.offline_store is not None
    catalog = Catalog(("this", component) for component in feast_components())
    made = catalog.create("offline_store", config.offline_store)
    assert type(made) is FileOfflineStore
