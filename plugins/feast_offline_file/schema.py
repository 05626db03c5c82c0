"""What a source takes: its columns with their conversions, and the SQL that turns waiting rows into rows of it."""

import json
from array import array
from collections.abc import Callable
from functools import cached_property
from typing import Any

import duckdb
import orjson

from feast_core.errors import InvalidInput, SourceError
from feast_core.frames import first_of
from feast_core.interfaces import Columns, EncodedRows
from feast_core.values import BadValue
from feast_offline_file.blocks import BLOCK_ROWS, Block, body_of
from feast_offline_file.columns import DuckType, literal, quoted
from feast_offline_file.conversion import Check, conversion_of, times
from feast_offline_file.source import OpenSource

Connect = Callable[[], duckdb.DuckDBPyConnection]


class Column:
    """One column of a source. `check` is that of its type, or another one."""

    def __init__(self, name: str, column_type: DuckType, check: Check | None = None) -> None:
        self.name = name
        self.type_name = str(column_type)
        self._conversion = conversion_of(column_type)
        self._check = check or self._conversion.check

    @cached_property
    def carriers(self) -> str:
        """SQL: what waits in a parameter, the JSON list of a block, one a row."""
        return f"unnest(from_json_strict(?::JSON, {literal(json.dumps([self._conversion.carrier]))}))"

    def value(self, carrier: str) -> str:
        """SQL: a value of the column, of one of its carriers."""
        plain = self._conversion.sql(carrier)
        return plain if self.type_name == '"NULL"' else f"CAST({plain} AS {self.type_name})"

    @cached_property
    def values(self) -> str:
        """SQL: one column `value`, of what waits in a parameter."""
        return f"SELECT {self.value('carrier')} AS value FROM (SELECT {self.carriers} AS carrier)"

    def lines(self, values: list[Any], connect: Connect) -> list[bytes]:
        """Values as they wait, a JSON list per block. Raises BadValue."""
        wire = self._check(values)
        wire = wire.tolist() if isinstance(wire, array) else list(wire)
        try:
            lines = [orjson.dumps(wire[at : at + BLOCK_ROWS]) for at in range(0, len(wire), BLOCK_ROWS)]
        except TypeError:
            raise BadValue(_first_that(_is_no_text, wire), "holds characters that cannot be written as UTF-8") from None
        if not self._conversion.is_certain:
            with connect() as connection:
                for number, line in enumerate(lines):
                    if not self._converts(line, connection):
                        block = wire[number * BLOCK_ROWS :][:BLOCK_ROWS]
                        raise BadValue(number * BLOCK_ROWS + self._first_wrong(block, connection), self._refusal)
        return lines

    @property
    def _refusal(self) -> str:
        return f"is no {self.type_name}" if len(self.type_name) <= 60 else "does not fit the type of the column"

    def _converts(self, line: bytes, connection: duckdb.DuckDBPyConnection) -> bool:
        try:
            connection.execute(f"SELECT count(value) FROM ({self.values})", [line.decode()])
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            return False
        return True

    def _first_wrong(self, wire: list[Any], connection: duckdb.DuckDBPyConnection) -> int:
        """The position of the first value that DuckDB does not take, found by halves."""
        low, high = 0, len(wire)
        while high - low > 1:
            middle = (low + high) // 2
            if self._converts(orjson.dumps(wire[low:middle]), connection):
                low = middle
            else:
                high = middle
        return low


class Schema:
    """The columns of a source, as it was when it was opened."""

    def __init__(self, opened: OpenSource) -> None:
        """Raises SourceError where nothing can be appended to such columns."""
        opened.require_writable()
        declared = opened.source
        checks: dict[str, Check] = {}
        for parameter, column in (
            ("created_timestamp_column", declared.created_timestamp_column),
            ("timestamp_field", declared.timestamp_field),
        ):
            if column:
                name = opened.written_time(parameter, column)
                kind = opened.source_columns[name].id
                checks[name] = times(kind, needed=parameter == "timestamp_field")
        self._columns = {name: Column(name, kind, checks.get(name)) for name, kind in opened.source_columns.items()}
        self._types = {name: column.type_name for name, column in self._columns.items()}
        self._label = declared.label

    def encode(self, columns: Columns, connect: Connect) -> EncodedRows:
        """See OfflineWriter."""
        problems = [(name, "is missing; the batch source has it") for name in self._columns if name not in columns]
        unknown = f"is no column of the batch source, which has {', '.join(self._columns)}"  # of any number, one text
        problems += [(name, unknown) for name in columns if name not in self._types]
        rows = len(next(iter(columns.values()), []))
        problems += [
            (name, f"has {len(values)} values, {next(iter(columns))} has {rows}")
            for name, values in columns.items()
            if len(values) != rows
        ]
        lines: dict[str, list[bytes]] = {}
        if not problems:
            for name, column in self._columns.items():
                try:
                    lines[name] = column.lines(columns[name], connect)
                except BadValue as error:
                    problems.append((f"{name}[{error.position}]", error.reason))
        if problems:
            raise InvalidInput(first_of(problems), problems)
        return EncodedRows(rows, body_of(self._types, rows, lines))

    def select(self, block: Block, connection: duckdb.DuckDBPyConnection) -> str:
        """SQL: rows of the source, of a block whose values are its parameters.

        Raises SourceError where the source has lost a column, or has changed it to a type that does not hold them.
        """
        lost = [name for name in block.types if name not in self._types]
        if lost:
            raise SourceError(
                f"{self._label} has no column {', '.join(map(repr, lost))} any more, which rows that were pushed before"
                f" have; it has {', '.join(self._types)}"
            )
        waiting = {name: self._as_encoded(name, kind, connection) for name, kind in block.types.items()}
        carriers = {name: f"c{place}" for place, name in enumerate(waiting)}
        inner = ", ".join(f"{column.carriers} AS {carriers[name]}" for name, column in waiting.items())
        outer = []
        for name, column in self._columns.items():
            value = "NULL"
            if name in waiting:
                value = waiting[name].value(carriers[name])
                if block.types[name] != column.type_name:
                    self._require_exact(name, waiting[name], block, connection)
            typed = value if column.type_name == '"NULL"' else f"CAST({value} AS {column.type_name})"
            outer.append(f"{typed} AS {quoted(name)}")
        return f"SELECT {', '.join(outer)} FROM (SELECT {inner})"

    def _as_encoded(self, name: str, kind: str, connection: duckdb.DuckDBPyConnection) -> Column:
        """The column as it was when rows were encoded."""
        if self._types[name] == kind:
            return self._columns[name]
        return Column(name, connection.sql(f"SELECT CAST(NULL AS {kind})").types[0])

    def _require_exact(self, name: str, before: Column, block: Block, connection: duckdb.DuckDBPyConnection) -> None:
        back = f"TRY_CAST(TRY_CAST(value AS {self._types[name]}) AS {before.type_name})"
        changed = connection.execute(
            f"SELECT count(*) FROM ({before.values}) WHERE value IS DISTINCT FROM {back}", [block.lines[name]]
        ).fetchone()
        if changed != (0,):
            raise SourceError(
                f"{self._label}: column {name!r} was {before.type_name} when rows were pushed, and is"
                f" {self._types[name]} now, which does not hold all of them; give the file its type again"
            )


def _first_that(holds: Callable[[Any], bool], wire: list[Any]) -> int:
    return next(position for position, value in enumerate(wire) if holds(value))


def _is_no_text(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except TypeError:
        return True
    return False
