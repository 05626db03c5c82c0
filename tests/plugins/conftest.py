"""What tests of several plugins need."""

from collections.abc import Callable

import pytest

from feast_core.definitions import Array, FeastType, Map, Struct

DUCKDB_TYPES = {
    "Int32": "INTEGER",
    "Int64": "BIGINT",
    "Float32": "FLOAT",
    "Float64": "DOUBLE",
    "String": "VARCHAR",
    "Bool": "BOOLEAN",
    "Bytes": "BLOB",
    "UnixTimestamp": "TIMESTAMPTZ",
    "Decimal": "DECIMAL(18, 4)",
    "Uuid": "UUID",
    "Json": "JSON",
}


def type_of(dtype: FeastType) -> str:
    if isinstance(dtype, Array):
        return f"{type_of(dtype.base_type)}[]"
    if isinstance(dtype, Struct):
        fields = ((name.replace('"', '""'), type_of(inner)) for name, inner in dtype.fields.items())
        return "STRUCT({})".format(", ".join(f'"{name}" {inner}' for name, inner in fields))
    return "MAP(VARCHAR, VARCHAR)" if dtype == Map else DUCKDB_TYPES[str(dtype)]


@pytest.fixture(scope="session")
def duckdb_type() -> Callable[[FeastType], str]:
    """The type of a column of parquet that holds a type of features, as DuckDB calls it."""
    return type_of
