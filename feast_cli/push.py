"""`feast push`: rows of a file, or of standard input, to the views that a push source feeds and to its batch source."""

import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

import click

from feast_cli import output
from feast_cli.completing import names_of_push_sources
from feast_cli.invocation import invocation_of, tell_if_nothing_is_applied
from feast_cli.progress import shown_reading
from feast_core.definitions import PushMode
from feast_core.errors import FeastError, InvalidInput, PushSourceNotFound
from feast_core.files import FORMATS, STANDARD_INPUT, FileRows, Format, WrongRow, read_rows
from feast_core.ingestion import PushReceipt, PushRequest, ViewReceipt

if TYPE_CHECKING:
    from feast_core.interfaces import Columns
    from feast_core.store import FeatureStore

#: Rows that are written at once. Online they are one transaction: a million rows of 6 columns took 9, 11 and 14 s, and
#: 126, 167 and 362 MB, at 2,000, 10,000 and 50,000. Offline they are a file of their own, of which few are better.
ONLINE_ROWS = 5_000
OFFLINE_ROWS = 20_000
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
    name = str(file) if isinstance(rows, Path) else STANDARD_INPUT
    request = PushRequest(source, _MODES[to])
    at_once = ONLINE_ROWS if request.mode == PushMode.ONLINE else OFFLINE_ROWS
    with invocation_of(ctx).store() as store:
        try:
            types = store.ingestion_plan(request).types
        except PushSourceNotFound:
            tell_if_nothing_is_applied(store)
            raise
        with _file_of_refused(skip_bad, rows) as refused:
            pushing = Pushing(store, request, name, refused)
            try:
                with shown_reading(name, quiet=as_json) as progress:
                    for part in read_rows(rows, chosen, at_once, types):
                        pushing.push(part)
                        progress(pushing.rows, part.share)
            except FeastError:
                output.note(pushing.so_far)
                raise
            except KeyboardInterrupt:
                output.note(f"{pushing.so_far}; those that were being written may be, too")
                raise
    _report(pushing, skip_bad, as_json)


def _input(file: Path | None) -> Path | BinaryIO:
    if file is not None and str(file) != "-":
        return file
    if sys.stdin is None or output.is_terminal(sys.stdin):
        raise click.UsageError("name a FILE, or send rows to standard input")
    return sys.stdin.buffer


@contextmanager
def _file_of_refused(path: Path | None, rows: Path | BinaryIO) -> Iterator[TextIO | None]:
    if path is None:
        yield None
        return
    if isinstance(rows, Path) and path.exists() and path.samefile(rows):
        raise click.BadParameter(f"{path} is the file that is pushed; name another one", param_hint="--skip-bad")
    try:
        opened = path.open("w", encoding="utf-8")
    except OSError as error:
        raise click.BadParameter(f"{path} cannot be written: {error.strerror}", param_hint="--skip-bad") from error
    with opened:
        yield opened


