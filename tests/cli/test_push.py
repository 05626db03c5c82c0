"""`feast push`: rows of files and of standard input, what it says about them, and what is wrong with some."""

import gzip
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from feast_cli import push

Run = Callable[..., Any]

SOURCE = "driver_stats_push_source"
#: Later than what `feast init` makes up.
LATER = "2100-01-01T00:00:00Z"
NAMES = ("driver_id", "event_timestamp", "created", "conv_rate", "acc_rate", "avg_daily_trips")

#: Features of every shape that CSV has no text of its own for, and join keys with odd names.
ODD = """
from feast.types import Array, Bool, Json, Map, UnixTimestamp

place = Entity(name="place", join_keys=["a 'key'"], value_type=ValueType.STRING)
odd = FeatureView(
    name="odd",
    entities=[place],
    schema=[
        Field(name="is open; DROP", dtype=Bool),
        Field(name="[list]", dtype=Array(Int64)),
        Field(name="map", dtype=Map),
        Field(name="seen", dtype=UnixTimestamp),
        Field(name="count", dtype=Int64),
    ],
    source=PushSource(
        name="odd_push",
        batch_source=FileSource(
            name="odd_file", path="data/odd.parquet", timestamp_field="t", field_mapping={"COUNT(*)": "count"}
        ),
    ),
)
"""


def rows(count: int, first: int = 1, **changed: Any) -> list[dict[str, Any]]:
    """Rows of drivers 1, 2, ..., later than what is stored."""
    values = (LATER, LATER, 0.5, 0.25, 7)
    return [dict(zip(NAMES, (driver, *values), strict=True)) | changed for driver in range(first, first + count)]


def csv_of(found: list[dict[str, Any]]) -> str:
    lines = [[str("" if value is None else value) for value in row.values()] for row in found]
    return "".join(",".join(line) + "\n" for line in [list(found[0]), *lines])


def lines_of(found: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in found)


def parquet_of(found: list[dict[str, Any]], path: Path) -> Path:
    lines = path.with_suffix(".made")
    lines.write_text(lines_of(found))
    types = "event_timestamp TIMESTAMPTZ, created TIMESTAMPTZ, conv_rate FLOAT"
    casts = ", ".join(f"{cast.split()[0]}::{cast.split()[1]} AS {cast.split()[0]}" for cast in types.split(", "))
    duckdb.sql(f"SELECT * REPLACE ({casts}) FROM read_json('{lines}')").write_parquet(str(path))
    return path


@pytest.fixture
def applied(fresh: Path, call: Run) -> Path:
    assert call("apply", cwd=fresh).code == 0
    return fresh


@pytest.fixture
def stored(call: Run, applied: Path) -> Callable[..., list[Any]]:
    """`stored(1, 2)`: avg_daily_trips of these drivers as the online store has them."""

    def read(*drivers: int) -> list[Any]:
        keys = [part for driver in drivers for part in ("-e", f"driver_id={driver}")]
        done = call("get-online-features", *keys, "-f", "driver_hourly_stats:avg_daily_trips", "--json", cwd=applied)
        found: list[Any] = done.json["avg_daily_trips"]
        return found

    return read


# What is pushed.


def written_as(kind: str, found: list[dict[str, Any]], path: Path) -> Path:
    """A file of that name."""
    path = path / f"rows.{kind}"
    if kind == "parquet":
        return parquet_of(found, path)
    texts = {
        "csv": csv_of,
        "csv.gz": csv_of,
        "jsonl": lines_of,
        "ndjson": lines_of,
        "json": json.dumps,
    }
    text = texts[kind](found).encode()
    path.write_bytes(gzip.compress(text) if kind.endswith(".gz") else text)
    return path


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz", "jsonl", "ndjson", "json"])
def test_every_format_is_pushed_from_a_file_and_from_standard_input(
    kind: str, call: Run, shell: Run, applied: Path, stored: Any, tmp_path: Path
) -> None:
    path = written_as(kind, rows(3), tmp_path)
    done = call("push", SOURCE, path, cwd=applied)
    assert (done.code, done.err) == (0, "")
    assert done.lines[0] == "driver_hourly_stats: 3 rows online"
    assert re.fullmatch(rf"3 rows of {path} pushed in \d+\.\d\d s", done.lines[1])
    assert stored(1, 2, 3, 4) == [7, 7, 7, None]
    other = written_as(kind, rows(3, first=11, avg_daily_trips=8), tmp_path)
    for command in (f"feast push {SOURCE} < {other}", f"cat {other} | feast push {SOURCE} -"):
        done = shell(command, cwd=applied)
        assert (done.code, done.err) == (0, "")
        assert done.lines[0] == "driver_hourly_stats: 3 rows online"
        assert " of standard input pushed in " in done.lines[1]
    assert stored(11, 12, 13) == [8, 8, 8]


