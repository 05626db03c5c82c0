"""Every wrong body is answered with what is wrong and where: never with a 500, and the server lives on."""

from typing import Any

import pytest

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
    "NaN": (b'{"features": ["a:b"], "entities": {"driver_id": [NaN]}}', 422, "byte"),
    "not UTF-8": (b'{"features": ["\xff"], "entities": {}}', 422, "UTF-8"),
    "deeply nested": (b'{"entities": ' + b"[" * 200_000, 422, "nested"),
    "a number of 5,000 digits": (b'{"entities": {"driver_id": [' + b"9" * 5000 + b"]}}", 422, "out of range"),
}


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("case", CASES)
def test_a_wrong_body_is_refused_with_its_place(server: Any, case: str, layout: str) -> None:
    body, status, named = CASES[case]
    answer = server.online(body, f"?response_format={layout}")
    if status:
        assert answer.status == status, answer.body
    else:
        assert 400 <= answer.status < 500 or answer.status == 501
    if layout == "rows":
        assert named in answer.json["detail"]
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json) >= {"type", "title", "status", "detail"}
        assert answer.json["status"] == answer.status
    else:
        assert answer.headers["content-type"] == "application/json"
    assert server.online(asked()).status == 200
    assert "Traceback" not in server.errors()


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
        assert "the request has 3 entity rows, the limit is 2" in answer.json["detail"]
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
