"""Columns of DuckDB: the feast type each is best served as, and SQL that turns it into plain Python values.

Instants never leave DuckDB as such, since fetching them needs another package: they leave as microseconds (event and
created times) or as whole seconds (values).
"""

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from feast_core.definitions import (
    Array,
    Bool,
    Bytes,
    Decimal,
    FeastType,
    Float32,
    Float64,
    Int32,
    Int64,
    Json,
    Map,
    Set,
    String,
    Struct,
    TimeUuid,
    UnixTimestamp,
    Uuid,
    ZonedTimestamp,
)

DuckType: TypeAlias = Any
"""A type of DuckDB's Python package: `id` is its name in lower case, `children` the parts of a nested one."""

_SHORT = frozenset(["tinyint", "smallint", "integer", "utinyint", "usmallint"])
_INTEGERS = _SHORT | {"bigint", "hugeint", "uinteger", "ubigint", "uhugeint"}
_NAIVE = frozenset(["timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "date"])
_ZONED = frozenset(["timestamp with time zone", "timestamptz_ns"])
# What DuckDB gives to Python as it is meant here.
_PLAIN = _INTEGERS | {"boolean", "float", "double", "varchar", "blob", "null"}
_FLOATS = frozenset(["float", "double"])
_NESTED = frozenset(["list", "struct", "map", "array"])

# A character in brackets stands for itself: these paths are literal already, and DuckDB would look for matches.
_MAGIC = re.compile(r"[*?\[]")

_FEAST_TYPES: dict[str, FeastType] = {
    **dict.fromkeys(_INTEGERS, Int64),
    **dict.fromkeys(_SHORT, Int32),
    **dict.fromkeys(_NAIVE | _ZONED, UnixTimestamp),
    "boolean": Bool,
    "float": Float32,
    "double": Float64,
    "decimal": Decimal,
    "blob": Bytes,
    "uuid": Uuid,
    "map": Map,
}


def feast_type(column_type: DuckType) -> FeastType:
    """The type a column is best served as; String for what has none."""
    if column_type.id == "list":
        return Array(feast_type(column_type.children[0][1]))
    if column_type.id == "struct":
        return Struct({name: feast_type(inner) for name, inner in column_type.children})
    if str(column_type) == "JSON":
        return Json
    return _FEAST_TYPES.get(column_type.id, String)


def is_instant(column_type: DuckType) -> bool:
    """Whether a column can be an event time."""
    return column_type.id in _NAIVE or column_type.id in _ZONED


def microseconds(column: str, column_type: DuckType) -> str:
    """SQL: an instant as microseconds since 1970 UTC. A naive one is UTC, whatever the time zone of the session; null
    for infinite ones, and for dates that no number of microseconds reaches."""
    if column_type.id.endswith("_ns"):
        return f"({_nanoseconds(column)} // 1000)"
    if column_type.id == "date":
        return f"epoch_us(TRY_CAST({column} AS TIMESTAMP))"
    return f"epoch_us({column})" if column_type.id in _ZONED else f"epoch_us({column}::TIMESTAMP)"


def moment(column: str, column_type: DuckType) -> str:
    """SQL: a number that grows with the instant, as finely as the column has it."""
    return _nanoseconds(column) if column_type.id.endswith("_ns") else microseconds(column, column_type)


def _nanoseconds(column: str) -> str:
    """SQL: what DuckDB takes for infinite are the first and the last time of pandas, in 1677 and 2262, which people
    write for "never" and "for ever"."""
    last = 2**63 - 1
    ends = f"CASE WHEN {column} > '1970-01-01 00:00:00+00' THEN {last} WHEN {column} IS NOT NULL THEN -{last} END"
    return f"coalesce(epoch_ns({column}), {ends})"


def key(column: str, column_type: DuckType, declared: FeastType) -> str:
    """SQL: `value` of a join key, the same for all that are one entity: instants of one second, spellings of a UUID.
    A decimal for an integer stays one where it may have a fraction: without it two entities would become one."""
    if declared in (Uuid, TimeUuid) and column_type.id == "varchar":
        return f"coalesce(TRY_CAST({column} AS UUID)::VARCHAR, {column})"
    if declared in (Int32, Int64) and column_type.id == "decimal" and dict(column_type.children)["scale"] > 0:
        return column
    return value(column, column_type, declared)


def holds_doubles_for_decimals(column_type: DuckType, declared: FeastType) -> bool:
    """Whether a part that is declared as Decimal is a DOUBLE."""
    if isinstance(declared, Array | Set) and column_type.id == "list":
        return holds_doubles_for_decimals(column_type.children[0][1], declared.base_type)
    if isinstance(declared, Struct) and column_type.id == "struct":
        parts = ((inner, declared.fields[name]) for name, inner in column_type.children if name in declared.fields)
        return any(holds_doubles_for_decimals(inner, dtype) for inner, dtype in parts)
    return declared == Decimal and column_type.id == "double"


def quoted(name: str) -> str:
    """A name as SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL string."""
    return "'" + text.replace("'", "''") + "'"


def file_list(paths: Iterable[str]) -> str:
    """Names of files as DuckDB takes them, literally, between the brackets of a list."""
    return ", ".join(literal(_MAGIC.sub(r"[\g<0>]", path)) for path in paths)


def value(column: str, column_type: DuckType, declared: FeastType | None, depth: int = 0) -> str:
    """SQL: the column as plain Python values fit for the declared type (None: not declared, as inside a map).

    What is lossless and plainly meant is cast (a decimal for a Float64); anything else is left to the encoder of the
    row, which knows how to refuse it. `depth` counts the containers around the column.
    """
    kind = column_type.id
    if declared == Json and kind != "varchar":
        written = f"to_json({column})::VARCHAR"
        # A NaN is a missing value, and no JSON.
        return f"CASE WHEN NOT isnan({column}) THEN {written} END" if kind in _FLOATS else written
    if is_instant(column_type):
        return _instant(column, column_type, declared)
    if kind in _PLAIN:
        return _plain(column, kind, declared)
    if kind == "decimal" and declared in (Float32, Float64):
        return f"{column}::DOUBLE"
    if kind == "decimal" and declared in (Int32, Int64):
        return f"trunc({column})::HUGEINT"  # As Feast: 3.9 is 3.
    if kind == "list":
        base = declared.base_type if isinstance(declared, Array | Set) else None
        return _each(column, column_type.children[0][1], base, depth)
    if kind == "struct":
        return _struct(column, column_type, declared, depth)
    if kind == "map":
        (_, key_type), (_, value_type) = column_type.children
        keys, values = f"map_keys({column})", f"map_values({column})"
        # In Python such keys would not make a dictionary.
        named = f"{keys}::VARCHAR[]" if key_type.id in _NESTED else _each(keys, key_type, None, depth)
        plain = named, _each(values, value_type, None, depth)
        return column if plain == (keys, values) else f"map({', '.join(plain)})"
    return f"{column}::VARCHAR"


def _instant(column: str, column_type: DuckType, declared: FeastType | None) -> str:
    if column_type.id == "date" and declared not in (String, ZonedTimestamp):
        return f"(date_diff('day', DATE '1970-01-01', {column}) * 86400)"
    if column_type.id == "date" and declared == String:
        return f"CASE WHEN isfinite({column}) THEN {column}::VARCHAR END"
    us = microseconds(column, column_type)
    if declared == ZonedTimestamp:
        return f"strftime(make_timestamp({us}), '%Y-%m-%dT%H:%M:%S.%f') || '+00:00'"
    if declared == String:
        return f"make_timestamp({us})::VARCHAR"
    return f"({us} // 1000000)"  # toward zero, as Feast


def _plain(column: str, kind: str, declared: FeastType | None) -> str:
    if declared == String and kind in _INTEGERS:
        return f"{column}::VARCHAR"
    return column


def _each(items: str, item_type: DuckType, declared: FeastType | None, depth: int) -> str:
    """The list itself, where its items need nothing."""
    item = f"item{depth}"
    plain = value(item, item_type, declared, depth + 1)
    return items if plain == item else f"[{plain} for {item} in {items}]"


def _struct(column: str, column_type: DuckType, declared: FeastType | None, depth: int) -> str:
    fields = declared.fields if isinstance(declared, Struct) else {}
    parts = {name: f"struct_extract({column}, {literal(name)})" for name, _ in column_type.children}
    plain = {name: value(parts[name], inner, fields.get(name), depth + 1) for name, inner in column_type.children}
    if plain == parts:
        return column
    packed = ", ".join(f"{quoted(name)} := {part}" for name, part in plain.items())
    return f"CASE WHEN {column} IS NOT NULL THEN struct_pack({packed}) END"
