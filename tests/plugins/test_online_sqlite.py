"""The embedded online store: the contract, and what is particular to a file that many processes share."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from feast_online_sqlite.store import SqliteOnlineStore
from feast_online_sqlite.writer import TableWriter

from feast_core.errors import Unavailable
from feast_core.interfaces import OnlineStore, Reader, Receipt, StoredRow
from feast_core.sqlite_files import BUSY_SECONDS
from feast_core.testing import OnlineStoreContract
from feast_core.testing.online import EARLIER, LATER, PROJECT, STATS, a_key, a_row, a_view, places, write


def open_store(path: Path) -> SqliteOnlineStore:
    return SqliteOnlineStore(SqliteOnlineStore.Options(path=path))


def read(store: OnlineStore, keys: list[bytes]) -> list[StoredRow | None]:
    return asyncio.run(_read(store, keys))


async def _read(store: OnlineStore, keys: list[bytes]) -> list[StoredRow | None]:
    return (await store.reader(PROJECT, [a_view()])([keys]))[0]


class TestSqlite(OnlineStoreContract):
    is_embedded = True

    @pytest.fixture
    def make_store(self, tmp_path: Path) -> Callable[[], OnlineStore]:
        return lambda: open_store(tmp_path / "data" / "online.db")


class TestSqliteWithOtherKeys(TestSqlite):
    """Integer keys have a table of their own; these are texts, and composite keys."""

    def key(self, number: int) -> bytes:
        return b"i%08ds%d" % (number, number)


WRITER = """
    import sys, time
    from pathlib import Path
    from feast_core.testing.online import EARLIER, PROJECT, STATS, a_key, a_row, a_view, places
    from feast_online_sqlite.store import SqliteOnlineStore

    path, number, batches, keys, go = Path(sys.argv[1]), *map(int, sys.argv[2:5]), Path(sys.argv[5])
    Path(f"{go}.{number}").touch()
    while not go.exists():
        time.sleep(0.001)
    store = SqliteOnlineStore(SqliteOnlineStore.Options(path=path))
    store.update(PROJECT, places("stats"), [])
    write = store.writer(PROJECT, STATS, a_view().schema)
    given = 0
    for batch in range(batches):
        event = EARLIER + (batch * 4 + number * 7) % (batches * 4)
        receipt = write([a_row(a_key(key), b"[%d]" % event, event_us=event) for key in range(keys)])
        receipt_own = write([a_row(a_key(1000 + number * batches + batch), b"[%d]" % number)])
        given += receipt.written + receipt.superseded + receipt_own.written
    store.close()
    print(given)
"""


def start(code: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: "subprocess.Popen[str]") -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()


def test_processes_that_start_and_write_at_once_lose_nothing(tmp_path: Path) -> None:
    processes, batches, keys = 4, 25, 30
    path, go = tmp_path / "online.db", tmp_path / "go"
    running = [start(WRITER, path, number, batches, keys, go) for number in range(processes)]
    deadline = time.monotonic() + 30
    while not all((tmp_path / f"go.{number}").exists() for number in range(processes)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    go.touch()
    assert [finished(process) for process in running] == [str(batches * (keys + 1))] * processes

    store = open_store(path)
    events = [(batch * 4 + number * 7) % (batches * 4) for number in range(processes) for batch in range(batches)]
    newest = EARLIER + max(events)
    shared = read(store, [a_key(key) for key in range(keys)])
    assert [(row[0], row[3]) for row in shared if row] == [(newest, b"[%d]" % newest)] * keys
    own = read(store, [a_key(1000 + at) for at in range(processes * batches)])
    assert [row[3] for row in own if row] == [b"[%d]" % (at // batches) for at in range(processes * batches)]
    store.close()


OPENER = """
    import sys, time
    from pathlib import Path
    from feast_online_sqlite.store import SqliteOnlineStore

    directory, at = Path(sys.argv[1]), float(sys.argv[2])
    for number in range(40):
        time.sleep(max(0, at + number * 0.015 - time.time()))
        store = SqliteOnlineStore(SqliteOnlineStore.Options(path=directory / f"{number}.db"))
        store.check()
        store.close()
"""


def test_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    """As the workers of a server do. SQLite itself fails now and then when two of them switch a file to WAL."""
    running = [start(OPENER, tmp_path, time.time() + 1) for _ in range(4)]
    for process in running:
        finished(process)


HOLDER = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE rows_1_int SET vals = X'00'")
    connection.execute("CREATE TABLE large AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                       " LIMIT 200000) SELECT i, randomblob(100) FROM n")
    print("holding", flush=True)
    sys.stdin.readline()
    connection.rollback()
"""


