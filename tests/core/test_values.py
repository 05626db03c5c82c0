"""Values of every type: to the wire, as the answer shows them, and back to Python."""

import base64
import json
import math
import re
import struct
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal as Number
from typing import Any
from uuid import UUID

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    Invalid,
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
from feast_core.errors import DefinitionError
from feast_core.values import BadValue, codec_of

NAN, INFINITY = float("nan"), float("inf")
ID = "12345678-1234-5678-1234-567812345678"
NOON = datetime(2026, 11, 22, 12, 0, 0, 999_999, tzinfo=UTC)
NOON_SECONDS = 1795348800
BERLIN = timezone(timedelta(hours=1))
BEFORE_1970 = datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)
PERSON = Struct({"name": String, "age": Int64})
TEXT = st.text(alphabet=st.characters(codec="utf-8"))
LOW, HIGH = -(2**63), 2**63 - 1


def wire(dtype: FeastType, *values: Any) -> list[Any]:
    """What the answer shows, read back from its JSON."""
    column = codec_of(dtype).encode_column(list(values))
    shown: list[Any] = orjson.loads(orjson.dumps(list(column)))
    return shown


def short(value: object) -> str:
    """The name of a case, the same in every process."""
    if isinstance(value, int) and abs(value) > 2**64:
        return "a number of many digits"
    return re.sub(r" at 0x\w+", "", repr(value))[:30]


def back(dtype: FeastType, value: Any) -> Any:
    """A value on its way through the store, as `to_dict()` gives it."""
    (shown,) = wire(dtype, value)
    return None if shown is None else codec_of(dtype).decode(shown)


