"""Values of features to their wire form and back: a codec per type.

The wire form of a value is what the HTTP answer shows (JSON), so that a read can splice stored bytes into a response.
Nulls are null; a NaN in a scalar float column is a missing value (as Feast, and as pandas writes it); NaN and
infinities elsewhere are the texts "NaN", "Infinity", "-Infinity".
"""

import base64
import datetime
import decimal
import json
import math
import re
import uuid
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

import orjson

from feast_core.definitions import (
    Array,
    Bool,
    Bytes,
    Decimal,
    FeastType,
    Float32,
    Float64,
    ImageBytes,
    Int32,
    Int64,
    Json,
    Map,
    PdfBytes,
    ScalarMap,
    Set,
    String,
    Struct,
    TimeUuid,
    UnixTimestamp,
    Uuid,
    ZonedTimestamp,
)
from feast_core.errors import DefinitionError, InvalidInput, shown
from feast_core.timestamps import EPOCH, EXAMPLE, microseconds_of, parse_timestamp, to_microseconds

Scalar: TypeAlias = Callable[[Any], Any]
"""One value that is not None to its wire form, or from it. Raises ValueError or TypeError with a message for a
person."""

SECOND = datetime.timedelta(seconds=1)

_MACHINE_TYPES: dict[tuple[int, bool], Literal["b", "h", "i", "q", "B", "H", "I", "Q"]] = {
    (8, True): "b",
    (16, True): "h",
    (32, True): "i",
    (64, True): "q",
    (8, False): "B",
    (16, False): "H",
    (32, False): "I",
    (64, False): "Q",
}

Wire: TypeAlias = Sequence[Any]
"""Wire values of a column: a list, or an array, which has no null among its values."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one type go to the wire and come back.

    `encode_column` takes a list of Python values (None allowed) and gives the wire values: an array where all of them
    are numbers, else a list, None among them. It raises BadValue.
    `decode` takes one wire value that is not None and gives the Python value that `to_dict()` shows.
    """

    encode_column: Callable[[list[Any]], Wire]
    decode: Scalar


