"""Progress of a materialization where nobody watches, and where somebody does."""

import io
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from feast_cli import output, progress
from feast_core.interfaces import Job


def job(name: str) -> Job:
    now = datetime.now(UTC)
    return Job("project", cast(Any, SimpleNamespace(name=name)), now, now)


def test_a_quick_view_says_nothing_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    show = progress.lines(lambda: 0.0)
    show(job("quick"), 0, None)
    show(job("quick"), 100, 100)
    assert capsys.readouterr().err == ""


def test_a_view_that_takes_long_says_so_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter([0.0, 4.0, 11.0, 12.0, 25.0])
    show = progress.lines(lambda: next(clock))
    for done, total in [(0, None), (10, None), (20, None), (30, 1000), (40, 1000)]:
        show(job("slow"), done, total)
    assert capsys.readouterr().err.splitlines() == ["slow: 20 rows so far", "slow: 40 of 1000 rows"]


def test_with_json_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown_progress(quiet=True) as show:
        show(job("view"), 1, 2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("width", [80, 160])
def test_on_a_terminal_each_view_has_a_bar_with_rows(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(output, "is_terminal", lambda stream: True)
    monkeypatch.setattr(
        output, "console", lambda stream: Console(file=screen, width=width, force_terminal=True, no_color=True)
    )
    with progress.shown_progress(quiet=False) as show:
        for name in ("driver_hourly_stats", "customer_[red]stats"):
            show(job(name), 0, 2000)
            show(job(name), 1500, 2000)
    drawn = screen.getvalue()
    assert "driver_hourly_stats" in drawn
    assert "customer_[red]stats" in drawn
    assert "1,500/2,000 rows" in drawn


def test_a_file_that_takes_long_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter([0.0, 4.0, 20.0, 21.0, 40.0])
    show = progress.reading_lines("rows.csv", lambda: next(clock))
    for rows, share in [(10, 0.1), (1000, 0.5), (2000, 0.6), (4000, None)]:
        show(rows, share)
    assert capsys.readouterr().err.splitlines() == [
        "rows.csv: 1000 rows so far, 50% of it, 50 rows/s",
        "rows.csv: 4000 rows so far, 100 rows/s",
    ]


def test_on_a_terminal_a_file_has_a_bar_with_its_share_and_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(output, "is_terminal", lambda stream: True)
    monkeypatch.setattr(
        output, "console", lambda stream: Console(file=screen, width=80, force_terminal=True, no_color=True)
    )
    with progress.shown_reading("ro[red]ws.csv", quiet=False) as show:
        show(1500, 0.25)
    assert "ro[red]ws.csv" in screen.getvalue()
    assert "1,500 rows  25 %" in screen.getvalue()
    screen.truncate(0)
    with progress.shown_reading("standard input", quiet=False) as show:
        show(1500, None)
    assert "1,500 rows" in screen.getvalue()
    assert "%" not in screen.getvalue()


def test_with_json_nothing_is_said_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown_reading("rows.csv", quiet=True) as show:
        show(1, 0.5)
    assert capsys.readouterr().err == ""