def offline_rows(repo: Path) -> list[tuple[Any, ...]]:
    """Drivers below 1000, which `feast init` does not make up, and their trips, in the batch source and its parts."""
    files = f"{repo}/data/driver_stats.parquet*/*.parquet"
    found = duckdb.sql(f"SELECT driver_id, avg_daily_trips FROM read_parquet('{files}') ORDER BY ALL").fetchall()
    return list(found)


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_to_says_where_rows_go(kind: str, call: Run, applied: Path, stored: Any, tmp_path: Path) -> None:
    path = written_as(kind, rows(2), tmp_path)
    done = call("push", SOURCE, path, "--to", "offline", cwd=applied)
    assert (done.code, done.err, done.lines[0]) == (0, "", "driver_hourly_stats: 2 rows offline")
    assert (stored(1, 2), offline_rows(applied)) == ([None, None], [(1, 7), (2, 7)])
    path = written_as(kind, rows(2, avg_daily_trips=8), tmp_path)
    done = call("push", SOURCE, path, "--to", "online", cwd=applied)
    assert (done.code, done.err, done.lines[0]) == (0, "", "driver_hourly_stats: 2 rows online")
    assert (stored(1, 2), offline_rows(applied)) == ([8, 8], [(1, 7), (2, 7)])
    path = written_as(kind, rows(2, first=3), tmp_path)
    done = call("push", SOURCE, path, "--to", "online_and_offline", cwd=applied)
    assert (done.code, done.err, done.lines[0]) == (0, "", "driver_hourly_stats: 2 rows online; 2 rows offline")
    assert (stored(3, 4), offline_rows(applied)) == ([7, 7], [(1, 7), (2, 7), (3, 7), (4, 7)])


