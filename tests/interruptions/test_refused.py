"""Disks that are full, directories that may not be written: what is said, what is served, and that it goes on after."""

import resource
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
START, END = (NOON - DAY).isoformat(), (NOON + DAY).isoformat()
GET = ("get-online-features", "-e", "driver_id=1", "-f", "first:trips")


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """`full(path)`: a SQLite file that cannot grow any more, as on a full disk."""
    connect = sqlite3.dbapi2.connect

    def make_full(path: Path) -> None:
        def limited(database: Any, *args: Any, **kwargs: Any) -> sqlite3.Connection:
            connection = connect(database, *args, **kwargs)
            if Path(str(database)).name == path.name:
                (pages,) = connection.execute("PRAGMA page_count").fetchone()
                connection.execute(f"PRAGMA max_page_count = {pages}")
            return connection

        for module in (sqlite3, sqlite3.dbapi2):
            monkeypatch.setattr(module, "connect", limited)

    return make_full


def test_a_materialization_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    repository: Any,
    feast: Callable[..., Any],
    full: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    write: Any,
) -> None:
    write(repository.path / "data" / "second.parquet", 21, 20_000)
    with repository.store() as store:
        full(repository.online)
        ended = feast(repository.path, "materialize", START, END)
        assert ended.code == 1
        assert [line.partition(":")[0] for line in ended.out.splitlines()] == ["first", "third"]
        assert ended.err == (
            "error: second: the online store online.db cannot be written: its disk is full; make room there and run it"
            " again\n"
        )
        assert repository.trips("first") == [10, 14990]
        assert len(store.intervals("second")) == 1
    monkeypatch.undo()
    assert feast(repository.path, "materialize", START, END).code == 0
    assert repository.trips("second", drivers=(1, 19_999)) == [21, 21 * 19_999]


def test_an_apply_on_a_full_disk_changes_nothing_and_is_done_when_there_is_room(
    repository: Any, feast: Callable[..., Any], full: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = {f"tag {number}": "x" * 100 for number in range(500)}
    repository.change('name="driver", ', f'name="driver", tags={tags!r}, ')
    full(repository.registry)
    ended = feast(repository.path, "apply")
    assert ended.code == 1
    assert ended.err == (
        f"error: the registry {repository.registry} cannot be written: its disk is full; make room there and run it"
        " again\n"
    )
    assert repository.trips("first") == [10, 14990]
    with repository.store() as store:
        assert store.get_entity("driver").tags == {}
    monkeypatch.undo()
    assert feast(repository.path, "apply").code == 0
    with repository.store() as store:
        assert store.get_entity("driver").tags == tags


def test_files_that_may_not_grow_are_an_error_in_one_line(repository: Any, write: Any) -> None:
    """The system's own limit, as that of a quota: SQLite's log cannot be written."""
    write(repository.path / "data" / "second.parquet", 21, 20_000)

    def limit() -> None:
        size = 2**18
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    ended = repository.run("materialize", START, END, preexec_fn=limit)
    assert ended.code == 1
    assert ended.errors[-1].startswith("error: second: the online store online.db cannot be used: disk I/O error; see")
    assert repository.trips("first") == [10, 14990]
    with repository.store() as store:
        store.materialize(NOON - DAY, NOON + DAY)
    assert repository.trips("second", drivers=(1, 19_999)) == [21, 21 * 19_999]


def test_a_new_repository_leaves_nothing_where_there_is_no_room(repository: Any, feast: Callable[..., Any]) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    ended = repository.run("init", "another", preexec_fn=limit)
    assert ended.code == 1
    assert ended.err.startswith("error: cannot make another: ")
    assert not (repository.path / "another").exists()
    assert feast(repository.path, "init", "another").code == 0


def test_a_directory_that_may_not_be_written_is_served_from_and_nothing_else(
    repository: Any, serving: Callable[..., Any], without_privileges: Callable[[], None]
) -> None:
    repository.change('name="driver", ', 'name="driver", owner="me", ')
    directory = repository.path / "data"
    for path in directory.iterdir():
        path.chmod(0o444)
    directory.chmod(0o555)
    try:
        for command in ("apply",), ("materialize", START, END, "-v", "first"):
            ended = repository.run(*command, preexec_fn=without_privileges)
            assert ended.code == 1
            said = (
                f"the registry {repository.registry} cannot be written: it or its directory is read-only for this user"
            )
            assert ended.err.endswith(f"{said}\n")
            assert len(ended.errors) == 1
        with serving(repository, preexec_fn=without_privileges) as server:
            assert server.trips("first", "second", "third") == (200, [10, 20, 30])
            assert server.request("/ready")[0] == 200
        repository.registry.chmod(0o000)
        ended = repository.run(*GET, preexec_fn=without_privileges)
        assert (ended.code, len(ended.errors)) == (1, 1)
        assert ended.err.startswith(f"error: cannot read the registry {repository.registry}: Permission denied")
        repository.registry.chmod(0o644)
        (directory / "first.parquet").chmod(0o000)
        directory.chmod(0o755)
        repository.online.chmod(0o644)
        ended = repository.run("materialize", START, END, preexec_fn=without_privileges)
        assert ended.code == 1
        assert [line.partition(":")[0] for line in ended.out.splitlines()] == ["second", "third"]
        (line,) = ended.errors
        assert line.startswith("error: first: data source 'first_source': data/first.parquet")
        assert "ermission denied" in line
    finally:
        directory.chmod(0o755)