@pytest.fixture
def held(tmp_path: Path) -> "tuple[SqliteOnlineStore, subprocess.Popen[str]]":  # type: ignore[misc]
    """A store with one row, and a process that holds a large write transaction on it until a line comes."""
    path = tmp_path / "online.db"
    store = open_store(path)
    store.update(PROJECT, places("stats"), [])
    write(store, a_view(), [a_row(a_key(1))])
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "holding\n"
    yield store, holder  # type: ignore[misc]
    holder.communicate("\n", timeout=30)
    store.close()


def test_readers_do_not_wait_for_a_write_transaction(held: "tuple[SqliteOnlineStore, subprocess.Popen[str]]") -> None:
    store, _ = held
    started = time.perf_counter()
    assert [row and row[3] for row in read(store, [a_key(1), a_key(2)])] == [b"[0.5]", None]
    other = open_store(store.path)
    other.check()
    assert [row and row[3] for row in read(other, [a_key(1)])] == [b"[0.5]"]
    other.close()
    assert time.perf_counter() - started < BUSY_SECONDS / 20


def test_a_writer_waits_for_a_write_transaction(held: "tuple[SqliteOnlineStore, subprocess.Popen[str]]") -> None:
    store, holder = held
    assert holder.stdin
    done = threading.Event()

    def work() -> None:
        write(store, a_view(), [a_row(a_key(1), b"[2]", event_us=LATER)])
        done.set()

    writer = threading.Thread(target=work)
    writer.start()
    assert not done.wait(0.2)
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert done.wait(10)
    writer.join()
    assert [row and row[3] for row in read(store, [a_key(1)])] == [b"[2]"]


def test_a_writer_that_is_to_write_at_once_waits_for_nobody(tmp_path: Path) -> None:
    store, other = open_store(tmp_path / "online.db"), open_store(tmp_path / "online.db")
    writer = store.writer(PROJECT, STATS, a_view().schema)
    assert isinstance(writer, TableWriter)
    rows = [a_row(a_key(1), b"[2]", event_us=LATER), a_row(a_key(2))]
    for holder in (other, store):  # SQLite's lock, as another process has it; and that of the threads of one
        with holder.writing():
            assert writer.at_once(rows) is None
            assert writer.at_once(rows[:1]) is None
    assert read(store, [a_key(1), a_key(2)]) == [None, None]
    assert writer.at_once(rows) == Receipt(2, 0)
    assert writer.at_once([a_row(a_key(1), b"[1]", event_us=EARLIER)]) == Receipt(0, 1)
    assert [row and row[3] for row in read(store, [a_key(1), a_key(2)])] == [b"[2]", b"[0.5]"]
    store.close()
    other.close()


def test_a_writer_of_a_removed_file_writes_nothing_at_once(tmp_path: Path) -> None:
    store = open_store(tmp_path / "online.db")
    writer = store.writer(PROJECT, STATS, a_view().schema)
    assert isinstance(writer, TableWriter)
    assert writer.at_once([a_row(a_key(1))]) == Receipt(1, 0)
    for file in tmp_path.glob("online.db*"):
        file.unlink()
    assert writer.at_once([a_row(a_key(2))]) is None
    store.close()


def test_the_log_does_not_grow_with_what_is_written_at_once(tmp_path: Path) -> None:
    store = open_store(tmp_path / "online.db")
    writer = store.writer(PROJECT, STATS, a_view().schema)
    assert isinstance(writer, TableWriter)
    writes = 5_000
    for number in range(writes):
        rows = [a_row(a_key(number))]
        assert (writer.at_once(rows) or writer(rows)) == Receipt(1, 0)
    # Each adds a page or more to it.
    assert (tmp_path / "online.db-wal").stat().st_size < writes / 2 * 8192
    store.close()


@pytest.mark.parametrize("rows", [0, 1, 99, 100, 101, 250])
def test_as_many_rows_as_there_are_keep_the_newest_event_of_each_key(tmp_path: Path, rows: int) -> None:
    store = open_store(tmp_path / "online.db")
    writer = store.writer(PROJECT, STATS, a_view().schema)
    # Every key comes five times, the newest event second, and its equal third.
    events = (EARLIER, LATER + 1, LATER + 1, LATER, EARLIER)
    given = [
        a_row(a_key(number), b"[%d]" % turn, event_us=event)
        for turn, event in enumerate(events)
        for number in range(rows)
    ]
    assert writer(given) == Receipt(3 * rows, 2 * rows)
    assert [row and row[3] for row in read(store, [a_key(number) for number in range(rows)])] == [b"[2]"] * rows
    store.close()


