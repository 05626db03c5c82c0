"""The registry in a database: the contract on SQLite and PostgreSQL, and what is particular to files and URLs."""

import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from feast_registry_sql import feast_components
from feast_registry_sql.location import FileLocation, Location, UrlLocation
from feast_registry_sql.registry import FileRegistry, SqlRegistry

from feast_core.components import Catalog
from feast_core.config import parse_config
from feast_core.errors import ConfigurationError, PluginError, RegistryError, Unavailable
from feast_core.interfaces import Interval, Registry
from feast_core.testing.registry import HOUR, NOON, PROJECT, RegistryContract, a_lease, a_run, a_view, an_entity

#: What Feast's own registry.db begins with: a protobuf message.
FEAST_REGISTRY = b"\x0a\x10\x0a\x0e\x0a\x06driver\x12\x04test*\x0112"


def at(path: Path, **options: Any) -> FileRegistry:
    return FileRegistry(FileRegistry.Options(path=FileLocation.of_file(path), **options))


class TestFile(RegistryContract):
    @pytest.fixture
    def make_registry(self, tmp_path: Path) -> Callable[[], Registry]:
        return lambda: at(tmp_path / "data" / "registry.db")


class TestSqliteUrl(RegistryContract):
    @pytest.fixture
    def make_registry(self, tmp_path: Path) -> Callable[[], Registry]:
        path = UrlLocation.from_option("sqlite:///registry.db", tmp_path)
        return lambda: SqlRegistry(SqlRegistry.Options(path=path))


def on(url: str, **options: Any) -> SqlRegistry:
    return SqlRegistry(SqlRegistry.Options(path=UrlLocation.from_option(url, Path()), **options))


class TestPostgres(RegistryContract):
    @pytest.fixture
    def make_registry(self, postgres: str) -> Callable[[], Registry]:
        return lambda: on(postgres)


# Which place the configuration means.


def configured(registry: str, repo_path: Path) -> Any:
    config = parse_config(f"project: p\nregistry: {registry}\n", repo_path)
    return Catalog(("this", component) for component in feast_components()).create("registry", config.registry)


def location(registry: Any) -> Location:
    found: Location = registry._database.location
    return found


@pytest.mark.parametrize(
    ("registry", "file"),
    [
        ("data/registry.db", "data/registry.db"),
        ("{path: data/registry.db, cache_ttl_seconds: 60, cache_mode: thread}", "data/registry.db"),
        ("{registry_type: file, path: 'odd name?#%20.db'}", "odd name?#%20.db"),
        ("file://data/registry.db", "data/registry.db"),
        ("sqlite:///data/registry.db", "data/registry.db"),
        ("{registry_type: sql, path: 'sqlite:///data/registry.db'}", "data/registry.db"),
    ],
)
def test_a_relative_file_belongs_to_the_repository(tmp_path: Path, registry: str, file: str) -> None:
    made = configured(registry, tmp_path)
    made.apply(PROJECT, [an_entity()], [])
    assert (tmp_path / file).is_file()
    made.close()


@pytest.mark.parametrize(
    "template", ["{}", "file://{}", "sqlite:///{}", "{{registry_type: sql, path: 'sqlite:///{}'}}"]
)
def test_an_absolute_file_is_itself(tmp_path: Path, template: str) -> None:
    made = configured(template.format(tmp_path / "elsewhere.db"), tmp_path / "repo")
    assert location(made).file == tmp_path / "elsewhere.db"


def test_the_older_url_of_postgres_is_read_as_that_of_psycopg(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"postgresql\+psycopg://"):
        made = configured("{registry_type: sql, path: 'postgresql://me:secret@host/db'}", tmp_path)
    assert location(made).url.drivername == "postgresql+psycopg"
    assert "secret" not in str(location(made))


