"""Progress of a materialization: a bar per view on a terminal, now and then a line in a pipe, nothing with --json."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from feast_cli import output
from feast_core.interfaces import Job, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

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
        with _bars() as bars:
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


def _bars() -> "Bars":
    from rich.progress import BarColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.table import Column
    from rich.text import Text

    class Rows(ProgressColumn):
        """Rows done, of how many, and rows per second."""

        def render(self, task: Task) -> Text:
            total = "?" if task.total is None else f"{task.total:,.0f}"
            speed = task.finished_speed or task.speed
            rate = f"  {speed:,.0f} rows/s" if speed else ""
            return Text(f"{task.completed:,.0f}/{total} rows{rate}")

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
