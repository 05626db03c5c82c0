"""The stored row of a view: its schema, its nulls, and the encoder from columns of feature values.

A row is written once, as the JSON array of its wire values in schema order, and spliced into every answer that shows
it.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence

import orjson

from feast_core.definitions import Field
from feast_core.errors import DefinitionError, InvalidInput
from feast_core.interfaces import Columns, KeyedRow, RowSchema
from feast_core.values import BadValue, Wire, codec_of

# The largest number of features of one view: positions of nulls are stored as two bytes.
MAX_FEATURES = 65_535


def schema_of(features: Sequence[Field]) -> RowSchema:
    """The row schema of a view's features, in declared order.

    The fingerprint is the first 8 bytes of a BLAKE2 hash of names and types, as a signed number (what SQL stores hold).
    """
    if len(features) > MAX_FEATURES:
        raise DefinitionError(f"a view can have {MAX_FEATURES} features, this one has {len(features)}")
    text = json.dumps([[field.name, str(field.dtype)] for field in features], ensure_ascii=False)
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return RowSchema(
        int.from_bytes(digest, "big", signed=True),
        tuple(field.name for field in features),
        tuple(field.dtype for field in features),
    )


def nulls_of(positions: Iterable[int]) -> bytes:
    """Positions of nulls in a row, ascending, as stored: two bytes each, little-endian."""
    return b"".join(position.to_bytes(2, "little") for position in positions)


def null_positions(nulls: bytes) -> list[int]:
    """The inverse of `nulls_of`."""
    return [int.from_bytes(nulls[i : i + 2], "little") for i in range(0, len(nulls), 2)]


class RowEncoder:
    """Columns of a view to stored rows, without their keys."""

    def __init__(self, schema: RowSchema) -> None:
        self.schema = schema
        self._codecs = [codec_of(dtype) for dtype in schema.types]

    def encode(self, columns: Columns, rows: int) -> list[tuple[bytes, bytes]]:
        """`(nulls, values)` per row. Every feature must be in `columns`. Raises InvalidInput naming column and row."""
        wire: list[Wire] = []
        nullable: list[int] = []
        for position, (name, codec) in enumerate(zip(self.schema.names, self._codecs, strict=True)):
            try:
                column = codec.encode_column(columns[name])
            except BadValue as error:
                raise InvalidInput.at(f"{name}[{error.position}]", error.reason) from error
            wire.append(column)
            if isinstance(column, list) and None in column:
                nullable.append(position)
        if not wire:
            return [(b"", b"[]")] * rows
        try:
            # Copies: what orjson returns keeps the pages of the buffer that it wrote to, 4 KiB and more for a row. To
            # be given a new page for every row took more than the rest of encoding it: 2.3 us of 2.6.
            values = [b"%b" % orjson.dumps(row) for row in zip(*wire, strict=True)]
        except (TypeError, ValueError) as error:
            raise self._unencodable(wire) from error
        if not nullable:
            return [(b"", row) for row in values]
        columns_with_nulls = [wire[position] for position in nullable]
        return [
            (nulls_of(p for p, value in zip(nullable, row, strict=True) if value is None), text)
            for row, text in zip(zip(*columns_with_nulls, strict=True), values, strict=True)
        ]

    def _unencodable(self, wire: list[Wire]) -> InvalidInput:
        """Find what JSON could not hold, for the message."""
        for name, column in zip(self.schema.names, wire, strict=True):
            for row, value in enumerate(column):
                try:
                    orjson.dumps(value)
                except (TypeError, ValueError) as error:
                    return InvalidInput.at(f"{name}[{row}]", f"cannot be written as JSON: {error}")
        return InvalidInput("a value cannot be written as JSON")


def keyed_rows(
    keys: Sequence[bytes],
    event_us: Sequence[int],
    created_us: Sequence[int],
    fingerprint: int,
    encoded: Sequence[tuple[bytes, bytes]],
) -> list[KeyedRow]:
    """Put keys, times and encoded values together; all of one length."""
    return [
        (key, event, created, fingerprint, nulls, values)
        for key, event, created, (nulls, values) in zip(keys, event_us, created_us, encoded, strict=True)
    ]