def test_rows_of_a_failed_write_are_not_there(tmp_path: Path) -> None:
    store = open_store(tmp_path / "online.db")
    writer = store.writer(PROJECT, STATS, a_view().schema)
    broken = (a_key(3), None, 0, 1, b"", b"[]")
    with pytest.raises(Unavailable):
        writer([a_row(a_key(1)), a_row(a_key(2)), broken])  # type: ignore[list-item]
    assert read(store, [a_key(1), a_key(2)]) == [None, None]
    assert writer([a_row(a_key(1))]).written == 1
    store.close()


def test_a_killed_writer_leaves_whole_batches(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from feast_core.testing.online import PROJECT, STATS, a_key, a_row, a_view
        from feast_online_sqlite.store import SqliteOnlineStore
        store = SqliteOnlineStore(SqliteOnlineStore.Options(path=Path(sys.argv[1])))
        write = store.writer(PROJECT, STATS, a_view().schema)
        for event in range(1_000_000):
            write([a_row(a_key(key), b"[%d]" % event, event_us=event) for key in range(200)])
            if event == 3:
                print("writing", flush=True)
    """
    process = start(code, tmp_path / "online.db")
    assert process.stdout
    assert process.stdout.readline() == "writing\n"
    time.sleep(0.05)
    process.kill()
    process.communicate()
    store = open_store(tmp_path / "online.db")
    rows = read(store, [a_key(key) for key in range(200)])
    assert len({row and row[0] for row in rows}) == 1
    assert rows[0] is not None
    assert rows[0][0] >= 3
    store.close()


def test_the_file_and_its_directory_are_made_when_first_used(tmp_path: Path) -> None:
    path = tmp_path / "some" / "where" / "online.db"
    store = open_store(path)
    assert not path.parent.exists()
    store.teardown(PROJECT)
    assert not path.parent.exists()
    store.check()
    assert path.is_file()
    store.close()


def test_a_number_of_a_dropped_view_is_not_given_to_another(tmp_path: Path) -> None:
    """A worker that has not refreshed yet would read and write the other view's rows."""
    store = open_store(tmp_path / "online.db")
    stale = store.writer(PROJECT, STATS, a_view().schema)
    store.update(PROJECT, places("intruder"), places("stats"))
    with pytest.raises(Unavailable):
        stale([a_row(a_key(1))])
    assert read(store, [a_key(1)]) == [None]
    store.close()


def remove(path: Path) -> None:
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def filled(path: Path, view: str, value: bytes) -> SqliteOnlineStore:
    """A store of which the first view, and so the first table, is this one."""
    store = open_store(path)
    store.update(PROJECT, places(view), [])
    write(store, a_view(view), [a_row(a_key(1), value)])
    return store


async def value_of(reader: Reader) -> bytes | None:
    """What a reader made before gives for key 1."""
    row = (await reader([[a_key(1)]]))[0][0]
    return None if row is None else row[3]


def read_soon(store: OnlineStore, view: str, value: bytes | None) -> None:
    """Waits until a read gives this value: not at once, since a read looks once in a while."""
    reader = store.reader(PROJECT, [a_view(view)])
    deadline = time.monotonic() + 60
    while asyncio.run(value_of(reader)) != value:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_another_file_at_the_path_is_read_soon(tmp_path: Path, how: str) -> None:
    """Also by a reader that knows its tables, of which the numbers are another view's in the other file."""
    path = tmp_path / "online.db"
    serving = filled(path, "stats", b"[1]")
    reader = serving.reader(PROJECT, [a_view()])
    assert asyncio.run(value_of(reader)) == b"[1]"
    if how == "removed":
        remove(path)
        filled(path, "intruder", b"[666]").close()
    else:
        filled(tmp_path / "new.db", "intruder", b"[666]").close()
        remove(path)
        (tmp_path / "new.db").rename(path)
    deadline = time.monotonic() + 60
    while (value := asyncio.run(value_of(reader))) is not None:
        assert value == b"[1]"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    read_soon(serving, "intruder", b"[666]")
    other = open_store(path)
    write(other, a_view(), [a_row(a_key(1), b"[2]")])
    assert asyncio.run(value_of(reader)) == b"[2]"
    other.close()
    serving.close()


def test_a_check_sees_at_once_that_the_file_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "online.db"
    store = filled(path, "stats", b"[1]")
    remove(path)
    store.check()
    assert path.is_file()
    assert read(store, [a_key(1)]) == [None]
    remove(path)
    path.write_bytes(b"PAR1" + bytes(range(256)) * 40)
    with pytest.raises(
        Unavailable, match=r"is damaged, or is no SQLite file .*not a database.* move it and online\.db-wal away"
    ):
        store.check()
    store.close()


def test_a_connection_to_a_removed_file_leaves_the_log_of_the_next_one(tmp_path: Path) -> None:
    """Every thread looks for itself; one that comes late closes its old file when others have written to the new."""
    path = tmp_path / "online.db"
    store = filled(path, "stats", b"[1]")
    late, done = threading.Event(), threading.Event()

    def work() -> None:
        store.check()
        done.set()
        assert late.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    assert done.wait(10)
    remove(path)
    store.check()
    write(store, a_view(), [a_row(a_key(1), b"[2]")])
    late.set()
    thread.join()
    assert Path(f"{path}-wal").stat().st_size > 0
    other = open_store(path)
    assert [row and row[3] for row in read(other, [a_key(1)])] == [b"[2]"]
    other.close()
    store.close()


@pytest.mark.parametrize("made_again", [False, True])
def test_a_writer_of_a_removed_file_fails(tmp_path: Path, made_again: bool) -> None:
    """It neither goes on in a file that nobody can read nor writes another view's table."""
    path = tmp_path / "online.db"
    store = filled(path, "stats", b"[1]")
    writer = store.writer(PROJECT, STATS, a_view().schema)
    assert writer([a_row(a_key(1), b"[2]")]).written == 1
    remove(path)
    if made_again:
        filled(path, "intruder", b"[666]").close()
    for _ in range(2):
        with pytest.raises(Unavailable, match="removed or replaced while it was being written"):
            writer([a_row(a_key(1), b"[3]")])
    write(store, a_view(), [a_row(a_key(1), b"[4]")])
    assert [row and row[3] for row in read(store, [a_key(1)])] == [b"[4]"]
    store.close()


@pytest.mark.parametrize("change", ["update", "teardown"])
def test_what_is_applied_after_a_removal_is_in_the_file_at_the_path(tmp_path: Path, change: str) -> None:
    path = tmp_path / "online.db"
    store = filled(path, "stats", b"[1]")
    remove(path)
    filled(path, "stats", b"[2]").close()
    if change == "update":
        store.update(PROJECT, [], places("stats"))
    else:
        store.teardown(PROJECT)
    store.close()
    other = open_store(path)
    assert read(other, [a_key(1)]) == [None]
    other.close()


READ_ONLY = """
    import asyncio, os, sys
    from pathlib import Path
    from feast_core.errors import Unavailable
    from feast_core.testing.online import PROJECT, a_key, a_row, a_view, places, write
    from feast_online_sqlite.store import SqliteOnlineStore

    if os.geteuid() == 0:  # root may write everywhere
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    store = SqliteOnlineStore(SqliteOnlineStore.Options(path=Path(sys.argv[1])))
    reader = store.reader(PROJECT, [a_view()])

    def attempt(action):
        try:
            return action()
        except Unavailable as error:
            return error

    print(attempt(store.check))
    print(attempt(lambda: asyncio.run(reader([[a_key(1)]]))[0][0][3]))
    print(attempt(lambda: store.update(PROJECT, places("more"), [])))
    print(attempt(lambda: write(store, a_view(), [a_row(a_key(1))])), flush=True)
    sys.stdin.readline()
    print(attempt(store.check))
    print(attempt(lambda: asyncio.run(reader([[a_key(1)]]))[0][0][3]))
"""
REFUSED = "the online store online.db cannot be written: it or its directory is read-only for this user"


@pytest.fixture
def others() -> Iterator[Path]:
    """A directory that every user may enter, with characters in its name that mean something in a URI."""
    directory = Path(tempfile.mkdtemp(prefix="of?others#%41 "))
    directory.chmod(0o755)
    yield directory
    directory.chmod(0o700)
    shutil.rmtree(directory)


def protect(path: Path) -> None:
    for file in path.parent.iterdir():
        file.chmod(0o444)
    path.parent.chmod(0o555)


def read_only(path: Path, meanwhile: Callable[[], None] = lambda: None) -> list[str]:
    """What a process that may not write says, before and after something else happens."""
    command = [sys.executable, "-c", textwrap.dedent(READ_ONLY), str(path)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    before = [process.stdout.readline().rstrip() for _ in range(4)]
    meanwhile()
    return before + finished(process).splitlines()


@pytest.mark.parametrize("writer_stays", [False, True])
def test_a_file_that_may_not_be_written_is_read(others: Path, writer_stays: bool) -> None:
    """And what another user writes to it later, also while it is in the log only."""
    path = others / "online.db"
    writers = []
    filled(path, "stats", b"[1]").close()
    protect(path)

    def written_by_who_may() -> None:
        others.chmod(0o755)
        path.chmod(0o644)
        store = open_store(path)
        write(store, a_view(), [a_row(a_key(1), b"[2]", event_us=LATER)])
        if writer_stays:
            writers.append(store)
        else:
            store.close()
        protect(path)

    said = read_only(path, written_by_who_may)
    assert said == ["None", "b'[1]'", REFUSED, REFUSED, "None", "b'[2]'"]
    for store in writers:
        store.close()


def test_a_file_of_which_the_log_cannot_be_read_is_not_read_without_it(others: Path) -> None:
    """As a copy of a store in use is. What the log holds would be missing."""
    (others / "copy").mkdir()
    filled(others / "online.db", "stats", b"[1]").close()
    store = open_store(others / "online.db")
    write(store, a_view(), [a_row(a_key(1), b"[2]", event_us=LATER)])
    for name in ("online.db", "online.db-wal"):
        shutil.copy(others / name, others / "copy" / name)
    store.close()
    protect(others / "copy" / "online.db")
    said = read_only(others / "copy" / "online.db")
    (others / "copy").chmod(0o700)
    assert all(line.startswith("the online store online.db cannot be ") for line in said)
    assert len(said) == 6


def unusable(directory: Path, kind: str) -> Path:
    path = directory / "online.db"
    if kind == "not a database":
        path.write_bytes(b"PAR1" + bytes(range(256)) * 40)
    elif kind == "a torn database":
        store = open_store(path)
        store.update(PROJECT, places("stats"), [])
        write(store, a_view(), [a_row(a_key(number), b'"%s"' % (b"x" * 500)) for number in range(500)])
        store.close()
        content = bytearray(path.read_bytes())
        content[100:] = b"\xa5" * (len(content) - 100)
        path.write_bytes(content)
    elif kind == "its directory is a file":
        path.write_text("")
        path = path / "online.db"
    elif kind == "a directory":
        path.mkdir()
    elif kind == "a read-only directory":
        directory.chmod(0o500)
    return path


UNUSABLE = ["not a database", "a torn database", "its directory is a file", "a directory"]
if os.geteuid() != 0:  # root may write everywhere
    UNUSABLE.append("a read-only directory")


@pytest.mark.parametrize("kind", UNUSABLE)
def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path, kind: str) -> None:
    store = open_store(unusable(tmp_path, kind))
    attempts: list[Callable[[], object]] = [
        store.check,
        lambda: read(store, [a_key(1)]),
        lambda: read(store, [a_key(1), a_key(2)]),
        lambda: store.update(PROJECT, places("stats"), []),
        lambda: write(store, a_view(), [a_row(a_key(1))]),
        lambda: asyncio.run(store.schemas(PROJECT, [1])),
    ]
    for attempt in attempts:
        with pytest.raises(Unavailable) as raised:
            attempt()
        message = str(raised.value)
        assert message.startswith("the online store online.db cannot be ")
        assert "\n" not in message
        assert str(tmp_path) not in message
    store.close()
    tmp_path.chmod(0o700)


def test_a_write_that_cannot_be_committed_leaves_the_store_usable(tmp_path: Path) -> None:
    store = open_store(tmp_path / "online.db")
    writer = store.writer(PROJECT, STATS, a_view().schema)
    connection = store.hold().connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable, match="its disk is full; make room there and run it again"):
        writer([a_row(a_key(number), b'"%s"' % (b"x" * 2000)) for number in range(500)])
    connection.execute("PRAGMA max_page_count = 1000000")
    assert writer([a_row(a_key(1))]).written == 1
    store.close()


