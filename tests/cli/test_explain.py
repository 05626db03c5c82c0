"""`feast explain`: a plan as people and programs read it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Run = Callable[..., Any]


def test_the_plan_of_features_says_what_is_read_and_by_whom(call: Run, served: Path) -> None:
    done = call("explain", "driver_hourly_stats:conv_rate", "driver_hourly_stats:acc_rate", cwd=served)
    assert (done.code, done.err) == (0, "")
    plan = yaml.safe_load(done.out)
    (view,) = plan["views"]
    assert view["name"] == "driver_hourly_stats"
    assert view["join keys"] == {"driver_id": "Int64 from entities.driver_id"}
    assert view["ttl"] == "3650 days, not enforced"
    assert view["row"] == {
        "conv_rate": "Float32",
        "acc_rate": "Float32",
        "avg_daily_trips": "Int64, not asked for",
    }
    assert (plan["reader"]["plugin"], plan["reader"]["wrapped by"]) == ("online_sqlite", "nobody")
    assert (plan["guards"], plan["observers"]) == ("none, everybody may read", "nobody")
    assert plan["answer"] == {
        "driver_id": "Int64 from entities.driver_id",
        "conv_rate": "Float32 from driver_hourly_stats:conv_rate",
        "acc_rate": "Float32 from driver_hourly_stats:acc_rate",
    }


def test_the_plan_of_a_service_in_another_format(call: Run, served: Path) -> None:
    options = ["--feature-service", "driver_activity", "--full-feature-names", "--response-format", "columns"]
    plan = call("explain", *options, "--json", cwd=served).json
    assert plan["request"] == {
        "features": [],
        "feature_service": "driver_activity",
        "full_feature_names": True,
        "response_format": "columns",
        "entities": ["driver_id"],
    }
    assert [column["name"] for column in plan["columns"]][1] == "driver_hourly_stats__conv_rate"


def test_plugins_of_the_repository_are_part_of_the_plan(call: Run, fresh: Path) -> None:
    (fresh / "feast_plugins.py").write_text(
        """
from feast_core import hookimpl

@hookimpl(wrapper=True)
def feast_reader(store, reads):
    return (yield)

@hookimpl
def feast_guard(store, action, resources):
    return lambda user: None
"""
    )
    assert call("apply", cwd=fresh).code == 0
    plan = call("explain", "driver_hourly_stats:conv_rate", "--json", cwd=fresh).json
    assert plan["reader"]["wrapped_by"] == ["feast_plugins"]
    assert plan["reader"]["plugin"] == "online_sqlite"
    assert plan["guards"] == ["feast_plugins"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["driver_hourly_stat:conv_rate"], 1, "did you mean 'driver_hourly_stats'?"),
        (["driver_hourly_stats:conv_rat"], 1, "did you mean 'conv_rate'?"),
        (["--feature-service", "driver_activit"], 1, "did you mean 'driver_activity'?"),
        (["conv_rate"], 2, "expected '<feature view>:<feature>'"),
        ([], 2, "name either features"),
        (["a:b", "--feature-service", "c"], 2, "name either features"),
    ],
)
def test_what_cannot_be_explained_is_told(
    arguments: list[str], code: int, message: str, call: Run, served: Path
) -> None:
    done = call("explain", *arguments, cwd=served)
    assert (done.code, done.out) == (code, "")
    assert message in done.err


@pytest.mark.parametrize("width", [80, 160])
def test_the_plan_is_a_tree_on_a_terminal(width: int, on_terminal: Run, served: Path) -> None:
    code, drawn = on_terminal(
        "explain", "driver_hourly_stats:conv_rate", cwd=served, width=width, env={"NO_COLOR": "1", "TERM": "dumb"}
    )
    assert code == 0
    lines = drawn.splitlines()
    assert lines[0] == "plan of driver_hourly_stats:conv_rate"
    assert "│       └── row" in lines
    assert max(map(len, lines)) <= width
    assert "\x1b" not in drawn
