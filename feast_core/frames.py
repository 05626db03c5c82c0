"""Frames: rows as people send them, as data frames or as JSON, to plain columns of one length."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from feast_core.errors import InvalidInput
from feast_core.interfaces import Columns

#: Values that are repeated, in all: a small request may ask for any number. As many as 32 MiB of JSON can list.
MOST_REPEATED = 2**24

Frame: TypeAlias = Any
"""Columns as lists, or as Feast takes them too, see `columns_of`."""


def columns_of(frame: Frame) -> Columns:
    """Columns of one length, not empty: from a dict of lists, a data frame of pandas or a table of Arrow. As Feast:
    also from a dict of dicts (index -> value, what `DataFrame.to_dict()` gives), and a single value that stands
    beside lists is repeated to their length.

    Raises InvalidInput with paths `df.<column>`.
    """
    if type(frame) is dict and set(map(type, frame.values())) == {list} and len(set(map(len, frame.values()))) == 1:
        columns: Columns = frame
        if next(iter(columns.values())) and set(map(type, columns)) == {str}:
            return columns
    if not isinstance(frame, Mapping):
        frame = _plain_frame(frame)
    lists = {name: _values(name, column) for name, column in frame.items()}
    lengths = {name: len(column) for name, column in lists.items() if column is not None}
    if not lists:
        raise InvalidInput.at("df", 'has no columns; send some, such as {"driver_id": [1001], ...}')
    if not lengths:
        raise InvalidInput.at("df", "holds single values only; send each column as a list")
    rows = max(lengths.values())
    if min(lengths.values()) != rows:
        first = next(iter(lengths))
        problems = [
            (f"df.{name}", f"has {length} values, {first} has {lengths[first]}; all columns need the same number")
            for name, length in lengths.items()
            if length != lengths[first]
        ]
        raise InvalidInput(first_of(problems), problems)
    if rows == 0:
        raise InvalidInput.at("df", "has no rows")
    _check_one_index(frame)
    single = [name for name, column in lists.items() if column is None]
    if len(single) * rows > MOST_REPEATED:
        raise InvalidInput.at(
            f"df.{single[0]}",
            f"is one of {len(single)} single values to be repeated {rows} times, which is more than {MOST_REPEATED} in"
            " all; send less at once",
        )
    return {name: [frame[name]] * rows if column is None else column for name, column in lists.items()}


def _plain_frame(frame: Any) -> Mapping[str, Any]:
    plain: Mapping[str, Any]
    if hasattr(frame, "to_pydict"):
        plain = frame.to_pydict()
    elif hasattr(frame, "columns") and hasattr(frame, "to_dict"):
        names = list(frame.columns)
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InvalidInput.at(f"df.{twice}", "is there twice")
        plain = frame.to_dict("list")
    else:
        raise InvalidInput.at("df", "expected columns: a dict of lists or a data frame")
    return plain


def _values(name: object, column: Any) -> list[Any] | None:
    """The values of a column; None for a single value."""
    if not isinstance(name, str):
        raise InvalidInput.at("df", f"names of columns are texts, got {name!r}")
    if isinstance(column, list):
        return column
    if isinstance(column, Mapping):
        return list(column.values())
    if isinstance(column, (str, bytes)) or not hasattr(column, "__iter__"):
        return None
    return column.tolist() if hasattr(column, "tolist") else list(column)


def _check_one_index(frame: Mapping[str, Any]) -> None:
    indexed = {name: column for name, column in frame.items() if isinstance(column, Mapping)}
    if not indexed:
        return
    first, *others = indexed
    for name in others:
        if list(indexed[name]) != list(indexed[first]):
            raise InvalidInput.at(f"df.{name}", f"has another index than {first}")
    for name, column in frame.items():
        if isinstance(column, list):
            raise InvalidInput.at(f"df.{name}", f"is a list, and {first} maps an index to values; send lists")


def first_of(problems: Sequence[tuple[str, str]]) -> str:
    """The message of an error with problems: the first one, with its path, and how many more there are."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problems[0][0]}: {problems[0][1]}{more}"
