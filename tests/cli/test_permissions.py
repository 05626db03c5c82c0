"""Permissions against the objects of the registry: whom each is about, roles, and what none covers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Run = Callable[..., Any]

PERMISSIONS = """
from feast.permissions.action import AuthzedAction
from feast.permissions.permission import Permission
from feast.permissions.policy import GroupBasedPolicy, RoleBasedPolicy

reader = Permission(
    name="reader",
    types=[FeatureView, FeatureService],
    name_patterns="driver_.*",
    actions=[AuthzedAction.READ_ONLINE],
    policy=RoleBasedPolicy(["model", "analyst"]),
)
tagged = Permission(
    name="tagged",
    types=[FeatureView],
    required_tags={"team": "driver_performance"},
    actions=[AuthzedAction.DESCRIBE, AuthzedAction.WRITE_ONLINE],
    policy=RoleBasedPolicy(["model"]),
)
other_team = Permission(name="other_team", types=[FeatureView], required_tags={"team": "other"})
whole_name = Permission(name="whole_name", types=[Entity], name_patterns=["driv", "river"])
owner = Permission(name="owner", types=[Entity], policy=GroupBasedPolicy(["ops"]))
"""


@pytest.fixture
def permitted(fresh: Path, call: Run) -> Path:
    with (fresh / "features.py").open("a") as file:
        file.write(PERMISSIONS)
    done = call("apply", cwd=fresh)
    assert done.code == 0, done.err
    return fresh


def test_a_permission_is_listed_with_what_it_is_about(call: Run, permitted: Path) -> None:
    """Types, the whole name and all required tags count."""
    listed = {
        found["name"]: found["resources"] for found in call("permissions", "list", "-v", "--json", cwd=permitted).json
    }
    view = {"kind": "feature view", "name": "driver_hourly_stats"}
    assert listed == {
        "reader": [view, {"kind": "feature service", "name": "driver_activity"}],
        "tagged": [view],
        "other_team": [],
        "whole_name": [],
        "owner": [{"kind": "entity", "name": "driver"}],
    }
    drawn = yaml.safe_load(call("permissions", "list", "--verbose", cwd=permitted).out)
    assert drawn["reader"] == ["feature view driver_hourly_stats", "feature service driver_activity"]
    assert "resources" not in call("permissions", "list", "--json", cwd=permitted).json[0]


def test_roles_are_listed_with_what_they_may_do(call: Run, permitted: Path) -> None:
    assert call("permissions", "list-roles", cwd=permitted).lines == ["ROLE", "analyst", "model"]
    analyst, model = call("permissions", "list-roles", "--json", cwd=permitted).json
    assert analyst["role"] == "analyst"
    assert [found["actions"] for found in analyst["resources"]] == [["read_online"], ["read_online"]]
    by_name = {found["name"]: found["actions"] for found in model["resources"]}
    assert by_name["driver_hourly_stats"] == ["describe", "read_online", "write_online"]
    verbose = call("permissions", "list-roles", "-v", cwd=permitted).lines
    assert verbose[0].split() == ["ROLE", "NAME", "KIND", "ACTIONS"]
    assert "describe, read_online, write_online" in verbose[-1]


def test_what_no_permission_covers_is_shown(call: Run, permitted: Path, served: Path) -> None:
    found = {
        (item["kind"], item["name"]): item["actions"]
        for item in call("permissions", "check", "--json", cwd=permitted).json
    }
    assert ("entity", "driver") not in found
    assert found["data source", "driver_stats_push_source"][0] == "create"
    assert len(found["data source", "driver_stats_push_source"]) == 8
    assert "read_online" not in found["feature service", "driver_activity"]
    assert call("permissions", "check", cwd=served).lines[0].split() == ["NAME", "KIND", "ACTIONS"]


def test_where_everything_is_covered_it_says_so(call: Run, fresh: Path) -> None:
    with (fresh / "features.py").open("a") as file:
        file.write("\nfrom feast.permissions.permission import Permission\nall_of_it = Permission(name='all_of_it')\n")
    assert call("apply", cwd=fresh).code == 0
    assert call("permissions", "check", cwd=fresh).out == "Every action on every object is covered by a permission\n"
    assert call("permissions", "check", "--json", cwd=fresh).json == []