#: type, value as it comes, as the answer shows it, as Python gets it back
ROUND_TRIPS: list[tuple[FeastType, Any, Any, Any]] = [
    (Int32, -(2**31), -(2**31), -(2**31)),
    (Int32, 2**31 - 1, 2**31 - 1, 2**31 - 1),
    (Int64, LOW, LOW, LOW),
    (Int64, HIGH, HIGH, HIGH),
    (Int64, 9007199254740993, 9007199254740993, 9007199254740993),
    (Float64, 0.1, 0.1, 0.1),
    (Float64, 1e16, 1e16, 1e16),
    (Float64, 5e-324, 5e-324, 5e-324),
    (Float64, 1, 1.0, 1.0),
    (Float64, INFINITY, "Infinity", INFINITY),
    (Float64, -INFINITY, "-Infinity", -INFINITY),
    (Float32, 0.1, 0.10000000149011612, 0.10000000149011612),
    (Float32, INFINITY, "Infinity", INFINITY),
    (String, "héllo \u0000 日本", "héllo \u0000 日本", "héllo \u0000 日本"),
    (String, "", "", ""),
    (String, 5, "5", "5"),
    (String, 1.5, "1.5", "1.5"),
    (String, True, "True", "True"),
    (Bool, True, True, True),
    (Bool, False, False, False),
    (Bytes, b"\x00\xff\x01", "AP8B", b"\x00\xff\x01"),
    (Bytes, b"", "", b""),
    (Bytes, bytearray(b"ab"), "YWI=", b"ab"),
    (Bytes, memoryview(b"ab"), "YWI=", b"ab"),
    (Bytes, "YWI=", "YWI=", b"ab"),
    (ImageBytes, b"\x89PNG", "iVBORw==", b"\x89PNG"),
    (PdfBytes, b"%PDF", "JVBERg==", b"%PDF"),
    (UnixTimestamp, NOON, NOON_SECONDS, NOON.replace(microsecond=0)),
    (UnixTimestamp, NOON.astimezone(BERLIN), NOON_SECONDS, NOON.replace(microsecond=0)),
    (UnixTimestamp, NOON.replace(tzinfo=None), NOON_SECONDS, NOON.replace(microsecond=0)),
    (UnixTimestamp, pd.Timestamp(NOON), NOON_SECONDS, NOON.replace(microsecond=0)),
    (UnixTimestamp, np.datetime64("2026-11-22T12:00:00", "ns"), NOON_SECONDS, NOON.replace(microsecond=0)),
    (UnixTimestamp, np.datetime64("2026-11-22T12", "h"), NOON_SECONDS, NOON.replace(microsecond=0)),
    (UnixTimestamp, "2026-11-22T13:00:00+01:00", NOON_SECONDS, NOON.replace(microsecond=0)),
    (UnixTimestamp, date(2026, 11, 22), NOON_SECONDS - 43200, datetime(2026, 11, 22, tzinfo=UTC)),
    (UnixTimestamp, NOON_SECONDS, NOON_SECONDS, NOON.replace(microsecond=0)),
    (UnixTimestamp, datetime(1969, 12, 31, 23, 59, 58, 500_000, tzinfo=UTC), -1, BEFORE_1970),
    (UnixTimestamp, BEFORE_1970, -1, BEFORE_1970),
    (UnixTimestamp, datetime(1, 1, 1, tzinfo=UTC), -62135596800, datetime(1, 1, 1, tzinfo=UTC)),
    (UnixTimestamp, 2**60, 2**60, 2**60),
    (Json, '{"a": 1, "b":[1,2]}', '{"a": 1, "b":[1,2]}', {"a": 1, "b": [1, 2]}),
    (Json, '"str"', '"str"', "str"),
    (Json, "null", "null", None),
    (Json, {"b": [1, None], "a": "é"}, '{"b": [1, null], "a": "é"}', {"b": [1, None], "a": "é"}),
    (Map, '{"a":1,"b":{"c":[1,2]}}', {"a": 1, "b": {"c": [1, 2]}}, {"a": 1, "b": {"c": [1, 2]}}),
    (Map, {}, {}, {}),
    (Map, {"z": 1, "a": INFINITY}, {"z": 1, "a": "Infinity"}, {"z": 1, "a": "Infinity"}),
    (Map, {1: b"a", "t": NOON}, {"1": "YQ==", "t": NOON_SECONDS}, {"1": "YQ==", "t": NOON_SECONDS}),
    (Map, {"d": Number("1.50"), "n": np.array([1.5])}, {"d": "1.50", "n": [1.5]}, {"d": "1.50", "n": [1.5]}),
    (ScalarMap, {"a": 1}, {"a": 1}, {"a": 1}),
    (ScalarMap, {True: 1, 2.5: {None: 0}}, {"true": 1, "2.5": {"null": 0}}, {"true": 1, "2.5": {"null": 0}}),
    (Map, {b"a": 1, NOON: 2, UUID(ID): 3}, {"YQ==": 1, str(NOON_SECONDS): 2, ID: 3}, None),
    (PERSON, {"age": 3, "name": "n"}, {"name": "n", "age": 3}, {"name": "n", "age": 3}),
    (PERSON, '{"name":"n","age":"3"}', {"name": "n", "age": 3}, {"name": "n", "age": 3}),
    (Struct({"at": UnixTimestamp}), {"at": NOON}, {"at": NOON_SECONDS}, {"at": NOON.replace(microsecond=0)}),
    (Struct({"a": Int64}), {}, {}, {}),
    (Struct({"a": Int64}), {"a": None}, {"a": None}, {"a": None}),
    (Struct({"a": Int64}), {"b": NOON, "a": "1"}, {"a": 1, "b": NOON_SECONDS}, {"a": 1, "b": NOON_SECONDS}),
    (Struct({"a": Int64}), {2: 3}, {"2": 3}, {"2": 3}),
    (Uuid, ID, ID, UUID(ID)),
    (Uuid, UUID(ID), ID, UUID(ID)),
    (Uuid, UUID(ID).bytes, ID, UUID(ID)),
    (TimeUuid, ID.upper(), ID.upper(), UUID(ID)),
    (Decimal, "1.2300", "1.2300", Number("1.2300")),
    (Decimal, Number("-0.50"), "-0.50", Number("-0.50")),
    (Decimal, 0.1, "0.1", Number("0.1")),
    (Decimal, 10**30, "1" + "0" * 30, Number(10**30)),
    (ZonedTimestamp, NOON.astimezone(BERLIN), "2026-11-22T13:00:00.999999+01:00", NOON),
    (ZonedTimestamp, "2026-11-22T13:00:00+01:00", "2026-11-22T13:00:00+01:00", NOON.replace(microsecond=0)),
    (ZonedTimestamp, "2026-11-22 12:00:00", "2026-11-22T12:00:00+00:00", NOON.replace(microsecond=0)),
    (Array(Int64), [1, 2, 3], [1, 2, 3], [1, 2, 3]),
    (Array(Int64), np.array([LOW, HIGH]), [LOW, HIGH], [LOW, HIGH]),
    (Array(Int64), (), [], []),
    (Array(Int64), [1, None], [1, None], [1, None]),
    (Array(Float64), [0.1, INFINITY], [0.1, "Infinity"], [0.1, INFINITY]),
    (Array(Float32), np.array([0.1, 0.2], dtype="float32"), [0.10000000149011612, 0.20000000298023224], None),
    (Array(String), ["a", None, ""], ["a", None, ""], ["a", None, ""]),
    (Array(Bytes), [b"a", b"\xff"], ["YQ==", "/w=="], [b"a", b"\xff"]),
    (Array(Bool), np.array([True, False]), [True, False], [True, False]),
    (Array(UnixTimestamp), [NOON, NOON_SECONDS], [NOON_SECONDS] * 2, [NOON.replace(microsecond=0)] * 2),
    (Array(UnixTimestamp), np.array(["2026-11-22T12:00:00"], dtype="datetime64[ns]"), [NOON_SECONDS], None),
    (Array(Json), ['{"a":1}', {"b": 2}], ['{"a":1}', '{"b": 2}'], [{"a": 1}, {"b": 2}]),
    (Array(Map), [{"a": 1}, {}], [{"a": 1}, {}], [{"a": 1}, {}]),
    (Array(Uuid), [ID], [ID], [UUID(ID)]),
    (Array(Struct({"a": Int64})), [{"a": "1"}], [{"a": 1}], [{"a": 1}]),
    (Array(Array(Int64)), [[1, 2], [], None], [[1, 2], [], None], [[1, 2], [], None]),
    (Set(Int64), [3, 1, 1], [3, 1], {3, 1}),
    (Set(String), {"b"}, ["b"], {"b"}),
    (Set(Bytes), [b"a", b"a"], ["YQ=="], {b"a"}),
    (Set(Float64), [INFINITY, 1.0, INFINITY], ["Infinity", 1.0], {INFINITY, 1.0}),
    (Set(Int64), [], [], set()),
    (Set(Array(Int64)), [[1], [1], [2]], [[1], [2]], [[1], [2]]),
]  # fmt: skip


