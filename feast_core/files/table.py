"""What the readers of files give: rows in their order, gathered to batches of columns."""

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, TypeAlias

from feast_core.errors import InvalidInput
from feast_core.interfaces import Columns

#: Bytes of a line of CSV or JSON lines.
LONGEST_LINE = 64 * 2**20


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row that cannot be used: its number, from 1; the line where it begins, where the format has lines; why; and
    what is there."""

    number: int
    line: int | None
    reason: str
    data: Any


@dataclass(frozen=True, slots=True)
class FileRows:
    """Some rows of a file, in its order. `numbers`, from 1, and `lines`, where the format has them, are parallel to the
    columns. `wrong` are rows between them that the file does not hold as such. `share` is how much of the file is read
    by now, 0 to 1, if known."""

    columns: Columns
    numbers: Sequence[int]
    lines: Sequence[int] | None
    wrong: tuple[WrongRow, ...] = ()
    share: float | None = None


Share: TypeAlias = Callable[[], float | None]
"""How much of a file is read, 0 to 1; None where nobody knows."""


Row: TypeAlias = tuple[int, int | None, Sequence[Any]]
"""Its number from 1, the line where it begins, its values in the order of the names."""


class Table(NamedTuple):
    """What a file holds. Where `rows` are to be asked before `names` is known, that is a list which they fill."""

    names: Sequence[str]
    rows: Iterator[Row | WrongRow]


def bounded_lines(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Lines of a stream. Raises InvalidInput for one that is too long to be a row: what holds no lines at all, such as
    a picture, would be read whole."""
    for number in itertools.count(1):
        line = stream.readline(LONGEST_LINE)
        if len(line) == LONGEST_LINE:
            raise InvalidInput(
                f"{name}: line {number} is longer than {LONGEST_LINE // 2**20} MiB; is it rows in lines?"
            )
        if not line:
            return
        yield line


def batches(table: Table, rows: int, share: Share) -> Generator[FileRows, None, None]:
    """Rows of a table, so many at a time."""
    while part := list(itertools.islice(table.rows, rows)):
        found = [row for row in part if not isinstance(row, WrongRow)]
        wrong = tuple(row for row in part if isinstance(row, WrongRow))
        numbers, lines, values = zip(*found, strict=True) if found else ((), (), ())
        columns = zip(*values, strict=True) if found else ([] for _ in table.names)
        yield FileRows(
            {name: list(column) for name, column in zip(table.names, columns, strict=True)},
            numbers,
            None if None in lines[:1] else lines,
            wrong,
            share(),
        )
