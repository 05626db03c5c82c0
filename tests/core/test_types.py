"""Types: their text is read back, their limits are told, their flat names are Feast's."""

import pytest

from feast_core.definitions import (
    Array,
    Bool,
    Bytes,
    Decimal,
    Float32,
    Float64,
    ImageBytes,
    Int32,
    Int64,
    Invalid,
    Json,
    Map,
    PdfBytes,
    PrimitiveFeastType,
    ScalarMap,
    Set,
    String,
    Struct,
    TimeUuid,
    UnixTimestamp,
    Uuid,
    ValueType,
    ZonedTimestamp,
    from_value_type,
    parse_type,
)
from feast_core.errors import DefinitionError

PRIMITIVES = {
    "Invalid": (Invalid, 0),
    "Bytes": (Bytes, 1),
    "String": (String, 2),
    "Int32": (Int32, 3),
    "Int64": (Int64, 4),
    "Float64": (Float64, 5),
    "Float32": (Float32, 6),
    "Bool": (Bool, 7),
    "UnixTimestamp": (UnixTimestamp, 8),
    "Map": (Map, 20),
    "PdfBytes": (PdfBytes, 30),
    "ImageBytes": (ImageBytes, 31),
    "Json": (Json, 32),
    "Uuid": (Uuid, 36),
    "TimeUuid": (TimeUuid, 37),
    "Decimal": (Decimal, 44),
    "ScalarMap": (ScalarMap, 47),
    "ZonedTimestamp": (ZonedTimestamp, 48),
}
COMPLEX = {
    "Array(Int64)": (Array(Int64), "INT64_LIST"),
    "Array(Float64)": (Array(Float64), "DOUBLE_LIST"),
    "Array(Map)": (Array(Map), "MAP_LIST"),
    "Array(Json)": (Array(Json), "JSON_LIST"),
    "Array(Decimal)": (Array(Decimal), "DECIMAL_LIST"),
    "Array(PdfBytes)": (Array(PdfBytes), "VALUE_LIST"),
    "Array(Array(Int64))": (Array(Array(Int64)), "VALUE_LIST"),
    "Array(Set(String))": (Array(Set(String)), "VALUE_LIST"),
    "Set(String)": (Set(String), "STRING_SET"),
    "Set(TimeUuid)": (Set(TimeUuid), "TIME_UUID_SET"),
    "Set(Array(Int64))": (Set(Array(Int64)), "VALUE_SET"),
    'Struct({"name": String, "age": Int64})': (Struct({"name": String, "age": Int64}), "STRUCT"),
    'Array(Struct({"a": Array(Float32)}))': (Array(Struct({"a": Array(Float32)})), "STRUCT_LIST"),
    'Struct({"of": Struct({"ZonedTimestamp": ZonedTimestamp})})': (
        Struct({"of": Struct({"ZonedTimestamp": ZonedTimestamp})}),
        "STRUCT",
    ),
}
VALUE_TYPE_NUMBERS = {
    "UNKNOWN": 0,
    "BYTES": 1,
    "STRING": 2,
    "INT32": 3,
    "INT64": 4,
    "DOUBLE": 5,
    "FLOAT": 6,
    "BOOL": 7,
    "UNIX_TIMESTAMP": 8,
    "BYTES_LIST": 11,
    "STRING_LIST": 12,
    "INT32_LIST": 13,
    "INT64_LIST": 14,
    "DOUBLE_LIST": 15,
    "FLOAT_LIST": 16,
    "BOOL_LIST": 17,
    "UNIX_TIMESTAMP_LIST": 18,
    "NULL": 19,
    "MAP": 20,
    "MAP_LIST": 21,
    "BYTES_SET": 22,
    "STRING_SET": 23,
    "INT32_SET": 24,
    "INT64_SET": 25,
    "DOUBLE_SET": 26,
    "FLOAT_SET": 27,
    "BOOL_SET": 28,
    "UNIX_TIMESTAMP_SET": 29,
    "PDF_BYTES": 30,
    "IMAGE_BYTES": 31,
    "JSON": 32,
    "JSON_LIST": 33,
    "STRUCT": 34,
    "STRUCT_LIST": 35,
    "UUID": 36,
    "TIME_UUID": 37,
    "UUID_LIST": 38,
    "TIME_UUID_LIST": 39,
    "UUID_SET": 40,
    "TIME_UUID_SET": 41,
    "VALUE_LIST": 42,
    "VALUE_SET": 43,
    "DECIMAL": 44,
    "DECIMAL_LIST": 45,
    "DECIMAL_SET": 46,
    "SCALAR_MAP": 47,
    "ZONED_TIMESTAMP": 48,
}