@pytest.mark.parametrize(("dtype", "value", "shown", "python"), ROUND_TRIPS, ids=short)
def test_a_value_is_shown_and_comes_back(dtype: FeastType, value: Any, shown: Any, python: Any) -> None:
    assert wire(dtype, value) == [shown]
    assert [type(item) for item in wire(dtype, value)] == [type(shown)]
    found = back(dtype, value)
    if python is not None or shown == "null":
        assert found == python
        assert type(found) is type(python)


@pytest.mark.parametrize("dtype", sorted({case[0] for case in ROUND_TRIPS}, key=str), ids=str)
def test_null_is_null_in_every_type(dtype: FeastType) -> None:
    assert wire(dtype, None) == [None]
    assert wire(dtype, None, None) == [None, None]
    assert wire(dtype) == []


@pytest.mark.parametrize("missing", [NAN, np.float64("nan"), pd.NA, pd.NaT], ids=repr)
@pytest.mark.parametrize("dtype", sorted({case[0] for case in ROUND_TRIPS}, key=str), ids=str)
def test_a_missing_value_of_pandas_is_null(dtype: FeastType, missing: Any) -> None:
    """In a column of any type: a DataFrame has no other way to say that there is none."""
    assert wire(dtype, missing) == [None]


def test_a_missing_value_beside_others_is_null_and_costs_no_precision() -> None:
    assert wire(Int64, 9007199254740993, NAN, None) == [9007199254740993, None, None]
    assert wire(Float64, 0.5, NAN, None) == [0.5, None, None]
    assert wire(Float32, 0.5, NAN, INFINITY) == [0.5, None, "Infinity"]


