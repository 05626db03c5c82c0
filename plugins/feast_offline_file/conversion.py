"""Values that somebody sends to columns of parquet: checked in Python, kept as JSON, converted by DuckDB.

Between the check and the file rows wait as JSON, in a form that does not depend on who sent them:

    integers, booleans    themselves
    floats                numbers, or "NaN", "Infinity", "-Infinity"; NaN in a column of floats is null
    texts, JSON           texts
    bytes                 base64
    decimals, UUIDs       texts, of decimals with exactly the digits after the point that the column has
    instants              whole microseconds since 1970 UTC; dates: whole days
    lists                 lists
    structs               objects that have all fields
    maps                  lists of {"key", "value"}
    anything else         the text that DuckDB casts to it
"""

import decimal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from feast_core.definitions import Array, Bool, Bytes, Decimal, Float32, Float64, Json, String, UnixTimestamp
from feast_core.errors import shown
from feast_core.timestamps import EXAMPLE
from feast_core.values import (
    BadValue,
    Wire,
    canonical_uuids,
    codec_of,
    integer_column,
    items_of,
    microseconds,
    object_of,
)
from feast_offline_file.columns import DuckType, is_instant, literal, quoted

Check: TypeAlias = Callable[[list[Any]], Wire]
"""Values of a column to what JSON has for them, None for null. Raises BadValue."""

DAY_US = 86_400_000_000
# The years 1 to 9999, and what a number of nanoseconds reaches.
_ALL_TIMES = (-62_135_596_800_000_000, 253_402_300_799_999_999)
_TIMES_IN_NANOSECONDS = (-(2**63) // 1000 + 2, 2**63 // 1000 - 1)
_BITS = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}
_FLOATS = {"float": Float32, "double": Float64}


@dataclass(frozen=True, slots=True)
class Conversion:
    """How values get into a column of one type: `carrier` is the structure that `from_json` reads the JSON with, `sql`
    gives SQL of the value from SQL of that. `is_certain` if whatever passes the check is a value of the column; for
    other types DuckDB has to be asked."""

    check: Check
    carrier: Any
    sql: Callable[[str], str]
    is_certain: bool = True


def conversion_of(column_type: DuckType, depth: int = 0) -> Conversion:
    """The conversion to a type of DuckDB. `depth` counts the containers around it."""
    kind = column_type.id
    if kind == "null":
        return Conversion(_only_nulls, "VARCHAR", lambda carrier: f"nullif({carrier}, {carrier})")
    if kind in _BITS or kind.removeprefix("u") in _BITS:
        is_signed = kind in _BITS
        check = integer_column(_BITS[kind.removeprefix("u")], is_signed)
        return Conversion(check, "BIGINT" if is_signed else "UBIGINT", _as_it_is)
    if kind in _FLOATS:
        return Conversion(_floats(kind, depth), "DOUBLE", _as_it_is)
    if is_instant(column_type):
        return Conversion(_instants(kind), "BIGINT", partial(_instant, column_type))
    if kind == "list":
        return _list(conversion_of(column_type.children[0][1], depth + 1), depth)
    if kind == "struct":
        return _struct({name: conversion_of(inner, depth + 1) for name, inner in column_type.children})
    if kind == "map":
        (_, key), (_, value) = column_type.children
        return _map(conversion_of(key, depth + 1), conversion_of(value, depth + 1), depth)
    if kind == "decimal":
        return Conversion(_decimals(**dict(column_type.children)), "VARCHAR", _as_it_is)
    if kind == "blob":
        return Conversion(codec_of(Bytes).encode_column, "VARCHAR", lambda carrier: f"from_base64({carrier})")
    if kind == "boolean":
        return Conversion(codec_of(Bool).encode_column, "BOOLEAN", _as_it_is)
    if kind == "uuid":
        return Conversion(canonical_uuids, "VARCHAR", _as_it_is)
    if str(column_type) == "JSON":
        return Conversion(codec_of(Json).encode_column, "VARCHAR", _as_it_is, is_certain=False)
    texts = codec_of(String).encode_column
    if kind == "interval":
        return Conversion(texts, "VARCHAR", _interval, is_certain=False)
    return Conversion(texts, "VARCHAR", _as_it_is, is_certain=kind == "varchar")


def times(kind: str, needed: bool) -> Check:
    """The check of a column of event or created times, of this kind: bare numbers are refused; so are nulls, where a
    time is `needed`."""

    def check(values: list[Any]) -> Wire:
        found = microseconds(values)
        if needed and None in found:
            raise BadValue(found.index(None), f"the time of the event is needed, such as {EXAMPLE}")
        return _in_range(kind, found)

    return check


def _as_it_is(carrier: str) -> str:
    return carrier


def _only_nulls(values: list[Any]) -> Wire:
    for position, value in enumerate(values):
        if value is not None:
            raise BadValue(position, "the column has no type, since it holds nulls only; leave the value null")
    return values


def _each(values: list[Any], encode: Callable[[Any], Any]) -> list[Any]:
    """Containers, or what has a check of its own: one by one. NaN is how pandas writes that one is missing."""
    found = []
    for position, value in enumerate(values):
        try:
            found.append(None if value is None or _is_nan(value) else encode(value))
        except BadValue as error:
            raise BadValue(position, error.reason) from error
        except RecursionError as error:
            raise BadValue(position, "is nested too deeply") from error
        except (ValueError, TypeError, ArithmeticError) as error:
            raise BadValue(position, str(error)) from error
    return found


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def _inside(where: object, check: Check, values: list[Any]) -> list[Any]:
    """A part of a value, by the check of its type; what is wrong with it is told with its place."""
    try:
        return list(check(values))
    except BadValue as error:
        place = where if where is not None else f"item {error.position}"
        raise ValueError(f"{place}: {error.reason}") from error