class Pushing:
    """A file on its way: what became of its rows so far. Wrong ones go to `refused`, where there is one."""

    def __init__(self, store: "FeatureStore", request: PushRequest, name: str, refused: TextIO | None) -> None:
        self.name = name
        self.rows = 0
        self.wrong = 0
        self.receipt = PushReceipt({})
        self._store = store
        self._request = request
        self._refused = refused
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._started

    @property
    def so_far(self) -> str:
        """How much of it is written."""
        return f"{_rows(self.rows) if self.rows else 'no row'} of {self.name} pushed"

    def push(self, part: FileRows) -> None:
        """Write some rows of the file. Raises InvalidInput for the first wrong one, where nobody takes those; of its
        batch the rows before it are written."""
        if self._refused is None:
            self._push_up_to_a_wrong_row(part)
            return
        wrong = list(part.wrong)
        try:
            self._ingest(part.columns)
        except InvalidInput as error:
            wrong = sorted([*wrong, *self._search(part, error)], key=lambda row: row.number)
            numbers = {row.number for row in wrong}
            self._ingest(_kept(part, lambda number: number not in numbers).columns)
        for row in wrong:
            print(output.json_line(_entry(row)), file=self._refused)
        self.wrong += len(wrong)

    def _push_up_to_a_wrong_row(self, part: FileRows) -> None:
        wrong = part.wrong[0] if part.wrong else None
        good = part if wrong is None else _before(part, wrong)
        try:
            self._ingest(good.columns)
        except InvalidInput as error:
            wrong = next(self._search(good, error))
            self._ingest(_before(part, wrong).columns)
        if wrong is not None:
            where = f"row {wrong.number}" if wrong.line is None else f"row {wrong.number} (line {wrong.line})"
            raise InvalidInput(
                f"{self.name}: {where}: {wrong.reason}; correct it, or go on without such rows by --skip-bad FILE"
            )

    def _ingest(self, columns: "Columns") -> None:
        rows = len(next(iter(columns.values()), []))
        if rows:
            plan = self._store.ingestion_plan(self._request)
            self.receipt = _sum(self.receipt, self._store.ingest(plan, columns))
            self.rows += rows

    def _search(self, part: FileRows, error: InvalidInput) -> Iterator[WrongRow]:
        """The rows that are refused, in the order of the file. Raises InvalidInput where it is not about rows."""
        columns = [_problem(path, message) for path, message in error.problems if not _POSITION.search(path)]
        if columns or not error.problems:
            raise InvalidInput(f"{self.name}: {'; '.join(columns) or error}") from error
        found = False
        for row in self._halve(part, 0, len(part.numbers)):
            found = True
            yield row
        if not found:  # each is right by itself
            raise error

    def _halve(self, part: FileRows, low: int, high: int) -> Iterator[WrongRow]:
        try:
            self._store.ingestion_plan(self._request).prepare(_select(part.columns, range(low, high)))
        except InvalidInput as error:
            if high - low > 1:
                middle = (low + high) // 2
                yield from self._halve(part, low, middle)
                yield from self._halve(part, middle, high)
                return
            line = None if part.lines is None else part.lines[low]
            data = {name: values[low] for name, values in part.columns.items()}
            yield WrongRow(part.numbers[low], line, _problem(*error.problems[0]), data)


def _before(part: FileRows, wrong: WrongRow) -> FileRows:
    return _kept(part, lambda number: number < wrong.number)


def _kept(part: FileRows, wanted: Callable[[int], bool]) -> FileRows:
    """The rows whose numbers are wanted."""
    positions = [position for position, number in enumerate(part.numbers) if wanted(number)]
    numbers = [part.numbers[position] for position in positions]
    lines = None if part.lines is None else [part.lines[position] for position in positions]
    return replace(part, columns=_select(part.columns, positions), numbers=numbers, lines=lines)


def _select(columns: "Columns", positions: Sequence[int]) -> "Columns":
    return {name: [values[position] for position in positions] for name, values in columns.items()}


def _problem(path: str, message: str) -> str:
    """`conv_rate: expected a number`, without the place in the batch."""
    return f"{_POSITION.sub('', path).removeprefix('df.')}: {message}"


def _entry(row: WrongRow) -> dict[str, Any]:
    """A line of the file of refused rows."""
    return {"row": row.number, "line": row.line, "reason": row.reason, "data": row.data}


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
                "refused": pushing.wrong,
                "seconds": round(seconds, 6),
            }
        )
        return
    for name, view in receipt.views.items():
        output.say(f"{name}: {_told(view, receipt.queued)}")
    rate = f", {pushing.rows / seconds:.0f} rows/s" if pushing.rows > ONLINE_ROWS else ""
    output.say(f"{pushing.so_far} in {seconds:.2f} s{rate}")
    if pushing.wrong:
        output.say(f"{_rows(pushing.wrong)} refused, see {skip_bad}")


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
