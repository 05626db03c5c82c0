"""Entity keys: the same entity is the same bytes everywhere, another one never is."""

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feast_core.definitions import (
    Array,
    Bool,
    Bytes,
    FeastType,
    Float64,
    Int32,
    Int64,
    Map,
    String,
    TimeUuid,
    UnixTimestamp,
    Uuid,
)
from feast_core.errors import DefinitionError, InvalidInput
from feast_core.keys import KEY_TYPES, KeyEncoder, coerced

LOW, HIGH = -(2**63), 2**63 - 1
ID = UUID("12345678-1234-5678-1234-567812345678")


def keys(dtype: FeastType, *values: Any) -> list[bytes]:
    encoder = KeyEncoder({"id": dtype})
    return encoder.encode([coerced(encoder.coerce["id"], list(values), "id")], len(values))


def key(**parts: tuple[FeastType, Any]) -> bytes:
    """The key of one entity with several join keys."""
    encoder = KeyEncoder({name: dtype for name, (dtype, _) in parts.items()})
    columns = [coerced(encoder.coerce[name], [parts[name][1]], name) for name in encoder.join_keys]
    return encoder.encode(columns, 1)[0]


def test_a_view_without_entities_has_one_key() -> None:
    assert KeyEncoder({}).encode([], 3) == [b""] * 3


def test_keys_are_those_that_are_stored() -> None:
    """These bytes are in the stores of those who upgrade."""
    assert keys(Int64, 1001, -1) == [b"i\0\0\0\0\0\0\x03\xe9", b"i" + b"\xff" * 8]
    assert keys(String, "né", "") == [b"s\0\0\0\x03n\xc3\xa9", b"s\0\0\0\0"]
    assert keys(Bytes, b"\0a") == [b"b\0\0\0\x02\0a"]
    assert keys(Bool, True, False) == [b"t", b"f"]
    assert keys(Uuid, ID) == [b"s\0\0\0\x24" + str(ID).encode()]
    assert key(b=(String, "x"), a=(Int64, 1)) == b"i\0\0\0\0\0\0\0\x01s\0\0\0\x01x"


def test_integers_of_every_width_and_instants_are_alike() -> None:
    """So that a join key may be declared Int32 in one place and Int64 in another."""
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    seconds = int(moment.timestamp())
    assert keys(Int32, seconds) == keys(Int64, seconds) == keys(UnixTimestamp, moment) == keys(UnixTimestamp, seconds)


def test_a_number_and_its_text_are_two_entities() -> None:
    assert keys(Int64, 1001) != keys(String, "1001")
    assert keys(String, "1001") != keys(Bytes, b"1001")


def test_join_keys_stand_in_the_order_of_their_names() -> None:
    assert KeyEncoder({"b": Int64, "a": String, "c": Bool}).join_keys == ("a", "b", "c")
    assert key(b=(Int64, 2), a=(Int64, 1)) == key(a=(Int64, 1), b=(Int64, 2)) != key(a=(Int64, 2), b=(Int64, 1))


PARTS = (
    st.integers(LOW, HIGH).map(lambda value: (Int64, value))
    | st.text().map(lambda value: (String, value))
    | st.binary().map(lambda value: (Bytes, value))
    | st.booleans().map(lambda value: (Bool, value))
)


@given(st.lists(st.tuples(PARTS, PARTS, PARTS), min_size=2, max_size=8))
def test_two_entities_never_share_a_key(entities: list[tuple[Any, ...]]) -> None:
    """Whatever their values, and even across types."""
    encoded = {}
    for parts in entities:
        encoded[key(a=parts[0], b=parts[1], c=parts[2])] = parts
    assert len(encoded) == len(set(entities))


@given(st.text(), st.text(), st.text(), st.text())
def test_texts_do_not_run_into_each_other(one: str, two: str, three: str, four: str) -> None:
    same = (one, two) == (three, four)
    assert (key(a=(String, one), b=(String, two)) == key(a=(String, three), b=(String, four))) is same


@pytest.mark.parametrize(
    ("dtype", "given_value", "meant"),
    [
        (Int64, "1001", 1001),
        (Int64, 1001.7, 1001),
        (Int64, True, 1),
        (Int64, np.int32(5), 5),
        (Int32, " 7 ", 7),
        (String, 5, "5"),
        (String, 5.5, "5.5"),
        (String, np.str_("x"), "x"),
        (String, "é".encode(), "é"),
        (Bytes, "AP8=", b"\x00\xff"),
        (Bytes, bytearray(b"x"), b"x"),
        (Bool, 1, True),
        (Uuid, str(ID), ID),
        (TimeUuid, ID, str(ID)),
        (Uuid, str(ID).upper(), ID),
        (Uuid, ID.hex, ID),
        (Uuid, f"{{{ID}}}", ID),
        (TimeUuid, ID.bytes, ID),
        (UnixTimestamp, "2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_values_are_read_as_the_declared_type(dtype: FeastType, given_value: Any, meant: Any) -> None:
    assert keys(dtype, given_value) == keys(dtype, meant)


@pytest.mark.parametrize("dtype", KEY_TYPES, ids=str)
@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA, pd.NaT], ids=repr)
def test_a_missing_value_is_refused_with_its_position(dtype: FeastType, missing: Any) -> None:
    fine = {String: "a", Uuid: ID, TimeUuid: ID, Bytes: b"a"}.get(dtype, 1)
    with pytest.raises(InvalidInput, match=r"^id\[2\]: "):
        keys(dtype, fine, fine, missing, fine)


@pytest.mark.parametrize(
    ("dtype", "wrong"),
    [
        (Int64, "x"),
        (Int64, 2**63),
        (Int32, 2**31),
        (Int64, [1]),
        (Int64, {}),
        (String, True),
        (String, ["a"]),
        (String, b"a\xff"),
        (Bytes, "?"),
        (Bytes, "é"),
        (Bytes, 5),
        (Bool, 2),
        (Bool, "true"),
        (Uuid, "x"),
        (UnixTimestamp, "soon"),
        (UnixTimestamp, "17"),
    ],
)
def test_a_wrong_value_is_refused_with_its_position(dtype: FeastType, wrong: Any) -> None:
    fine = {String: "a", Uuid: ID, Bytes: b"a"}.get(dtype, 1)
    with pytest.raises(InvalidInput, match=r"^id\[1\]: ") as raised:
        keys(dtype, fine, wrong, wrong)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("dtype", [Float64, Array(Int64), Map], ids=str)
def test_a_type_that_makes_no_key_is_refused(dtype: FeastType) -> None:
    with pytest.raises(DefinitionError, match=r"join key 'id' has type .*; a join key can be Int32, Int64, String"):
        KeyEncoder({"id": dtype})


def test_keys_are_the_same_in_every_process() -> None:
    code = (
        "from feast_core.keys import KeyEncoder; from feast_core.definitions import Int64, String;"
        "print(KeyEncoder({'b': String, 'a': Int64}).encode([[1], ['x']], 1)[0].hex())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert printed == {key(a=(Int64, 1), b=(String, "x")).hex().encode() + b"\n"}
