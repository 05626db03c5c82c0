"""Rows of CSV with a line of names, where every value is a text, or nothing; and what these texts mean."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from feast_core.definitions import Array, Bool, FeastType, Float32, Float64, Int32, Int64, Set, UnixTimestamp
from feast_core.errors import InvalidInput
from feast_core.files.table import Row, Table, WrongRow
from feast_core.interfaces import Columns

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
) -> Iterator[Row | WrongRow]:
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
            yield WrongRow(number, begin, f"is no CSV: {error}", None)
            continue
        if not row:
            continue
        number += 1
        if lines.wrong:
            yield WrongRow(number, begin, f"line {lines.wrong[0]} is not UTF-8", _labelled(header, row))
            lines.wrong.clear()
        elif len(row) != width:
            reason = f"has {len(row)} values, and the file has {width} columns"
            yield WrongRow(number, begin, reason, _labelled(header, row))
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


# Texts to values.


def typed(columns: Columns, types: Mapping[str, FeastType]) -> Columns:
    """Columns of texts with values in the place of those that are of a type which has no text of its own: numbers,
    truth values, and lists, which are JSON. What cannot be read as such stays a text, for the encoder of the row to
    refuse; so do columns of other types."""
    return {
        name: _typed(texts, parse) if (parse := _parser(types.get(name))) else texts for name, texts in columns.items()
    }


def _typed(texts: Sequence[str | None], parse: Callable[[str], Any]) -> list[Any]:
    values: list[Any] = []
    for text in texts:
        try:
            values.append(None if text is None else parse(text))
        except (ValueError, KeyError, RecursionError):
            values.append(text)
    return values


def _parser(dtype: FeastType | None) -> Callable[[str], Any] | None:
    if isinstance(dtype, Array | Set):
        return json.loads
    return _PARSERS.get(dtype) if dtype is not None else None


def _integer(text: str) -> int | float:
    # As pandas writes integers where one of them is missing: 12.0. What becomes of 12.5 the encoder knows.
    if "." not in text:
        return int(text)
    number = float(text)
    return int(number) if number.is_integer() else number


def _boolean(text: str) -> bool:
    return _TRUTH[text.strip().lower()]


_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_PARSERS: Mapping[FeastType, Callable[[str], Any]] = {
    Bool: _boolean,
    Int32: _integer,
    Int64: _integer,
    Float32: float,
    Float64: float,
    UnixTimestamp: int,  # seconds; a time as people write it stays a text
}
