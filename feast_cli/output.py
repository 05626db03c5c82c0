"""What people see: Rich on a terminal, plain lines in a pipe, JSON on request.

Results go to standard output, everything about the run (errors, warnings, progress) to standard error. Rich is imported
only when there is a terminal to draw on. Text is never read as markup.
"""

import base64
import io
import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TextIO, TypeVar
from unicodedata import combining, east_asian_width

import click

from feast_cli.shapes import outline, shape_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.tree import Tree

# Escape sequences, and what turns the direction of writing around.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BARE = re.compile(r"[A-Za-z_/][\w ./()\[\]{}<>=+*@\"',-]*", re.ASCII)
_NOT_BARE = frozenset({"true", "false", "yes", "no", "on", "off", "null", "none", "y", "n"})

AnyCommand = TypeVar("AnyCommand", bound=Callable[..., Any])
#: Where a context keeps the stream that JSON goes to.
_JSON_STREAM = "feast_cli.json"


class JsonOption(click.Option):
    """The flag `--json`, whose help shows what the command prints (see `shapes`)."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """As click, with the shape."""
        shape = shape_of(ctx.command_path.partition(" ")[2])
        self.help = f"Print JSON: {outline(shape)}" if shape is not None else "Print JSON."
        return super().get_help_record(ctx)


def json_option(command: AnyCommand) -> AnyCommand:
    """Decorator: the flag `--json`, as the argument `as_json`."""

    def chosen(ctx: click.Context, parameter: click.Parameter, value: bool) -> bool:
        if value and not ctx.resilient_parsing:
            only_json(ctx)
        return value

    return click.option("--json", "as_json", is_flag=True, cls=JsonOption, callback=chosen)(command)


def only_json(ctx: click.Context) -> None:
    """From now on nothing but `print_json` writes to standard output: what a definition file or a plugin prints goes to
    standard error."""
    ctx.meta.setdefault(_JSON_STREAM, sys.stdout)
    ctx.with_resource(redirect_stdout(sys.stderr))


def be_forgiving() -> None:
    """Characters that the terminal's encoding lacks are printed as escapes, in the place of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def is_terminal(stream: TextIO) -> bool:
    """Whether somebody is looking at it."""
    return stream.isatty()


def console(stream: TextIO) -> "Console":
    """Rich's console on a stream that is a terminal. Colours obey NO_COLOR."""
    from rich.console import Console

    return Console(file=stream, markup=False, highlight=False, emoji=False)


def say(text: str, style: str | None = None) -> None:
    """One line of the result."""
    _line(sys.stdout, text, style)


def remark(text: str, style: str | None = None) -> None:
    """A line of the result that is read rather than copied: a terminal wraps it, below where its words begin."""
    lines = [text]
    if is_terminal(sys.stdout):
        import textwrap

        indent = " " * (len(text) - len(text.lstrip(" =>")))
        width = console(sys.stdout).width
        lines = textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    for line in lines:
        _line(sys.stdout, line, style)


def note(text: str, style: str | None = "dim") -> None:
    """One line about the run."""
    _line(sys.stderr, text, style)


def warning(text: str) -> None:
    """A warning, as one line."""
    _line(sys.stderr, f"warning: {one_line(text)}", "yellow")


def error(text: str, next_step: str = "") -> None:
    """An error, as one line, and what to do about it on the next one."""
    sys.stdout.flush()
    _line(sys.stderr, f"error: {one_line(text)}", "bold red")
    if next_step:
        _line(sys.stderr, next_step, None)


def one_line(text: str) -> str:
    """The text without line breaks, and with nothing in it that a terminal would obey."""
    line = " ".join(line.strip() for line in text.splitlines() if line.strip())
    return line if line.isprintable() else _UNPRINTABLE.sub(lambda found: repr(found[0])[1:-1], line)


