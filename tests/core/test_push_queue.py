"""The queue of pushed rows: what was put survives, leaves once, and what fails holds up nothing else."""

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from feast_core import push_queue, push_queue_file
from feast_core.errors import Unavailable
from feast_core.interfaces import EncodedRows
from feast_core.push_queue import PushQueue, QueuedBatch, SourceStatus
from feast_core.push_queue_file import Due

PROJECT = "drivers"
AT_ONCE = Due()
SECOND = 1_000_000


class Clock:
    """The time that the queue sees, in microseconds."""

    def __init__(self) -> None:
        self.now = 1_795_338_000 * SECOND

    def __call__(self) -> int:
        return self.now

    def go(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (push_queue, push_queue_file):
        monkeypatch.setattr(module, "now_us", made)
    return made


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[PushQueue]:
    made = PushQueue(tmp_path / "data" / "queue.db")
    yield made
    made.close()


def put(queue: PushQueue, *bodies: str, source: str = "stats", rows: int = 1) -> None:
    queue.put(PROJECT, source, [EncodedRows(rows, body.encode()) for body in bodies])


def claim(queue: PushQueue, due: Due = AT_ONCE, by_us: int | None = None) -> QueuedBatch:
    found = queue.claim(PROJECT, due, by_us)
    assert found is not None, "nothing is due"
    return found


def emptied(queue: PushQueue) -> list[str]:
    """What is queued, in the order in which it leaves; all of it is taken for written."""
    bodies = []
    while (batch := queue.claim(PROJECT, AT_ONCE)) is not None:
        bodies += [body.decode() for body in batch.bodies]
        queue.forget(batch)
    return bodies


def test_what_was_put_leaves_in_order_and_once(queue: PushQueue) -> None:
    put(queue, "a", "b")
    put(queue, "c", rows=3)
    batch = claim(queue)
    assert (batch.source, batch.rows, batch.attempts, batch.bodies) == ("stats", 5, 1, (b"a", b"b", b"c"))
    assert queue.claim(PROJECT, AT_ONCE) is None
    queue.forget(batch)
    assert queue.claim(PROJECT, AT_ONCE) is None
    assert queue.status(PROJECT) == []


def test_no_rows_are_no_entry(queue: PushQueue) -> None:
    put(queue, "", rows=0)
    put(queue)
    assert not queue.path.exists()


def test_each_source_and_project_has_its_own_batches(queue: PushQueue) -> None:
    put(queue, "a")
    put(queue, "b", source="trips")
    queue.put("another", "stats", [EncodedRows(1, b"c")])
    assert {(batch.source, batch.bodies) for batch in (claim(queue), claim(queue))} == {
        ("stats", (b"a",)),
        ("trips", (b"b",)),
    }
    assert queue.claim(PROJECT, AT_ONCE) is None
    found = queue.claim("another", AT_ONCE)
    assert found is not None
    assert found.bodies == (b"c",)


def test_rows_are_due_when_there_are_many_or_the_oldest_has_waited(queue: PushQueue, clock: Clock) -> None:
    due = Due(rows=3, seconds=10)
    put(queue, "a", rows=2)
    clock.go(9)
    assert queue.claim(PROJECT, due) is None
    put(queue, "b")
    assert claim(queue, due).rows == 3
    put(queue, "c")
    clock.go(9.9)
    assert queue.claim(PROJECT, due) is None
    clock.go(0.1)
    assert claim(queue, due).bodies == (b"c",)


def test_rows_do_not_wait_for_a_clock_that_was_set_back(queue: PushQueue, clock: Clock) -> None:
    put(queue, "a")
    clock.go(-3600)
    assert claim(queue, Due(rows=100, seconds=10)).bodies == (b"a",)


def test_looking_makes_no_file(queue: PushQueue) -> None:
    assert queue.claim(PROJECT, AT_ONCE) is None
    assert queue.status(PROJECT) == []
    assert not queue.path.parent.exists()


def test_a_batch_is_bounded(queue: PushQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_queue_file, "MAX_BATCH_ROWS", 4)
    monkeypatch.setattr(push_queue_file, "MAX_BATCH_BYTES", 100)
    put(queue, "a", "b", "c", rows=2)
    put(queue, "d" * 200, rows=9)
    put(queue, "e" * 60)
    put(queue, "f" * 60)
    batches = [claim(queue) for _ in range(5)]
    assert [batch.rows for batch in batches] == [4, 2, 9, 1, 1]
    assert [len(batch.bodies) for batch in batches] == [2, 1, 1, 1, 1]
    assert queue.claim(PROJECT, AT_ONCE) is None


# Many at once.


def test_callers_that_wait_share_one_commit(queue: PushQueue) -> None:
    put(queue, "first")
    commits: list[str] = []
    with queue._writer.lock:
        with queue._writer.reading() as connection:
            pass
        connection.set_trace_callback(lambda text: commits.append(text) if text == "COMMIT" else None)
        threads = [threading.Thread(target=put, args=(queue, str(number))) for number in range(20)]
        for thread in threads:
            thread.start()
        while len(queue._waiting) < 20:
            threads[0].join(0.001)
    for thread in threads:
        thread.join()
    assert commits == ["COMMIT"]
    assert sorted(emptied(queue)) == sorted(["first", *map(str, range(20))])


def put_many(path: Path, name: str, count: int) -> None:
    """In a process of its own."""
    queue = PushQueue(path)

    def run(thread: int) -> None:
        for number in range(count):
            put(queue, f"{name}-{thread}-{number}", source=f"source {number % 3}")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.close()


def test_processes_and_threads_fill_and_empty_a_new_file_at_once(queue: PushQueue) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=put_many, args=(queue.path, name, 50)) for name in "abc"]
    for process in processes:
        process.start()
    found = []
    while any(process.is_alive() for process in processes):
        found += emptied(queue)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    found += emptied(queue)
    assert sorted(found) == sorted(f"{name}-{t}-{n}" for name in "abc" for t in range(4) for n in range(50))


