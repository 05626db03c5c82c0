"""Commands that are killed, or stopped by a signal, at named points; then the same command again."""

import signal
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
START, END = (NOON - DAY).isoformat(), (NOON + DAY).isoformat()
LAST = 1499


def views_with_tables(repository: Any) -> set[str]:
    with sqlite3.connect(repository.online) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM feature_views")}


def leases(repository: Any) -> int:
    with sqlite3.connect(repository.registry) as connection:
        return int(connection.execute("SELECT count(*) FROM feast_leases").fetchone()[0])


APPLY_POINTS = {
    "before an apply": False,
    "place is made": False,
    "in the transaction of an apply": False,
    "the registry is written": True,
    "rows are dropped": True,
}


@pytest.mark.parametrize(("point", "is_applied"), APPLY_POINTS.items())
def test_an_apply_that_is_killed_is_whole_or_not_there_and_the_next_one_ends_it(
    repository: Any, point: str, is_applied: bool
) -> None:
    """One view is made, one deleted, and one gets another join key, by which its rows would be those of others."""
    repository.change('view("second"), view("third")', 'view("second", car), view("fourth")')
    repository.change("first, second, third", "first, second, fourth")
    (repository.path / "data" / "third.parquet").rename(repository.path / "data" / "fourth.parquet")
    assert repository.run("apply", at=point).code == -signal.SIGKILL

    with repository.store() as store:
        names = {"first", "second", "fourth"} if is_applied else {"first", "second", "third"}
        assert set(store.snapshot.views) == names
        assert store.plan().empty == is_applied
    assert repository.trips("first") == [10, 10 * LAST]
    if not is_applied:
        assert repository.trips("second") == [20, 20 * LAST]
        assert repository.trips("third") == [30, 30 * LAST]

    with repository.store() as store:
        assert store.apply().empty == is_applied
        assert store.plan().empty
        assert {view: len(store.intervals(view)) for view in ("first", "second", "fourth")} == {
            "first": 1,
            "second": 0,
            "fourth": 0,
        }
    assert "third" not in views_with_tables(repository)
    assert repository.trips("first") == [10, 10 * LAST]
    assert repository.trips("second", "car_id") == [None, None]
    assert repository.trips("fourth") == [None, None]


def test_a_view_that_is_made_again_after_a_killed_apply_starts_without_rows(repository: Any) -> None:
    repository.change(', view("third")', "")
    repository.change("first, second, third", "first, second")
    assert repository.run("apply", at="the registry is written").code == -signal.SIGKILL
    repository.change("first, second =", 'third = view("third")\nfirst, second =')
    with repository.store() as store:
        store.apply()
    assert repository.trips("third") == [None, None]
    assert repository.trips("second") == [20, 20 * LAST]


@pytest.mark.parametrize(
    ("point", "done"),
    [
        ("the lease is taken", []),
        ("batch 2 of second", ["first"]),
        ("all is written", []),
        ("in the transaction of an interval", []),
        ("the interval is recorded", ["first"]),
    ],
)
def test_a_materialization_that_is_killed_goes_on_where_it_was(fresh: Any, point: str, done: list[str]) -> None:
    with fresh.store() as store:
        store.apply()
        assert fresh.run("materialize", START, END, at=point).code == -signal.SIGKILL
        views = ("first", "second", "third")
        assert [view for view in views if store.intervals(view)] == done
        # At once: that the one who had the view is gone is seen, not waited for.
        jobs, current = store.incremental_jobs(NOON + DAY)
        assert [found.view for found in current] == done
        outcomes = store.run_jobs(jobs)
        assert [(outcome.error, outcome.rows + outcome.superseded) for outcome in outcomes] == [
            (None, 1500) for view in views if view not in done
        ]
        assert [len(store.intervals(view)) for view in views] == [1, 1, 1]
        assert leases(fresh) == 0
        for view, factor in zip(views, (10, 20, 30), strict=True):
            found = store.get_online_features([f"{view}:trips"], {"driver_id": list(range(1500))}).to_dict()
            assert found["trips"] == [factor * driver for driver in range(1500)]


@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_materialization_that_is_interrupted_keeps_what_is_done_and_says_so(
    fresh: Any, number: str, code: int
) -> None:
    with fresh.store() as store:
        store.apply()
        # A test run in the background of a shell ignores Ctrl-C, and so would its children.
        ended = fresh.run(
            "materialize", START, END, at="batch 2 of second", act=number,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        assert ended.code == code
        assert [line for line in ended.errors if line] == [
            "feature views that were finished stay done; the same command again does the others",
            "error: interrupted",
        ]
        assert leases(fresh) == 0
        assert [len(store.intervals(view)) for view in ("first", "second")] == [1, 0]
        store.materialize(NOON - DAY, NOON + DAY)
    assert fresh.trips("third") == [30, 30 * LAST]


def test_a_server_answers_while_commands_are_killed(repository: Any, serving: Callable[..., Any], write: Any) -> None:
    """With standard error on a full disk: what it cannot log costs nobody an answer."""
    repository.change("second, third =", "second, third, fourth =")
    repository.change('view("third")', 'view("third"), view("fourth")')
    write(repository.path / "data" / "fourth.parquet", 40)
    write(repository.path / "data" / "first.parquet", 11)
    answers: list[Any] = []
    over = threading.Event()
    with open("/dev/full", "w") as full, serving(repository, "-r", "1", stderr=full) as server:

        def ask() -> None:
            while not over.is_set():
                answers.append(server.trips("first", "second"))

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            assert repository.run("apply", at="the registry is written").code == -signal.SIGKILL
            assert repository.run("materialize", START, END, at="batch 2 of second").code == -signal.SIGKILL
            with repository.store() as store:
                store.apply()
                store.materialize(NOON - DAY, NOON + DAY)
        finally:
            over.set()
            asking.join()
        assert server.trips("first", "second") == (200, [11, 20])
    assert len(answers) > 100
    assert [answer for answer in answers if answer not in [(200, [10, 20]), (200, [11, 20])]] == []
