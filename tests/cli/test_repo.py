"""`feast plan`, `apply` and `teardown`: what they print is what they did."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

OBJECTS = [
    "project driver_repo",
    "entity driver",
    "data source driver_hourly_stats_source",
    "data source driver_stats_push_source",
    "feature view driver_hourly_stats",
    "feature service driver_activity",
]


def edit(repo: Path, old: str, new: str) -> None:
    text = (repo / "features.py").read_text()
    assert old in text
    (repo / "features.py").write_text(text.replace(old, new))


def test_plan_shows_what_apply_would_do_and_touches_nothing(call: Run, fresh: Path) -> None:
    before = sorted(fresh.rglob("*"))
    done = call("plan", cwd=fresh)
    assert done.code == 0
    assert done.lines == [f"Would create {name}" for name in OBJECTS]
    assert [path for path in sorted(fresh.rglob("*")) if "__pycache__" not in path.parts] == before


def test_apply_prints_object_by_object_and_a_second_one_that_nothing_changed(call: Run, fresh: Path) -> None:
    done = call("apply", cwd=fresh)
    assert done.code == 0
    assert done.lines == ["Applying changes for project driver_repo", *(f"Created {name}" for name in OBJECTS)]
    again = call("apply", cwd=fresh)
    assert again.code == 0
    assert again.lines == ["Applying changes for project driver_repo", "No changes to registry"]
    assert call("plan", cwd=fresh).lines == ["No changes to registry"]


def test_a_wrong_online_store_is_told_of_also_where_nothing_else_is_to_do(call: Run, fresh: Path) -> None:
    assert call("apply", cwd=fresh).code == 0
    file = fresh / "feature_store.yaml"
    file.write_text(file.read_text().replace("type: sqlite", "type: sqlit"))
    done = call("apply", cwd=fresh)
    assert done.code == 1
    assert "unknown online_store type 'sqlit', did you mean 'sqlite'?" in done.err


def test_apply_says_what_of_an_object_changed_and_what_is_gone(call: Run, fresh: Path) -> None:
    call("apply", cwd=fresh)
    edit(fresh, 'description="A driver"', 'description="Who drives"')
    edit(fresh, 'driver_activity = FeatureService(name="driver_activity"', 'service = FeatureService(name="renamed"')
    planned = call("plan", cwd=fresh)
    done = call("apply", cwd=fresh)
    position = done.lines.index("Updated entity driver")
    assert done.lines[position + 1].startswith("    description: ")
    assert "Who drives" in done.lines[position + 1]
    assert "Created feature service renamed" in done.lines
    assert done.lines[-2:] == [
        "Deleted feature service driver_activity",
        "    => stored rows: none go; requests by this service are answered 404",
    ]
    assert "Would delete feature service driver_activity" in planned.lines


def test_changes_as_json(call: Run, fresh: Path) -> None:
    planned = call("plan", "--json", cwd=fresh).json
    assert planned == call("apply", "--json", cwd=fresh).json
    assert planned["project"] == "driver_repo"
    assert planned["changes"][1] == {
        "action": "create",
        "kind": "entity",
        "name": "driver",
        "details": [],
        "consequences": [],
        "next_step": None,
    }
    assert call("apply", "--json", cwd=fresh).json == {"project": "driver_repo", "changes": []}


@pytest.fixture
def edited(call: Run, fresh: Path) -> Path:
    """Applied, then edited: one feature is retyped, one gone."""
    call("apply", cwd=fresh)
    edit(fresh, 'Field(name="acc_rate", dtype=Float32', 'Field(name="acc_rate", dtype=Int64')
    text = (fresh / "features.py").read_text()
    (fresh / "features.py").write_text(
        "".join(line for line in text.splitlines(keepends=True) if '"avg_daily_trips"' not in line)
    )
    return fresh


MEANS = [
    "    => feature avg_daily_trips: no longer served; stays in stored rows until they are written anew",
    "    => feature acc_rate: values stored as Float32 are not read as Int64: NOT_FOUND until materialized again",
    "    => feature service driver_activity: it has the whole view, so its answers change",
    "    => to do: feast materialize START END -v driver_hourly_stats",
]


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_what_a_change_means_for_stored_data_is_a_line_each(call: Run, edited: Path, command: str) -> None:
    lines = call(command, cwd=edited).lines
    assert lines[lines.index(MEANS[0]) :] == MEANS


def test_what_a_change_means_is_data_for_programs(call: Run, edited: Path) -> None:
    (change,) = call("plan", "--json", cwd=edited).json["changes"]
    assert change["consequences"][1] == {
        "effect": "missing",
        "subject": "feature acc_rate",
        "text": "values stored as Float32 are not read as Int64: NOT_FOUND until materialized again",
        "rows": None,
    }
    assert change["next_step"] == "feast materialize START END -v driver_hourly_stats"
    assert call("apply", "--json", cwd=edited).json["changes"] == [change]


@pytest.mark.parametrize("width", [80, 160])
def test_what_a_change_means_fits_the_terminal(width: int, on_terminal: Run, edited: Path) -> None:
    code, drawn = on_terminal("plan", cwd=edited, width=width)
    assert code == 0
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in drawn.replace("\r", "").splitlines()]
    first = next(number for number, line in enumerate(lines) if line.startswith("    => feature acc_rate"))
    whole = f"{MEANS[1]}"
    if width == 160:
        assert lines[first] == whole
    else:
        assert lines[first + 1].startswith("       ")
        assert f"{lines[first]} {lines[first + 1].strip()}" == whole
    assert all(len(line) <= width for line in lines[first:])
    assert MEANS[-1] in lines


def test_flags_of_feast_are_accepted(call: Run, fresh: Path) -> None:
    flags = ["--skip-source-validation", "--skip-feature-view-validation"]
    assert call("plan", *flags, cwd=fresh).code == 0
    assert call("apply", *flags, "--no-progress", cwd=fresh).code == 0


def test_a_mistake_in_a_definition_names_file_and_line_and_applies_nothing(call: Run, fresh: Path) -> None:
    edit(fresh, "entities=[driver],", "entities=[drivre],")
    done = call("apply", cwd=fresh)
    assert done.code == 1
    assert done.err.startswith("error: features.py")
    assert "drivre" in done.err
    assert "Traceback" not in done.err
    assert not (fresh / "data" / "registry.db").exists()


def test_a_registry_that_feast_wrote_is_refused_and_set_aside_on_request(call: Run, fresh: Path) -> None:
    registry = fresh / "data" / "registry.db"
    registry.write_bytes(b"\n\x0bdriver_repo\x12\x00 a registry of protobuf")
    written = registry.read_bytes()
    refused = call("apply", cwd=fresh)
    assert refused.code == 1
    assert "feast apply --replace-registry" in refused.err
    assert registry.read_bytes() == written
    done = call("apply", "--replace-registry", cwd=fresh)
    assert done.code == 0, done.err
    assert f"kept as {registry}.bak" in done.err
    assert Path(f"{registry}.bak").read_bytes() == written
    again = call("apply", "--replace-registry", cwd=fresh)
    assert again.lines[-1] == "No changes to registry"


def test_teardown_forgets_what_was_applied_and_keeps_the_files(call: Run, fresh: Path) -> None:
    call("apply", cwd=fresh)
    done = call("teardown", "--yes", cwd=fresh)
    assert done.code == 0
    assert done.lines == ["Project driver_repo is torn down"]
    assert call("entities", "list", "--json", cwd=fresh).json == []
    assert (fresh / "features.py").exists()
    assert (fresh / "data" / "driver_stats.parquet").exists()


def test_teardown_asks_on_a_terminal_only(feast: Run, on_terminal: Run, fresh: Path) -> None:
    feast("apply", cwd=fresh)
    code, drawn = on_terminal("teardown", cwd=fresh, typed="n\n")
    assert code == 1
    assert "Forget all definitions and online values of project driver_repo? [y/N]" in drawn
    assert "Nothing was changed" in drawn
    assert feast("entities", "list", cwd=fresh).lines[1:]
    assert feast("teardown", cwd=fresh).code == 0
    assert not feast("entities", "list", cwd=fresh).lines[1:]


@pytest.mark.parametrize("width", [80, 160])
def test_apply_is_coloured_on_a_terminal(width: int, on_terminal: Run, fresh: Path) -> None:
    code, drawn = on_terminal("apply", cwd=fresh, width=width)
    assert code == 0
    assert "\x1b[32mCreated entity driver\x1b[0m" in drawn


def test_plan_does_not_make_a_database(call: Run, fresh: Path) -> None:
    call("plan", cwd=fresh)
    assert not (fresh / "data" / "online_store.db").exists()
    call("apply", cwd=fresh)
    with closing(sqlite3.connect(fresh / "data" / "registry.db")) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
