"""Two commands at once, in two processes."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
START, END = (NOON - DAY).isoformat(), (NOON + DAY).isoformat()


def wait_for(path: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.01)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_registry(request: pytest.FixtureRequest, fresh: Any) -> Any:
    """A repository, with a registry of each kind that nothing was written to."""
    if request.param == "postgresql":
        yaml = fresh.path / "feature_store.yaml"
        url = request.getfixturevalue("postgres")
        section = f"registry: {{registry_type: sql, path: '{url}'}}"
        yaml.write_text(yaml.read_text().replace("registry: data/registry.db", section))
    return fresh


def test_first_applies_of_a_new_registry_at_once_are_all_done(new_registry: Any) -> None:
    """The same project twice, and another one in the same registry and online store."""
    other = new_registry.path / "other"
    other.mkdir()
    yaml = (new_registry.path / "feature_store.yaml").read_text().replace("project: drivers", "project: others")
    yaml = yaml.replace("data/registry.db", str(new_registry.registry)).replace(
        "data/online.db", str(new_registry.online)
    )
    (other / "feature_store.yaml").write_text(yaml)
    shutil.copy(new_registry.features, other)
    shutil.copytree(new_registry.path / "data", other / "data")
    running = [new_registry.start("apply"), new_registry.start("-c", "other", "apply"), new_registry.start("apply")]
    ended = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert [(code, err) for (_, err), code in ended] == [(0, "")] * 3
    with new_registry.store() as store:
        assert store.plan().empty
        assert store.registry.projects() == ["drivers", "others"]
        outcomes = store.materialize(NOON - DAY, NOON + DAY)
    assert [outcome.rows for outcome in outcomes] == [1500] * 3
    assert new_registry.trips("third") == [30, 30 * 1499]


def test_different_changes_at_once_are_both_done_the_second_one_waits(repository: Any, tmp_path: Path) -> None:
    """The first one stands still in its transaction until the second one, which has seen what there was, waits."""
    copy = tmp_path / "copy"
    copy.mkdir()
    yaml = (repository.path / "feature_store.yaml").read_text()
    (copy / "feature_store.yaml").write_text(yaml.replace("data/", f"{repository.path}/data/"))
    shutil.copytree(repository.path / "data", copy / "data")
    text = repository.features.read_text()
    (copy / "features.py").write_text(text.replace('name="driver", join_keys', 'name="driver", owner="me", join_keys'))
    repository.change('name="car", join_keys', 'name="car", description="what is driven", join_keys')
    go = tmp_path / "go"
    first = repository.start("apply", at="in the transaction of an apply", act=str(go))
    wait_for(Path(f"{go}.reached"))
    seen = tmp_path / "seen"
    seen.touch()
    (copy / "feast_plugins.py").write_text((repository.path / "feast_plugins.py").read_text())
    second = repository.start("-c", str(copy), "apply", at="place is made", act=str(seen))
    wait_for(Path(f"{seen}.reached"))
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.3)
    go.touch()
    assert [first.wait(30), second.wait(30)] == [0, 0]
    for process in first, second:
        process.communicate()
    with repository.store() as store:
        entities = {entity.name: entity for entity in store.list_entities()}
    assert (entities["driver"].owner, entities["car"].description) == ("me", "what is driven")


def test_a_second_materialization_of_a_view_is_refused_and_does_the_others(
    fresh: Any, tmp_path: Path, feast: Callable[..., Any]
) -> None:
    with fresh.store() as store:
        store.apply()
    go = tmp_path / "go"
    first = fresh.start("materialize", START, END, "-v", "second", at="batch 1 of second", act=str(go))
    wait_for(Path(f"{go}.reached"))
    ended = feast(fresh.path, "materialize", START, END)
    assert ended.code == 1
    assert [line.partition(":")[0] for line in ended.out.splitlines()] == ["first", "third"]
    assert ended.err.startswith(
        "error: second: feature view second is being materialized by another run,"
        f" process {first.pid} on {os.uname().nodename}, since 20"
    )
    assert len(ended.errors) == 1
    go.touch()
    out, err = first.communicate(timeout=30)
    assert (first.returncode, err) == (0, "")
    assert out.startswith("second: 1500 rows in ")
    with fresh.store() as store:
        assert [len(store.intervals(view)) for view in ("first", "second", "third")] == [1, 1, 1]
    assert fresh.trips("second") == [20, 20 * 1499]
