"""Progress of a materialization, by view, and of a push: bars on a terminal, now and then a line in a pipe, nothing
with --json."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from feast_cli import output
from feast_core.interfaces import Job, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import Task

#: Seconds between two lines about one view where there is no terminal.
SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def shown_progress(quiet: bool) -> Iterator[Progress]:
    """The callable to hand to `materialize`, for as long as the block runs. It may be called from any thread."""
    if quiet:
        yield _silent
    elif not output.is_terminal(sys.stderr):
        yield lines(time.monotonic)
    else:
        with _bars(_rows_of_a_view) as bars:
            yield _drawing(bars)


def lines(clock: Callable[[], float]) -> Progress:
    """A line on standard error for a view that has been running for a while; views that are quick say nothing."""
    said: dict[str, float] = {}

    def show(job: Job, done: int, total: int | None) -> None:
        now = clock()
        if now - said.setdefault(job.view.name, now) < SECONDS_BETWEEN_LINES:
            return
        said[job.view.name] = now
        output.note(
            f"{job.view.name}: {done} rows so far" if total is None else f"{job.view.name}: {done} of {total} rows"
        )

    return show


Read: TypeAlias = Callable[[int, float | None], None]
"""Called while a file is pushed: rows done, and how much of the file that is, 0 to 1 (None: nobody knows)."""


@contextmanager
def shown_reading(name: str, quiet: bool) -> Iterator[Read]:
    """The callable to tell of a file that is being pushed, for as long as the block runs."""
    if quiet:
        yield lambda rows, share: None
    elif not output.is_terminal(sys.stderr):
        yield reading_lines(name, time.monotonic)
    else:
        with _bars(_rows_of_a_file) as bars:
            task = bars.add_task(name, total=None, rows=0, rate=0.0)
            begun = time.monotonic()

            def draw(rows: int, share: float | None) -> None:
                rate = rows / max(time.monotonic() - begun, 0.001)
                if share is not None:
                    bars.update(task, total=1, completed=share, rows=rows, rate=rate)
                else:
                    bars.update(task, rows=rows, rate=rate)

            yield draw


def reading_lines(name: str, clock: Callable[[], float]) -> Read:
    """A line on standard error now and then, with rows per second since the start."""
    begun = said = clock()

    def show(rows: int, share: float | None) -> None:
        nonlocal said
        now = clock()
        if now - said < SECONDS_BETWEEN_LINES:
            return
        said = now
        read = "" if share is None else f", {share:.0%} of it"
        output.note(f"{name}: {rows} rows so far{read}, {rows / (now - begun):.0f} rows/s")

    return show


def _silent(job: Job, done: int, total: int | None) -> None:
    return None


def _drawing(bars: "Bars") -> Progress:
    tasks = {}

    def show(job: Job, done: int, total: int | None) -> None:
        name = job.view.name
        if name not in tasks:
            tasks[name] = bars.add_task(name, total=None)
        bars.update(tasks[name], completed=done, total=total)

    return show


def _rows_of_a_view(task: "Task") -> str:
    """Rows done, of how many, and rows per second."""
    total = "?" if task.total is None else f"{task.total:,.0f}"
    speed = task.finished_speed or task.speed
    rate = f"  {speed:,.0f} rows/s" if speed else ""
    return f"{task.completed:,.0f}/{total} rows{rate}"


def _rows_of_a_file(task: "Task") -> str:
    """Rows done, the share of the file, and rows per second."""
    share = "" if task.total is None else f"  {task.percentage:.0f} %"
    return f"{task.fields['rows']:,} rows{share}  {task.fields['rate']:,.0f} rows/s"


def _bars(told: "Callable[[Task], str]") -> "Bars":
    from rich.progress import BarColumn, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.table import Column
    from rich.text import Text

    class Rows(ProgressColumn):
        """What is told beside the bar."""

        def render(self, task: "Task") -> Text:
            return Text(told(task))

    screen = output.console(sys.stderr)
    # A narrow terminal cuts the name and keeps the numbers.
    return Bars(
        TextColumn("{task.description}", markup=False, table_column=Column(overflow="ellipsis")),
        BarColumn(bar_width=10 if screen.width < 120 else 40),
        Rows(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
        console=screen,
        transient=True,  # the lines that say what was done stay
    )