def test_memory_is_bounded_while_the_disk_is_waited_for(queue: PushQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_queue, "MAX_WAITING_BYTES", 100)
    with queue._writer.lock:
        waiting = threading.Thread(target=put, args=(queue, "x" * 500))  # alone, it may be larger
        waiting.start()
        while not queue._waiting:
            waiting.join(0.001)
        refused: list[Exception] = []

        def one_more() -> None:
            try:
                put(queue, "y")
            except Unavailable as error:
                refused.append(error)

        second = threading.Thread(target=one_more)
        second.start()
        second.join()
        assert [str(error) for error in refused] == ["too many pushed rows wait for the disk; send them again later"]
    waiting.join()
    put(queue, "z")
    assert emptied(queue) == ["x" * 500, "z"]


# Whoever dies.

DYING = """
import os, signal, sys
from pathlib import Path
from feast_core.interfaces import EncodedRows
from feast_core.push_queue import PushQueue
from feast_core.push_queue_file import Due

queue = PushQueue(Path(sys.argv[1]))
{what}
print({shown}, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(queue: PushQueue, what: str, shown: str) -> str:
    """What a process prints that does this with the queue, and is then killed."""
    code = DYING.format(what=what, shown=shown)
    done = subprocess.run([sys.executable, "-c", code, queue.path], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    return done.stdout.strip()


def test_what_was_put_survives_the_process(queue: PushQueue) -> None:
    assert killed(queue, "queue.put('drivers', 'stats', [EncodedRows(2, b'a')])", "'done'") == "done"
    assert emptied(queue) == ["a"]


def test_a_batch_whose_holder_was_killed_is_given_out_as_it_was(queue: PushQueue) -> None:
    put(queue, "a", "b")
    number = killed(queue, "batch = queue.claim('drivers', Due())", "batch.id")
    put(queue, "c")
    first = claim(queue, by_us=push_queue_file.now_us())
    assert (first.id, first.bodies, first.attempts) == (number, (b"a", b"b"), 2)
    queue.forget(first)
    assert emptied(queue) == ["c"]


def test_a_batch_whose_holder_works_on_it_is_left_alone_until_it_is_silent_for_long(
    queue: PushQueue, clock: Clock
) -> None:
    put(queue, "a")
    first = claim(queue)
    other = PushQueue(queue.path)
    clock.go(119)
    assert other.claim(PROJECT, AT_ONCE) is None
    clock.go(1)
    again = claim(other)
    assert (again.id, again.bodies) == (first.id, first.bodies)
    other.forget(again)
    queue.forget(first)  # it was slow, not gone: nothing is left to forget
    assert emptied(other) == []
    other.close()


# What fails.


def test_a_batch_that_fails_is_tried_again_later_and_later(queue: PushQueue, clock: Clock) -> None:
    put(queue, "a", "b")
    number = None
    for attempt, delay in enumerate([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300], 1):
        batch = claim(queue)
        number = number or batch.id
        assert (batch.id, batch.bodies, batch.attempts) == (number, (b"a", b"b"), attempt)
        queue.failed(batch, "the disk is full")
        clock.go(delay - 0.001)
        assert queue.claim(PROJECT, AT_ONCE) is None
        clock.go(0.001)
    assert emptied(queue) == ["a", "b"]


def test_a_batch_that_fails_does_not_hold_up_others(queue: PushQueue, clock: Clock) -> None:
    put(queue, "bad")
    poison = claim(queue)
    queue.failed(poison, "no such column")
    put(queue, "a", source="trips")
    assert emptied(queue) == ["a"]
    put(queue, "good")
    assert emptied(queue) == []  # it may be the source
    clock.go(1)
    assert emptied_but(queue, poison.id) == ["good"]  # and it was not
    for _ in range(20):
        put(queue, "more")
        clock.go(0.1)
        assert "more" in emptied_but(queue, poison.id)


def emptied_but(queue: PushQueue, poison: str) -> list[str]:
    """As `emptied`, where one batch can never be written."""
    bodies = []
    while (batch := queue.claim(PROJECT, AT_ONCE)) is not None:
        if batch.id == poison:
            queue.failed(batch, "no such column")
        else:
            bodies += [body.decode() for body in batch.bodies]
            queue.forget(batch)
    return bodies


def test_a_source_that_is_gone_does_not_make_many_batches(queue: PushQueue, clock: Clock) -> None:
    tried = set()
    for _ in range(600):
        put(queue, "a")
        while (batch := queue.claim(PROJECT, Due(rows=1))) is not None:
            tried.add(batch.id)
            queue.failed(batch, "no such file")
        clock.go(1)
    assert len(tried) < 12
    (status,) = queue.status(PROJECT)
    assert status.rows == 600
    queue.forget(claim(queue, by_us=clock.now))
    assert len(emptied(queue)) + 1 >= 600 - status.failing_rows


def test_what_failed_is_tried_again_at_once_when_the_source_is_back(queue: PushQueue, clock: Clock) -> None:
    bodies = []
    for number in range(8):
        put(queue, str(number))
        bodies.append(str(number))
        while (batch := queue.claim(PROJECT, AT_ONCE)) is not None:
            queue.failed(batch, "no such file")
        clock.go(40)
    put(queue, "last")
    queue.forget(claim(queue))
    (status,) = queue.status(PROJECT)
    assert len(emptied(queue)) == status.rows
    assert queue.status(PROJECT) == []


def test_a_loop_over_what_is_there_tries_each_batch_once_and_ends(queue: PushQueue, clock: Clock) -> None:
    put(queue, "a", source="one")
    put(queue, "b", source="two")
    queue.failed(claim(queue), "no such file")
    clock.go(0.001)
    by_us = clock.now
    clock.go(0.001)
    put(queue, "later", source="three")
    tried = []
    while (batch := queue.claim(PROJECT, Due(rows=100, seconds=100), by_us)) is not None:
        tried.append(batch.bodies)
        queue.failed(batch, "no such file")
    assert sorted(tried) == [(b"a",), (b"b",)]


def test_the_status_says_what_waits_and_what_fails(queue: PushQueue, clock: Clock) -> None:
    put(queue, "a", "b", source="stats")
    put(queue, "c", source="trips", rows=4)
    clock.go(5)
    batch = claim(queue, Due(rows=4, seconds=100))
    queue.failed(batch, "no such file")
    put(queue, "d", source="trips")
    assert queue.status(PROJECT) == [
        SourceStatus("stats", 2, 5.0),
        SourceStatus("trips", 5, 5.0, failing_rows=4, attempts=1, error="no such file"),
    ]
    assert queue.status("another") == []


# The file.


def test_a_full_disk_is_told_and_nothing_is_half_queued(queue: PushQueue) -> None:
    put(queue, "a")
    with queue._writer.writing() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable) as raised:
        put(queue, "b", "c" * 1_000_000)
    assert str(raised.value) == (
        "the push queue queue.db cannot be written: its disk is full; make room there and run it again"
    )
    connection.execute("PRAGMA max_page_count = 1000000")
    put(queue, "d")
    assert queue.status(PROJECT)[0].rows == 2
    assert emptied(queue) == ["a", "d"]


def test_rows_go_to_the_file_that_stands_at_the_path(queue: PushQueue) -> None:
    put(queue, "lost with its file")
    for file in queue.path.parent.iterdir():
        file.unlink()
    put(queue, "a")
    other = PushQueue(queue.path)
    assert emptied(other) == ["a"]
    other.close()


def test_a_file_that_is_damaged_is_told_in_one_line(queue: PushQueue) -> None:
    queue.path.parent.mkdir()
    queue.path.write_bytes(b"no database " * 1000)
    use: list[Callable[[], Any]] = [
        lambda: put(queue, "a"),
        lambda: queue.status(PROJECT),
        lambda: queue.claim(PROJECT, AT_ONCE),
    ]
    for each in use:
        with pytest.raises(Unavailable, match=r"^the push queue queue.db cannot be used: it is damaged, .*") as raised:
            each()
        assert str(queue.path.parent) not in str(raised.value)


def test_what_is_committed_is_on_the_disk(queue: PushQueue) -> None:
    """FULL: the log is synchronized at each commit."""
    put(queue, "a")
    with queue._writer.reading() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_space_is_used_again(queue: PushQueue) -> None:
    for _ in range(20):
        put(queue, *["x" * 10_000] * 10)
        emptied(queue)
    queue.close()
    assert os.stat(queue.path).st_size < 20 * 100_000
    assert sqlite3.connect(queue.path).execute("SELECT count(*) FROM entries").fetchone() == (0,)