def test_rows_that_were_pushed_offline_are_materialized(call: Run, applied: Path, stored: Any, tmp_path: Path) -> None:
    path = written_as("csv", rows(2, event_timestamp="2026-01-01T12:00:00+02:00"), tmp_path)
    assert call("push", SOURCE, path, "--to", "offline", cwd=applied).code == 0
    assert call("materialize", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z", cwd=applied).code == 0
    assert stored(1, 2) == [7, 7]


def test_a_row_that_one_of_both_stores_refuses_is_written_to_neither(
    call: Run, applied: Path, stored: Any, tmp_path: Path
) -> None:
    found = [row | {"more": 1} for row in rows(2)]
    path = written_as("jsonl", found, tmp_path)
    done = call("push", SOURCE, path, "--to", "online_and_offline", cwd=applied)
    assert done.code == 2
    assert f"error: {path}: more: is no column of the batch source" in done.err
    assert stored(1, 2) == [None, None]
    assert call("push", SOURCE, path, cwd=applied).code == 0, "columns that no view needs do not matter online"
    path = written_as("jsonl", [*rows(1, first=3), *rows(1, first=4, driver_id=None), *rows(1, first=5)], tmp_path)
    bad = tmp_path / "bad"
    done = call("push", SOURCE, path, "--to", "online_and_offline", "--skip-bad", bad, cwd=applied)
    assert done.lines[0] == "driver_hourly_stats: 2 rows online; 2 rows offline"
    assert (stored(3, 4, 5), offline_rows(applied)) == ([7, None, 7], [(3, 7), (5, 7)])


#: A plugin that queues, in short.
QUEUEING = """
from dataclasses import replace
from feast_core.hookspecs import hookimpl
from feast_core.interfaces import OfflineWriter

class Queueing(OfflineWriter):
    def __init__(self, inner):
        self.encode = inner.encode
        self._write = inner.write

    def encode(self, columns): ...

    def write(self, encoded, batch_id):
        return replace(self._write(encoded, batch_id), queued=True)

@hookimpl(wrapper=True)
def feast_offline_writer():
    return Queueing((yield))
"""


def test_rows_that_are_queued_are_called_so(call: Run, applied: Path, tmp_path: Path) -> None:
    (applied / "feast_plugins.py").write_text(QUEUEING)
    path = written_as("csv", rows(2), tmp_path)
    done = call("push", SOURCE, path, "--to", "offline", cwd=applied)
    assert done.lines[0] == "driver_hourly_stats: 2 rows offline (on disk, and soon in the batch source)"
    assert call("push", SOURCE, path, "--to", "offline", "--json", cwd=applied).json["queued"] is True


def test_what_the_example_itself_has_is_pushed(call: Run, applied: Path, stored: Any) -> None:
    done = call("push", SOURCE, "data/driver_stats.parquet", cwd=applied)
    assert done.code == 0, done.err
    assert None not in stored(1001, 1002, 1003, 1004, 1005)


def test_rows_older_than_what_is_stored_are_called_superseded(call: Run, applied: Path, tmp_path: Path) -> None:
    written_as("csv", rows(3), tmp_path)
    call("push", SOURCE, tmp_path / "rows.csv", cwd=applied)
    written_as("csv", rows(4, event_timestamp="2026-01-01"), tmp_path)
    done = call("push", SOURCE, tmp_path / "rows.csv", cwd=applied)
    assert done.lines[0] == "driver_hourly_stats: 1 row online; 3 superseded: what is stored is newer"


def test_json_is_the_receipt(call: Run, applied: Path, tmp_path: Path) -> None:
    done = call("push", SOURCE, written_as("jsonl", rows(3), tmp_path), "--json", cwd=applied)
    assert done.json.pop("seconds") >= 0
    assert json.loads(done.out) | {"seconds": 0} == {
        "feature_views": {"driver_hourly_stats": {"online": 3, "superseded": 0, "offline": 0}},
        "queued": False,
        "rows": 3,
        "refused": 0,
        "seconds": 0,
    }


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "ndjson"])
def test_an_empty_file_pushes_nothing(kind: str, call: Run, applied: Path, tmp_path: Path) -> None:
    (tmp_path / f"rows.{kind}").touch()
    done = call("push", SOURCE, tmp_path / f"rows.{kind}", cwd=applied)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("no row of ")


def test_nulls_and_nan_of_features_are_null(call: Run, applied: Path, stored: Any, tmp_path: Path) -> None:
    text = lines_of([*rows(1, avg_daily_trips=None), *rows(1, first=2, conv_rate=float("nan"), avg_daily_trips=None)])
    (tmp_path / "rows.jsonl").write_text(text)
    assert "NaN" in text
    assert call("push", SOURCE, tmp_path / "rows.jsonl", cwd=applied).lines[0].endswith(": 2 rows online")
    assert stored(1, 2) == [None, None]