def moment(time: datetime) -> str:
    """An aware time as ISO 8601 in UTC: `2026-11-22T10:30:00Z`."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def print_json(value: object) -> None:
    """A value as indented JSON; times as ISO 8601, bytes as base64, numbers that JSON lacks as text."""
    ctx = click.get_current_context(silent=True)
    stream = ctx.meta.get(_JSON_STREAM, sys.stdout) if ctx else sys.stdout
    # Where the encoding lacks a character, it is written as JSON writes it.
    ascii_only = "utf" not in (getattr(stream, "encoding", None) or "utf").lower()
    text = json.dumps(_finite(value), indent=2, ensure_ascii=ascii_only, allow_nan=False, default=_plain)
    click.echo(text, file=stream)


def json_line(value: object) -> str:
    """The same in one line, of ASCII."""
    return json.dumps(_finite(value), allow_nan=False, default=_plain)


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Rows under headers; in a pipe, columns with two spaces between.

    A table that does not fit the terminal even with its texts wrapped is turned, one line for each column, and where
    that does not fit either, there is a paragraph for each row: no column is lost.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    if not is_terminal(sys.stdout):
        lines = [list(headers), *cells]
        widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            padded = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
            click.echo("  ".join(padded).rstrip())
        return
    screen = console(sys.stdout)
    table = _rich_table(headers, cells)
    if cells and _least_width(screen, table) > screen.width:
        turned = _rich_table(None, [list(column) for column in zip(headers, *cells, strict=True)])
        if _full_width(screen, turned) > screen.width:
            _print_paragraphs(screen, headers, cells)
            return
        table = turned
    screen.print(table)


def _print_paragraphs(screen: "Console", headers: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    for row in cells:
        screen.print(_rich_table(None, list(zip(headers, row, strict=True))))
        screen.print()


def _least_width(screen: "Console", table: Any) -> int:
    """Columns of the terminal that a table needs with its texts wrapped between words."""
    from rich.measure import Measurement

    return Measurement.get(screen, screen.options.update(max_width=10_000), table).minimum


def _full_width(screen: "Console", table: Any) -> int:
    """Columns of the terminal that a table needs with no text wrapped."""
    from rich.measure import Measurement

    return Measurement.get(screen, screen.options.update(max_width=10_000), table).maximum


def _width(text: str) -> int:
    """Columns that a text takes in a terminal: two for each wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def print_outline(title: str, value: Mapping[str, Any]) -> None:
    """Nested mappings and lists: a tree on a terminal, YAML in a pipe."""
    if not is_terminal(sys.stdout):
        for line in yaml_lines(value):
            click.echo(line)
        return
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text(title, "bold"), guide_style="dim")
    _grow(tree, value)
    console(sys.stdout).print(tree)


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show that something is going on while the block runs; nothing in a pipe."""
    if not is_terminal(sys.stderr):
        yield
        return
    with console(sys.stderr).status(text):
        yield


def yaml_lines(value: object, indent: str = "") -> Iterator[str]:
    """YAML of plain data, line by line. Text that YAML would read as something else is quoted."""
    items = value.items() if isinstance(value, Mapping) else ((None, item) for item in _sequence(value))
    for key, item in items:
        label = "-" if key is None else f"{_scalar(key)}:"
        if not isinstance(item, Mapping | list | tuple):
            yield f"{indent}{label} {_scalar(item)}"
        elif not item:
            yield f"{indent}{label} {'{}' if isinstance(item, Mapping) else '[]'}"
        elif key is None:
            first, *rest = yaml_lines(item, f"{indent}  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
        else:
            yield f"{indent}{label}"
            yield from yaml_lines(item, f"{indent}  ")


def _line(stream: TextIO, text: str, style: str | None) -> None:
    if is_terminal(stream) and style is not None:
        # Soft wrap: the terminal breaks the line, so that it can be copied as one.
        console(stream).print(text, style=style, soft_wrap=True)
    else:
        click.echo(text, file=stream)


def _rich_table(headers: Sequence[str] | None, cells: Sequence[Sequence[str]]) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, show_header=headers is not None, header_style="bold", show_edge=False)
    width = len(headers) if headers is not None else len(cells[0])
    for position in range(width):
        # A turned table has its names in the first column.
        style = "bold" if headers is None and position == 0 else None
        table.add_column(Text(headers[position]) if headers is not None else "", style=style, overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _grow(tree: "Tree", value: object) -> None:
    from rich.text import Text

    items = value.items() if isinstance(value, Mapping) else ((None, item) for item in _sequence(value))
    for key, item in items:
        name = Text("" if key is None else str(key), "cyan")
        if isinstance(item, Mapping | list | tuple) and item:
            if key is None and isinstance(item, Mapping):
                # An item of a list is drawn at its first entry: `name: conv_rate` and below it the rest.
                (first, head), *rest = item.items()
                _grow(tree.add(Text.assemble((str(first), "cyan"), f": {_cell(head)}")), dict(rest))
            else:
                _grow(tree.add(name if key is not None else Text("-")), item)
        else:
            tree.add(Text.assemble(name, ": ", _cell(item)) if key is not None else Text(_cell(item)))


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _scalar(value: object) -> str:
    if isinstance(value, float):
        # YAML wants a point before an exponent, and has its own words for what is not finite.
        if not math.isfinite(value):
            return {"NaN": ".nan", "Infinity": ".inf", "-Infinity": "-.inf"}[_finite(value)]
        text = repr(value)
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    text = str(value)
    plain = _BARE.fullmatch(text) and not text.endswith(" ") and text.lower() not in _NOT_BARE
    return text if plain else json.dumps(text, ensure_ascii=False)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool | Mapping | list):
        return json.dumps(_finite(value), ensure_ascii=False, default=_plain)
    return one_line(str(value)) or "-"


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_finite(item) for item in value]
    return value


def _plain(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return moment(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)