class BadValue(Exception):
    """A value that is not of the declared type: its position in the column, and why."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(reason)
        self.position = position
        self.reason = reason


@cache
def codec_of(dtype: FeastType) -> Codec:
    """The codec of a type. Raises DefinitionError for a type that cannot be stored."""
    if dtype == Float64:
        return Codec(_float_column, _to_float)
    if dtype == Float32:
        return Codec(_float32_column, _to_float)
    if dtype == Int64:
        return Codec(integer_column(64), _as_is)
    if dtype == Int32:
        return Codec(integer_column(32), _as_is)
    if dtype == String:
        return Codec(_plain_column(str, _text), _as_is)
    if dtype == Bool:
        return Codec(_plain_column(bool, _boolean), _as_is)
    encode, decode = _scalars(dtype)
    return Codec(_each(encode), decode)


def _scalars(dtype: FeastType) -> tuple[Scalar, Scalar]:
    """Encode and decode of one value."""
    if isinstance(dtype, Array):
        encode, decode = _scalars(dtype.base_type)
        return _list_of(encode), lambda items: [None if item is None else decode(item) for item in items]
    if isinstance(dtype, Set):
        encode, decode = _scalars(dtype.base_type)
        return _distinct(_list_of(encode)), lambda items: _as_set(
            None if item is None else decode(item) for item in items
        )
    if isinstance(dtype, Struct):
        return _struct({name: _scalars(inner) for name, inner in dtype.fields.items()})
    found = _SCALARS.get(dtype)
    if found is None:
        raise DefinitionError(f"features of type {dtype} cannot be stored")
    return found


# Columns. The gate `set(map(type, values))` runs in C, so that the common column costs no Python call per value.


def _each(encode: Scalar) -> Callable[[list[Any]], list[Any]]:
    def column(values: list[Any]) -> list[Any]:
        wire: list[Any] = []
        for position, value in enumerate(values):
            if value is None:
                wire.append(None)
                continue
            try:
                wire.append(encode(value))
            except RecursionError as error:
                raise BadValue(position, "is nested too deeply") from error
            except (ValueError, TypeError, OverflowError, ArithmeticError) as error:
                if _missing(value):
                    wire.append(None)
                    continue
                raise BadValue(position, str(error)) from error
        return wire

    return column


def _plain_column(wanted: type, encode: Scalar) -> Callable[[list[Any]], list[Any]]:
    plain = {frozenset({wanted}), frozenset({wanted, type(None)}), frozenset({type(None)}), frozenset[type]()}
    slow = _each(encode)

    def column(values: list[Any]) -> list[Any]:
        return values if frozenset(map(type, values)) in plain else slow(values)

    return column


def integer_column(bits: int, is_signed: bool = True) -> Callable[[list[Any]], Wire]:
    """`Codec.encode_column` of integers of 8, 16, 32 or 64 bits."""
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if is_signed else (0, 2**bits - 1)
    machine_type = _MACHINE_TYPES[bits, is_signed]
    kind = f"{bits}-bit integer" if is_signed else f"{bits}-bit integer without a sign"

    def encode(value: Any) -> int:
        number = _integer(value)
        if not low <= number <= high:
            raise ValueError(f"{shown(number)} does not fit a {kind}")
        return number

    slow = _each(encode)

    def column(values: list[Any]) -> Wire:
        # An array takes what is an integer and in range, at a tenth of the price of a look at each value.
        try:
            return array(machine_type, values)
        except (TypeError, OverflowError):
            return slow(values)

    return column


def _float_column(values: list[Any]) -> Wire:
    return _finite("d", values) or _floats(values)


def _float32_column(values: list[Any]) -> Wire:
    # As Feast: the number that a 32-bit float holds, written as the double it equals.
    return _finite("f", values) or _floats(values, _narrow)


def _finite(machine_type: Literal["d", "f"], values: list[Any]) -> "array[float] | None":
    """The numbers, if they are numbers and finite all of them. A sum that overflows is taken for one that is not: then
    the slow way looks at each value."""
    try:
        numbers = array(machine_type, values)
    except (TypeError, OverflowError):
        return None
    return numbers if math.isfinite(sum(numbers)) else None


def _narrow(value: float) -> float:
    return array("f", (value,))[0]


def _floats(values: list[Any], narrow: Callable[[float], float] = float) -> list[Any]:
    def encode(value: Any) -> Any:
        number = narrow(_number(value))
        return None if number != number else _float_wire(number)

    return _each(encode)(values)


# Single values.


def _as_is(value: Any) -> Any:
    return value


def _missing(value: Any) -> bool:
    """NaN, NaT and pandas.NA: not equal to themselves, or not willing to say. Arrays are not willing either, and are
    values all the same."""
    if hasattr(value, "__len__"):
        return False
    try:
        return bool(value != value)
    except (TypeError, ValueError, ArithmeticError):
        return True


def _refuse_missing(value: Any) -> None:
    """For a type whose text would take NaN or NaT for a value."""
    if _missing(value):
        raise ValueError("expected a value, got a missing one (NaN)")


def _plain_times(value: Any) -> Any:
    """Times of numpy in microseconds, which become datetimes; in nanoseconds they would become bare numbers."""
    return value.astype("datetime64[us]") if getattr(getattr(value, "dtype", None), "char", "") == "M" else value


def _number(value: Any) -> float:
    if isinstance(value, (list, dict, set, tuple, bytes)):
        raise TypeError(f"expected a number, got {shown(value)}")
    try:
        return float(value)
    except ValueError as error:
        raise ValueError(f"expected a number, got {shown(value)}") from error


def _integer(value: Any) -> int:
    # As Feast: "12" and 12.0 are 12, 3.9 is 3, true is 1.
    if isinstance(value, (list, dict, set, tuple, bytes)):
        raise TypeError(f"expected an integer, got {shown(value)}")
    try:
        return int(value)
    except ValueError as error:
        raise ValueError(f"expected an integer, got {shown(value)}") from error


def _float_wire(number: float) -> Any:
    if math.isfinite(number):
        return number
    return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"


def _to_float(wire: Any) -> float:
    return float(wire)


def text_of(binary: bytes) -> str:
    """The text that UTF-8 means: columns of texts in parquet need not say that they are. Raises ValueError."""
    try:
        return binary.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"expected a text, got bytes that are not UTF-8: {shown(binary)}") from error


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return text_of(value)
    # As Feast: a number or a truth value is the text that Python shows of it.
    if not isinstance(value, (str, bool, int, float)):
        raise TypeError(f"expected a text, got {shown(value)}")
    _refuse_missing(value)
    return str(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, (str, bytes)) or value not in (0, 1):
        raise TypeError(f"expected true or false, got {shown(value)}")
    return bool(value)


def _bytes(value: Any) -> str:
    """bytes, or their base64 text, to base64 text."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, str):
        try:
            return base64.b64encode(base64.b64decode(value, validate=True)).decode("ascii")
        except ValueError as error:
            raise ValueError("expected bytes as base64 text") from error
    raise TypeError(f"expected bytes, got {shown(value)}")


