"""Reading rows of files: every format, as a stream, with the number of each row and what is wrong with it."""

import gzip
import io
import itertools
import json
import os
import re
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from feast_core.errors import InvalidInput
from feast_core.files import FileRows, format_of, read_rows

COLUMNS = {"driver_id": [1001, 1002, 1003], "name": ["a", None, "ü,\n"], "rate": [0.5, None, 2.0]}
ROWS = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def all_of(source: Path | bytes, *arguments: Any) -> FileRows:
    """What a file holds, in one batch."""
    (found,) = read_rows(io.BytesIO(source) if isinstance(source, bytes) else source, *arguments)
    return found


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.jsonl", LINES),
        ("rows.ndjson", LINES.replace("\n", "\r\n")),
        ("rows.jsonl.gz", gzip.compress(LINES.encode(), mtime=0)),
        ("rows.json", json.dumps(ROWS)),
        ("rows.json", json.dumps(ROWS, indent=2)),
        ("rows.json", json.dumps(COLUMNS)),
        ("rows.json", "\n" + json.dumps(COLUMNS, indent=1)),
        ("rows.json", json.dumps({name: dict(enumerate(column)) for name, column in COLUMNS.items()})),
        ("rows.json", LINES),
        ("rows.JSON", b"\xef\xbb\xbf" + LINES.encode()),
    ],
    ids=str,
)
def test_json_is_read_in_every_shape_that_it_is_written_in(tmp_path: Path, name: str, content: Any) -> None:
    found = all_of(written(tmp_path / name, content))
    assert found.columns == COLUMNS
    assert list(found.numbers) == [1, 2, 3]
    assert not found.wrong
    content = content.encode() if isinstance(content, str) else content
    assert all_of(content).columns == COLUMNS, "what it is is seen from what comes first"


def test_values_of_csv_are_texts_and_nothing_is_null(tmp_path: Path) -> None:
    text = 'driver_id,name,rate\r\n1001,a,0.5\r\n\r\n1002,,\r\n1003,"ü,\n",2.0\r\n'
    texts = {"driver_id": ["1001", "1002", "1003"], "name": ["a", None, "ü,\n"], "rate": ["0.5", None, "2.0"]}
    for source in (written(tmp_path / "rows.csv", text), text.encode(), b"\xef\xbb\xbf" + text.encode()):
        found = all_of(source)
        assert found.columns == texts
        assert (list(found.numbers), found.lines) == ([1, 2, 3], (2, 4, 5))
    assert all_of(written(tmp_path / "rows.csv.gz", gzip.compress(text.encode(), mtime=0))).columns == texts


def test_a_column_of_csv_without_a_name_is_left_out_as_pandas_writes_its_index() -> None:
    assert all_of(b",driver_id\n0,1001\n1,1002\n").columns == {"driver_id": ["1001", "1002"]}


def test_names_of_columns_may_be_anything(tmp_path: Path) -> None:
    name = "a \"b\", 'c'; DROP\n*[d]"
    quoted = name.replace('"', '""')
    duckdb.sql(f'SELECT 1 AS "{quoted}", 2 AS "SELECT"').write_parquet(str(tmp_path / "it's [1].parquet"))
    assert all_of(tmp_path / "it's [1].parquet").columns == {name: [1], "SELECT": [2]}
    assert all_of(f'"{quoted}",SELECT\n1,2\n'.encode()).columns == {name: ["1"], "SELECT": ["2"]}
    assert all_of(json.dumps([{name: 1, "SELECT": 2}]).encode()).columns == {name: [1], "SELECT": [2]}


