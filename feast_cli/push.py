"""`feast push`: rows of a file, or of standard input, to the views that a push source feeds and to its batch source."""

import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, TypeAlias

import click

from feast_cli import output
from feast_cli.completing import names_of_push_sources
from feast_cli.invocation import invocation_of
from feast_cli.progress import shown_reading
from feast_core.definitions import PushMode
from feast_core.errors import FeastError, InvalidInput
from feast_core.files import FORMATS, STANDARD_INPUT, FileRows, Format, UnreadableRow, read_rows
from feast_core.ingestion import PushReceipt, PushRequest, ViewReceipt

if TYPE_CHECKING:
    from feast_core.ingestion import IngestionPlan, UnresolvedIngestion
    from feast_core.interfaces import Columns
    from feast_core.store import FeatureStore

    Plan: TypeAlias = IngestionPlan | UnresolvedIngestion

#: Rows that are written at once, online in one transaction and offline as one file.
BATCH_ROWS = 20_000
_MODES = {mode.name.lower(): mode for mode in PushMode}
_POSITION = re.compile(r"\[(\d+)\]\Z")


@click.command(
    help="Write rows to the feature views that the push source SOURCE feeds, to its batch source, or to both."
    " FILE is parquet, CSV, JSON lines or JSON, also compressed with gzip; - or nothing is standard input."
    " The first row that is wrong ends it; rows before it are written."
)
@click.argument("source", shell_complete=names_of_push_sources)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--to", type=click.Choice(list(_MODES)), default="online", show_default=True, help="Where the rows are written."
)
@click.option(
    "--format",
    "chosen",
    type=click.Choice(FORMATS),
    help="What FILE holds. Default: what its name says; of standard input, what it begins with.",
)
@click.option(
    "--skip-bad",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Go on after wrong rows; they are written to FILE as JSON lines, with their numbers and the reasons.",
)
@output.json_option
@click.pass_context
def push(
    ctx: click.Context,
    source: str,
    file: Path | None,
    to: str,
    chosen: Format | None,
    skip_bad: Path | None,
    as_json: bool,
) -> None:
    """Read, show progress, report."""
    rows = _input(file)
    with invocation_of(ctx).store() as store, _file_of_refused(skip_bad, file) as refused:
        plan = store.ingestion_plan(PushRequest(source, _MODES[to]))
        pushing = Pushing(str(file) if isinstance(rows, Path) else STANDARD_INPUT)
        try:
            with shown_reading(pushing.name, quiet=as_json) as progress:
                for part in read_rows(rows, chosen, BATCH_ROWS, plan.types):
                    pushing.push(part, store, plan, refused)
                    progress(pushing.rows, part.share)
        except (FeastError, KeyboardInterrupt):
            output.note(pushing.so_far)
            raise
    _report(pushing, skip_bad, as_json)


def _input(file: Path | None) -> Path | BinaryIO:
    if file is not None and str(file) != "-":
        return file
    if output.is_terminal(sys.stdin):
        raise click.UsageError("name a FILE, or send rows to standard input")
    return sys.stdin.buffer


@contextmanager
def _file_of_refused(path: Path | None, file: Path | None) -> Iterator[TextIO | None]:
    if path is None:
        yield None
        return
    if file is not None and path.exists() and file.exists() and path.samefile(file):
        raise click.BadParameter(f"{path} is the file that is pushed; name another one", param_hint="--skip-bad")
    try:
        opened = path.open("w", encoding="utf-8")
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be written: {error.strerror}", param_hint="--skip-bad") from error
    with opened:
        yield opened


