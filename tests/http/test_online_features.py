"""POST /get-online-features answers as Feast's documentation and Feast's SDK expect it."""

import json
from typing import Any

EPOCH = "1970-01-01T00:00:00Z"
EVENT = "2026-11-22T09:00:00Z"
DOCUMENTED = {
    "features": [
        "driver_hourly_stats:conv_rate",
        "driver_hourly_stats:acc_rate",
        "driver_hourly_stats:avg_daily_trips",
    ],
    "entities": {"driver_id": [1001, 1002, 1003]},
}


def test_the_documented_curl_is_answered_in_rows(server: Any) -> None:
    # What `curl -d` sends: no JSON content type.
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = server.request("POST", "/get-online-features", DOCUMENTED, headers=form)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "metadata": {"feature_names": ["driver_id", "conv_rate", "acc_rate", "avg_daily_trips"]},
        "results": [
            {
                "values": [1001, 0.5, 0.75, 10],
                "statuses": ["PRESENT", "PRESENT", "PRESENT", "PRESENT"],
                "event_timestamps": [EPOCH, EVENT, EVENT, EVENT],
            },
            {
                "values": [1002, 0.25, None, 20],
                "statuses": ["PRESENT", "PRESENT", "NULL_VALUE", "PRESENT"],
                "event_timestamps": [EPOCH, EVENT, EVENT, EVENT],
            },
            {
                "values": [1003, None, None, None],
                "statuses": ["PRESENT", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND"],
                "event_timestamps": [EPOCH, EPOCH, EPOCH, EPOCH],
            },
        ],
    }


def test_the_content_type_does_not_matter(server: Any) -> None:
    for kind in ("application/json", "text/plain", "APPLICATION/JSON; charset=utf-8", ""):
        answer = server.request("POST", "/get-online-features", DOCUMENTED, headers={"Content-Type": kind})
        assert answer.status == 200, kind


def test_a_request_may_ask_for_columns(server: Any) -> None:
    answer = server.online(DOCUMENTED, "?response_format=columns").json
    assert answer["metadata"]["feature_names"] == ["driver_id", "conv_rate", "acc_rate", "avg_daily_trips"]
    assert [result["values"] for result in answer["results"]] == [
        [1001, 1002, 1003],
        [0.5, 0.25, None],
        [0.75, None, None],
        [10, 20, None],
    ]


def test_the_sdk_is_answered_in_columns_unless_it_says_otherwise(server: Any) -> None:
    for value in (False, True):
        asked = DOCUMENTED | {"include_feature_view_version_metadata": value}
        assert len(server.online(asked).json["results"]) == 4
        assert len(server.online(asked, "?response_format=rows").json["results"]) == 3


def test_a_feature_service_wins_over_features(server: Any) -> None:
    asked = {"feature_service": "driver_activity", "features": ["nope:nope"], "entities": {"driver_id": [1001]}}
    answer = server.online(asked).json
    assert answer["metadata"]["feature_names"] == ["driver_id", "conv_rate", "acc_rate", "avg_daily_trips"]
    assert answer["results"][0]["values"] == [1001, 0.5, 0.75, 10]


def test_full_names_have_the_view_in_them(server: Any) -> None:
    answer = server.online(DOCUMENTED | {"full_feature_names": "yes"}).json
    assert answer["metadata"]["feature_names"][:2] == ["driver_id", "driver_hourly_stats__conv_rate"]


def test_entity_values_are_coerced_as_in_feast(server: Any) -> None:
    answer = server.online(DOCUMENTED | {"entities": {"driver_id": ["1001", 1002.0]}}).json
    assert [row["values"][0] for row in answer["results"]] == [1001, 1002]


def test_the_format_comes_from_flag_then_environment_then_file(start: Any, make: Any, tmp_path: Any) -> None:
    yaml = "project: drivers\nregistry: registry.db\nonline_store: {type: sqlite, path: online.db}\n"
    repository = make(tmp_path / "columns", yaml + "feature_server: {response_format: columns}\n")
    shapes = []
    for options, env in (
        ([], {}),
        ([], {"FEAST_RESPONSE_FORMAT": "rows"}),
        (["--response-format", "columns"], {"FEAST_RESPONSE_FORMAT": "rows"}),
    ):
        with start(repository, *options, env=env) as server:
            shapes.append(len(server.online(DOCUMENTED).json["results"]))
            wrong = server.online({"features": ["nope:x"], "entities": {"driver_id": [1]}})
            if shapes[-1] == 4:
                assert json.loads(wrong.json)["class"] == "FeatureViewNotFoundException"
                assert server.request("GET", "/nope").json == {"detail": "Not Found"}
            else:
                assert wrong.headers["content-type"] == "application/problem+json"
    assert shapes == [4, 3, 4]
