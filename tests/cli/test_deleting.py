"""`feast delete` and `feast projects`: single objects and whole projects of the registry."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def applied(fresh: Path, call: Run) -> Path:
    assert call("apply", cwd=fresh).code == 0
    return fresh


def names(call: Run, repo: Path, group: str) -> list[str]:
    return [found["name"] for found in call(group, "list", "--json", cwd=repo).json]


def test_an_object_is_deleted_until_the_next_apply(call: Run, applied: Path) -> None:
    done = call("delete", "driver_activity", cwd=applied)
    assert (done.code, done.out) == (0, "Deleted feature service driver_activity from project driver_repo\n")
    assert names(call, applied, "feature-services") == []
    assert names(call, applied, "feature-views") == ["driver_hourly_stats"]
    assert "Created feature service driver_activity" in call("apply", cwd=applied).lines


def test_what_another_object_needs_is_kept(call: Run, applied: Path) -> None:
    for name, needed_by in [
        ("driver", "feature view 'driver_hourly_stats'"),
        ("driver_stats_push_source", "feature view 'driver_hourly_stats'"),
        ("driver_hourly_stats_source", "feature view 'driver_hourly_stats'"),
        ("driver_hourly_stats", "feature service 'driver_activity'"),
    ]:
        done = call("delete", name, cwd=applied)
        assert (done.code, done.out) == (1, "")
        assert f"is used by {needed_by}; delete that first" in done.err
    for name in ("driver_activity", "driver_hourly_stats", "driver", "driver_stats_push_source"):
        assert call("delete", name, cwd=applied).code == 0
    assert names(call, applied, "data-sources") == ["driver_hourly_stats_source"]


def test_what_is_not_there_is_no_error(call: Run, applied: Path) -> None:
    """As Feast."""
    done = call("delete", "nothing", cwd=applied)
    assert (done.code, done.err) == (0, "")
    assert done.out == "There is no object nothing in project driver_repo; nothing was deleted\n"
    assert call("delete", "nothing", "--json", cwd=applied).json["kind"] is None


def test_rows_of_a_deleted_view_are_gone(call: Run, applied: Path) -> None:
    assert call("materialize-incremental", "2100-01-01", cwd=applied).code == 0
    wanted = ["get-online-features", "-e", "driver_id=1001", "-f", "driver_hourly_stats:avg_daily_trips", "--json"]
    assert call(*wanted, cwd=applied).json["avg_daily_trips"] != [None]
    for name in ("driver_activity", "driver_hourly_stats"):
        assert call("delete", name, cwd=applied).code == 0
    assert call("apply", cwd=applied).code == 0
    assert call(*wanted, cwd=applied).json["avg_daily_trips"] == [None]


@pytest.fixture
def two_projects(call: Run, applied: Path) -> Path:
    """The driver example, and beside it another project in the same registry."""
    other = applied.parent / "other"
    other.mkdir()
    configuration = (applied / "feature_store.yaml").read_text().replace('project: "driver_repo"', "project: other")
    (other / "feature_store.yaml").write_text(configuration.replace("data/", "../driver_repo/data/"))
    (other / "features.py").write_text("from feast import Entity\nrider = Entity(name='rider')\n")
    assert call("apply", cwd=other).code == 0
    return other


def test_projects_of_the_whole_registry_are_listed(call: Run, two_projects: Path) -> None:
    assert names(call, two_projects, "projects") == ["driver_repo", "other"]
    assert call("projects", "describe", "driver_repo", "--json", cwd=two_projects).json["name"] == "driver_repo"
    assert call("projects", "current_project", "--json", cwd=two_projects).json["name"] == "other"
    assert "name: other" in call("projects", "current_project", cwd=two_projects).lines


def test_a_project_is_deleted_and_the_others_stay(call: Run, two_projects: Path) -> None:
    done = call("projects", "delete", "driver_repo", "--yes", cwd=two_projects)
    assert (done.code, done.out) == (0, "Project driver_repo is deleted\n")
    assert names(call, two_projects, "projects") == ["other"]
    assert names(call, two_projects, "entities") == ["rider"]
    again = call("projects", "delete", "driver_repo", "-y", cwd=two_projects)
    assert again.code == 1
    assert "project driver_repo does not exist" in again.err


def test_nobody_deletes_a_project_by_accident(feast: Run, on_terminal: Run, applied: Path) -> None:
    done = feast("projects", "delete", "driver_repo", cwd=applied)
    assert done.code == 2
    assert "say --yes" in done.err
    code, drawn = on_terminal("projects", "delete", "driver_repo", cwd=applied, typed="n\n")
    assert code == 1
    assert "Nothing was changed" in drawn
    code, drawn = on_terminal("projects", "delete", "driver_repo", cwd=applied, typed="y\n")
    assert (code, "Project driver_repo is deleted" in drawn) == (0, True)