def _floats(kind: str, depth: int) -> Check:
    if not depth:
        return codec_of(_FLOATS[kind]).encode_column
    # Among the items of a list a NaN is a value.
    lists = codec_of(Array(_FLOATS[kind])).encode_column

    def check(values: list[Any]) -> Wire:
        try:
            found: list[Any] = lists([values])[0]
        except BadValue:
            for position, value in enumerate(values):
                try:
                    lists([[value]])
                except BadValue as error:
                    raise BadValue(position, error.reason) from error
            raise
        return found

    return check


def _decimals(precision: int, scale: int) -> Check:
    texts = codec_of(Decimal).encode_column
    exact = decimal.Context(prec=precision, traps=[decimal.Inexact, decimal.InvalidOperation])
    step = decimal.Decimal(1).scaleb(-scale)

    def encode(text: str) -> str:
        try:
            found = exact.quantize(decimal.Decimal(text), step)
        except decimal.DecimalException:
            found = decimal.Decimal("NaN")
        if found.is_nan():
            raise ValueError(f"{shown(text)} does not fit DECIMAL({precision}, {scale}) exactly")
        return format(found, "f")

    return lambda values: _each(list(texts(values)), encode)


def _instants(kind: str) -> Check:
    """Times as event times have them, and whole seconds since 1970 as features of type UnixTimestamp have them."""
    seconds = codec_of(UnixTimestamp).encode_column

    def encode(value: Any) -> int | None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(seconds([value])[0]) * 1_000_000
        return microseconds([value])[0]

    def check(values: list[Any]) -> Wire:
        try:
            found = microseconds(values)
        except BadValue:
            found = _each(values, encode)
        return _in_range(kind, found)

    return check


def _in_range(kind: str, found: list[int | None]) -> list[int | None]:
    first, last = _TIMES_IN_NANOSECONDS if kind.endswith("_ns") else _ALL_TIMES
    for position, at in enumerate(found):
        if at is not None and not first <= at <= last:
            raise BadValue(position, "is a time that the column cannot hold")
    return [None if at is None else at // DAY_US for at in found] if kind == "date" else found


def _instant(column_type: DuckType, carrier: str) -> str:
    if column_type.id == "date":
        return f"(DATE '1970-01-01' + {carrier}::INTEGER)"
    if column_type.id.endswith("_ns"):
        return f"make_timestamp_ns({carrier} * 1000)::{column_type}"
    return f"make_timestamp({carrier})::{column_type}"


def _interval(carrier: str) -> str:
    """Parquet has no intervals of which a part is negative."""
    parts = ("year", "month", "day", "hour", "minute", "microsecond")
    least = ", ".join(f"datepart('{part}', {carrier}::INTERVAL)" for part in parts)
    return f"CASE WHEN least({least}) < 0 THEN error('negative') ELSE {carrier} END"


def _list(inner: Conversion, depth: int) -> Conversion:
    def check(values: list[Any]) -> Wire:
        return _each(values, lambda value: _inside(None, inner.check, items_of(value)))

    def sql(carrier: str) -> str:
        item = f"item{depth}"
        plain = inner.sql(item)
        return carrier if plain == item else f"[{plain} for {item} in {carrier}]"

    return Conversion(check, [inner.carrier], sql, is_certain=False)


def _struct(fields: dict[str, Conversion]) -> Conversion:
    def encode(value: Any) -> dict[str, Any]:
        found = object_of(value)
        unknown = [name for name in found if name not in fields]
        if unknown:
            raise ValueError(f"has a field {shown(unknown[0])}, which the column lacks; it has {', '.join(fields)}")
        return {name: _inside(name, inner.check, [found.get(name)])[0] for name, inner in fields.items()}

    def sql(carrier: str) -> str:
        parts = {name: inner.sql(f"struct_extract({carrier}, {literal(name)})") for name, inner in fields.items()}
        packed = ", ".join(f"{quoted(name)} := {part}" for name, part in parts.items())
        return f"CASE WHEN {carrier} IS NOT NULL THEN struct_pack({packed}) END"

    carrier = {name: inner.carrier for name, inner in fields.items()}
    return Conversion(lambda values: _each(values, encode), carrier, sql, is_certain=False)


def _map(key: Conversion, value: Conversion, depth: int) -> Conversion:
    def encode(given: Any) -> list[dict[str, Any]]:
        found = object_of(given)
        keys = _inside("key", key.check, list(found))
        if None in keys:
            raise ValueError("a key of a map cannot be null")
        values = [_inside(name, value.check, [item])[0] for name, item in found.items()]
        return [{"key": name, "value": item} for name, item in zip(keys, values, strict=True)]

    def sql(carrier: str) -> str:
        item = f"item{depth}"
        parts = (key.sql(f"{item}.key"), value.sql(f"{item}.value"))
        return f"map_from_entries([struct_pack(k := {parts[0]}, v := {parts[1]}) for {item} in {carrier}])"

    carrier = [{"key": key.carrier, "value": value.carrier}]
    return Conversion(lambda values: _each(values, encode), carrier, sql, is_certain=False)
