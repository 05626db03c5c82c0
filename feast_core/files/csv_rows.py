"""Rows of CSV with a line of names: every value is a text, or nothing."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from feast_core.errors import InvalidInput
from feast_core.files.table import Row, Table, UnreadableRow

if TYPE_CHECKING:
    from _csv import Reader

#: Characters of one value; what is longer has lost its closing quote.
_LONGEST_VALUE = 16 * 2**20


def read_csv(stream: Iterable[bytes], name: str) -> Table:
    """Values are texts, as the codecs read them; None where there is nothing between the commas. Raises InvalidInput,
    where the line of names is no such."""
    csv.field_size_limit(_LONGEST_VALUE)  # of the process; the limit of Python is 128 KiB, less than a long vector
    lines = _TextLines(stream)
    reader = csv.reader(lines, strict=True)
    try:
        header = next((row for row in reader if row), [])
    except csv.Error as error:
        raise InvalidInput(f"{name}: line 1, the names of the columns, cannot be read: {error}") from error
    if lines.wrong:
        raise InvalidInput(f"{name}: line 1, the names of the columns, is not UTF-8")
    # As pandas writes its index: a column without a name, which nobody can ask for.
    kept = [position for position, column in enumerate(header) if column]
    names = [header[position] for position in kept]
    _refuse_repeated(names, name)
    return Table(names, _csv_rows(reader, lines, header, kept))


class _TextLines:
    """Lines of bytes as text. `wrong` are the numbers of those that are not UTF-8, since they were asked for last."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = enumerate(lines, 1)
        self.wrong: list[int] = []

    def __iter__(self) -> Iterator[str]:
        for number, line in self._lines:
            try:
                yield line.decode()
            except UnicodeDecodeError:
                self.wrong.append(number)
                yield line.decode(errors="backslashreplace")


def _csv_rows(
    reader: "Reader", lines: _TextLines, header: Sequence[str], kept: Sequence[int]
) -> Iterator[Row | UnreadableRow]:
    width, plain = len(header), len(kept) == len(header)
    number = 0
    while True:
        begin = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            lines.wrong.clear()
            yield UnreadableRow(number, begin, f"is no CSV: {error}", None)
            continue
        if not row:
            continue
        number += 1
        if lines.wrong:
            yield UnreadableRow(number, begin, f"line {lines.wrong[0]} is not UTF-8", _labelled(header, row))
            lines.wrong.clear()
        elif len(row) != width:
            reason = f"has {len(row)} values, and the file has {width} columns"
            yield UnreadableRow(number, begin, reason, _labelled(header, row))
        else:
            values = row if plain else [row[position] for position in kept]
            yield number, begin, [value or None for value in values]


def _refuse_repeated(names: Sequence[str], name: str) -> None:
    repeated = [column for column in names if names.count(column) > 1]
    if repeated:
        raise InvalidInput(f"{name}: has two columns {repeated[0]!r}; rename one of them")


def _labelled(header: Sequence[str], row: Sequence[str]) -> dict[str, str | None]:
    """A row for somebody to look at; values beyond the last column get numbers."""
    return {
        header[position] if position < len(header) else f"value {position + 1}": value or None
        for position, value in enumerate(row)
    }
