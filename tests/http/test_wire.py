"""Bodies of requests become typed values, and what is wrong with them is named with its place."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feast_core.errors import InvalidInput
from feast_http.wire import online_request

ENTITIES: dict[str, Any] = {"driver_id": [1001]}
WANTED = ["driver_hourly_stats:conv_rate"]


def body(**fields: Any) -> bytes:
    return json.dumps({"features": WANTED, "entities": ENTITIES} | fields).encode()


def problems(content: bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as raised:
        online_request(content)
    assert str(raised.value).startswith("{}: {}".format(*raised.value.problems[0]))
    return list(raised.value.problems)


def test_a_request_has_the_documented_fields_and_defaults() -> None:
    request = online_request(body())
    assert request.features == WANTED
    assert request.entities == ENTITIES
    assert request.feature_service is None
    assert request.full_feature_names is False
    assert request.include_feature_view_version_metadata is msgspec.UNSET


def test_unknown_fields_are_ignored_and_the_last_of_two_equal_keys_wins() -> None:
    request = online_request(
        b'{"features": 5, "x": {"y": [1]}, "entities": {"a": [1]}, "entities": {"b": [2]}, "features": ["v:f"]}'
    )
    assert request.features == ["v:f"]
    assert request.entities == {"b": [2]}


def test_a_service_may_be_null_or_empty_and_is_then_absent() -> None:
    assert not online_request(body(feature_service=None)).feature_service
    assert not online_request(body(feature_service="")).feature_service
    assert online_request(body(feature_service="s")).feature_service == "s"


@pytest.mark.parametrize("value", [True, 1, 1.0, "1", "true", "TRUE", "t", "yes", "Y", "on"])
def test_what_pydantic_takes_for_true_is_true(value: object) -> None:
    request = online_request(body(full_feature_names=value, include_feature_view_version_metadata=value))
    assert request.full_feature_names is True
    assert request.include_feature_view_version_metadata is True


@pytest.mark.parametrize("value", [False, 0, 0.0, "0", "false", "F", "no", "n", "OFF"])
def test_what_pydantic_takes_for_false_is_false(value: object) -> None:
    assert online_request(body(full_feature_names=value)).full_feature_names is False


@pytest.mark.parametrize("value", [None, 2, -1, "maybe", "", [], [True], {}, {"a": 1}])
def test_nothing_else_is_a_boolean(value: object) -> None:
    [(path, message)] = problems(body(full_feature_names=value))
    assert path == "full_feature_names"
    assert message.startswith("expected true or false, got ")


def test_entity_values_stay_what_they_were_sent_as() -> None:
    values = [1, -1, 2**63, 10**30, 1.5, "1001", True, None, [1], {"a": 1}]
    assert online_request(body(entities={"a": values, "é": []})).entities == {"a": values, "é": []}


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"features": None}, "features", "expected an array of texts, got null"),
        ({"features": "v:f"}, "features", 'expected an array of texts, got "v:f"'),
        ({"features": {"v": "f"}}, "features", "expected an array of texts, got an object"),
        ({"features": ["a:b", 5]}, "features[1]", "expected a text, got 5"),
        ({"features": ["a:b", None]}, "features[1]", "expected a text, got null"),
        ({"features": [["a:b"]]}, "features[0]", "expected a text, got an array"),
        ({"features": ["x" * 100, 1.5]}, "features[1]", "expected a text, got 1.5"),
        ({"feature_service": 5}, "feature_service", "expected a text or null, got 5"),
        ({"feature_service": "y", "features": 1}, "features", "expected an array of texts, got 1"),
        ({"entities": None}, "entities", 'expected an object of arrays such as {"driver_id": [1001, 1002]}, got null'),
        (
            {"entities": [{"driver_id": 1001}]},
            "entities",
            'expected an object of arrays such as {"driver_id": [1001, 1002]}, got an array of objects',
        ),
        (
            {"entities": {"driver_id": 1001}},
            "entities.driver_id",
            "expected an array such as [1001, 1002], got 1001",
        ),
        (
            {"entities": {"driver_id": {"0": 1001}}},
            "entities.driver_id",
            "expected an array such as [1001, 1002], got an object",
        ),
    ],
)
def test_a_wrong_type_is_named_with_its_path(fields: dict[str, Any], path: str, message: str) -> None:
    assert problems(body(**fields)) == [(path, message)]


def test_all_problems_are_told_at_once() -> None:
    found = problems(body(features=[1, "a:b", 2], entities={"a": 1}, full_feature_names="x"))
    assert [path for path, _ in found] == ["features[0]", "features[2]", "entities.a", "full_feature_names"]


def test_of_very_many_problems_only_the_first_are_told() -> None:
    with pytest.raises(InvalidInput) as raised:
        online_request(body(features=list(range(1000)), entities=dict.fromkeys(map(str, range(1000)))))
    assert [path for path, _ in raised.value.problems] == [f"features[{position}]" for position in range(20)]
    assert str(raised.value).endswith("(and at least 19 more)")


def test_a_long_value_is_cut_in_the_message() -> None:
    [(_, message)] = problems(body(features="x" * 10_000))
    assert len(message) < 120


def test_entities_may_not_be_missing_and_neither_features_nor_service() -> None:
    assert problems(b'{"features": ["a:b"]}')[0][0] == "entities"
    assert problems(body(features=[])) == [
        ("features", "name some, such as `driver_hourly_stats:conv_rate`, or a feature_service")
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; send JSON such as"),
        (b" \n", "is empty; send JSON such as"),
        (b"null", "expected an object such as"),
        (b"[]", "expected an object such as"),
        (b'"x"', "expected an object such as"),
        (b"driver_id=1001", "is not JSON: invalid character (byte 0)"),
        (b'{"entities": ', "is not JSON: it ends too early"),
        (b'{"entities": {}} x', "is not JSON: trailing characters (byte 18)"),
        (b'{"entities": {"a": [1, NaN}}', "is not JSON: invalid character (byte 23)"),
        (b'{"entities": {"a": ["\\ud800"]}}', "is not JSON: a text holds an unpaired surrogate"),
        (b'{"entities": {"a": ["\xff"]}}', "is not UTF-8"),
        (b'{"entities": {"a": [1e400]}}', "holds a number that is out of range"),
        (b'{"entities": {"a": [' + b"9" * 5000 + b"]}}", "holds a number that is out of range"),
        (b'{"entities": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", "is nested too deeply"),
    ],
)
def test_a_body_that_is_not_json_says_what_and_where(content: bytes, message: str) -> None:
    [(path, found)] = problems(content)
    assert path == "body"
    assert found.startswith(message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
NAMES = st.sampled_from(["features", "feature_service", "entities", "full_feature_names", "x"])


@given(
    st.binary() | st.text().map(str.encode) | st.dictionaries(NAMES, JSON).map(lambda value: json.dumps(value).encode())
)
def test_whatever_the_body_is_it_is_a_request_or_invalid_input(content: bytes) -> None:
    try:
        request = online_request(content)
    except InvalidInput:
        assert problems(content)
        return
    assert request.features or request.feature_service
    assert all(isinstance(column, list) for column in request.entities.values())
