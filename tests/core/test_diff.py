"""What apply would change, as data and in words."""

from datetime import timedelta
from typing import Any

import pytest

from feast_core.definitions import (
    Array,
    Entity,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    Float32,
    Float64,
    Int64,
    Project,
    String,
    ValueType,
)
from feast_core.diff import Change, diff, differences

DRIVER = Entity(name="driver", join_keys=["driver_id"])
SOURCE = FileSource(name="source", path="a.parquet", timestamp_field="ts")


def a_view(name: str = "v", **changes: Any) -> FeatureView:
    options: dict[str, Any] = {
        "entities": [DRIVER],
        "schema": [Field(name="rate", dtype=Float32), Field(name="trips", dtype=Int64)],
        "source": SOURCE,
        "ttl": timedelta(days=1),
        **changes,
    }
    return FeatureView(name=name, **options)


def test_nothing_differs_from_itself() -> None:
    objects = [Project(name="p"), DRIVER, SOURCE, a_view(), FeatureService(name="s", features=[a_view()])]
    for delete_missing in (True, False):
        found = diff(
            objects, [a_view() if item.name == "v" else item for item in objects], delete_missing=delete_missing
        )
        assert found.empty
        assert (found.saved, found.deleted, found.places, found.dropped) == ([], [], (a_view().place,), [])


def test_changes_come_in_the_order_in_which_objects_need_each_other() -> None:
    """What is new first, what goes last and in reverse."""
    old = [DRIVER, SOURCE, a_view("old"), FeatureService(name="old_service", features=[a_view("old")])]
    new = [DRIVER, a_view("first"), a_view("second"), FeatureService(name="service", features=[a_view("first")])]
    found = diff(old, new, delete_missing=True)
    assert [(change.action, change.kind, change.name) for change in found.changes] == [
        ("create", "feature view", "first"),
        ("create", "feature view", "second"),
        ("create", "feature service", "service"),
        ("delete", "feature service", "old_service"),
        ("delete", "feature view", "old"),
        ("delete", "data source", "source"),
    ]
    assert [item.name for item in found.saved] == ["first", "second", "service"]
    assert [item.name for item in found.deleted] == ["old_service", "old", "source"]
    assert found.places == (a_view("first").place, a_view("second").place)
    assert found.dropped == [a_view("old").place]
    assert not found.empty


def test_a_partial_apply_deletes_nothing() -> None:
    found = diff([DRIVER, a_view("old")], [a_view("new")], delete_missing=False)
    assert [(change.action, change.name) for change in found.changes] == [("create", "new")]
    assert (found.places, found.dropped) == ((a_view("old").place, a_view("new").place), [])


def test_an_update_holds_both_and_says_what_differs() -> None:
    before, after = a_view(), a_view(ttl=timedelta(days=2))
    found = diff([before], [after], delete_missing=True)
    (change,) = found.changes
    assert change == Change(
        "update",
        "feature view",
        "v",
        before,
        after,
        ("ttl: 1 day, 0:00:00 -> 2 days, 0:00:00",),
        consequences=change.consequences,
    )


def test_objects_of_one_name_and_different_kinds_are_different() -> None:
    found = diff([Entity(name="x")], [FileSource(name="x", path="a", timestamp_field="t")], delete_missing=True)
    assert [(change.action, change.kind) for change in found.changes] == [
        ("create", "data source"),
        ("delete", "entity"),
    ]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"ttl": timedelta(hours=1)}, ["ttl: 1 day, 0:00:00 -> 1:00:00"]),
        ({"description": "new"}, ["description: '' -> new"]),
        ({"online": False}, ["online: True -> False"]),
        ({"tags": {"team": "a"}}, ["tags.team: added a"]),
        (
            {"schema": [Field(name="rate", dtype=Float64), Field(name="trips", dtype=Array(Int64))]},
            ["schema.rate: Float32 -> Float64", "schema.trips: Int64 -> Array(Int64)"],
        ),
        (
            {"schema": [Field(name="rate", dtype=Float32), Field(name="name", dtype=String)]},
            ["schema.name: added String", "schema.trips: removed Int64"],
        ),
        (
            {"schema": [Field(name="trips", dtype=Int64), Field(name="rate", dtype=Float32)]},
            ["schema: order changed to trips, rate"],
        ),
        (
            {"entities": [DRIVER, Entity(name="car", join_keys=["car_id"])]},
            None,
        ),
        (
            {"source": FileSource(name="source", path="b.parquet", timestamp_field="ts")},
            ["source.path: a.parquet -> b.parquet"],
        ),
        ({"description": "x" * 200}, ["description: '' -> " + "x" * 97 + "..."]),
    ],
)
def test_an_update_is_told_in_a_line_per_part(changes: dict[str, Any], lines: list[str] | None) -> None:
    (change,) = diff([a_view()], [a_view(**changes)], delete_missing=True).changes
    assert change.details
    if lines is not None:
        assert list(change.details) == lines
    for line in change.details:
        assert "\n" not in line
        assert "'class'" not in line


def test_entities_differ_in_words() -> None:
    details = list(
        differences(DRIVER.spec(), Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64).spec())
    )
    assert details == ["value_type: UNKNOWN -> INT64"]