def test_parquet_gives_plain_values_and_needs_no_package_for_time_zones(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    duckdb.sql("""
        SELECT TIMESTAMPTZ '2026-01-02 03:04:05.678901+02' AS zoned, TIMESTAMP '2026-01-02 03:04:05' AS naive,
            TIMESTAMP_NS '2026-01-02 03:04:05.123456789' AS nanoseconds, DATE '2026-01-02' AS date,
            [TIMESTAMPTZ '2026-01-02 03:04:05+00', NULL] AS times, {'at': TIMESTAMPTZ '2026-01-02 00:00:00+00', 'n': 1}
            AS struct, MAP {'a': DATE '2026-01-02'} AS map, MAP {DATE '2026-01-02': 1} AS by_date,
            12.50::DECIMAL(9, 2) AS decimal, 'ab'::BLOB AS bytes, [1, 2] AS list,
            '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::UUID AS uuid, TIME '10:30:00' AS time, 1 = 0 AS false,
            NULL::TIMESTAMPTZ AS nothing, TIMESTAMP '20000-01-01 00:00:00' AS late
    """).write_parquet(str(path))
    found = {name: value for name, (value,) in all_of(path).columns.items()}
    assert found == {
        "zoned": datetime(2026, 1, 2, 1, 4, 5, 678901, UTC),
        "naive": datetime(2026, 1, 2, 3, 4, 5, 0, UTC),
        "nanoseconds": datetime(2026, 1, 2, 3, 4, 5, 123456, UTC),
        "date": "2026-01-02",
        "times": ["2026-01-02 03:04:05+00", None],
        "struct": {"at": "2026-01-02 00:00:00+00", "n": 1},
        "map": {"a": "2026-01-02"},
        "by_date": {"2026-01-02": 1},
        "decimal": Decimal("12.50"),
        "bytes": b"ab",
        "list": [1, 2],
        "uuid": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "time": "10:30:00",
        "false": False,
        "nothing": None,
        "late": "568971820800000000 microseconds since 1970",
    }
    assert all_of(path.read_bytes()).columns == all_of(path).columns
    assert all_of(gzip.compress(path.read_bytes(), mtime=0)).columns == all_of(path).columns


def test_rows_of_parquet_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    duckdb.sql(f"COPY (SELECT range AS n FROM range(100000)) TO '{path}' (ROW_GROUP_SIZE 2048)")
    parts = list(read_rows(path, None, 7000))
    assert [n for part in parts for n in part.columns["n"]] == list(range(100_000))
    assert [n for part in parts for n in part.numbers] == list(range(1, 100_001))
    assert parts[-1].share == 1


def test_numbers_and_shares_go_on_from_batch_to_batch(tmp_path: Path) -> None:
    path = written(tmp_path / "rows.csv", "n\n" + "".join(f"{n}\n" for n in range(10_000)))
    parts = list(read_rows(path, None, 3000))
    assert [len(part.numbers) for part in parts] == [3000, 3000, 3000, 1000]
    assert [part.numbers[0] for part in parts] == [1, 3001, 6001, 9001]
    shares = [part.share for part in parts]
    assert shares == sorted(shares)  # type: ignore[type-var]
    assert shares[-1] == 1


class Endless(io.RawIOBase):
    """A stream that never ends."""

    def __init__(self, head: bytes, line: bytes) -> None:
        self._parts: Iterator[bytes] = itertools.chain([head], itertools.repeat(line * 100))
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._parts)
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


@pytest.mark.parametrize(
    "stream", [Endless(b"a,b\n", b"1,2\n"), Endless(b"\n", b'{"a": 1, "b": 2}\n')], ids=["CSV", "JSON lines"]
)
def test_what_never_ends_is_read_in_bounded_memory(stream: Any) -> None:
    found = read_rows(stream, None, 1000)
    next(found)
    tracemalloc.start()
    try:
        for part in itertools.islice(found, 50):
            assert len(part.numbers) == 1000
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
        found.close()