@pytest.fixture
def odd(fresh: Path, call: Run) -> Path:
    """The example with a view whose names and types are odd."""
    duckdb.sql("""
        SELECT 'x' AS "a 'key'", true AS "is open; DROP", [1] AS "[list]", MAP {'a': 1} AS map,
            TIMESTAMP '2026-01-01' AS seen, 1 AS "COUNT(*)", TIMESTAMP '2026-01-01' AS t
    """).write_parquet(str(fresh / "data" / "odd.parquet"))
    features = fresh / "features.py"
    features.write_text(features.read_text() + ODD)
    if "ValueType" not in features.read_text().partition("place =")[0]:
        features.write_text("from feast import ValueType\n" + features.read_text())
    done = call("apply", cwd=fresh)
    assert done.code == 0, done.err
    return fresh


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_odd_names_and_types_are_pushed_from_every_format(kind: str, call: Run, odd: Path, tmp_path: Path) -> None:
    path = tmp_path / f"rows.{kind}"
    if kind == "csv":
        path.write_text(
            "a 'key',is open; DROP,[list],map,seen,COUNT(*),t\n"
            'x,True,"[1, 2]","{""n"": 1}",1767225600,3.0,2026-02-01\n'
            "y,false,[],,2026-01-01T00:00:00Z,,2026-02-01T00:00:00+01:00\n"
        )
    elif kind == "jsonl":
        first = {"a 'key'": "x", "is open; DROP": True, "[list]": [1, 2], "map": {"n": 1}, "seen": 1767225600}
        second = {"a 'key'": "y", "is open; DROP": False, "[list]": [], "map": None, "seen": "2026-01-01"}
        path.write_text(lines_of([first | {"COUNT(*)": 3, "t": LATER}, second | {"COUNT(*)": None, "t": LATER}]))
    else:
        duckdb.sql("""
            SELECT 'x' AS "a 'key'", true AS "is open; DROP", [1, 2] AS "[list]", MAP {'n': 1} AS map,
                TIMESTAMP '2026-01-01' AS seen, 3 AS "COUNT(*)", DATE '2026-02-01' AS t
            UNION ALL SELECT 'y', false, [], NULL, TIMESTAMP '2026-01-01', NULL, DATE '2026-02-01'
        """).write_parquet(str(path))
    done = call("push", "odd_push", path, cwd=odd)
    assert (done.code, done.err) == (0, "")
    names = ["is open; DROP", "[list]", "map", "seen", "count"]
    asked = [part for name in names for part in ("-f", f"odd:{name}")]
    found = call("get-online-features", "-e", "a 'key'=x", "-e", "a 'key'=y", *asked, "--json", cwd=odd).json
    instant = "2026-01-01T00:00:00Z"
    assert [found[name] for name in names] == [[True, False], [[1, 2], []], [{"n": 1}, None], [instant] * 2, [3, None]]


# Rows that are wrong.


@pytest.mark.parametrize(
    ("kind", "changed", "message"),
    [
        ("csv", {"conv_rate": "x"}, "row 4 (line 5): conv_rate: expected a number, got 'x'"),
        ("jsonl", {"driver_id": None}, "row 4 (line 4): driver_id: an entity value cannot be null"),
        ("json", {"avg_daily_trips": 2**70}, "row 4: avg_daily_trips: 1180591620717411303424 does not fit"),
        ("csv", {"event_timestamp": "1767225600"}, "row 4 (line 5): event_timestamp: '1767225600' is a bare number"),
        ("jsonl", {"event_timestamp": None}, "row 4 (line 4): event_timestamp: the time of the event is needed"),
        ("parquet", {"driver_id": None}, "row 4: driver_id: an entity value cannot be null"),
    ],
)
def test_the_first_wrong_row_ends_it_and_those_before_it_are_written(
    kind: str, changed: Any, message: str, call: Run, applied: Path, stored: Any, tmp_path: Path
) -> None:
    # The row after it has something wrong in a column that is looked at earlier.
    found = [*rows(3), *rows(1, first=4, **changed), *rows(1, first=5, acc_rate=None), *rows(1, first=6)]
    if kind != "parquet":
        found[4]["driver_id"] = None
    path = written_as(kind, found, tmp_path)
    done = call("push", SOURCE, path, cwd=applied)
    assert (done.code, done.out) == (2, "")
    note, error = done.err.splitlines()
    assert note == f"3 rows of {path} pushed"
    assert error.startswith(f"error: {path}: {message}")
    assert error.endswith("; correct it, or go on without such rows by --skip-bad FILE")
    assert stored(1, 2, 3, 4, 6) == [7, 7, 7, None, None]