@pytest.mark.parametrize(
    ("registry", "message"),
    [
        ("s3://bucket/registry.db", "line 2, registry.path.*local file.*'s3://bucket/registry.db'.*registry_type: sql"),
        ("postgresql://me:secret@host/db", r"local file.*'postgresql://me:\*\*\*@host/db'.*registry_type: sql"),
        ("{registry_type: sql, path: data/registry.db}", "named by a URL.*sqlite:///data/registry.db"),
        ("{registry_type: sql, path: 'postgresql+psycopg://h:port/db'}", "not a URL of a database"),
        ("{registry_type: sql, path: 'sqlite://'}", "in memory would be empty"),
        ("{registry_type: sql, path: 'sqlite:///:memory:'}", "in memory would be empty"),
        ("{registry_type: sql}", "registry: .*path"),
        ("{path: 7}", "expected a path or a URL, got 7"),
        ("{registry_type: sqll, path: x}", "did you mean 'sql'"),
        ("{path: x, cache_ttl_seconds: soon}", "registry.cache_ttl_seconds"),
    ],
)
def test_a_wrong_place_is_refused_in_the_configuration(tmp_path: Path, registry: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        configured(registry, tmp_path)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_keys_of_feast_that_mean_nothing_here_are_warned_of(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"registry\.read_path: not used here"):
        configured("{registry_type: sql, path: 'sqlite:///x.db', read_path: 'sqlite:///y.db'}", tmp_path)


def test_options_of_sqlalchemy_are_passed_on(tmp_path: Path) -> None:
    made = configured("{registry_type: sql, path: 'sqlite:///x.db', sqlalchemy_config_kwargs: {nonsense: 1}}", tmp_path)
    with pytest.raises(ConfigurationError, match=r"sqlalchemy_config_kwargs: .*nonsense"):
        made.apply(PROJECT, [an_entity()], [])


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("nosuch://host/db", ConfigurationError, "SQLAlchemy knows no nosuch://"),
        ("mysql+pymysql://host/db", PluginError, "needs the package pymysql: pip install pymysql"),
    ],
)
def test_a_database_without_driver_is_refused(url: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        on(url).generation(PROJECT)


# Files.


def test_reading_leaves_no_file_behind(tmp_path: Path) -> None:
    registry = at(tmp_path / "data" / "registry.db")
    assert registry.generation(PROJECT) == 0
    assert registry.load(PROJECT).objects == ()
    assert registry.projects() == []
    registry.teardown(PROJECT)
    registry.check()
    registry.close()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_an_empty_registry(tmp_path: Path) -> None:
    (tmp_path / "registry.db").touch()
    registry = at(tmp_path / "registry.db")
    assert registry.load(PROJECT).generation == 0
    assert registry.apply(PROJECT, [an_entity()], []) > 0
    assert registry.load(PROJECT).objects == (an_entity(),)


def test_a_registry_may_share_its_file_with_other_tables(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shared.db") as connection:
        connection.execute("CREATE TABLE mine (x)")
    registry = at(tmp_path / "shared.db")
    assert registry.generation(PROJECT) == 0
    assert registry.apply(PROJECT, [an_entity()], []) > 0
    with sqlite3.connect(tmp_path / "shared.db") as connection:
        assert connection.execute("SELECT * FROM mine").fetchall() == []


@pytest.mark.parametrize("content", [FEAST_REGISTRY, b"x", b"SQLite format 2\0" + bytes(100)])
def test_a_registry_of_feast_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "registry.db"
    path.write_bytes(content)
    registry = at(path)
    for operation in (
        lambda: registry.generation(PROJECT),
        lambda: registry.load(PROJECT),
        lambda: registry.apply(PROJECT, [an_entity()], []),
        lambda: registry.record_interval(PROJECT, "stats", Interval(NOON, NOON + HOUR)),
        lambda: registry.teardown(PROJECT),
        lambda: registry.check(),
        registry.projects,
    ):
        with pytest.raises(RegistryError, match=r"written by Feast itself.*--replace-registry.*registry\.db\.bak"):
            operation()
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_registry_of_feast_is_set_aside_without_overwriting_anything(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    registry = at(path)
    assert registry.set_aside() is None
    kept = []
    for content in (b"first", b"second", b"third"):
        path.write_bytes(content)
        kept.append(registry.set_aside())
        assert not path.exists()
    assert kept == [tmp_path / f"registry.db.bak{number}" for number in ("", 1, 2)]
    assert [file.read_bytes() for file in kept if file] == [b"first", b"second", b"third"]
    registry.apply(PROJECT, [an_entity()], [])
    assert registry.set_aside() is None
    assert registry.load(PROJECT).objects == (an_entity(),)


def test_a_damaged_file_is_reported_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    at(path).apply(PROJECT, [an_entity(f"entity_{number}") for number in range(300)], [])
    content = path.read_bytes()
    path.write_bytes(content[:1500] + b"\xff" * (len(content) - 1500))
    with pytest.raises(RegistryError, match=r"registry\.db is damaged") as caught:
        at(path).load(PROJECT)
    assert "\n" not in str(caught.value)
    assert "SELECT" not in str(caught.value)


def test_a_folder_is_not_a_registry(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"cannot read the registry .*directory"):
        at(tmp_path).generation(PROJECT)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryError, match=r"cannot (read|make)"):
        at(tmp_path / "file" / "registry.db").apply(PROJECT, [an_entity()], [])


def test_a_registry_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    at(path).apply(PROJECT, [an_entity()], [])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE feast_layout SET version = 99")
    for operation in (at(path).load, at(path).generation, at(path).teardown):
        with pytest.raises(RegistryError, match=r"later version of feastkit \(layout 99, this one knows 1\); upgrade"):
            operation(PROJECT)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("{", "not JSON as entity 'driver'"),
        ('{"class": "Martian"}', "entity 'driver' that this version cannot read.*Martian"),
        ('{"name": "driver"}', "entity 'driver' that this version cannot read"),
        ('{"class": "Entity"}', "entity 'driver' that this version cannot read"),
    ],
)
def test_an_object_that_cannot_be_read_is_named(tmp_path: Path, spec: str, message: str) -> None:
    path = tmp_path / "registry.db"
    at(path).apply(PROJECT, [an_entity()], [])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE feast_objects SET spec = ?", [spec])
    with pytest.raises(RegistryError, match=message):
        at(path).load(PROJECT)


