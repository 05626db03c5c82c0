"""A plan as data: what is read, how, and which plugins take part."""

import json
from typing import Any

import pytest

from feast_core import hookimpl
from feast_core.errors import FeatureNotFound, FeatureServiceNotFound, FeatureViewNotFound, InvalidInput
from feast_core.store import FeatureStore


class Wrapping:
    """Wraps readers, guards services, observes reads."""

    @hookimpl(wrapper=True)
    def feast_reader(self, store: Any, reads: Any) -> Any:
        return (yield)

    @hookimpl
    def feast_guard(self, resources: Any) -> Any:
        return (lambda user: None) if len(resources) > 1 else None

    @hookimpl
    def feast_observer(self, operation: str) -> Any:
        return (lambda call: None) if operation == "get-online-features" else None


def test_it_says_what_is_read_and_by_whom(store: FeatureStore, online_store: str) -> None:
    plan = store.explain(["driver_stats:trips", "customer_driver:rides"])
    assert json.loads(json.dumps(plan)) == plan
    assert plan["project"] == "test_project"
    assert plan["request"] == {
        "features": ["driver_stats:trips", "customer_driver:rides"],
        "feature_service": None,
        "full_feature_names": False,
        "response_format": "rows",
        "entities": ["driver_id", "customer_id"],
    }
    assert [view["name"] for view in plan["views"]] == ["driver_stats", "customer_driver"]
    assert [key["type"] for key in plan["views"][1]["join_keys"]] == ["String", "Int64"]
    assert plan["reader"]["online_store"] == online_store
    assert online_store in plan["reader"]["plugin"]
    assert online_store in plan["reader"]["function"]
    assert plan["reader"]["wrapped_by"] == plan["guards"] == plan["observers"] == []


def test_a_service_is_explained_under_its_aliases(store: FeatureStore) -> None:
    plan = store.explain("alias", full_feature_names=True, response_format="columns")
    assert plan["request"]["entities"] == ["origin_id", "dest_id"]
    assert plan["request"]["response_format"] == "columns"
    assert plan["columns"][0] == {"name": "origin_id", "type": "Int64", "from": "entities.origin_id"}
    assert {"name": "dest__trips", "type": "Int64", "from": "driver_stats:trips"} in plan["columns"]
    assert plan["views"][1]["features"] == ["trips", "name"]


def test_plugins_that_take_part_are_named(store: FeatureStore) -> None:
    store.plugins.register(Wrapping(), name="mine")
    plan = store.explain("part")
    assert plan["reader"]["wrapped_by"] == ["mine"]
    assert (plan["guards"], plan["observers"]) == (["mine"], ["mine"])
    assert store.explain(["driver_stats:trips"])["guards"] == []


def test_what_it_explains_is_not_kept(store: FeatureStore) -> None:
    store.explain("part")
    assert len(store._loaded().plans) == 0


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        (["driver_stat:trips"], FeatureViewNotFound, "did you mean 'driver_stats'"),
        (["driver_stats:trip"], FeatureNotFound, "did you mean 'trips'"),
        ("parts", FeatureServiceNotFound, "did you mean 'part'"),
        (["trips"], InvalidInput, "expected '<feature view>:<feature>'"),
        ([], InvalidInput, "name features"),
    ],
)
def test_a_wrong_name_is_told_with_the_near_one(store: FeatureStore, features: Any, error: Any, message: str) -> None:
    store.plugins.register(Wrapping(), name="mine")
    with pytest.raises(error, match=message):
        store.explain(features)
