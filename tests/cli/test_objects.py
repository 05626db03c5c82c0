"""Groups that list and describe what was applied, all made from one table."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from feast_cli import OBJECT_GROUPS, objects

Run = Callable[..., Any]

#: Group, an object of it in the driver example, and a word of its line.
IN_THE_EXAMPLE = [
    ("entities", "driver", "driver_id"),
    ("feature-views", "driver_hourly_stats", "FeatureView"),
    ("feature-services", "driver_activity", "driver_hourly_stats"),
    ("data-sources", "driver_stats_push_source", "PushSource"),
    ("projects", "driver_repo", "driver_repo"),
]

#: One object of each kind that the driver example lacks.
MORE = """
from feast import LabelView, RequestSource, StreamFeatureView
from feast.permissions.action import AuthzedAction
from feast.permissions.permission import Permission
from feast.permissions.policy import RoleBasedPolicy
from feast.on_demand_feature_view import on_demand_feature_view

reader = Permission(
    name="reader", types=[FeatureView], policy=RoleBasedPolicy(["reader"]), actions=[AuthzedAction.READ_ONLINE]
)
request = RequestSource(name="request", schema=[Field(name="bonus", dtype=Int64)])

@on_demand_feature_view(
    sources=[driver_hourly_stats, request], schema=[Field(name="more", dtype=Int64)], mode="python"
)
def with_bonus(inputs):
    return {"more": inputs["bonus"]}
