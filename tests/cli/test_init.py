"""`feast init` makes a repository that works, and overwrites nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest
import yaml

from feast_cli.init import make_repository, project_name
from feast_core.errors import ConfigurationError

Run = Callable[..., Any]


def files_in(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_the_local_template_stands_directly_in_the_named_directory(call: Run, tmp_path: Path) -> None:
    done = call("init", "feature_repo", cwd=tmp_path)
    assert done.code == 0
    repo = tmp_path / "feature_repo"
    assert set(files_in(repo)) == {
        ".gitignore",
        "README.md",
        "data/driver_stats.parquet",
        "feature_store.yaml",
        "features.py",
    }
    assert yaml.safe_load((repo / "feature_store.yaml").read_text()) == {
        "project": "feature_repo",
        "registry": "data/registry.db",
        "provider": "local",
        "online_store": {"type": "sqlite", "path": "data/online_store.db"},
        "entity_key_serialization_version": 3,
        "auth": {"type": "no_auth"},
    }
    assert [line.strip() for line in done.lines[-4:]] == [
        "cd feature_repo",
        "feast apply",
        "feast materialize-incremental $(date +%Y-%m-%d)",
        "feast serve",
    ]


def test_an_existing_directory_is_never_overwritten(call: Run, tmp_path: Path) -> None:
    call("init", "repo", cwd=tmp_path)
    (tmp_path / "repo" / "features.py").write_text("# mine")
    before = files_in(tmp_path)
    for arguments in (["repo"], ["repo", "-m"], ["other", "--repo-path", "repo"]):
        done = call("init", *arguments, cwd=tmp_path)
        assert done.code == 1
        assert done.err == "error: repo is there already and not empty; name another directory, nothing was changed\n"
    assert files_in(tmp_path) == before


def test_a_file_in_the_way_is_left_alone(call: Run, tmp_path: Path) -> None:
    (tmp_path / "repo").write_text("mine")
    assert call("init", "repo", cwd=tmp_path).code == 1
    assert call("init", "repo/inside", cwd=tmp_path).code == 1
    assert (tmp_path / "repo").read_text() == "mine"


def test_an_empty_directory_is_used(call: Run, tmp_path: Path) -> None:
    (tmp_path / "my-repo").mkdir()
    assert call("init", "--repo-path", ".", cwd=tmp_path / "my-repo").code == 0
    assert 'project: "my_repo"\n' in (tmp_path / "my-repo" / "feature_store.yaml").read_text()


def test_without_a_name_one_is_made_up(call: Run, tmp_path: Path) -> None:
    done = call("init", "--minimal", cwd=tmp_path)
    assert done.code == 0
    (made,) = tmp_path.iterdir()
    assert made.name.count("_") == 1
    assert f'project: "{made.name}"\n' in (made / "feature_store.yaml").read_text()


def test_the_minimal_template_applies_as_it_is(call: Run, tmp_path: Path) -> None:
    assert call("init", "small", "-t", "minimal", cwd=tmp_path).code == 0
    assert call("plan", cwd=tmp_path / "small").code == 0
    assert not (tmp_path / "small" / "data" / "driver_stats.parquet").exists()


@pytest.mark.parametrize("name", ["9 lives", "_hidden", "grüße", "a.b", "-"])
def test_a_name_that_cannot_be_a_project_is_a_usage_error(name: str, call: Run, tmp_path: Path) -> None:
    done = call("init", "--", name, cwd=tmp_path)
    assert done.code == 2
    assert "cannot be the name of a project" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_template_that_is_not_there_is_a_usage_error(call: Run, tmp_path: Path) -> None:
    done = call("init", "-t", "gcp", cwd=tmp_path)
    assert done.code == 2
    assert "'local', 'minimal'" in done.err


def test_a_dash_in_a_directory_is_an_underscore_in_the_project(tmp_path: Path) -> None:
    assert project_name(tmp_path / "feast-demo-2") == "feast_demo_2"
    with pytest.raises(click.BadParameter):
        project_name(Path("/"))


def test_the_generated_data_has_the_documented_columns_up_to_this_hour(tmp_path: Path) -> None:
    now = datetime(2026, 3, 1, 10, 42, tzinfo=UTC)
    make_repository(tmp_path / "it's", "project", "local", now)
    data = duckdb.read_parquet(str(tmp_path / "it's" / "data" / "driver_stats.parquet"))
    assert dict(zip(data.columns, map(str, data.types), strict=True)) == {
        "event_timestamp": "TIMESTAMP WITH TIME ZONE",
        "driver_id": "BIGINT",
        "conv_rate": "FLOAT",
        "acc_rate": "FLOAT",
        "avg_daily_trips": "BIGINT",
        "created": "TIMESTAMP WITH TIME ZONE",
    }
    found = data.aggregate(
        "min(epoch_us(event_timestamp)), max(epoch_us(event_timestamp)), count(*), count(DISTINCT driver_id),"
        "min(driver_id), max(driver_id), min(conv_rate) >= 0, max(conv_rate) <= 1"
    ).fetchall()
    hour = datetime(2026, 3, 1, 10, tzinfo=UTC)
    first = hour - timedelta(days=15)
    rows = 5 * (15 * 24 + 1)
    assert found == [(first.timestamp() * 1e6, hour.timestamp() * 1e6, rows, 5, 1001, 1005, True, True)]


def test_a_directory_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot make"):
        make_repository(Path("/proc/nowhere"), "project", "minimal", datetime.now(UTC))


@pytest.mark.parametrize("name", ["123", "2026", "1_000", "no", "null", "true"])
def test_a_name_that_yaml_reads_as_something_else_stays_a_name(call: Run, tmp_path: Path, name: str) -> None:
    for template in ("local", "minimal"):
        repo = tmp_path / template / name
        assert call("init", repo, "-t", template, cwd=tmp_path).code == 0
        done = call("configuration", "--json", cwd=repo)
        assert done.code == 0, done.err
        assert done.json["project"] == name
