"""Every type: in Python, in an answer, in parquet, as a join key."""

import json
import uuid
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import duckdb
from feast_offline_file.columns import feast_type

from feast_core import keys
from feast_core.definitions import Array, FeastType, Set, Struct, types
from feast_core.values import codec_of
from reference.markdown import table

_INSTANT = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


_UUID = uuid.UUID("6f6f1f8a-94d1-4b7e-9d0b-3f0d6c1f2a10")


#: A value of every type, as Python has it.
SAMPLES: Mapping[FeastType, Any] = {
    types.Int32: 42,
    types.Int64: 9_007_199_254_740_993,
    types.Float32: 0.1,
    types.Float64: 0.1,
    types.String: "Grüße",
    types.Bool: True,
    types.Bytes: b"\x00\xff",
    types.ImageBytes: b"\x89PNG",
    types.PdfBytes: b"%PDF",
    types.UnixTimestamp: _INSTANT,
    types.ZonedTimestamp: _INSTANT,
    types.Json: '{"a": 1}',
    types.Map: {"a": 1},
    types.ScalarMap: {"a": 1.5},
    types.Uuid: _UUID,
    types.TimeUuid: uuid.UUID("f3c5e7d0-c77b-11f0-8de9-0242ac120002"),
    types.Decimal: Decimal("1.2300"),
    Array(types.Float64): [1.5, float("nan"), float("inf"), None],
    Array(Array(types.Int64)): [[1, 2], []],
    Set(types.Int64): [1, 2, 2],
    Struct({"name": types.String, "age": types.Int64}): {"name": "Ada", "age": 36},
}


def type_table() -> str:
    """Every type with a value in Python, in an answer, and as `to_dict()` gives it back."""
    missing = [name for name, found in types.PRIMITIVES.items() if found not in SAMPLES and found != types.Invalid]
    assert not missing, f"no sample of {missing}"
    rows = []
    for dtype, value in SAMPLES.items():
        codec = codec_of(dtype)
        (wire,) = codec.encode_column([value])
        shown = wire if dtype != types.Float32 else float(wire)
        text = json.dumps(shown, ensure_ascii=False)
        rows.append((f"`{dtype}`", _python(value), f"`{text}`", _python(codec.decode(shown))))
    return table(("type", "value", "JSON", "`to_dict()`"), rows)


def _python(value: object) -> str:
    """A value as Python shows it; of an instant, what it is."""
    return f"datetime `{value}`" if isinstance(value, datetime) else f"`{value!r}`"


#: Types of columns as SQL names them, and what files of parquet call them.
COLUMNS: Mapping[str, str] = {
    "BOOLEAN": "boolean",
    "TINYINT": "int8",
    "SMALLINT": "int16",
    "INTEGER": "int32",
    "BIGINT": "int64",
    "UTINYINT": "uint8",
    "USMALLINT": "uint16",
    "UINTEGER": "uint32",
    "UBIGINT": "uint64",
    "FLOAT": "float",
    "DOUBLE": "double",
    "DECIMAL(18,3)": "decimal",
    "VARCHAR": "string",
    "BLOB": "binary",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_NS": "timestamp of nanoseconds",
    "TIMESTAMPTZ": "timestamp with a zone",
    "TIME": "time",
    "UUID": "uuid",
    "JSON": "json",
    "BIGINT[]": "list of int64",
    "STRUCT(a BIGINT)": "struct of an int64 a",
    "MAP(VARCHAR, BIGINT)": "map",
}


def column_types() -> str:
    """What columns of parquet become where a view declares no schema."""
    by_type: dict[str, list[str]] = defaultdict(list)
    for sql, name in COLUMNS.items():
        by_type[str(feast_type(duckdb.sqltype(sql)))].append(name)
    return table(("parquet", "feature"), ((", ".join(names), f"`{dtype}`") for dtype, names in by_type.items()))


def key_types() -> str:
    """Types that a join key may have."""
    return ", ".join(f"`{dtype}`" for dtype in keys.KEY_TYPES) + "."