def test_a_row_that_is_none_ends_it_where_it_stands(call: Run, applied: Path, stored: Any, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(lines_of(rows(2)) + "{\n" + lines_of(rows(1, first=3, driver_id=None)))
    done = call("push", SOURCE, path, cwd=applied)
    assert done.code == 2
    assert f"error: {path}: row 3 (line 3): is no JSON: " in done.err
    assert stored(1, 2, 3) == [7, 7, None]
    path.write_text(lines_of(rows(1, first=3)) + lines_of(rows(1, driver_id=None)) + "{\n")
    assert "row 2 (line 2): driver_id: " in call("push", SOURCE, path, cwd=applied).err
    assert stored(3) == [7]


def test_a_wrong_row_far_down_is_numbered_as_in_the_file(
    call: Run, applied: Path, stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "ONLINE_ROWS", 10)
    found = rows(100)
    found[56]["acc_rate"] = "x"
    done = call("push", SOURCE, written_as("csv", found, tmp_path), cwd=applied)
    assert "row 57 (line 58): acc_rate: expected a number, got 'x'" in done.err
    assert "56 rows of " in done.err
    assert stored(56, 57) == [7, None]


def test_with_skip_bad_the_rest_is_pushed_and_wrong_rows_are_written_with_the_reason(
    call: Run, applied: Path, stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "ONLINE_ROWS", 4)
    found = rows(10)
    found[1]["conv_rate"] = "x"
    found[6]["driver_id"] = None
    lines = csv_of(found).splitlines(keepends=True)
    lines[9] = "9,only\n"
    path, bad = tmp_path / "rows.csv", tmp_path / "bad.jsonl"
    path.write_text("".join(lines))
    done = call("push", SOURCE, path, "--skip-bad", bad, cwd=applied)
    assert (done.code, done.err) == (0, "")
    assert done.lines[0] == "driver_hourly_stats: 7 rows online"
    assert done.lines[1].startswith(f"7 rows of {path} pushed in ")
    assert done.lines[2] == f"3 rows refused, see {bad}"
    assert stored(1, 2, 3, 6, 7, 8, 9, 10) == [7, None, 7, 7, None, 7, None, 7]
    refused = [json.loads(line) for line in bad.read_text().splitlines()]
    assert [(row["row"], row["line"], row["reason"]) for row in refused] == [
        (2, 3, "conv_rate: expected a number, got 'x'"),
        (7, 8, "driver_id: an entity value cannot be null"),
        (9, 10, "has 2 values, and the file has 6 columns"),
    ]
    assert refused[0]["data"] == found[1]
    assert refused[2]["data"] == {"driver_id": "9", "event_timestamp": "only"}
    as_json = call("push", SOURCE, path, "--skip-bad", bad, "--json", cwd=applied).json
    assert (as_json["rows"], as_json["refused"]) == (7, 3)
    assert len(bad.read_text().splitlines()) == 3, "written anew"


def test_wrong_rows_can_be_corrected_and_pushed_again(call: Run, applied: Path, stored: Any, tmp_path: Path) -> None:
    path, bad = parquet_of([*rows(2), *rows(1, first=3, driver_id=None)], tmp_path / "rows.parquet"), tmp_path / "bad"
    assert call("push", SOURCE, path, "--skip-bad", bad, cwd=applied).code == 0
    data = json.loads(bad.read_text())["data"]
    (tmp_path / "again.jsonl").write_text(json.dumps(data | {"driver_id": 3}))
    assert call("push", SOURCE, tmp_path / "again.jsonl", cwd=applied).code == 0
    assert stored(1, 2, 3) == [7, 7, 7]


def test_a_file_of_wrong_rows_only_is_gone_through(call: Run, applied: Path, tmp_path: Path) -> None:
    path, bad = written_as("jsonl", rows(500, driver_id=None), tmp_path), tmp_path / "bad.jsonl"
    done = call("push", SOURCE, path, "--skip-bad", bad, cwd=applied)
    assert done.code == 0
    assert done.lines[-2:] == [done.lines[-2], f"500 rows refused, see {bad}"]
    assert done.lines[-2].startswith(f"no row of {path} pushed in ")
    assert [json.loads(line)["row"] for line in bad.read_text().splitlines()] == list(range(1, 501))


# What is wrong altogether.


def test_missing_columns_are_named_with_and_without_skip_bad(call: Run, applied: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"driver_id,event_timestamp,created,conv,avg_daily_trips\n1,{LATER},{LATER},0.5,7\n")
    for options in ([], ["--skip-bad", tmp_path / "bad"]):
        done = call("push", SOURCE, path, *options, cwd=applied)
        assert (done.code, done.out) == (2, "")
        note, error = done.err.splitlines()
        assert note == f"no row of {path} pushed"
        assert error.startswith(f"error: {path}: conv_rate: is missing; ")
        assert "; acc_rate: is missing; " in error


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((SOURCE, "nothing.csv"), 2, "'nothing.csv' does not exist"),
        (("driver_stats_push_sorce", "rows.csv"), 1, f"did you mean '{SOURCE}'?"),
        (("driver_hourly_stats_source", "rows.csv"), 1, "feeds no feature view"),
        ((SOURCE, "rows.txt"), 2, "rows.txt: its name does not say what it holds; name the format, one of parquet,"),
        ((SOURCE, "rows.csv", "--to", "both"), 2, "'both' is not one of 'online', 'offline', 'online_and_offline'"),
        ((SOURCE, "rows.csv", "--skip-bad", "rows.csv"), 2, "rows.csv is the file that is pushed; name another one"),
        ((SOURCE, "rows.csv", "--skip-bad", "no/such"), 2, "no/such cannot be written: No such file or directory"),
        ((SOURCE, "broken.parquet"), 2, "broken.parquet: is not parquet, or is damaged: "),
    ],
)
def test_what_cannot_be_pushed_is_told_in_one_line(
    arguments: tuple[str, ...], code: int, message: str, call: Run, applied: Path
) -> None:
    for name in ("rows.csv", "rows.txt"):
        (applied / name).write_text(csv_of(rows(1)))
    (applied / "broken.parquet").write_text("PAR1")
    done = call("push", *arguments, cwd=applied)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert (applied / "rows.csv").read_text() == csv_of(rows(1))


