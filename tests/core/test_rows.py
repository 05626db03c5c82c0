"""Stored rows: what is written once is what every answer shows, under a schema that is known everywhere."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feast_core.definitions import Array, Field, Float32, Float64, Int64, Invalid, Map, Set, String, Struct, parse_type
from feast_core.errors import DefinitionError, InvalidInput
from feast_core.rows import MAX_FEATURES, RowEncoder, keyed_rows, null_positions, nulls_of, schema_of


def fields(**types: Any) -> list[Field]:
    return [Field(name=name, dtype=dtype) for name, dtype in types.items()]


def encoder(**types: Any) -> RowEncoder:
    return RowEncoder(schema_of(fields(**types)))


# Schemas.


def test_a_fingerprint_is_the_same_for_ever() -> None:
    """It is in every row of every store."""
    assert schema_of(fields(conv_rate=Float32, trips=Int64)).fingerprint == 459246287935212108
    assert schema_of(fields(a=Struct({"x": Array(Int64)}), b=Set(String))).fingerprint == 6002120704243512806


def test_a_fingerprint_tells_names_types_and_order_apart() -> None:
    schemas = [
        fields(a=Int64, b=Int64),
        fields(b=Int64, a=Int64),
        fields(a=Int64, b=Float64),
        fields(a=Int64),
        fields(a=Int64, B=Int64),
        fields(a=Array(Int64), b=Int64),
        fields(a=Set(Int64), b=Int64),
    ]
    assert len({schema_of(schema).fingerprint for schema in schemas}) == len(schemas)


def test_what_does_not_change_a_row_does_not_change_the_fingerprint() -> None:
    described = [Field(name="a", dtype=Int64, description="x", tags={"y": "z"})]
    assert schema_of(described) == schema_of(fields(a=Int64))
    assert parse_type(str(schema_of(described).types[0])) == Int64


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5, unique=True))
def test_a_fingerprint_is_a_signed_64_bit_number(names: list[str]) -> None:
    names = [name for name in names if not any("\ud800" <= char <= "\udfff" for char in name)]
    assert -(2**63) <= schema_of([Field(name=name, dtype=Int64) for name in names]).fingerprint < 2**63


def test_a_view_may_have_as_many_features_as_two_bytes_count() -> None:
    many = [Field(name=f"f{number}", dtype=Int64) for number in range(MAX_FEATURES + 1)]
    assert len(schema_of(many[:-1]).names) == MAX_FEATURES
    with pytest.raises(DefinitionError, match="65535 features, this one has 65536"):
        schema_of(many)


# Nulls.


@given(st.sets(st.integers(0, MAX_FEATURES - 1)))
def test_positions_of_nulls_come_back(positions: set[int]) -> None:
    assert null_positions(nulls_of(sorted(positions))) == sorted(positions)
    assert len(nulls_of(positions)) == 2 * len(positions)


# Rows.


def test_a_row_is_the_json_of_its_values_in_schema_order() -> None:
    encode = encoder(rate=Float32, trips=Int64, name=String, tags=Array(String)).encode
    columns = {"tags": [["a"], []], "name": ["é", '"'], "trips": [2**63 - 1, -1], "rate": [0.1, 2], "other": [1]}
    assert encode(columns, 2) == [
        (b"", '[0.10000000149011612,9223372036854775807,"é",["a"]]'.encode()),
        (b"", b'[2.0,-1,"\\"",[]]'),
    ]


def test_nulls_are_remembered_by_position() -> None:
    encode = encoder(a=Int64, b=String, c=Float64).encode
    columns = {"a": [1, None, None], "b": ["x", "y", None], "c": [float("nan"), 1.0, None]}
    assert encode(columns, 3) == [
        (nulls_of([2]), b'[1,"x",null]'),
        (nulls_of([0]), b'[null,"y",1.0]'),
        (nulls_of([0, 1, 2]), b"[null,null,null]"),
    ]


def test_null_inside_a_value_is_no_null() -> None:
    encode = encoder(a=Array(Int64), b=Map).encode
    assert encode({"a": [[None]], "b": [{"x": None}]}, 1) == [(b"", b'[[null],{"x":null}]')]


def test_a_view_without_features_has_empty_rows() -> None:
    assert encoder().encode({}, 3) == [(b"", b"[]")] * 3


def test_no_rows_are_no_rows() -> None:
    assert encoder(a=Int64, b=String).encode({"a": [], "b": []}, 0) == []


@pytest.mark.parametrize(
    ("column", "values", "place"),
    [
        ("b", ["x", [1]], r"^b\[1\]: expected a text, got \[1\]"),
        ("a", [1, 2**63], r"^a\[1\]: .*64-bit"),
        ("b", ["x", "\ud800"], r"^b\[1\]: cannot be written as JSON"),
        ("c", [{}, {"x": 2**64}], r"^c\[1\]: cannot be written as JSON"),
        ("c", [{}, {"\udfff": 1}], r"^c\[1\]: cannot be written as JSON"),
    ],
)
def test_a_value_that_cannot_be_stored_names_column_and_row(column: str, values: list[Any], place: str) -> None:
    columns = {"a": [1, 2], "b": ["x", "y"], "c": [{}, {}], column: values}
    with pytest.raises(InvalidInput, match=place):
        encoder(a=Int64, b=String, c=Map).encode(columns, 2)


def test_a_type_that_cannot_be_stored_is_refused_before_any_row() -> None:
    with pytest.raises(DefinitionError, match="cannot be stored"):
        encoder(a=Invalid)


VALUE = st.fixed_dictionaries(
    {
        "a": st.none() | st.integers(-(2**63), 2**63 - 1),
        "b": st.none() | st.text(alphabet=st.characters(codec="utf-8")),
        "c": st.none() | st.floats(allow_nan=False, allow_infinity=False),
    }
)


@given(st.lists(VALUE, max_size=6))
def test_any_row_comes_back(rows: list[dict[str, Any]]) -> None:
    columns = {name: [row[name] for row in rows] for name in "abc"}
    encoded = encoder(a=Int64, b=String, c=Float64).encode(columns, len(rows))
    for (nulls, values), row in zip(encoded, rows, strict=True):
        assert orjson.loads(values) == [row["a"], row["b"], row["c"]]
        assert null_positions(nulls) == [at for at, name in enumerate("abc") if row[name] is None]


def test_keys_and_times_are_put_beside_values() -> None:
    assert keyed_rows([b"a", b"b"], [1, 2], [3, 4], 5, [(b"", b"[6]"), (b"n", b"[7]")]) == [
        (b"a", 1, 3, 5, b"", b"[6]"),
        (b"b", 2, 4, 5, b"n", b"[7]"),
    ]
