"""Rows of parquet, by way of DuckDB, in the order of the file."""

import re
from collections.abc import Generator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from feast_core.errors import InvalidInput
from feast_core.files.table import FileRows
from feast_core.timestamps import from_microseconds

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MAGIC = re.compile(r"[*?\[]")
_INSTANTS = frozenset(
    [
        "timestamp",
        "timestamp_s",
        "timestamp_ms",
        "timestamp_ns",
        "timestamp with time zone",
        "timestamptz_ns",
    ]
)
#: What DuckDB gives to Python as it is meant here.
_PLAIN = frozenset(
    [
        *("boolean", "float", "double", "varchar", "blob", "decimal", "null"),
        *("tinyint", "smallint", "integer", "bigint", "hugeint"),
        *("utinyint", "usmallint", "uinteger", "ubigint", "uhugeint"),
    ]
)


def read_parquet(path: str, name: str, rows: int) -> Generator[FileRows, None, None]:
    """So many rows at a time. Instants become aware datetimes; what has no plain Python value becomes its text.

    `name` is what messages call the file. Raises InvalidInput.
    """
    import duckdb  # heavy, and needed for parquet only

    try:
        with duckdb.connect(":memory:") as connection:
            # One thread reads faster than anybody writes what it read. Instants with a zone are shown in UTC.
            connection.execute("SET threads = 1; SET TimeZone = 'UTC'; SET disable_parquet_prefetching = true")
            yield from _read(path, name, rows, connection)
    except (duckdb.Error, UnicodeDecodeError, RuntimeError) as error:
        if "interrupted" in str(error):  # what DuckDB makes of what a signal raised, such as Ctrl-C
            raise KeyboardInterrupt from error
        reason = str(error).partition("\n")[0].replace(path, name)
        reason = reason.partition("Error: ")[2] or reason
        raise InvalidInput(f"{name}: is not parquet, or is damaged: {reason}") from error


def _read(path: str, name: str, rows: int, connection: "DuckDBPyConnection") -> Generator[FileRows, None, None]:
    # A character in brackets stands for itself; DuckDB would look for files that match.
    file = _MAGIC.sub(r"[\g<0>]", path).replace("'", "''")
    table = f"read_parquet('{file}', hive_partitioning = false)"
    relation = connection.sql(f"SELECT * FROM {table}")
    kinds = dict(zip(relation.columns, relation.types, strict=True))
    written = connection.execute(f"SELECT name FROM parquet_schema('{file}')").fetchall()
    renamed = kinds.keys() - {column for (column,) in written}
    if renamed:
        raise InvalidInput(
            f"{name}: has columns whose names differ only in case, or not at all ({min(renamed)!r} is what the second"
            " was called to tell them apart); rename one of them"
        )
    (total,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
    instants = [column for column, kind in kinds.items() if kind.id in _INSTANTS]
    selected = ", ".join(_fetched(column, kind) for column, kind in kinds.items())
    result = connection.execute(f"SELECT {selected} FROM {table}")
    done = 0
    while found := result.fetchmany(rows):
        columns = dict(zip(kinds, map(list, zip(*found, strict=True)), strict=True))
        for column in instants:
            columns[column] = list(map(_moment, columns[column]))
        numbers = range(done + 1, done + len(found) + 1)
        done += len(found)
        yield FileRows(columns, numbers, None, (), done / total)


def _fetched(column: str, kind: Any) -> str:
    """SQL of a column in a type that can be fetched; instants of DuckDB would need another package."""
    quoted = _quoted(column)
    if kind.id in _INSTANTS:
        # DuckDB would round nanoseconds; the offline store cuts them off.
        return f"(epoch_ns({quoted}) // 1000)" if kind.id.endswith("_ns") else f"epoch_us({quoted})"
    wanted = _fetched_type(kind)
    return quoted if wanted == str(kind) else f"{quoted}::{wanted}"


def _fetched_type(kind: Any) -> str:
    """The type of DuckDB, with texts in the place of what has no plain Python value."""
    if kind.id in ("list", "array"):
        return f"{_fetched_type(kind.children[0][1])}[]"
    if kind.id == "struct":
        return f"STRUCT({', '.join(f'{_quoted(name)} {_fetched_type(inner)}' for name, inner in kind.children)})"
    if kind.id == "map":
        (_, key), (_, value) = kind.children
        # In Python containers would not make keys.
        return f"MAP({key if key.id in _PLAIN else 'VARCHAR'}, {_fetched_type(value)})"
    return str(kind) if kind.id in _PLAIN else "VARCHAR"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _moment(microseconds: int | None) -> datetime | str | None:
    """An aware time; a text where the calendar of Python ends, which is refused as one."""
    if microseconds is None:
        return None
    try:
        return from_microseconds(microseconds)
    except OverflowError:
        return f"{microseconds} microseconds since 1970"
