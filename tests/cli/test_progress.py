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