def open_files(path: Path) -> int:
    """How many descriptors of this process are of the store's files."""
    links = [Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd")]
    return sum(str(path) in os.readlink(link) for link in links if link.is_symlink())


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
def test_a_thread_that_ends_and_a_store_that_closes_leave_no_file_open(tmp_path: Path) -> None:
    path = tmp_path / "online.db"
    store = open_store(path)
    read(store, [a_key(1)])
    few = 2 * open_files(path)  # SQLite keeps a descriptor for the next connection
    for _ in range(20):
        thread = threading.Thread(target=store.check)
        thread.start()
        thread.join()
    assert 0 < open_files(path) <= few
    store.close()
    assert open_files(path) == 0


def test_a_store_may_be_closed_while_threads_read(tmp_path: Path) -> None:
    """In a process of its own: what this guards against is a crash."""
    script = """
        import asyncio, sys, threading
        from pathlib import Path
        from feast_core.interfaces import ViewRead
        from feast_core.testing.online import PROJECT, a_key, a_row, a_view, write
        from feast_online_sqlite.store import SqliteOnlineStore

        store = SqliteOnlineStore(SqliteOnlineStore.Options(path=Path(sys.argv[1])))
        write(store, a_view(), [a_row(a_key(number)) for number in range(500)])
        reader = store.reader(PROJECT, [a_view()])
        stop = threading.Event()

        def read():
            while not stop.is_set():
                assert None not in asyncio.run(reader([[a_key(number) for number in range(500)]]))[0]

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(50):
            store.close()
            store.check()
        stop.set()
        for thread in threads:
            thread.join()
        print("alive")
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "online.db")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


@pytest.mark.parametrize("key", [a_key(1), b"text"])
def test_rows_are_found_with_one_descent_of_one_tree(tmp_path: Path, key: bytes) -> None:
    """What makes an inline read cheap: no scan and no sort, for one key and for many, in one view and in several."""
    store = open_store(tmp_path / "online.db")
    store.update(PROJECT, places("stats", "more"), [])
    statements: list[str] = []
    store.hold().connection.set_trace_callback(statements.append)
    for views in (["stats"], ["stats", "more"]):
        for keys in ([key], [key] * 3):
            reader = store.reader(PROJECT, [a_view(view) for view in views])
            asyncio.run(reader([keys] * len(views)))  # type: ignore[arg-type]
    store.hold().connection.set_trace_callback(None)
    reads = [statement for statement in statements if "event_us" in statement]
    assert len(reads) == 4
    for statement in reads:
        steps = [row[3] for row in store.hold().connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        searches = [step for step in steps if "SEARCH" in step and "PRIMARY KEY" in step]
        assert len(searches) == statement.count("rows_")
        assert not any("TEMP B-TREE" in step or "SCAN rows_" in step or "SCAN t" in step for step in steps)
    store.close()


ON_A_FULL_DISK = """
    import asyncio, resource, shutil, sys
    from pathlib import Path
    from types import SimpleNamespace
    from feast_core.errors import Unavailable
    from feast_core.testing.online import LATER, PROJECT, a_key, a_row, a_view, write
    from feast_online_sqlite.store import SqliteOnlineStore

    usage = shutil.disk_usage
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))  # less than the index of a log
    shutil.disk_usage = lambda path: SimpleNamespace(free=0)
    store = SqliteOnlineStore(SqliteOnlineStore.Options(path=Path(sys.argv[1])))
    reader = store.reader(PROJECT, [a_view()])
    store.check()
    print(asyncio.run(reader([[a_key(1)]]))[0][0][3])
    for attempt in (lambda: write(store, a_view(), [a_row(a_key(1))]), lambda: store.update(PROJECT, ["more"], [])):
        try:
            print("written", attempt())
        except Unavailable as error:
            print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    shutil.disk_usage = usage
    print(write(store, a_view(), [a_row(a_key(1), b"[2]", event_us=LATER)]).written)
    print(asyncio.run(reader([[a_key(1)]]))[0][0][3])
"""


def test_a_file_on_a_full_disk_is_read_and_written_again_when_there_is_room(tmp_path: Path) -> None:
    filled(tmp_path / "online.db", "stats", b"[1]").close()
    full = "the online store online.db cannot be written: its disk is full; make room there and run it again"
    said = finished(start(ON_A_FULL_DISK, tmp_path / "online.db")).splitlines()
    assert said == ["b'[1]'", full, full, "1", "b'[2]'"]