def test_not_a_number_in_a_list_is_a_text() -> None:
    assert wire(Array(Float64), [NAN, -INFINITY, 1.0]) == [["NaN", "-Infinity", 1.0]]
    assert wire(Array(Float32), np.array([NAN, 0.5], dtype="float32")) == [["NaN", 0.5]]
    assert math.isnan(back(Array(Float64), [NAN])[0])
    assert wire(Set(Float64), [NAN, NAN]) == [["NaN"]]


#: type, wrong value, what is said of it
WRONG: list[tuple[FeastType, Any, str]] = [
    (Int32, 2**31, "2147483648 does not fit a 32-bit integer"),
    (Int32, -(2**31) - 1, "does not fit a 32-bit integer"),
    (Int64, 2**63, "does not fit a 64-bit integer"),
    (Int64, LOW - 1, "does not fit a 64-bit integer"),
    (Int64, 10**5000, "integer"),
    (Int64, "x", "expected an integer, got 'x'"),
    (Int64, "1.5", "expected an integer"),
    (Int64, [1], r"expected an integer, got \[1\]"),
    (Int64, b"1", "expected an integer"),
    (Int64, INFINITY, "infinity"),
    (Float64, "x", "expected a number, got 'x'"),
    (Float64, [1.0], "expected a number"),
    (Float64, 10**400, "too large"),
    (Float32, 10**400, "too large"),
    (Float64, NOON, "number"),
    (String, [1], r"expected a text, got \[1\]"),
    (String, b"a\xff", r"expected a text, got bytes that are not UTF-8: b'a\\xff'"),
    (Array(String), [b"\xff"], "not UTF-8"),
    (String, np.array([1, 2]), "expected a text"),
    (Bool, 2, "expected true or false, got 2"),
    (Bool, "true", "expected true or false"),
    (Bool, [], "expected true or false"),
    (Bytes, "?", "base64"),
    (Bytes, "é", "base64"),
    (Bytes, 1, "expected bytes"),
    (UnixTimestamp, "yesterday", "ISO 8601"),
    (UnixTimestamp, "1795348800", "bare number"),
    (UnixTimestamp, 2**63, "not an instant"),
    (UnixTimestamp, [1], "integer"),
    (Json, "{", "not JSON"),
    (Json, {"a": NAN}, "JSON"),
    (Json, {"a": {1}}, "JSON"),
    (Map, "[1]", "expected an object"),
    (Map, "{", "expected an object or its JSON text"),
    (Map, [1], "expected an object"),
    (Map, {"a": object()}, "cannot be written as JSON"),
    (Struct({"a": Int64}), {"b": object()}, "cannot be written as JSON"),
    (Struct({"a": Int64}), {"a": "x"}, "expected an integer"),
    (Struct({"a": Int64}), "{", "expected an object or its JSON text"),
    (Struct({"a": Int64}), 1, "expected an object"),
    (Uuid, "x", "expected a UUID, got 'x'"),
    (Uuid, 1, "expected a UUID, got 1"),
    (Uuid, b"short", "expected a UUID"),
    (Decimal, "x", "expected a decimal number"),
    (Decimal, True, "expected a decimal number"),
    (ZonedTimestamp, "x", "isoformat"),
    (ZonedTimestamp, 1, "expected a time with its zone, got 1"),
    (Json, "[" * 100_000 + "]" * 100_000, "nested too deeply"),
    (Map, '{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
    (Array(Int64), 1, "expected a list, got 1"),
    (Array(Int64), "12", "expected a list"),
    (Array(Int64), [1, "x"], "expected an integer"),
    (Array(Int64), np.array(["x"]), "expected an integer"),
    (Array(String), np.array([b"\xff"]), "not UTF-8"),
    (Array(Array(Int64)), [1], "expected a list"),
    (Set(Int64), {"a": 1}, "expected a list"),
]


@pytest.mark.parametrize(("dtype", "value", "message"), WRONG, ids=short)
def test_a_wrong_value_is_refused_with_its_position(dtype: FeastType, value: Any, message: str) -> None:
    right = next((case[1] for case in ROUND_TRIPS if case[0] == dtype), {} if isinstance(dtype, Struct) else [])
    for before in ([right], [right, None], []):
        with pytest.raises(BadValue, match=message) as raised:
            codec_of(dtype).encode_column([*before, value, right])
        assert raised.value.position == len(before)
    assert "\n" not in raised.value.reason
    assert len(raised.value.reason) < 200


@pytest.mark.parametrize(
    ("value", "number"), [("12", 12), (12.0, 12), (3.9, 3), (-3.9, -3), (True, 1), (np.int8(5), 5)]
)
def test_integers_are_read_as_feast_does(value: Any, number: int) -> None:
    assert wire(Int64, value) == wire(Int32, 0, value)[1:] == [number]


@pytest.mark.parametrize(
    ("value", "number"), [("0.25", 0.25), (1, 1.0), (True, 1.0), (Number("0.5"), 0.5), (np.float32(0.5), 0.5)]
)
def test_numbers_are_read_as_feast_does(value: Any, number: float) -> None:
    assert wire(Float64, value) == wire(Float32, value) == [number]


def test_a_32_bit_float_out_of_range_is_infinite() -> None:
    """As Feast, and as every 32-bit float."""
    assert wire(Float32, 1e300, -1e300, 1.0) == ["Infinity", "-Infinity", 1.0]


def test_what_cannot_be_stored_says_so() -> None:
    with pytest.raises(DefinitionError, match="Invalid cannot be stored"):
        codec_of(Invalid)
    with pytest.raises(DefinitionError, match="cannot be stored"):
        codec_of(Array(Invalid))


# Any value at all.


@given(st.lists(st.none() | st.integers(LOW, HIGH)))
def test_every_64_bit_integer_is_exact(values: list[int | None]) -> None:
    assert wire(Int64, *values) == values


@given(st.lists(st.none() | st.floats(allow_nan=False)))
def test_every_double_is_exact(values: list[float | None]) -> None:
    decode = codec_of(Float64).decode
    assert [None if value is None else decode(value) for value in wire(Float64, *values)] == values


@given(st.lists(st.floats(allow_nan=False)))
def test_every_32_bit_float_is_widened(values: list[float]) -> None:
    def narrow(value: float) -> float:
        with np.errstate(over="ignore"):
            return float(np.float32(value))

    decode = codec_of(Float32).decode
    assert [decode(value) for value in wire(Float32, *values)] == [narrow(value) for value in values]


@given(st.lists(st.none() | TEXT))
def test_every_text_is_itself(values: list[str | None]) -> None:
    assert wire(String, *values) == values


@given(st.lists(st.binary()))
def test_all_bytes_are_base64(values: list[bytes]) -> None:
    assert wire(Bytes, *values) == [base64.b64encode(value).decode() for value in values]
    assert [back(Bytes, value) for value in values] == values


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_instant_is_cut_toward_1970(moment: datetime) -> None:
    exact = (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
    (seconds,) = wire(UnixTimestamp, moment)
    assert abs(seconds) <= abs(exact) < abs(seconds) + 1.001
    assert back(UnixTimestamp, moment) == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(LOW, HIGH) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_all_json_comes_back(value: Any) -> None:
    assert back(Json, json.dumps(value)) == value
    if not isinstance(value, str) and value is not None:
        assert back(Json, value) == value


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_every_map_comes_back(value: dict[str, Any]) -> None:
    assert back(Map, value) == back(Map, json.dumps(value)) == value


@given(st.lists(st.floats(width=32, allow_nan=False) | st.integers(-10, 10) | st.none(), max_size=5))
def test_lists_of_floats_come_back(values: list[Any]) -> None:
    expected = [None if value is None else float(value) for value in values]
    found = back(Array(Float32), values)
    assert [item if item is None else struct.pack("d", item) for item in found] == [
        item if item is None else struct.pack("d", item) for item in expected
    ]