def test_a_registry_that_stays_locked_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    registry = at(path, lock_timeout_seconds=0.2)
    registry.apply(PROJECT, [an_entity()], [])
    with sqlite3.connect(path) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"locked by another process; gave up after 0\.2 s"):
            registry.apply(PROJECT, [an_entity("second")], [])
        assert time.monotonic() - began < 5
        connection.rollback()
    assert registry.apply(PROJECT, [an_entity("second")], []) > 0


def test_readers_are_not_stopped_by_an_apply_that_is_under_way(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    registry = at(path, lock_timeout_seconds=0)
    registry.apply(PROJECT, [an_entity()], [])
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM feast_objects")
        assert registry.load(PROJECT).objects == (an_entity(),)
        connection.execute("ROLLBACK")


APPLY = """
    import sys
    from pathlib import Path
    from feast_registry_sql.location import FileLocation
    from feast_registry_sql.registry import FileRegistry
    from feast_core.testing.registry import PROJECT, an_entity

    registry = FileRegistry(FileRegistry.Options(path=FileLocation.of_file(Path(sys.argv[1]))))
    for number in range(10):
        own, shared = an_entity(f"{sys.argv[2]}_{number}"), an_entity("shared", description=f"{sys.argv[2]} {number}")
        registry.apply(PROJECT, [own, shared], [])
"""


def test_processes_that_apply_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "data" / "registry.db"
    command = [sys.executable, "-c", textwrap.dedent(APPLY), str(path)]
    processes = [subprocess.Popen([*command, f"p{number}"], stderr=subprocess.PIPE, text=True) for number in range(4)]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert errors == [""] * 4
    contents = at(path).load(PROJECT)
    assert len(contents.objects) == 41


def test_a_clock_that_goes_back_does_not_take_the_generation_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = at(tmp_path / "registry.db")
    generation = registry.apply(PROJECT, [an_entity()], [])
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert registry.apply(PROJECT, [an_entity("more")], []) == generation + 1


def test_years_of_incremental_materializations_are_one_interval(tmp_path: Path) -> None:
    registry = at(tmp_path / "registry.db")
    registry.apply(PROJECT, [a_view()], [])
    for number in range(50):
        start = NOON + number * HOUR
        registry.record_interval(PROJECT, "stats", Interval(start, start + HOUR))
    (interval,) = registry.load(PROJECT).intervals["stats"]
    assert (interval.start, interval.end) == (NOON, NOON + 50 * HOUR)


def test_an_older_window_does_not_pass_for_what_came_after_it(tmp_path: Path) -> None:
    registry = at(tmp_path / "registry.db")
    registry.apply(PROJECT, [a_view()], [])
    now = datetime.now(UTC)
    registry.record_interval(PROJECT, "stats", Interval(now - HOUR, now + 10 * HOUR))
    registry.record_interval(PROJECT, "stats", Interval(now + 5 * HOUR, now + 12 * HOUR))
    ends = [interval.end for interval in registry.load(PROJECT).intervals["stats"]]
    assert ends == [now + 10 * HOUR, now + 12 * HOUR]
    registry.record_interval(PROJECT, "stats", Interval(now - timedelta(days=1), now + 12 * HOUR))
    (whole,) = registry.load(PROJECT).intervals["stats"]
    assert (whole.start, whole.end) == (now - timedelta(days=1), now + 12 * HOUR)


# Servers.


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    registry = on("postgresql+psycopg://me:secret@127.0.0.1:1/db?connect_timeout=2")
    with pytest.raises(Unavailable, match=r"cannot be reached") as caught:
        registry.check()
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_locked_project_is_unavailable_on_postgres(postgres: str) -> None:
    from sqlalchemy import create_engine, text

    registry = on(postgres, lock_timeout_seconds=0.2)
    registry.apply(PROJECT, [an_entity()], [])
    with create_engine(postgres).begin() as connection:
        connection.execute(text("SELECT * FROM feast_projects FOR UPDATE"))
        with pytest.raises(Unavailable, match=r"locked by another process; gave up after 0\.2 s"):
            registry.apply(PROJECT, [an_entity("second")], [])
        assert registry.load(PROJECT).objects == (an_entity(),)
    registry.close()


def test_a_lease_that_is_being_renewed_is_not_taken_over_on_postgres(postgres: str) -> None:
    """Its time is over, and nobody had taken the view when the renewal began."""
    from sqlalchemy import create_engine, text

    registry = on(postgres)
    registry.take_lease(a_lease(), 0)
    with ThreadPoolExecutor(1) as pool:
        with create_engine(postgres).begin() as connection:
            connection.execute(text("UPDATE feast_leases SET until_us = until_us + 60000000"))
            asked = pool.submit(registry.take_lease, a_lease(), 60)
            with pytest.raises(TimeoutError):
                asked.result(0.5)
        assert asked.result(30) is not None
    registry.close()


def test_postgres_says_in_one_line_that_something_is_not_allowed(postgres: str) -> None:
    from sqlalchemy import create_engine, text

    registry = on(postgres)
    registry.apply(PROJECT, [an_entity()], [])
    with create_engine(postgres).begin() as connection:
        connection.execute(text("ALTER TABLE feast_objects RENAME COLUMN spec TO other"))
    with pytest.raises(RegistryError, match=r"cannot be used: .*spec") as caught:
        registry.load(PROJECT)
    assert "SELECT" not in str(caught.value)
    assert "\n" not in str(caught.value)
    registry.close()


def test_a_reload_makes_only_what_was_changed(tmp_path: Path) -> None:
    """A server of a thousand views takes over a change of one."""
    registry = at(tmp_path / "registry.db")
    registry.apply(PROJECT, [a_view("a"), a_view("b")], [])
    old = registry.load(PROJECT)
    registry.apply(PROJECT, [a_view("b", owner="me"), a_view("c")], [])
    new = {found.name: found for found in registry.reload(PROJECT, old).objects}
    assert new["a"] is old.objects[0]
    assert new["b"] == a_view("b", owner="me")
    assert new["c"] == a_view("c")


def test_a_registry_of_before_there_were_runs_has_none_and_takes_some(tmp_path: Path) -> None:
    registry = at(tmp_path / "registry.db")
    registry.apply(PROJECT, [a_view("a")], [])
    with closing(sqlite3.connect(tmp_path / "registry.db")) as database:
        database.execute("DROP TABLE feast_runs")
    run = a_run("a")
    assert registry.find_run(PROJECT, run.id, 60) is None
    assert registry.add_run(run, False, 60) == ()
    assert registry.find_run(PROJECT, run.id, 60) is not None


def test_old_runs_are_forgotten_where_they_are_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feast_registry_sql.runs._KEPT", 3)
    registry = at(tmp_path / "registry.db")
    queued, *over = (a_run(f"view {number}") for number in range(6))
    registry.add_run(queued, False, 60)
    for run in over:
        registry.add_run(replace(run, state="succeeded"), False, 60)
    kept = [registry.find_run(PROJECT, run.id, 60) is not None for run in (queued, *over)]
    assert kept == [True, False, False, True, True, True]


@pytest.mark.parametrize("views", ["no JSON", '[{"name": "a"}]', '[{"name": "a", "start": 1e30, "end": 0}]', "5"])
def test_a_run_that_cannot_be_read_is_named(tmp_path: Path, views: str) -> None:
    registry = at(tmp_path / "registry.db")
    run = replace(a_run("a"), state="succeeded")
    registry.add_run(run, False, 60)
    with closing(sqlite3.connect(tmp_path / "registry.db")) as database, database:
        database.execute("UPDATE feast_runs SET views = ?", [views])
    with pytest.raises(RegistryError, match=rf"run {run.id} that this version cannot read"):
        registry.find_run(PROJECT, run.id, 60)


def test_a_look_at_the_file_ends_no_lock_of_another_thread(tmp_path: Path) -> None:
    """POSIX lets go of a process's locks on a file when the process closes it, whoever had opened it."""
    path = tmp_path / "registry.db"
    write = f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('BEGIN IMMEDIATE')"
    told = []
    with closing(at(path)) as registry, closing(at(path)) as other, ThreadPoolExecutor(1) as thread:
        registry.apply(PROJECT, [an_entity("driver")], [], ["a place"])

        def while_it_is_locked(places: Sequence[str]) -> None:
            thread.submit(other.generation, PROJECT).result()
            done = subprocess.run([sys.executable, "-c", write], capture_output=True, text=True, check=False)
            told.append(done.stderr.strip().rpartition("\n")[2])

        registry.drop_rows(PROJECT, while_it_is_locked)
    assert told == ["sqlite3.OperationalError: database is locked"]