def _seconds(value: Any) -> int:
    """An instant to whole seconds since 1970 UTC; sub-seconds go toward zero. Integers are seconds already."""
    if isinstance(value, str):
        try:
            value = parse_timestamp(value)
        except InvalidInput as error:
            raise ValueError(str(error)) from error
    elif hasattr(value, "dtype"):
        value = _plain_times(value).item()
    if isinstance(value, datetime.datetime):
        _refuse_missing(value)
        if value.tzinfo is None:
            value = value.replace(tzinfo=datetime.UTC)
        # Toward zero, as Feast.
        return int(-((EPOCH - value) // SECOND) if value < EPOCH else (value - EPOCH) // SECOND)
    if isinstance(value, datetime.date):
        return (datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC) - EPOCH) // SECOND
    seconds = _integer(value)
    if not -(2**63) <= seconds < 2**63:
        raise ValueError(f"{shown(seconds)} is not an instant")
    return seconds


#: Times that are read one by one sooner than together.
_FEW = 4


def microseconds(values: list[Any]) -> list[int | None]:
    """A column of event or created times to microseconds since 1970 UTC: ISO 8601 texts (see `parse_timestamp`) and
    times of Python, numpy and pandas; what is finer is cut off, what has no zone is UTC, missing ones are None.

    Raises BadValue, also for bare numbers.
    """
    if len(values) <= _FEW or set(map(type, values)) != {str}:
        return _microseconds(values)
    distinct = list(set(values))
    found = microseconds_of(values if len(distinct) > len(values) // 2 else distinct)
    if found is None:
        return _microseconds(values)
    if len(found) == len(values):
        return [*found]
    known = dict(zip(distinct, found, strict=True))  # rows of one push often have one time, or few
    return [known[text] for text in values]


def _microsecond(value: Any) -> int:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _refuse_missing(value)
        value = str(value)  # which is refused, with the reason
    if isinstance(value, str):
        try:
            return to_microseconds(parse_timestamp(value))
        except InvalidInput as error:
            raise ValueError(str(error)) from error
    if hasattr(value, "dtype"):
        value = _plain_times(value).item()
    _refuse_missing(value)
    if isinstance(value, datetime.datetime):
        return to_microseconds(value if value.tzinfo else value.replace(tzinfo=datetime.UTC))
    if isinstance(value, datetime.date):
        return to_microseconds(datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC))
    raise TypeError(f"expected a time such as {EXAMPLE}, got {shown(value)}")


_microseconds = _each(_microsecond)


def _instant(wire: int) -> Any:
    """Seconds to an aware datetime; the number itself where the calendar of Python ends."""
    try:
        return EPOCH + SECOND * wire
    except OverflowError:
        return wire


def _json_text(value: Any) -> str:
    """JSON as its text: kept exactly if it is one, written if it is an object."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError as error:
            raise ValueError(f"not JSON: {error}") from error
        return value
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _mapping(value: Any) -> dict[str, Any]:
    return {_name(key): _free(item) for key, item in object_of(value).items()}


def _name(key: Any) -> str:
    """The key of a map as JSON has it, always a text: true for True, base64 for bytes."""
    if isinstance(key, str):
        return key
    free = _free(key)
    return free if isinstance(free, str) else orjson.dumps(free).decode()


def object_of(value: Any) -> dict[Any, Any]:
    """A dictionary, or the one that a JSON text is. Raises ValueError, TypeError."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ValueError(f"expected an object or its JSON text: {error}") from error
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, got {shown(value)}")
    return value


def _free(value: Any) -> Any:
    """A value of no declared type inside a map, to what JSON can say."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return _float_wire(value)
    if isinstance(value, dict):
        return {_name(key): _free(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_free(item) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return _bytes(value)
    if isinstance(value, datetime.datetime):
        return _seconds(value)
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if hasattr(value, "tolist"):
        return _free(value.tolist())
    raise TypeError(f"cannot be written as JSON: {shown(value)}")


def _uuid(value: Any) -> str:
    """A text is kept as it is written, as Feast; 16 bytes are a UUID where a file does not say so."""
    found = _uuid_of(value)
    return value if isinstance(value, str) else str(found)


def _uuid_of(value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    if not isinstance(value, (str, bytes)):
        raise TypeError(f"expected a UUID, got {shown(value)}")
    try:
        return uuid.UUID(bytes=value) if isinstance(value, bytes) else uuid.UUID(value)
    except ValueError as error:
        raise ValueError(f"expected a UUID, got {shown(value)}") from error


def canonical_uuids(values: list[Any]) -> Wire:
    """A column of UUIDs, in any spelling, in the one of RFC 9562: lower case, with dashes. Raises BadValue."""
    return _canonical_uuids(values)


def _canonical_uuid(value: Any) -> str:
    # To compare takes a quarter of the time of making a UUID and writing it.
    return value if isinstance(value, str) and _IS_CANONICAL(value) else str(_uuid_of(value))


_IS_CANONICAL = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_canonical_uuids = _each(_canonical_uuid)


def _decimal(value: Any) -> str:
    _refuse_missing(value)
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(f"expected a decimal number, got {shown(value)}")
    try:
        decimal.Decimal(value)
    except decimal.InvalidOperation as error:
        raise ValueError(f"expected a decimal number, got {shown(value)}") from error
    return str(value)


def _zoned(value: Any) -> str:
    _refuse_missing(value)
    if isinstance(value, datetime.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)).isoformat()
    if not isinstance(value, str):
        raise TypeError(f"expected a time with its zone, got {shown(value)}")
    found = datetime.datetime.fromisoformat(value)
    return value if found.tzinfo else found.replace(tzinfo=datetime.UTC).isoformat()


def _float64(value: Any) -> Any:
    return _float_wire(_number(value))


def _float32(value: Any) -> Any:
    return _float_wire(_narrow(_number(value)))


def _ranged(bits: int) -> Scalar:
    column = integer_column(bits)

    def encode(value: Any) -> Any:
        try:
            return column([value])[0]
        except BadValue as error:
            raise ValueError(error.reason) from error

    return encode


def items_of(value: Any) -> list[Any]:
    """The items of a list, tuple, set or array. Raises TypeError."""
    if hasattr(value, "tolist"):
        value = _plain_times(value).tolist()
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=repr)
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"expected a list, got {shown(value)}")
    return list(value)


def _list_of(encode: Scalar) -> Scalar:
    return lambda value: [None if item is None else encode(item) for item in items_of(value)]


def _distinct(encode: Scalar) -> Scalar:
    """Without repeats, in the order in which they came first."""

    def distinct(value: Any) -> list[Any]:
        seen: dict[bytes, Any] = {}
        for item in encode(value):
            seen.setdefault(orjson.dumps(item), item)
        return list(seen.values())

    return distinct


def _as_set(items: Iterable[Any]) -> Any:
    """A set, or a list where the items cannot be in one."""
    found = list(items)
    try:
        return set(found)
    except TypeError:
        return found


def _struct(fields: dict[str, tuple[Scalar, Scalar]]) -> tuple[Scalar, Scalar]:
    def encode(value: Any) -> dict[str, Any]:
        value = object_of(value)
        known = {
            name: None if value[name] is None else inner[0](value[name])
            for name, inner in fields.items()
            if name in value
        }
        # As Feast: a field that is not declared comes along, as in a map.
        return known | {_name(key): _free(item) for key, item in value.items() if key not in fields}

    def decode(wire: dict[str, Any]) -> dict[str, Any]:
        return {
            name: None if item is None else fields[name][1](item) if name in fields else item
            for name, item in wire.items()
        }

    return encode, decode


_SCALARS: dict[FeastType, tuple[Scalar, Scalar]] = {
    Float64: (_float64, _to_float),
    Float32: (_float32, _to_float),
    Int64: (_ranged(64), _as_is),
    Int32: (_ranged(32), _as_is),
    String: (_text, _as_is),
    Bool: (_boolean, _as_is),
    Bytes: (_bytes, base64.b64decode),
    ImageBytes: (_bytes, base64.b64decode),
    PdfBytes: (_bytes, base64.b64decode),
    UnixTimestamp: (_seconds, _instant),
    Json: (_json_text, json.loads),
    Map: (_mapping, _as_is),
    ScalarMap: (_mapping, _as_is),
    Uuid: (_uuid, uuid.UUID),
    TimeUuid: (_uuid, uuid.UUID),
    Decimal: (_decimal, decimal.Decimal),
    ZonedTimestamp: (_zoned, datetime.datetime.fromisoformat),
}
