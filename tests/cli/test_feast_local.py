"""A repository as `feast init` of Feast 0.67 writes it, by command: it applies, lists, describes, and is served."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

SOURCE = Path(__file__).parent.parent / "data" / "feast_local"
#: As the file that Feast's template brings: what is commented there is left out.
YAML = """
project: couriers
registry: data/registry.db
provider: local
online_store:
    type: sqlite
    path: data/online_store.db
entity_key_serialization_version: 3
auth:
    type: no_auth
"""
DELIVERIES = """
    SELECT 1001 + i AS courier_id, 0.5::FLOAT AS on_time, 4.5::FLOAT AS rating, 10 + i AS parcels,
        MAP {'bag': 'large'} AS equipment, '{"zones": ["south"]}' AS preferences,
        {'name': 'courier ' || i, 'age': '42'} AS profile, now() AS event_timestamp, now() AS created
    FROM range(3) AS numbers(i)
"""
LABELS = "SELECT 1001::BIGINT AS courier_id, 1::BIGINT AS is_careful, 'ann' AS labeler, now() AS event_timestamp"
KINDS = {
    "projects": {"couriers"},
    "entities": {"courier"},
    "feature-views": {"courier_deliveries", "courier_deliveries_fresh"},
    "on-demand-feature-views": {"with_bonus", "with_bonus_fresh"},
    "label-views": {"courier_labels"},
    "feature-services": {"dispatch_v1", "dispatch_v2", "dispatch_v3"},
    "data-sources": {
        "bonuses",
        "courier_labels_batch",
        "courier_labels_push",
        "deliveries_push_source",
        "deliveries_source",
    },
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, feast: Any) -> Path:
    """The repository with its data, applied."""
    root = tmp_path_factory.mktemp("couriers") / "feature_repo"
    shutil.copytree(SOURCE, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "feature_store.yaml").write_text(YAML)
    (root / "__init__.py").touch()
    (root / "data").mkdir()
    duckdb.execute(f"COPY ({DELIVERIES}) TO '{root / 'data/deliveries.parquet'}'")
    duckdb.execute(f"COPY ({LABELS}) TO '{root / 'data/courier_labels.parquet'}'")
    done = feast("apply", cwd=root)
    assert done.code == 0, done.err
    assert "Created label view courier_labels" in done.lines
    return root


def test_a_second_apply_changes_nothing(feast: Any, repository: Path) -> None:
    done = feast("-c", repository, "apply", cwd=repository.parent)
    assert (done.code, done.err) == (0, "")
    assert "No changes" in done.out


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_listed_and_described(feast: Any, repository: Path, kind: str) -> None:
    listed = feast(kind, "list", "--json", cwd=repository)
    assert {found["name"] for found in listed.json} == KINDS[kind]
    name = max(KINDS[kind])
    described = feast(kind, "describe", name, cwd=repository)
    assert described.code == 0, described.err
    assert f"name: {name}" in described.out


def test_its_views_are_materialized_and_served(feast: Any, repository: Path) -> None:
    done = feast("materialize-incremental", datetime.now(UTC).isoformat(), cwd=repository)
    assert done.code == 0, done.err
    features = ["on_time", "parcels", "equipment", "preferences", "profile"]
    asked = [argument for name in features for argument in ("-f", f"courier_deliveries_fresh:{name}")]
    answer = feast("get-online-features", "-e", "courier_id=1002", *asked, "--json", cwd=repository)
    assert answer.code == 0, answer.err
    assert answer.json["courier_id"] == [1002]
    assert [answer.json[name] for name in features] == [
        [0.5],
        [11],
        [{"bag": "large"}],
        [{"zones": ["south"]}],
        [{"name": "courier 1", "age": "42"}],
    ]


def test_a_service_of_what_is_computed_says_what_is_not_supported(feast: Any, repository: Path) -> None:
    answer = feast("get-online-features", "-e", "courier_id=1002", "--feature-service", "dispatch_v2", cwd=repository)
    assert answer.code == 1
    assert "with_bonus is an on demand feature view" in answer.err