@pytest.mark.parametrize("text", PRIMITIVES)
def test_a_primitive_is_its_own_text_and_has_the_number_of_its_value_type(text: str) -> None:
    dtype, number = PRIMITIVES[text]
    assert isinstance(dtype, PrimitiveFeastType)
    assert str(dtype) == repr(dtype) == text
    assert parse_type(text) is dtype
    assert dtype.to_value_type() is ValueType(number)
    assert from_value_type(ValueType(number)) is dtype


def test_every_primitive_is_in_the_table() -> None:
    assert {dtype for dtype, _ in PRIMITIVES.values()} == set(PrimitiveFeastType)


@pytest.mark.parametrize("text", COMPLEX)
def test_a_complex_type_round_trips_through_its_text(text: str) -> None:
    dtype, flat = COMPLEX[text]
    assert str(dtype) == text
    assert parse_type(text) == dtype
    assert hash(parse_type(text)) == hash(dtype)
    assert dtype.to_value_type() is ValueType[flat]


def test_value_types_have_the_numbers_of_feast() -> None:
    assert {member.name: member.value for member in ValueType} == VALUE_TYPE_NUMBERS


def test_types_are_equal_by_value_and_struct_fields_keep_their_order() -> None:
    assert Array(Int64) == Array(Int64)
    assert Array(Int64) != Array(Int32)
    assert Array(Int64) != Set(Int64)
    assert Array(Int64) != "Array(Int64)"
    assert list(Struct({"b": Int64, "a": String}).fields) == ["b", "a"]
    assert Array(Set(String)).base_type == Set(String)
    assert len({Array(Int64), Array(Int64), Set(Int64)}) == 2


@pytest.mark.parametrize(
    "name", ['quo"te', "back\\slash", "line\nbreak", "schlüssel", "\U0001f600", "\x00", "a, b: c}"]
)
def test_struct_field_names_may_be_any_text(name: str) -> None:
    dtype = Struct({name: Int64})
    assert parse_type(str(dtype)) == dtype
    assert isinstance(parsed := parse_type(str(dtype)), Struct)
    assert list(parsed.fields) == [name]


@pytest.mark.parametrize("name", [name for name in VALUE_TYPE_NUMBERS if name.endswith(("_LIST", "_SET"))])
def test_flat_names_of_lists_and_sets_are_read_back_or_refused(name: str) -> None:
    value_type = ValueType[name]
    if name in ("STRUCT_LIST", "VALUE_LIST", "VALUE_SET"):
        with pytest.raises(DefinitionError, match=f"ValueType.{name} does not name one type"):
            from_value_type(value_type)
    else:
        assert from_value_type(value_type).to_value_type() is value_type


def test_unknown_and_null_value_types_are_invalid_until_inferred() -> None:
    assert from_value_type(ValueType.UNKNOWN) is Invalid
    assert from_value_type(ValueType.NULL) is Invalid


@pytest.mark.parametrize("container", [Array, Set])
def test_a_container_refuses_zoned_timestamps_and_what_is_not_a_type(container: type[Array] | type[Set]) -> None:
    with pytest.raises(DefinitionError, match="cannot hold ZonedTimestamp"):
        container(ZonedTimestamp)
    with pytest.raises(DefinitionError, match="must be a type"):
        container(int)  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="must be a type"):
        container(Array)  # type: ignore[arg-type]


@pytest.mark.parametrize("element", [Map, ScalarMap, Struct({"a": Int64})])
def test_a_set_refuses_maps_and_structs(element: PrimitiveFeastType) -> None:
    with pytest.raises(DefinitionError, match="Set cannot hold"):
        Set(element)


@pytest.mark.parametrize("fields", [{}, [("a", Int64)], None, {"a": int}, {1: Int64}])
def test_a_struct_needs_named_fields_of_types(fields: object) -> None:
    with pytest.raises(DefinitionError, match="Struct: "):
        Struct(fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Int46", "did you mean Int64"),
        ("Array(Strin)", "did you mean String"),
        ("Array(Int64", "types look like"),
        ("Array()", "known: "),
        ("Array(Int64, Int64)", "known: "),
        ("Struct({1: Int64})", "must be a name"),
        ("Struct({**a})", "not a type|must be a name"),
        ("__import__('os')", "known: "),
        ("", "types look like"),
    ],
)
def test_text_that_is_no_type_is_refused_with_a_hint(text: str, hint: str) -> None:
    with pytest.raises(DefinitionError, match=hint):
        parse_type(text)