def test_a_large_parquet_file_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    duckdb.sql(f"COPY (SELECT range AS n, md5(range::VARCHAR) AS text FROM range(800000)) TO '{path}'")
    assert path.stat().st_size > 24_000_000
    code = f"""
import resource
from pathlib import Path
import duckdb
from feast_core.files import read_rows
found = read_rows(Path({str(path)!r}))
next(found)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = sum(len(part.numbers) for part in found)
print("found", rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    rows, kilobytes = map(int, done.stdout.partition("found")[2].split())  # DuckDB may print a bar before it
    assert rows == 800_000 - 5000
    assert kilobytes < 60_000


@pytest.mark.parametrize("chosen", ["csv", "jsonl"])
def test_what_has_no_lines_is_not_read_whole(chosen: Any) -> None:
    with pytest.raises(InvalidInput, match="standard input: line 1 is longer than 64 MiB"):
        next(read_rows(Endless(b"", b"\0\1\2" * 10_000), chosen))  # type: ignore[arg-type]


def test_a_named_pipe_is_read_as_standard_input_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writing = threading.Thread(target=(tmp_path / "pipe").write_text, args=(LINES,))
    writing.start()
    found = all_of(tmp_path / "pipe")
    writing.join()
    assert found.columns == COLUMNS
    assert found.share is None


@pytest.mark.parametrize("content", [b"", b"\n\n"])
@pytest.mark.parametrize("chosen", [None, "csv", "json", "jsonl"])
def test_an_empty_file_has_no_rows(content: bytes, chosen: Any) -> None:
    assert list(read_rows(io.BytesIO(content), chosen)) == []


def test_files_without_a_row_have_none(tmp_path: Path) -> None:
    duckdb.sql("SELECT 1 AS n WHERE false").write_parquet(str(tmp_path / "rows.parquet"))
    assert list(read_rows(tmp_path / "rows.parquet")) == []
    for content in (b"a,b\n", b"[]", b'{"a": [], "b": []}', b"{}"):
        assert list(read_rows(io.BytesIO(content))) == []


def unreadable(content: bytes, *arguments: Any) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """Numbers of the rows that can be read; number, line, reason and data of the others."""
    found = all_of(content, *arguments)
    return list(found.numbers), [(row.number, row.line, row.reason, row.data) for row in found.wrong]


def test_rows_of_csv_that_are_none_are_numbered_with_the_reason() -> None:
    content = b'a,b\n1,2\n1\n"x\n",2,3\n1,\xff\n"1"2,3\n4,5\n'
    assert unreadable(content) == (
        [1, 6],
        [
            (2, 3, "has 1 values, and the file has 2 columns", {"a": "1"}),
            (3, 4, "has 3 values, and the file has 2 columns", {"a": "x\n", "b": "2", "value 3": "3"}),
            (4, 6, "line 6 is not UTF-8", {"a": "1", "b": "\\xff"}),
            (5, 7, "is no CSV: ',' expected after '\"'", None),
        ],
    )


def test_rows_of_json_lines_that_are_none_are_numbered_with_the_reason() -> None:
    lines = [
        '{"a": 1, "b": 2}',
        "",
        '{"a": 1}',
        '{"b": 1, "c": 1, "a": 1}',
        "[1]",
        '{"a": 1',
        '{"b": NaN, "a": 9}',
        "{}",
    ]
    numbers, wrong = unreadable("\n".join(lines).encode() + b'\n"\xff"\n')
    assert numbers == [1, 6]
    assert [(number, line) for number, line, _, _ in wrong] == [(2, 3), (3, 4), (4, 5), (5, 6), (7, 8), (8, 9)]
    reasons = [reason for _, _, reason, _ in wrong]
    assert reasons[0] == "b: is missing; write null where there is no value"
    assert reasons[1] == "c: is not in the rows before it; all rows need the same columns"
    assert reasons[2] == "expected an object with values, got [1]"
    assert reasons[3].startswith("is no JSON: Expecting ',' delimiter")
    assert reasons[5] == "is not UTF-8"
    assert [data for _, _, _, data in wrong][:4] == [{"a": 1}, {"b": 1, "c": 1, "a": 1}, [1], '{"a": 1']


def test_the_first_row_may_be_the_one_that_cannot_be_read() -> None:
    assert unreadable(b'{"a": \n{"a": 1}\n', "jsonl")[0] == [2]
    assert unreadable(b'[7, {"a": 1}]')[0] == [2]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.txt", b"", "its name does not say what it holds; name the format, one of parquet, csv, json, jsonl"),
        ("rows", b"", "its name does not say what it holds"),
        ("rows.parquet", b"PAR1 and nothing", "is not parquet, or is damaged: "),
        ("rows.parquet", b"a,b\n", "is not parquet, or is damaged: "),
        ("rows.json", b"[1, 2", "is no JSON: Expecting ',' delimiter (character 6)"),
        ("rows.json", b"[\n1,\n2", "is no JSON: Expecting ',' delimiter (line 3, character 2)"),
        ("rows.json", b"7", "expected a list of objects or an object of lists, got 7"),
        (
            "rows.json",
            b'{"a": [1], "b": []}',
            "df.b: has 0 values, a has 1; all columns need the same number",
        ),
        ("rows.json", b"[" * 100_000, "is nested too deeply"),
        ("rows.csv", b"a,b,a\n", "has two columns 'a'; rename one of them"),
        ("rows.csv", b"\xff,b\n", "line 1, the names of the columns, is not UTF-8"),
        ("rows.csv", b'a,"b\n', "line 1, the names of the columns, cannot be read: unexpected end of data"),
        ("rows.csv", "a,b\n".encode("utf-16"), "is UTF-16; write it as UTF-8"),
        ("rows.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "is damaged: Compressed file ended"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason_in_one_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = written(tmp_path / name, content)
    with pytest.raises(InvalidInput, match=re.escape(f"{path}: {message}")) as raised:
        list(read_rows(path))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"rows\.csv: there is no such file"):
        list(read_rows(tmp_path / "rows.csv"))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InvalidInput, match=r"folder\.csv: cannot be read: Is a directory"):
        list(read_rows(tmp_path / "folder.csv"))


def test_columns_of_parquet_that_differ_only_in_case_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    duckdb.sql(f"COPY (SELECT 1 AS number, 2 AS numbed) TO '{path}'")
    path.write_bytes(path.read_bytes().replace(b"numbed", b"Number"))  # DuckDB itself would not write it
    with pytest.raises(InvalidInput, match="names differ only in case"):
        list(read_rows(tmp_path / "rows.parquet"))


def test_the_format_that_is_named_wins_over_the_name_of_the_file(tmp_path: Path) -> None:
    assert all_of(written(tmp_path / "rows.txt", LINES), "jsonl").columns == COLUMNS
    assert format_of(Path("a.b/rows.CSV.GZ")) == "csv"
