"""The registry as plans see it: indexed, typed, and never changing."""

import time
from typing import Any

import pytest

from feast_core.definitions import (
    Definition,
    Entity,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    Int32,
    Int64,
    LabelView,
    OnDemandFeatureView,
    RequestSource,
    String,
    UnixTimestamp,
    ValueType,
)
from feast_core.errors import FeatureServiceNotFound, FeatureViewNotFound, NotSupported, ObjectNotFound
from feast_core.snapshot import Snapshot, did_you_mean

SOURCE = FileSource(name="source", path="a.parquet", timestamp_field="ts")
DRIVER = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
CUSTOMER = Entity(name="customer", join_keys=["customer_id"])
UNUSED = Entity(name="moment", join_keys=["at"], value_type=ValueType.UNIX_TIMESTAMP)


def a_view(name: str, *entities: Entity, **types: Any) -> FeatureView:
    schema = [Field(name=field, dtype=dtype) for field, dtype in {**types, "x": Int64}.items()]
    return FeatureView(name=name, entities=list(entities), schema=schema, source=SOURCE)


def snapshot(*objects: Definition) -> Snapshot:
    return Snapshot("project", 7, objects)


def test_join_keys_have_the_types_that_views_and_entities_say() -> None:
    found = snapshot(DRIVER, CUSTOMER, UNUSED, a_view("v", DRIVER, CUSTOMER))
    assert found.join_keys == {"driver_id": Int64, "customer_id": String, "at": UnixTimestamp}
    assert found.join_key_of_entity == {"driver": "driver_id", "customer": "customer_id", "moment": "at"}
    assert found.key_types(found.view("v")) == {"driver_id": Int64, "customer_id": String}


def test_where_views_disagree_the_first_by_name_speaks() -> None:
    views = [a_view("b", CUSTOMER, customer_id=Int64), a_view("a", CUSTOMER, customer_id=Int32)]
    assert snapshot(CUSTOMER, *views).join_keys == {"customer_id": Int32}
    assert snapshot(CUSTOMER, *reversed(views)).join_keys == {"customer_id": Int32}


def test_a_view_without_entities_has_no_keys() -> None:
    found = snapshot(a_view("v"))
    assert (found.key_types(found.view("v")), found.join_keys) == ({}, {})


def test_the_schema_of_a_view_is_made_once_and_has_no_join_keys() -> None:
    found = snapshot(a_view("v", DRIVER, driver_id=Int64, title=String))
    schema = found.schema(found.view("v"))
    assert (schema.names, schema.types) == (("title", "x"), (String, Int64))
    assert found.schema(found.view("v")) is schema


def test_objects_are_found_by_kind_and_name() -> None:
    service = FeatureService(name="service", features=[])
    found = snapshot(DRIVER, CUSTOMER, SOURCE, a_view("b"), a_view("a"), service)
    assert [view.name for view in found.of_kind("feature view")] == ["a", "b"]
    assert found.of_kind("nothing") == []
    assert found.get("entity", "driver") is DRIVER
    assert found.service("service") is service
    assert set(found.data_sources) == {"source"}


@pytest.mark.parametrize(
    ("kind", "name", "error", "message"),
    [
        ("view", "driver_stat", FeatureViewNotFound, "did you mean 'driver_stats'"),
        ("view", "zzz", FeatureViewNotFound, "^Feature view zzz does not exist in project project$"),
        ("view", "computed", NotSupported, "computed is an on demand feature view"),
        ("view", "labels", NotSupported, "labels is a label view"),
        ("service", "zzz", FeatureServiceNotFound, "^Feature service zzz does not exist in project project$"),
        ("entity", "drver", ObjectNotFound, "entity drver does not exist in project project, did you mean 'driver'"),
        ("feature view", "driver", ObjectNotFound, "feature view driver does not exist"),
    ],
)
def test_what_is_not_there_or_not_served_is_named(kind: str, name: str, error: type[Exception], message: str) -> None:
    request = RequestSource(name="r", schema=[Field(name="q", dtype=Int64)])
    computed = OnDemandFeatureView(
        name="computed",
        sources=[request],
        schema=[Field(name="y", dtype=Int64)],
        mode="python",
        udf=lambda inputs: inputs,
    )
    labels = LabelView(name="labels", source=SOURCE, entities=[DRIVER], schema=[Field(name="good", dtype=Int64)])
    found = snapshot(DRIVER, a_view("driver_stats"), computed, labels)
    look_up = {"view": found.view, "service": found.service}.get(kind, lambda name: found.get(kind, name))
    with pytest.raises(error, match=message) as raised:
        look_up(name)
    assert type(raised.value) is error


def test_suggestions_are_close_or_none() -> None:
    assert did_you_mean("drivr", ["driver", "customer"]) == ", did you mean 'driver'?"
    assert did_you_mean("x", ["driver"]) == ""
    assert did_you_mean("x", []) == ""


def test_a_suggestion_does_not_take_long_whatever_is_asked_for() -> None:
    known = [f"feature_{number}" for number in range(200_000)]
    started = time.perf_counter()
    assert did_you_mean("feature_1x", known).startswith(", did you mean 'feature_1")
    assert did_you_mean("x" * 1_000_000, known) == ""
    assert time.perf_counter() - started < 1


def test_an_entity_of_a_type_that_no_feature_has_does_no_harm() -> None:
    odd = Entity(name="odd", join_keys=["odd_id"], value_type=ValueType.STRUCT)
    assert snapshot(DRIVER, odd, a_view("v", DRIVER)).join_keys == {"driver_id": Int64, "odd_id": String}
