"""Entity keys to bytes: an encoder per set of join keys, built once.

Rule of the key: join keys sorted by name; each value is one tag byte and its bytes. Integers of any width (also
instants, as seconds) are 8 bytes, big-endian two's complement; texts and bytes are a 4-byte length and their bytes. A
UUID is its text in lower case with dashes, however it was written. 1001 and "1001" differ. A view without entities has
one row, under the empty key.
"""

import base64
import struct
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

from feast_core.definitions import (
    Bool,
    Bytes,
    FeastType,
    Int32,
    Int64,
    String,
    TimeUuid,
    UnixTimestamp,
    Uuid,
)
from feast_core.errors import DefinitionError, InvalidInput, shown
from feast_core.values import BadValue, Wire, canonical_uuids, codec_of, text_of

Coerce: TypeAlias = Callable[[list[Any]], Wire]
"""A column of entity values as they came -> values of the declared type; raises BadValue."""

_integer_key = struct.Struct(">cq").pack
_text_head = struct.Struct(">cI").pack

_INTEGERS = (Int32, Int64, UnixTimestamp)
_TEXTS = (String, Uuid, TimeUuid)
#: Types of join keys.
KEY_TYPES: tuple[FeastType, ...] = (*_INTEGERS, *_TEXTS, Bytes, Bool)


class KeyEncoder:
    """Values of the join keys of one view to key bytes.

    `types` maps each join key to its type, in any order. Raises DefinitionError for a type that cannot be a key.
    """

    def __init__(self, types: Mapping[str, FeastType]) -> None:
        self.types = dict(types)
        self.join_keys = tuple(sorted(types))
        self.coerce = {name: coercion_of(types[name], name) for name in self.join_keys}
        self._parts = [_part_of(types[name]) for name in self.join_keys]

    def encode(self, columns: Sequence[Wire], rows: int) -> list[bytes]:
        """Coerced columns, in the order of `self.join_keys`, to one key per row."""
        if not columns:
            return [b""] * rows
        parts = [part(column) for part, column in zip(self._parts, columns, strict=True)]
        if len(parts) == 1:
            return parts[0]
        return [b"".join(pieces) for pieces in zip(*parts, strict=True)]


def coercion_of(dtype: FeastType, name: str) -> Coerce:
    """As Feast: what can be read as the declared type is ("1001" is 1001 for an integer key, 5 is "5" for a text)."""
    if dtype in (Int32, Int64, UnixTimestamp, Bool):
        return codec_of(dtype).encode_column
    if dtype in (Uuid, TimeUuid):
        return canonical_uuids
    if dtype == String:
        return _texts
    if dtype == Bytes:
        return _binaries
    raise DefinitionError(
        f"join key {name!r} has type {dtype}; "
        "a join key can be Int32, Int64, String, Bytes, Bool, UnixTimestamp or Uuid"
    )


def coerced(coerce: Coerce, values: list[Any], path: str) -> Wire:
    """`coerce(values)` with nulls refused; raises InvalidInput with `path[row]`."""
    if type(None) in set(map(type, values)):
        raise InvalidInput.at(f"{path}[{values.index(None)}]", "an entity value cannot be null")
    try:
        column = coerce(values)
    except BadValue as error:
        raise InvalidInput.at(f"{path}[{error.position}]", error.reason) from error
    if column is not values and isinstance(column, list) and None in column:
        raise InvalidInput.at(f"{path}[{column.index(None)}]", "an entity value cannot be missing (NaN)")
    return column


def stored_keys(encoder: KeyEncoder, columns: Mapping[str, list[Any]]) -> list[Wire]:
    """The columns of the join keys of rows that are to be stored, as `encoder.encode` takes them. Raises InvalidInput
    as `coerced` does, and for a number with a fraction where the key is an integer: a request may ask for 1.5 where 1
    is meant (as Feast), but two rows with such keys would become one."""
    return [
        _exact(coerced(encoder.coerce[name], columns[name], name), columns[name], name) for name in encoder.join_keys
    ]


def _exact(coerced: Wire, values: list[Any], name: str) -> Wire:
    if not {float, Decimal}.isdisjoint(map(type, values)):
        for position, (key, value) in enumerate(zip(coerced, values, strict=True)):
            if isinstance(value, (float, Decimal)) and isinstance(key, int) and key != value:
                raise InvalidInput.at(f"{name}[{position}]", f"the join key is an integer, this is {value}")
    return coerced


def _texts(values: list[Any]) -> list[Any]:
    if set(map(type, values)) == {str}:
        return values
    texts: list[Any] = []
    for position, value in enumerate(values):
        if isinstance(value, bytes):
            try:
                texts.append(text_of(value))
            except ValueError as error:
                raise BadValue(position, str(error)) from error
            continue
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise BadValue(position, f"expected a text, got {shown(value)}")
        # What is not equal to itself is NaN, which stands for a missing value.
        texts.append(str(value) if value == value else None)
    return texts


def _binaries(values: list[Any]) -> list[Any]:
    binaries = []
    for position, value in enumerate(values):
        if isinstance(value, (bytes, bytearray, memoryview)):
            binaries.append(bytes(value))
            continue
        if not isinstance(value, str):
            raise BadValue(position, f"expected bytes as base64 text, got {shown(value)}")
        try:
            binaries.append(base64.b64decode(value, validate=True))
        except ValueError as error:
            raise BadValue(position, "expected bytes as base64 text") from error
    return binaries


def _part_of(dtype: FeastType) -> Callable[[Wire], list[bytes]]:
    if dtype in _INTEGERS:
        return lambda values: [_integer_key(b"i", value) for value in values]
    if dtype == Bool:
        return lambda values: [b"t" if value else b"f" for value in values]
    if dtype in _TEXTS:
        return lambda values: [_text_part(value) for value in values]
    return lambda values: [_text_head(b"b", len(value)) + value for value in values]


def _text_part(text: str) -> bytes:
    binary = text.encode("utf-8", "surrogatepass")
    return _text_head(b"s", len(binary)) + binary
