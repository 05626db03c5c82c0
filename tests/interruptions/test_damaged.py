"""Files that are damaged, replaced or removed: one line that names them, and what was there still serves."""

import json
import os
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from feast_offline_file.source import OpenSource

from feast_core import sqlite_files
from feast_core.definitions import FileSource
from feast_core.errors import SourceError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
START, END = (NOON - DAY).isoformat(), (NOON + DAY).isoformat()
GET = ("get-online-features", "-e", "driver_id=1", "-f", "first:trips")


def damage_header(path: Path) -> None:
    overwrite(path, 0, 100)


def damage_middle(path: Path) -> None:
    for start in range(4096, path.stat().st_size - 500, 4096):
        overwrite(path, start, 500)


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace_by_text(path: Path) -> None:
    path.write_text("this is no database\n" * 10)


def replace_by_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def overwrite(path: Path, start: int, count: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * count)


DAMAGES = [damage_header, damage_middle, truncate, replace_by_text, replace_by_directory]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("which", ["registry", "online"])
def test_a_damaged_file_is_named_in_one_line_that_says_what_to_do(
    repository: Any, feast: Callable[..., Any], which: str, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    path = getattr(repository, which)
    shutil.copy(path, tmp_path / "copy")
    repository.change('name="driver", ', 'name="driver", owner="me", ')
    # What a command does first with the online store is to make place for a view; with other keys, it drops its rows.
    repository.change('view("third")', 'view("third", car)')
    damage(path)
    for command in (("apply",), ("materialize", START, END, "-v", "first"), GET):
        ended = feast(repository.path, *command)
        assert ended.code == 1
        (line,) = ended.errors
        assert line.startswith("error: ")
        assert path.name in line
        for inside in ("SELECT", "Traceback", "sqlalche.me", "unexpected"):
            assert inside not in line
        assert any(hint in line for hint in ("restore it", "--replace-registry", "irectory"))
    if path.is_dir():
        path.rmdir()
    shutil.copy(tmp_path / "copy", path)
    assert feast(repository.path, "apply").code == 0
    assert repository.trips("first") == [10, 14990]


def test_a_store_that_stays_locked_is_said_to_be(
    repository: Any, feast: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_files, "BUSY_SECONDS", 0.2)
    connection = sqlite3.connect(repository.online, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    ended = feast(repository.path, "materialize", START, END, "-v", "first")
    assert ended.code == 1
    assert ended.err == "error: first: the online store online.db is locked by another process; gave up after 0.2 s\n"
    assert repository.trips("first") == [10, 14990]
    connection.close()
    assert feast(repository.path, "materialize", START, END, "-v", "first").code == 0


def not_ready(server: Any, but_not: str = "nothing") -> str:
    """What /ready says once it is 503: it asks its stores once a second. Another reason is waited away."""
    deadline = time.monotonic() + 60
    while True:
        status, body = server.request("/ready")
        if status == 503 and but_not not in body:
            return str(json.loads(body)["detail"])
        assert time.monotonic() < deadline, body
        time.sleep(0.05)


def test_a_server_serves_what_is_whole_and_tells_nothing_of_its_insides(
    repository: Any, serving: Callable[..., Any], tmp_path: Path
) -> None:
    """One view's table is damaged; then the registry; then the whole store is truncated, which ends no process."""
    shutil.copy(repository.registry, tmp_path)
    with sqlite3.connect(repository.online) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'rows_2_int'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    overwrite(repository.online, (root - 1) * size, size)
    with serving(repository, "-r", "1") as server:
        assert server.trips("first", "third") == (200, [10, 30])
        status, problem = server.trips("second")
        assert (status, problem["type"], problem["title"]) == (503, "/errors/unavailable", "Unavailable")
        text = json.dumps(problem)
        assert not any(inside in text for inside in ("online.db", str(repository.path), "malformed", "rows_2", "SQL"))
        assert server.request("/ready")[0] == 200

        damage_header(repository.registry)
        assert not_ready(server) == "the registry cannot be used; the log says why"
        assert server.trips("first") == (200, [10])

        shutil.copy(tmp_path / "registry.db", repository.registry)
        os.truncate(repository.online, size)
        assert "the online store" in not_ready(server, "the registry")
        assert server.trips("first", driver=1234)[0] == 503
        assert server.process.poll() is None
        assert server.request("/health")[0] == 200


# Data files.


def changed(path: Path) -> None:
    """By one with other rows in other places, as a job does that writes a file and renames it."""
    duckdb.sql(
        f"COPY (SELECT 1499 - id AS driver_id, 7 * id AS trips, TIMESTAMP '2026-01-01 12:00:00' AS ts"
        f" FROM range(1500) AS ids(id)) TO '{path}.new' (FORMAT parquet)"
    )
    os.replace(f"{path}.new", path)


def written_anew(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


@pytest.mark.parametrize(
    ("happens", "said"),
    [(changed, "changed"), (truncate, "changed"), (written_anew, "changed"), (Path.unlink, "removed")],
)
def test_a_data_file_that_changes_while_it_is_read_is_an_error_before_a_row_is_written(
    repository: Any, happens: Callable[[Path], None], said: str
) -> None:
    """After the newest rows are known by their places in the file, and before they are read."""
    path = repository.path / "data" / "second.parquet"
    shutil.copy(path, f"{path}.copy")

    def meanwhile(job: Any, done: int, total: int | None) -> None:
        if job.view.name == "second" and done == 0:
            happens(path)

    with repository.store() as store:
        before = store.intervals("second")
        jobs = store.window_jobs(NOON - DAY, NOON + 2 * DAY)
        first, second, third = store.run_jobs(jobs, meanwhile)
        assert (first.error, third.error) == (None, None)
        assert isinstance(second.error, SourceError)
        assert str(second.error) == (
            f"data source 'second_source': data/second.parquet was {said} while it was read; nothing of this is"
            " recorded, run it again"
        )
        assert (second.rows, second.superseded) == (0, 0)
        assert store.intervals("second") == before
        assert repository.trips("second") == [20, 29980]
        shutil.copy(f"{path}.copy", path)
        assert store.materialize(NOON - DAY, NOON + 2 * DAY, ["second"])[0].error is None


def test_a_part_of_a_data_folder_that_is_damaged_is_named_and_the_other_views_are_done(
    repository: Any, feast: Callable[..., Any]
) -> None:
    folder = repository.path / "data" / "second.parquet"
    shutil.move(folder, repository.path / "whole")
    folder.mkdir()
    for name in ("part-1.parquet", "part-2.parquet", "part-3.parquet"):
        shutil.copy(repository.path / "whole", folder / name)
    content = (folder / "part-2.parquet").read_bytes()
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    for start, count in ((footer + 5, 30), (footer // 2, footer // 3), (0, len(content))):
        shutil.copy(repository.path / "whole", folder / "part-2.parquet")
        overwrite(folder / "part-2.parquet", start, count)
        ended = feast(repository.path, "materialize", START, END)
        assert ended.code == 1
        assert [line.partition(":")[0] for line in ended.out.splitlines()] == ["first", "third"]
        (line,) = ended.errors
        assert line.startswith("error: second: data source 'second_source': data/second.parquet")
        assert "data/second.parquet/part-2.parquet" in line
        assert line.endswith("; write it anew")
    told = feast(repository.path, "materialize", START, END, "--json")
    assert told.code == 1
    failed = {found["name"]: found["error"] for found in json.loads(told.out)}
    assert (failed["first"], failed["third"]) == (None, None)
    assert "part-2.parquet" in failed["second"]


def test_a_part_with_columns_of_another_kind_is_an_error(repository: Any, feast: Callable[..., Any]) -> None:
    folder = repository.path / "data" / "second.parquet"
    shutil.move(folder, repository.path / "whole")
    folder.mkdir()
    shutil.copy(repository.path / "whole", folder / "part-1.parquet")
    query = "SELECT 1 AS driver_id, [1, 2] AS trips, TIMESTAMP '2026-01-01 12:00:00' AS ts"
    duckdb.sql(f"COPY ({query}) TO '{folder}/part-2.parquet' (FORMAT parquet)")
    ended = feast(repository.path, "materialize", START, END, "-v", "second")
    assert ended.code == 1
    (line,) = ended.errors
    assert line.startswith("error: second: ")
    assert "data/second.parquet" in line
    assert "trips" in line
    assert "unexpected" not in line


def test_ctrl_c_within_a_query_is_ctrl_c(repository: Any) -> None:
    """DuckDB makes an error of its own of it, by which one view would fail and the next one begin."""
    source = FileSource(path="data/first.parquet", timestamp_field="ts")
    interrupting = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    with duckdb.connect() as connection:
        opened = OpenSource(source, repository.path, connection)
        interrupting.start()
        with pytest.raises(KeyboardInterrupt), opened.readable():
            connection.execute("SELECT sum(range % 7) FROM range(500000000)")