"""


@pytest.fixture
def extended(fresh: Path, call: Run) -> Path:
    with (fresh / "features.py").open("a") as file:
        file.write(MORE)
    done = call("apply", cwd=fresh)
    assert done.code == 0, done.err
    return fresh


def test_every_group_is_in_the_table_and_the_other_way_round() -> None:
    assert set(OBJECT_GROUPS) == set(objects.KINDS)


@pytest.mark.parametrize(("group", "name", "word"), IN_THE_EXAMPLE)
def test_a_group_lists_and_describes(group: str, name: str, word: str, call: Run, served: Path) -> None:
    listed = call(group, "list", cwd=served)
    assert listed.code == 0
    assert listed.lines[0].startswith("NAME")
    (line,) = [line for line in listed.lines[1:] if line.split()[0] == name]
    assert word in line.split()
    specs = call(group, "list", "--json", cwd=served).json
    assert name in [spec["name"] for spec in specs]
    described = call(group, "describe", name, cwd=served)
    assert described.code == 0
    assert yaml.safe_load(described.out)["name"] == name
    spec = call(group, "describe", name, "--json", cwd=served).json
    assert spec.items() >= next(spec for spec in specs if spec["name"] == name).items()


@pytest.mark.parametrize("group", OBJECT_GROUPS)
def test_what_is_not_there_is_one_line_and_exit_1(group: str, call: Run, served: Path) -> None:
    done = call(group, "describe", "drivr", cwd=served)
    assert done.code == 1
    assert done.out == ""
    assert "drivr does not exist" in done.err
    assert done.err.count("\n") == 1


def test_an_empty_list_is_its_header(call: Run, served: Path) -> None:
    assert call("permissions", "list", cwd=served).lines == ["NAME  ACTIONS  POLICY"]
    assert call("permissions", "list", "--json", cwd=served).json == []


def test_objects_that_the_example_lacks(call: Run, extended: Path) -> None:
    assert call("permissions", "list", cwd=extended).lines[1].split() == ["reader", "read_online", "RoleBasedPolicy"]
    on_demand = call("on-demand-feature-views", "list", cwd=extended).lines
    assert on_demand[1].split() == ["with_bonus", "python", "driver_hourly_stats,", "request", "1"]
    assert call("on-demand-feature-views", "describe", "with_bonus", cwd=extended).code == 0
    assert "def with_bonus" in call("on-demand-feature-views", "describe", "with_bonus", "--json", cwd=extended).out
    assert ["more", "with_bonus", "Int64", "-"] in [
        line.split() for line in call("features", "list", cwd=extended).lines
    ]


def test_a_view_is_described_with_its_materialized_intervals(call: Run, served: Path) -> None:
    described = yaml.safe_load(call("feature-views", "describe", "driver_hourly_stats", cwd=served).out)
    assert described["schema"]["avg_daily_trips"]["type"] == "Int64"
    assert described["ttl"] == "3650 days"
    (interval,) = described["materialized"]
    as_json = call("feature-views", "describe", "driver_hourly_stats", "--json", cwd=served).json
    assert as_json["materialization_intervals"] == [{key: str(value) for key, value in interval.items()}]
    assert as_json["class"] == "FeatureView"


def test_tags_filter_and_all_must_match(call: Run, served: Path) -> None:
    def found(*tags: str) -> list[str]:
        options = [part for tag in tags for part in ("--tags", tag)]
        return [view["name"] for view in call("feature-views", "list", "--json", *options, cwd=served).json]

    assert found("team:driver_performance") == ["driver_hourly_stats"]
    assert found("team: driver_performance , ") == ["driver_hourly_stats"]
    assert found("team:other") == []
    assert found("team:driver_performance", "stage:live") == []
    assert found("team:driver_performance, stage:live") == []
    wrong = call("feature-views", "list", "--tags", "team", cwd=served)
    assert wrong.code == 2
    assert "'team' is not KEY:VALUE" in wrong.err


def test_a_stream_view_is_not_any_view(call: Run, served: Path) -> None:
    assert call("stream-feature-views", "list", "--json", cwd=served).json == []
    done = call("stream-feature-views", "describe", "driver_hourly_stats", cwd=served)
    assert done.code == 1
    assert done.err == "error: feature view 'driver_hourly_stats' is a FeatureView, not a StreamFeatureView\n"


def test_features_are_listed_across_views(call: Run, served: Path) -> None:
    lines = [line.split()[:3] for line in call("features", "list", cwd=served).lines]
    assert lines[0][:2] == ["FEATURE", "FEATURE"]
    assert lines[1:] == [
        ["conv_rate", "driver_hourly_stats", "Float32"],
        ["acc_rate", "driver_hourly_stats", "Float32"],
        ["avg_daily_trips", "driver_hourly_stats", "Int64"],
    ]
    names = ["conv_rate", "acc_rate", "avg_daily_trips"]
    assert [found["name"] for found in call("features", "list", "--json", cwd=served).json] == names
    assert [found["name"] for found in call("features", "list", "--output", "json", cwd=served).json] == names
    assert call("features", "list", "--tags", "team:driver_performance", "--json", cwd=served).json == []


@pytest.mark.parametrize("name", ["acc_rate", "driver_hourly_stats:acc_rate"])
def test_a_feature_is_described_by_name_or_reference(name: str, call: Run, served: Path) -> None:
    described = yaml.safe_load(call("features", "describe", name, cwd=served).out)
    assert described["driver_hourly_stats"]["dtype"] == "Float32"
    assert described["driver_hourly_stats"]["entities"] == ["driver"]
    assert call("features", "describe", name, "--json", cwd=served).json[0]["feature_view"] == "driver_hourly_stats"


def test_an_unknown_feature_is_not_found(call: Run, served: Path) -> None:
    done = call("features", "describe", "rate", cwd=served)
    assert done.code == 1
    assert "feature rate does not exist" in done.err


@pytest.mark.parametrize("width", [80, 160])
def test_lists_and_trees_on_a_terminal(width: int, on_terminal: Run, served: Path) -> None:
    code, drawn = on_terminal("feature-views", "list", cwd=served, width=width)
    assert code == 0
    assert "driver_hourly_stats" in drawn
    code, drawn = on_terminal("feature-views", "describe", "driver_hourly_stats", cwd=served, width=width)
    assert code == 0
    assert "feature view 'driver_hourly_stats'" in drawn
    assert "└── " in drawn


def test_before_the_first_apply_the_next_step_is_told(call: Run, fresh: Path) -> None:
    note = "nothing is applied to project driver_repo yet, see `feast apply`\n"
    for arguments in (["feature-views", "list"], ["features", "list"], ["materialize", "2020-01-01", "2030-01-01"]):
        done = call(*arguments, cwd=fresh)
        assert (done.code, done.err) == (0, note), arguments
    assert call("entities", "list", "--json", cwd=fresh).err == ""
    for arguments in (
        ["entities", "describe", "driver"],
        ["feature-views", "describe", "driver_hourly_stats"],
        ["get-online-features", "-e", "driver_id=1", "--feature-service", "driver_activity"],
        ["explain", "driver_hourly_stats:conv_rate"],
    ):
        done = call(*arguments, cwd=fresh)
        assert done.code == 1
        assert done.err.endswith("; nothing is applied to it yet, see `feast apply`\n"), arguments


@pytest.mark.parametrize("group", ["features", "permissions", "plugins", "projects"])
def test_what_a_command_does_is_not_cut_off(call: Run, fresh: Path, group: str) -> None:
    done = call(group, "--help", cwd=fresh)
    assert done.code == 0
    assert "..." not in done.out.partition("Commands:")[2]