class Pushing:
    """A file on its way: what became of its rows so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows = 0
        self.refused = 0
        self.receipt = PushReceipt({})
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._started

    @property
    def so_far(self) -> str:
        """For who sees it end early."""
        return f"{_rows(self.rows)} of {self.name} pushed before that"

    def push(self, part: FileRows, store: "FeatureStore", plan: "Plan", refused: TextIO | None) -> None:
        """Write some rows of the file. Wrong ones go to `refused`; without it the first of them is raised as
        InvalidInput, and of its batch the rows before it are written."""
        if part.unreadable and refused is None:
            part = _before(part, part.unreadable[0].number)
        wrong = list(part.unreadable)
        try:
            self._ingest(part.columns, store, plan)
        except InvalidInput as error:
            found = _wrong_rows(part, plan, error, self.name)
            wrong = [next(found)] if refused is None else sorted([*wrong, *found], key=lambda row: row.number)
            good = _without(part, wrong) if refused is not None else _before(part, wrong[0].number)
            self._ingest(good.columns, store, plan)
        if not wrong:
            return
        if refused is None:
            raise InvalidInput(f"{self.name}: {_place(wrong[0])}: {wrong[0].reason}")
        for row in wrong:
            entry = {"row": row.number, "line": row.line, "reason": row.reason, "data": row.data}
            print(output.json_line(entry), file=refused)
        self.refused += len(wrong)

    def _ingest(self, columns: "Columns", store: "FeatureStore", plan: "Plan") -> None:
        rows = len(next(iter(columns.values()), []))
        if rows:
            self.receipt = _sum(self.receipt, store.ingest(plan, columns))
            self.rows += rows


def _wrong_rows(part: FileRows, plan: "Plan", error: InvalidInput, name: str) -> Iterator[UnreadableRow]:
    """Rows that the plan refuses, in the order of the file. Raises InvalidInput where that is not about rows."""

    def search(low: int, high: int) -> Iterator[UnreadableRow]:
        try:
            plan.prepare(_select(part.columns, range(low, high)))
        except InvalidInput as refusal:
            if high - low > 1:
                middle = (low + high) // 2
                yield from search(low, middle)
                yield from search(middle, high)
                return
            line = None if part.lines is None else part.lines[low]
            data = {name: values[low] for name, values in part.columns.items()}
            yield UnreadableRow(part.numbers[low], line, _problem(*refusal.problems[0]), data)

    columns = [_problem(path, message) for path, message in error.problems if not _POSITION.search(path)]
    if columns or not error.problems:
        raise InvalidInput(f"{name}: {'; '.join(columns) or error}") from error
    yield from search(0, len(part.numbers))


def _before(part: FileRows, number: int) -> FileRows:
    return _kept(part, [position for position, found in enumerate(part.numbers) if found < number])


def _without(part: FileRows, wrong: Sequence[UnreadableRow]) -> FileRows:
    numbers = {row.number for row in wrong}
    return _kept(part, [position for position, found in enumerate(part.numbers) if found not in numbers])


def _kept(part: FileRows, positions: Sequence[int]) -> FileRows:
    numbers = [part.numbers[position] for position in positions]
    lines = None if part.lines is None else [part.lines[position] for position in positions]
    return replace(part, columns=_select(part.columns, positions), numbers=numbers, lines=lines)


def _select(columns: "Columns", positions: Sequence[int]) -> "Columns":
    return {name: [values[position] for position in positions] for name, values in columns.items()}


def _problem(path: str, message: str) -> str:
    """`conv_rate: expected a number`, without the place in the batch."""
    return f"{_POSITION.sub('', path).removeprefix('df.')}: {message}"


def _place(row: UnreadableRow) -> str:
    return f"row {row.number}" if row.line is None else f"row {row.number} (line {row.line})"


def _sum(first: PushReceipt, second: PushReceipt) -> PushReceipt:
    views = dict(first.views)
    for name, new in second.views.items():
        old = views.get(name, ViewReceipt())
        views[name] = ViewReceipt(old.online + new.online, old.superseded + new.superseded, old.offline + new.offline)
    return PushReceipt(views, first.queued or second.queued)


def _report(pushing: Pushing, skip_bad: Path | None, as_json: bool) -> None:
    receipt, seconds = pushing.receipt, pushing.seconds
    if as_json:
        output.print_json(
            {
                "feature_views": {name: asdict(view) for name, view in receipt.views.items()},
                "queued": receipt.queued,
                "rows": pushing.rows,
                "refused": pushing.refused,
                "seconds": round(seconds, 6),
            }
        )
        return
    for name, view in receipt.views.items():
        output.say(f"{name}: {_told(view, receipt.queued)}")
    rate = f", {pushing.rows / seconds:,.0f} rows/s" if pushing.rows > BATCH_ROWS else ""
    output.say(f"{_rows(pushing.rows)} of {pushing.name} pushed in {seconds:.2f} s{rate}")
    if pushing.refused:
        output.say(f"{_rows(pushing.refused)} refused, see {skip_bad}")


def _told(view: ViewReceipt, queued: bool) -> str:
    """A receipt in words; what is nought is left out."""
    parts = []
    if view.online or not (view.superseded or view.offline):
        parts.append(f"{_rows(view.online)} online")
    if view.superseded:
        parts.append(f"{view.superseded} superseded: what is stored is newer")
    if view.offline:
        later = " (on disk, and soon in the batch source)" if queued else ""
        parts.append(f"{_rows(view.offline)} offline{later}")
    return "; ".join(parts)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
