"""Every wrong body is answered with what is wrong and where: never with a 500, and the server lives on."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CONV_RATE = "driver_hourly_stats:conv_rate"
KEY = {"driver_id": [1001]}


def asked(**fields: Any) -> dict[str, Any]:
    return {"features": [CONV_RATE], "entities": KEY} | fields


# The cases of Feast's server that ended in 422, 404 or, most of them, 500.
CASES: dict[str, tuple[Any, int, str]] = {
    "missing entities": ({"features": [CONV_RATE]}, 422, "entities"),
    "neither features nor service": ({"entities": KEY}, 422, "features"),
    "empty features": (asked(features=[]), 422, "features"),
    "null features": (asked(features=None), 422, "features"),
    "reference without a colon": (asked(features=["conv_rate"]), 422, "conv_rate"),
    "unknown view": (asked(features=["nope:x"]), 404, "Feature view nope does not exist"),
    "unknown feature": (asked(features=["driver_hourly_stats:nope"]), 404, "nope"),
    "unknown service": (asked(feature_service="nope"), 404, "Feature service nope does not exist"),
    "one name from two views": (asked(features=[CONV_RATE, "again:conv_rate"]), 422, "conv_rate"),
    "the same feature twice": (asked(features=[CONV_RATE, CONV_RATE]), 422, "conv_rate"),
    "empty entities": (asked(entities={}), 422, "driver_id"),
    "rows of entities": (asked(entities=[{"driver_id": 1001}]), 422, "entities"),
    "a scalar for a column": (asked(entities={"driver_id": 1001}), 422, "entities.driver_id"),
    "columns of unequal length": (asked(entities={"driver_id": [1, 2], "other": [1]}), 422, "other"),
    "no relevant join key": (asked(entities={"other": [1]}), 422, "driver_id"),
    "a null key": (asked(entities={"driver_id": [1001, None]}), 422, "driver_id[1]"),
    "a text for a number": (asked(entities={"driver_id": [1001, "abc"]}), 422, "driver_id[1]"),
    "a number beyond int64": (asked(entities={"driver_id": [99999999999999999999]}), 422, "driver_id[0]"),
    "an array for a key": (asked(entities={"driver_id": [[1001]]}), 422, "driver_id[0]"),
    "an object for a key": (asked(entities={"driver_id": [{"a": 1}]}), 422, "driver_id[0]"),
    "a pinned version": (asked(features=["driver_hourly_stats@v2:conv_rate"]), 0, "v2"),
    "not a boolean": (asked(full_feature_names="maybe"), 422, "full_feature_names"),
    "not a text": (asked(feature_service=5), 422, "feature_service"),
    "an empty body": (b"", 422, "body"),
    "an array": ([], 422, "body"),
    "a form": (b"driver_id=1001&features=x", 422, "byte 0"),
    "cut short": (b'{"entities": {"driver_id": [10', 422, "too early"),
    "NaN": (b'{"features": ["a:b"], "entities": {"driver_id": [NaN]}}', 422, "NaN is no JSON"),
    "not UTF-8": (b'{"features": ["\xff"], "entities": {}}', 422, "UTF-8"),
    "deeply nested": (b'{"entities": ' + b"[" * 200_000, 422, "nested"),
    "a column whose name looks like a position": (asked(entities={"²": 5, "driver_id": [1]}), 422, "entities.²"),
    "a column without a name": (asked(entities={"": [1001]}), 422, "given: nothing"),
    "UTF-16": (json.dumps(asked()).encode("utf-16"), 422, "UTF-8"),
    "UTF-16 without a mark": (json.dumps(asked()).encode("utf-16-le"), 422, "UTF-8"),
    "compressed": (gzip.compress(json.dumps(asked()).encode()), 422, "without Content-Encoding"),
    "a lone surrogate": (b'{"features": ["\\ud800:x"], "entities": {}}', 422, "surrogate"),
    "a null byte": (b"\0", 422, "UTF-8"),
    "two objects": (json.dumps(asked()).encode() * 2, 422, "trailing"),
    "an empty feature": (asked(features=[""]), 422, "features[0]"),
    "a colon alone": (asked(features=[":"]), 422, "features[0]"),
    "a version of no view": (asked(features=["@v2:x"]), 422, "invalid feature reference '@v2:x'"),
    "a service with slashes": (asked(feature_service="../etc/passwd"), 404, "Feature service ../etc/passwd does not"),
    "line ends in a name": (asked(features=["a\r\nX-Header: 1:x"]), 404, "Feature view a"),
    "a wrong value of a key that comes again": (b'{"features": ["a:b"], "features": 5, "entities": {}}', 422, "got 5"),
    "a number of 5,000 digits": (b'{"entities": {"driver_id": [' + b"9" * 5000 + b"]}}", 422, "out of range"),
}


@pytest.mark.parametrize("response_format", ["rows", "columns"])
@pytest.mark.parametrize("case", CASES)
def test_a_wrong_body_is_refused_with_its_place(server: Any, case: str, response_format: str) -> None:
    body, status, named = CASES[case]
    answer = server.online(body, f"?response_format={response_format}")
    if status:
        assert answer.status == status, answer.body
    else:
        assert 400 <= answer.status < 500 or answer.status == 501
    if response_format == "rows":
        assert named in answer.json["detail"]
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json) >= {"type", "title", "status", "detail"}
        assert answer.json["status"] == answer.status
    else:
        assert answer.headers["content-type"] == "application/json"
    assert server.online(asked()).status == 200
    assert "Traceback" not in server.errors()


LONG = "x" * 2_000_000
MANY = {f"column_{position}": [1] for position in range(50_000)}


@pytest.mark.parametrize("response_format", ["rows", "columns"])
@pytest.mark.parametrize(
    "body",
    [
        asked(features=[LONG]),
        asked(features=[f"{LONG}:x"]),
        asked(features=[f"driver_hourly_stats:{LONG}"]),
        asked(features=[f"driver_hourly_stats@v{'9' * 5000}:conv_rate"]),
        asked(feature_service=LONG),
        asked(full_feature_names=LONG),
        asked(entities={LONG: [1]}),
        asked(entities={LONG: 5}),
        asked(entities={LONG: [1], "driver_id": [1, 2]}),
        asked(entities=MANY),
        asked(entities=MANY | {"driver_id": [1, 2]}),
        asked(entities={"driver_id": [LONG]}),
        asked(entities={"driver_id": [[LONG] * 3]}),
        asked(entities={"driver_id": [MANY]}),
    ],
)
def test_what_was_sent_does_not_come_back_at_length(server: Any, body: Any, response_format: str) -> None:
    answer = server.online(body, f"?response_format={response_format}")
    assert answer.status in (404, 422)
    assert len(answer.body) < 5000


def test_millions_of_wrong_values_are_refused_without_looking_at_them_all(server: Any) -> None:
    """All of them would take minutes and gigabytes, longer than this client waits."""
    for wrong in (b"1,", b"null,", b'"ab",', b'"driver_hourly_stats:conv_rate",'):
        features = (wrong * (16_000_000 // len(wrong)))[:-1]
        answer = server.online(b'{"entities": {"driver_id": [1]}, "features": [%b]}' % features)
        assert answer.status == 422
        assert len(answer.body) < 5000


@pytest.mark.parametrize("nested", [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_of_any_depth_is_refused_where_a_key_is_expected(server: Any, nested: tuple[bytes, bytes]) -> None:
    """Just before JSON is too deep to be read, it is too deep to be shown."""
    connection = server.connect()
    for depth in (*range(940, 1000), 2000, 5000, *range(9900, 10_000, 7), 50_000):
        value = nested[0] * depth + (b"" if nested[0] == b"[" else b"1") + nested[1] * depth
        body = b'{"features": ["driver_hourly_stats:conv_rate"], "entities": {"driver_id": [%b]}}' % value
        assert server.online(body, on=connection).status == 422, depth
    connection.close()
    assert "Traceback" not in server.errors()


def test_a_byte_order_mark_does_not_matter(server: Any) -> None:
    assert server.online(json.dumps(asked()).encode("utf-8-sig")).status == 200


_names = st.text(max_size=5) | st.sampled_from(["driver_id", "driver", "driver_hourly_stats:conv_rate", "again:", "@:"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=8,
)
_fields = st.sampled_from(
    ["features", "feature_service", "entities", "full_feature_names", "include_feature_view_version_metadata"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(_fields, _json, max_size=3), entities=st.dictionaries(_names, st.lists(_json, max_size=2))
)
def test_whatever_is_sent_the_fault_is_the_callers(server: Any, changes: Any, entities: Any) -> None:
    for body in (asked(**changes), asked(**changes | {"entities": entities | KEY})):
        for response_format in ("rows", "columns"):
            answer = server.online(body, f"?response_format={response_format}")
            assert answer.status in (200, 404, 422), (body, answer.body)


def test_an_unknown_format_is_refused(server: Any) -> None:
    answer = server.online(asked(), "?response_format=table")
    assert answer.status == 422
    assert answer.json["errors"] == [{"path": "response_format", "message": "expected rows or columns, got 'table'"}]


def test_the_sdk_reads_errors_in_its_own_form(server: Any) -> None:
    answer = server.online(asked(features=["nope:x"], include_feature_view_version_metadata=False))
    assert answer.status == 404
    assert answer.json.startswith('{"module": "feast.errors", "class": "FeatureViewNotFoundException", "message": "')


def test_more_rows_than_the_limit_are_refused(start: Any, make: Any, tmp_path: Any) -> None:
    yaml = """\
project: drivers
registry: registry.db
online_store: {type: sqlite, path: online.db}
feature_server: {limits: {max_entity_rows: 2, max_body_bytes: 1000}}
"""
    with start(make(tmp_path / "limited", yaml)) as server:
        assert server.online(asked(entities={"driver_id": [1, 2]})).status == 200
        answer = server.online(asked(entities={"driver_id": [1, 2, 3]}))
        assert answer.status == 413
        assert "the request has 3 rows, the limit is 2" in answer.json["detail"]
        assert "feature_server.limits.max_entity_rows" in answer.json["detail"]

        too_large = server.online(b" " * 3000)
        assert too_large.status == 413
        assert "1000 bytes" in too_large.json["detail"]
        assert too_large.headers["connection"] == "close"
        assert server.online(asked()).status == 200


def test_a_client_that_sends_far_too_much_still_reads_the_answer(start: Any, make: Any, tmp_path: Any) -> None:
    yaml = """\
project: drivers
registry: registry.db
online_store: {type: sqlite, path: online.db}
feature_server: {limits: {max_body_bytes: 4000000}}
"""
    with start(make(tmp_path / "limited", yaml)) as server:
        assert server.online(b" " * 12_000_000).status == 413
        assert server.online(asked()).status == 200
