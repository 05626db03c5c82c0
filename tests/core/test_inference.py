"""What a view does not say is read from its source, once, and only then."""

from datetime import timedelta
from typing import Any

import pytest

from feast_core.definitions import (
    Array,
    DataSource,
    Definition,
    Entity,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    Float64,
    Int64,
    PushSource,
    String,
    UnixTimestamp,
    ValueType,
)
from feast_core.errors import DefinitionError, SourceError
from feast_core.inference import infer

DRIVER = Entity(name="driver", join_keys=["driver_id"])
COLUMNS = {
    "ts": UnixTimestamp,
    "driver_id": Int64,
    "rate": Float64,
    "tags": Array(String),
    "created": UnixTimestamp,
}


class Source:
    """Columns of sources by name, and which of them were asked for."""

    def __init__(self, **columns: dict[str, Any]) -> None:
        self.columns = columns
        self.read: list[str] = []

    def __call__(self, source: DataSource) -> dict[str, Any]:
        self.read.append(source.name)
        if source.name not in self.columns:
            raise SourceError(f"no file for {source.name}")
        return self.columns[source.name]


def file(name: str = "s", **options: Any) -> FileSource:
    return FileSource(name=name, path=f"{name}.parquet", **{"timestamp_field": "ts", **options})


def a_view(**options: Any) -> FeatureView:
    return FeatureView(
        name="v", **{"entities": [DRIVER], "source": file(created_timestamp_column="created"), **options}
    )


def inferred(*objects: Definition, **columns: dict[str, Any]) -> Any:
    found = infer(objects, Source(**(columns or {"s": COLUMNS})))
    return found[0] if len(found) == 1 else found


def test_a_complete_view_is_left_alone_and_its_source_is_not_read() -> None:
    typed = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    view = a_view(entities=[typed], schema=[Field(name="rate", dtype=Float64)])
    source = Source()
    assert infer([DRIVER, view.source, view, FeatureService(name="x", features=[view])], source)[2] is view
    assert source.read == []


def test_features_are_the_columns_that_are_left() -> None:
    """Neither join keys nor times."""
    view = inferred(a_view())
    assert [(field.name, field.dtype) for field in view.features] == [("rate", Float64), ("tags", Array(String))]
    assert [(field.name, field.dtype) for field in view.entity_columns] == [("driver_id", Int64)]


def test_columns_of_tools_are_no_features() -> None:
    """As Feast: names that begin with two underscores, such as that of pandas' index."""
    columns = {**COLUMNS, "__index_level_0__": Int64, "_rate": Float64, "rate__": Float64}
    view = inferred(a_view(), s=columns)
    assert [field.name for field in view.features] == ["rate", "tags", "_rate", "rate__"]
    declared = a_view(schema=[Field(name="__index_level_0__", dtype=Int64)])
    assert [field.name for field in inferred(declared, s=columns).features] == ["__index_level_0__"]


def test_what_else_a_view_says_is_kept() -> None:
    view = a_view(ttl=timedelta(days=3), tags={"a": "b"}, description="x", owner="y", online=False)
    found = inferred(view)
    assert (found.ttl, found.tags, found.description, found.owner, found.online) == (
        timedelta(days=3),
        {"a": "b"},
        "x",
        "y",
        False,
    )
    assert found.source == view.source


def test_only_the_type_of_the_join_key_is_missing() -> None:
    found = inferred(a_view(schema=[Field(name="rate", dtype=String)]))
    assert [(field.name, field.dtype) for field in found.features] == [("rate", String)]
    assert found.entity_columns[0].dtype == Int64


def test_a_schema_may_type_the_join_key_itself() -> None:
    source = Source()
    schema = [Field(name="driver_id", dtype=String), Field(name="rate", dtype=Float64)]
    (found,) = infer([a_view(schema=schema)], source)
    assert isinstance(found, FeatureView)
    assert found.entity_columns[0].dtype == String
    assert source.read == []


def test_a_source_is_read_once() -> None:
    source = Source(s=COLUMNS)
    views = [FeatureView(name=f"v{number}", entities=[DRIVER], source=file()) for number in range(3)]
    infer([file(), *views], source)
    assert source.read == ["s"]


def test_inferring_twice_changes_nothing() -> None:
    undated = file(timestamp_field="", created_timestamp_column="created")
    once = infer([undated, a_view(source=undated)], Source(s=COLUMNS))
    source = Source()
    assert infer(once, source) == once
    assert source.read == []


def test_a_push_source_is_read_through_its_batch_source() -> None:
    push = PushSource(name="p", batch_source=file(timestamp_field="", created_timestamp_column="created"))
    found_push, found_view = inferred(push, a_view(source=push))
    assert found_push.batch_source.timestamp_field == "ts"
    assert found_view.source == found_push
    assert [field.name for field in found_view.features] == ["rate", "tags"]


def test_the_time_of_the_event_is_the_only_instant() -> None:
    assert inferred(file(timestamp_field="", created_timestamp_column="created")).timestamp_field == "ts"
    with pytest.raises(DefinitionError, match=r"data source 's': set timestamp_field.*ts, created"):
        inferred(file(timestamp_field=""))
    with pytest.raises(DefinitionError, match=r"set timestamp_field.*none"):
        inferred(file(timestamp_field=""), s={"driver_id": Int64})


def test_mapped_times_are_no_features() -> None:
    """`field_mapping` goes from columns of the source to names of the view; a source names its times as they are."""
    columns = {"when": UnixTimestamp, "driver_id": Int64, "rate": Float64, "made": UnixTimestamp}
    mapping = {"ts": "when", "created": "made", "r": "rate"}
    source = file(created_timestamp_column="created", field_mapping=mapping)
    assert [field.name for field in inferred(a_view(source=source), s=columns).features] == ["rate"]


def test_a_mapped_time_is_found() -> None:
    """Under the name that the view uses: a source may name its times by either."""
    columns = {"when": UnixTimestamp, "driver_id": Int64, "rate": Float64, "made": UnixTimestamp}
    mapping = {"ts": "when", "created": "made"}
    source = file(timestamp_field="", created_timestamp_column="created", field_mapping=mapping)
    view = inferred(a_view(source=source), s=columns)
    assert view.source.timestamp_field == "when"
    assert [field.name for field in view.features] == ["rate"]


@pytest.mark.parametrize(
    ("view", "columns", "message"),
    [
        (a_view(source=None), COLUMNS, "feature view 'v': give it a schema; it has no batch source"),
        (a_view(), {"ts": UnixTimestamp, "rate": Float64}, "its source 's' has no column for the join key 'driver_id'"),
        (a_view(), {"ts": UnixTimestamp, "driver_id": Int64}, "no column left to be a feature"),
    ],
)
def test_a_source_that_does_not_tell_enough(view: FeatureView, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        inferred(view, s=columns)


def test_a_source_that_cannot_be_read_is_an_error_only_where_it_is_needed() -> None:
    with pytest.raises(SourceError, match="no file for missing"):
        inferred(a_view(source=file("missing")))


def test_a_join_key_of_which_nothing_is_known_is_a_text() -> None:
    """As Feast."""
    view = a_view(source=PushSource(name="p"), schema=[Field(name="rate", dtype=Float64)])
    assert inferred(view).entity_columns[0].dtype == String


def test_a_view_without_entities_has_all_columns() -> None:
    view = a_view(entities=[])
    assert [field.name for field in inferred(view).features] == ["driver_id", "rate", "tags"]