def test_an_unknown_source_leaves_the_file_of_wrong_rows_alone(call: Run, applied: Path) -> None:
    (applied / "bad").write_text("of before")
    (applied / "rows.csv").write_text(csv_of(rows(1)))
    assert call("push", "nothing", "rows.csv", "--skip-bad", "bad", cwd=applied).code == 1
    assert (applied / "bad").read_text() == "of before"


def test_before_the_first_apply_the_next_step_is_told(call: Run, fresh: Path) -> None:
    done = call("push", SOURCE, "data/driver_stats.parquet", cwd=fresh)
    assert done.code == 1
    assert f"error: Unable to find push source '{SOURCE}'" in done.err
    assert "nothing is applied to project driver_repo yet, see `feast apply`" in done.err


def test_the_format_can_be_named(call: Run, applied: Path, stored: Any) -> None:
    (applied / "rows.txt").write_text(csv_of(rows(1)))
    assert call("push", SOURCE, "rows.txt", "--format", "csv", cwd=applied).code == 0
    assert stored(1) == [7]


# While it runs.


def test_on_a_terminal_there_is_a_bar_and_standard_input_is_not_waited_for(on_terminal: Run, applied: Path) -> None:
    (applied / "rows.csv").write_text(csv_of(rows(3)))
    code, drawn = on_terminal("push", SOURCE, "rows.csv", cwd=applied, width=120)
    assert code == 0
    assert "3 rows" in drawn
    assert "100 %" in drawn
    code, drawn = on_terminal("push", SOURCE, cwd=applied)
    assert code == 2
    assert "name a FILE, or send rows to standard input" in drawn


def test_ctrl_c_says_what_was_pushed(applied: Path, stored: Any, clean_env: Any) -> None:
    running = subprocess.Popen(
        ["feast", "push", SOURCE],
        cwd=applied,
        env=clean_env(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background of a shell ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert running.stdin is not None
        running.stdin.write(lines_of(rows(push.ONLINE_ROWS + 1)))
        running.stdin.flush()
        deadline = time.monotonic() + 60
        while stored(push.ONLINE_ROWS) != [7]:
            assert time.monotonic() < deadline, "rows are written while more are to come"
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    finally:
        running.kill()
        running.wait()
    assert (running.returncode, out) == (130, "")
    assert err.split("\n") == [
        f"{push.ONLINE_ROWS} rows of standard input pushed; those that were being written may be, too",
        "",  # of click, after ^C
        "error: interrupted",
        "",
    ]
