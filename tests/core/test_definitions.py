"""Definitions: Feast's signatures, equality by content, JSON there and back, and errors that name the culprit."""

import inspect
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from feast_core import definitions as d
from feast_core.definitions import (
    Array,
    Entity,
    FeatureService,
    FeatureView,
    FeatureViewProjection,
    Field,
    FileSource,
    Float32,
    Float64,
    Int64,
    Invalid,
    OnDemandFeatureView,
    Permission,
    PushSource,
    RequestSource,
    String,
    ValueType,
    from_spec,
    on_demand_feature_view,
)
from feast_core.definitions.definition import decode
from feast_core.errors import DefinitionError, NotSupported


def double(inputs: Any) -> Any:
    return {"doubled": [2 * value for value in inputs["conv_rate"]]}


driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64, tags={"class": "gold"})
drivers_file = FileSource(path="data/drivers.parquet", timestamp_field="ts", field_mapping={"raw": "b"})
driver_push = PushSource(name="driver_push", batch_source=drivers_file)
request = RequestSource(name="request", schema=[Field(name="val", dtype=Int64)])


def make_view(**changes: Any) -> FeatureView:
    """A view of three features; arguments replace its own."""
    schema = [Field(name=name, dtype=Float32) for name in ("conv_rate", "acc_rate", "trips")]
    given = {"name": "driver_stats", "entities": [driver], "schema": schema, "source": driver_push}
    return FeatureView(**{**given, "ttl": timedelta(days=1, microseconds=1), **changes})


def make_on_demand(**changes: Any) -> OnDemandFeatureView:
    given = {"name": "doubled", "schema": [Field(name="doubled", dtype=Float64)], "sources": [make_view(), request]}
    return OnDemandFeatureView(**{**given, "mode": "python", "udf": double, **changes})


EXAMPLES: list[d.Definition] = [
    driver,
    drivers_file,
    driver_push,
    request,
    make_view(),
    make_view(mode="sql", tags={"class": "x", "y": "z"}),
    make_view(source=[make_view()], sink_source=drivers_file, name="derived"),
    make_on_demand(),
    make_on_demand(sources=None, input_schema=[Field(name="val", dtype=Int64)]),
    d.BatchFeatureView(name="b", entities=[driver], batch_engine={"cores": 2, "class": "big", "list": [1.5, None]}),
    d.StreamFeatureView(name="s", source=driver_push, aggregations=[d.Aggregation("x", "sum", timedelta(hours=1))]),
    d.LabelView(name="l", source=driver_push, conflict_policy=d.ConflictPolicy.LABELER_PRIORITY),
    FeatureService(name="f", features=[make_view()[["trips"]], make_on_demand(), "other:a"]),
    d.Project(name="p", description="text"),
    Permission("one", types=FeatureView, actions=d.AuthzedAction.DESCRIBE, policy=d.GroupBasedPolicy(["g"])),
    Permission("all"),
    d.SavedDataset("s", ["a:b"], ["k"], d.SavedDatasetFileStorage("p")),
    d.ValidationReference("v", "s"),
    d.KafkaSource(name="k", timestamp_field="ts", message_format=d.ProtoFormat("a.B"), bootstrap_servers="h:1"),
    d.KinesisSource(name="k", record_format=d.AvroFormat("{}"), region="r", stream_name="s"),
    d.BigQuerySource(table="t", timestamp_field="ts", connection_ref=d.ConnectionRef("vault", "x", params={"a": "b"})),
    d.SnowflakeSource(database="D", schema="S", warehouse="W", query="select 1", name="snow"),
    d.RedshiftSource(name="red", query="select 1", database="D", schema="S"),
    d.AthenaSource(table="t", database="d", data_source="s", date_partition_column="day"),
    d.SparkSource(
        name="spark", path="s3://x", file_format="parquet", table_format=d.IcebergFormat("c", "n", {"k": "v"})
    ),
    d.TrinoSource(name="trino", table="t", timestamp_field="ts"),
    d.PostgreSQLSource("postgres", "select 1", timestamp_field="ts"),
    d.ClickhouseSource(table="t", created_timestamp_column="created"),
    d.CouchbaseColumnarSource(collection="c", scope="s"),
    d.MongoDBSource("driver_stats"),
    d.MsSqlServerSource("mssql", "t", "ts", connection_str="c"),
    d.OracleSource("oracle", table_ref="t", event_timestamp_column="ts"),
    d.ChrononSource(materialization_path="p", chronon_join="j"),
    d.RaySource(name="ray", reader_type="csv", path="p", reader_options={"a": [1, None]}),
]


@pytest.mark.parametrize("definition", EXAMPLES, ids=repr)
def test_a_definition_comes_back_equal_from_json(definition: d.Definition) -> None:
    spec = definition.spec()
    restored = from_spec(json.loads(json.dumps(spec, allow_nan=False)))
    assert restored == definition
    assert restored.spec() == spec
    assert hash(restored) == hash(definition)
    assert restored.supported == definition.supported
    assert restored.unsupported_reason == definition.unsupported_reason
    assert spec["class"] == type(definition).__name__


@pytest.mark.parametrize("definition", EXAMPLES, ids=repr)
def test_a_spec_is_written_alike_every_time(definition: d.Definition) -> None:
    assert json.dumps(definition.spec()) == json.dumps(from_spec(definition.spec()).spec())


def test_every_public_definition_has_an_example() -> None:
    public = {getattr(d, name) for name in d.__all__ if inspect.isclass(getattr(d, name))}
    kinds = {cls for cls in public if issubclass(cls, d.Definition)}
    bases = {d.Definition, d.DataSource, d.BaseFeatureView}
    assert kinds - bases == {type(example) for example in EXAMPLES}


def test_what_is_not_supported_says_why_in_one_line() -> None:
    for example in EXAMPLES:
        assert example.supported != bool(example.unsupported_reason)
        assert "\n" not in example.unsupported_reason


def test_unknown_parameters_of_a_newer_registry_are_ignored() -> None:
    assert from_spec({**driver.spec(), "colour": "red"}) == driver


@pytest.mark.parametrize("name", ["Nonsense", "FeatureViewX", ""])
def test_an_unknown_class_in_the_registry_is_named(name: str) -> None:
    with pytest.raises(DefinitionError, match=f"class {name!r}, which this version does not know"):
        from_spec({"class": name, "name": "x"})


def test_a_part_cannot_stand_alone() -> None:
    with pytest.raises(DefinitionError, match="'Field' is not the class of a definition"):
        from_spec(Field(name="a", dtype=Int64).spec())


PARTS: list[d.Declared] = [
    d.PandasTransformation(double, "def double(inputs): ...", tags={"a": "b"}),
    d.PythonTransformation(double, "double", singleton=True, name="one"),
    d.RayTransformation(double),
    d.FlinkTransformation(double, description="text"),
    d.SparkTransformation("spark_sql", double, "select 1", {"cores": "2"}),
    d.SQLTransformation(d.TransformationMode.SQL, double, "select 1"),
    d.TrinoTransformation(udf=double),
    d.SubstraitTransformation(b"\x00plan", double),
    d.ConnectionRef("vault", "secret", namespace="n", params={"path": "p"}),
    d.DeltaTableFormat("checkpoints", {"k": "v"}),
    d.HudiFormat(record_key="id"),
    d.LanceFormat(tag="t"),
    d.TableFormat(d.TableFormatType.LANCE),
    d.LoggingConfig(d.CouchbaseColumnarLoggingDestination(database="d", scope="s", table_name="t"), 0.5),
    d.SavedDatasetSparkStorage(table="t", table_format=d.IcebergFormat(namespace="n")),
    d.SavedDatasetAthenaStorage("t", database="d"),
    d.SavedDatasetCouchbaseColumnarStorage("d", "s", "c"),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: type(part).__name__)
def test_a_part_comes_back_equal_from_json(part: d.Declared) -> None:
    restored = decode(json.loads(json.dumps(part.spec())))
    assert restored == part
    assert type(restored) is type(part)
    assert restored != d.Aggregation()


def test_a_transformation_has_its_mode_the_text_and_the_place_of_its_function() -> None:
    kept = d.RayTransformation(double)
    assert (kept.mode, kept.name, kept.udf) == ("ray", "double", double)
    assert kept.udf_string.startswith("def double")
    assert Path(kept.location.rpartition(":")[0]).name == Path(__file__).name
    assert decode(kept.spec()).location == ""
    with pytest.raises(NotSupported, match="transformation 'double': mode 'substrait' is not run here"):
        d.SubstraitTransformation.from_ibis(double, [])


def test_names_of_feast_for_what_is_there_already() -> None:
    view = make_view()
    for checked in (driver.is_valid, d.Project(name="p").is_valid, view.ensure_valid):
        checked()
    FeatureService(name="s", features=[view]).validate()
    assert view.get_ttl_duration() == view.ttl
    assert view.projection.get_feature("trips").dtype == Float32
    with pytest.raises(DefinitionError, match="projection 'driver_stats' has no feature 'x'"):
        view.projection.get_feature("x")
    assert FeatureViewProjection.from_feature_view_definition(view) == FeatureViewProjection.from_definition(view)
    assert d.LabelView(name="l", source=driver_push).stream_source is driver_push
    assert make_on_demand().get_feature_transformation().udf is double  # type: ignore[union-attr]
    assert make_on_demand().get_request_data_schema() == {"val": ValueType.INT64}
    assert d.from_feast_type(Array(Int64)) is ValueType.INT64_LIST
    assert d.LanceFormat(version=1).is_pinned
    assert not d.LanceFormat().is_pinned
    table = d.IcebergFormat(properties={"a": "b"})
    table.set_property("c", "d")
    assert (table.get_property("c"), table.get_property("x", "y")) == ("d", "y")
    assert d.GroupBasedPolicy(["g"]).get_groups() == d.CombinedGroupNamespacePolicy(["g"], []).get_groups() == ["g"]


def test_an_aggregation_has_a_name_as_in_feast() -> None:
    assert d.Aggregation("amount", "sum").resolved_name() == "sum_amount"
    assert d.Aggregation("amount", "sum").resolved_name(timedelta(hours=1)) == "sum_amount_3600s"
    assert d.Aggregation("amount", "sum", name="total").resolved_name(timedelta(hours=1)) == "total"


def test_equality_is_class_and_content() -> None:
    assert make_view() == make_view()
    assert make_view() != make_view(online=False)
    assert Entity(name="a") != d.Project(name="a")
    assert len({make_view(), make_view(), make_view(name="other")}) == 2
    assert Field(name="a", dtype=Int64) == Field(name="a", dtype=Int64)
    assert Field(name="a", dtype=Int64) != Field(name="a", dtype=Float32)


def test_repr_shows_what_is_not_default() -> None:
    assert repr(Entity(name="driver", join_keys=["id"])).startswith("Entity(name='driver', join_keys=['id']")
    assert repr(Field(name="a", dtype=Array(Int64))) == "Field(name='a', dtype=Array(Int64))"


def test_a_class_of_the_repository_that_hides_a_parameter_is_told_so() -> None:
    class SecretPolicy(d.Policy):
        def __init__(self, word: str) -> None:
            self._word = word

    with pytest.raises(DefinitionError, match="SecretPolicy: parameter 'word'"):
        SecretPolicy("x").spec()


def test_a_class_of_the_repository_may_hand_parameters_on_to_its_base() -> None:
    class RegionalSource(FileSource):
        def __init__(self, *, region: str = "eu", **others: Any) -> None:
            super().__init__(**others)
            self.region = region

    source = RegionalSource(name="trips", path="p", timestamp_field="ts", region="us")
    restored = from_spec(source.spec())
    assert restored == source
    assert (type(restored), restored.region) == (RegionalSource, "us")  # type: ignore[attr-defined]


def test_a_subclass_of_the_same_name_does_not_replace_ours() -> None:
    type("Entity", (Entity,), {})
    assert type(from_spec(driver.spec())) is Entity


# Entities, fields, sources


def test_the_join_key_of_an_entity_defaults_to_its_name() -> None:
    assert Entity(name="driver").join_key == "driver"
    assert driver.join_key == "driver_id"
    assert Entity(name="driver").value_type is ValueType.UNKNOWN


def test_a_field_takes_a_value_type_and_a_schema_takes_the_older_feature() -> None:
    assert Field(name="a", dtype=ValueType.INT64_LIST).dtype == Array(Int64)  # type: ignore[arg-type]
    view = make_view(schema=[d.Feature("a", ValueType.FLOAT)])
    assert view.features == [Field(name="a", dtype=Float32)]


def test_a_file_source_is_called_as_its_path_and_reads_the_older_timestamp_name() -> None:
    source = FileSource(path="data/x.parquet", event_timestamp_column="ts")
    assert (source.name, source.path, source.timestamp_field) == ("data/x.parquet", "data/x.parquet", "ts")
    assert source == FileSource(path="data/x.parquet", timestamp_field="ts")
    assert (source.created_timestamp_column, source.date_partition_column, source.field_mapping) == ("", "", {})


def test_a_warehouse_is_called_as_its_table_and_keeps_its_own_parameters() -> None:
    source = d.SnowflakeSource(database="DB", warehouse="W", table="T")
    assert (source.name, source.database, source.warehouse) == ("T", "DB", "W")
    assert d.CouchbaseColumnarSource(collection="c").name == "c"
    assert d.MsSqlServerSource("m", event_timestamp_column="ts").timestamp_field == "ts"
    assert source.supported is False


# Views


def test_a_view_knows_its_entities_and_sources() -> None:
    view = make_view()
    assert view.entities == ["driver"]
    assert view.entity_objects == [driver]
    assert view.join_keys == ["driver_id"]
    assert view.entity_columns == [Field(name="driver_id", dtype=Int64)]
    assert (view.stream_source, view.batch_source) == (driver_push, drivers_file)
    plain = make_view(source=drivers_file)
    assert (plain.stream_source, plain.batch_source, plain.source_views) == (None, drivers_file, [])
    derived = make_view(source=[view], sink_source=drivers_file)
    assert (derived.source_views, derived.batch_source, derived.stream_source) == (["driver_stats"], drivers_file, None)
    assert make_view(source=None).batch_source is None
    assert make_view(entities=None).join_keys == []


def test_features_keep_their_order_and_leave_out_join_keys() -> None:
    key = Field(name="driver_id", dtype=Int64, description="the key")
    view = make_view(schema=[Field(name="b", dtype=Int64), key, Field(name="a", dtype=Int64)])
    assert [field.name for field in view.features] == ["b", "a"]
    assert [field.name for field in view.schema] == ["driver_id", "b", "a"]
    assert view.entity_columns == [key]


def test_the_type_of_a_join_key_comes_from_the_schema_then_the_entity_then_inference() -> None:
    untyped = Entity(name="driver_id")
    declared = make_view(entities=[untyped], schema=[Field(name="driver_id", dtype=String)])
    assert declared.entity_columns[0].dtype is String
    assert make_view(entities=[untyped]).entity_columns[0].dtype is Invalid
    inferred = make_view(entities=[untyped]).with_schema(declared.schema)
    assert inferred.entity_columns[0].dtype is String


def test_a_ttl_of_none_is_for_ever() -> None:
    assert make_view(ttl=None).ttl == timedelta(0)
    assert make_view(ttl=None) == make_view(ttl=timedelta(0))


def test_a_selection_is_a_copy_with_a_projection() -> None:
    view = make_view()
    part = view[["trips", "conv_rate"]]
    assert part is not view
    assert part.projection.desired_features == ["trips", "conv_rate"]
    assert [field.name for field in part.projection.features] == ["trips", "conv_rate"]
    assert view.projection.desired_features == []
    assert view["trips"].projection.desired_features == ["trips"]
    assert part == view, "a projection is a way to look at a view, not another view"
    named = part.with_name("origin").with_join_key_map({"driver_id": "origin_id"})
    assert isinstance(named, FeatureView)
    assert named.projection == FeatureViewProjection(
        "driver_stats", "origin", ["trips", "conv_rate"], part.projection.features, {"driver_id": "origin_id"}
    )
    assert named.projection.name_to_use() == "origin"
    assert view.projection.name_to_use() == "driver_stats"


def test_a_projection_of_another_view_is_refused() -> None:
    with pytest.raises(DefinitionError, match="the projection is of view 'other'"):
        make_view().with_projection(make_view(name="other").projection)


def test_join_keys_in_a_selection_mean_nothing() -> None:
    assert make_view()[["driver_id", "trips"]].projection.desired_features == ["trips"]
    with pytest.raises(DefinitionError, match="selects no feature"):
        make_view()[["driver_id"]]


def test_a_view_without_schema_accepts_any_name_until_it_has_one() -> None:
    view = make_view(schema=None)
    part = view[["anything"]]
    assert part.projection.desired_features == ["anything"]
    full = part.with_schema([Field(name="anything", dtype=Int64), Field(name="more", dtype=Int64)])
    assert [field.name for field in full.features] == ["anything", "more"]
    assert [field.name for field in full.projection.features] == ["anything"]
    assert view.features == []


def test_with_schema_keeps_everything_else() -> None:
    full = [*make_view().schema, Field(name="new", dtype=Int64)]
    assert make_view().with_schema(full) == make_view(schema=full)
    view = make_on_demand(schema=[]).with_schema([Field(name="doubled", dtype=Float64)])
    assert view == make_on_demand()
    assert view.udf is double


def test_entities_given_by_name_are_resolved_later() -> None:
    view = make_view(entities=["driver"])
    assert view.unresolved_entities == ["driver"]
    resolved = view.resolve_entities({"driver": driver})
    assert resolved == make_view()
    with pytest.raises(DefinitionError, match=r"feature view 'driver_stats': no entity is named 'driver'"):
        view.resolve_entities({})


# On demand


def test_an_on_demand_view_keeps_projections_and_request_sources() -> None:
    view = make_on_demand(sources=[make_view()[["trips"]], request, make_view(name="other").projection])
    assert [projection.name for projection in view.source_projections] == ["driver_stats", "other"]
    assert view.source_projections[0].desired_features == ["trips"]
    assert view.request_sources == [request]
    assert view.request_columns == request.schema
    assert make_on_demand()[["doubled"]].with_name("d").projection.name_to_use() == "d"


def test_the_function_stays_here_and_its_source_goes_to_the_registry() -> None:
    view = make_on_demand()
    assert view.udf is double
    assert view.udf_location == f"{__file__}:{double.__code__.co_firstlineno}"
    spec = view.spec()
    assert "udf" not in spec
    assert spec["udf_string"] == inspect.getsource(double)
    restored = from_spec(spec)
    assert isinstance(restored, OnDemandFeatureView)
    assert (restored.udf, restored.udf_location, restored.udf_string) == (None, "", view.udf_string)


def test_a_change_of_the_function_is_a_change_of_the_view() -> None:
    def triple(inputs: Any) -> Any:
        return {"doubled": [3 * value for value in inputs["conv_rate"]]}

    assert make_on_demand(udf=triple) != make_on_demand()
    assert make_on_demand(udf=triple).udf_string.startswith("def triple"), "dedented"


def test_the_decorator_returns_the_view_named_as_the_function() -> None:
    @on_demand_feature_view(sources=[request], schema=[Field(name="out", dtype=Int64)], mode="python", owner="me")
    def add_one(inputs):  # type: ignore[no-untyped-def]
        return {"out": [value + 1 for value in inputs["val"]]}

    assert isinstance(add_one, OnDemandFeatureView)
    assert (add_one.name, add_one.mode, add_one.owner) == ("add_one", "python", "me")
    assert add_one.udf is not None
    assert add_one.udf({"val": [1]}) == {"out": [2]}
    assert add_one.feature_transformation is not None
    assert add_one.udf_string.startswith("@on_demand_feature_view(")


def test_a_transformation_object_brings_its_mode() -> None:
    view = make_on_demand(udf=None, feature_transformation=d.PandasTransformation(double), mode="python")
    assert (view.mode, view.udf) == ("pandas", double)
    assert view.udf_string == inspect.getsource(double)


def test_batch_and_stream_decorators_keep_the_function_and_say_that_it_does_not_run() -> None:
    batch = d.batch_feature_view(source=drivers_file, entities=["driver"])(double)
    stream = d.stream_feature_view(source=driver_push, entities=[driver])(double)
    assert (batch.name, batch.mode, batch.online, batch.offline, batch.udf) == ("double", "python", True, True, double)
    assert (stream.name, stream.mode, stream.online, stream.udf) == ("double", "spark", True, double)
    for view in (batch, stream):
        assert isinstance(view, FeatureView)
        assert view.supported is False
        assert from_spec(view.spec()).supported is False
    assert d.BatchFeatureView(name="plain", source=drivers_file).supported is True


# Services, permissions


def test_a_service_holds_projections_in_order() -> None:
    service = FeatureService(
        name="s",
        features=[make_view()[["trips"]], make_on_demand(), "a", "a:x", "a:y", "b@v2:z", "c@latest", "d@odd:w"],
    )
    found = [(p.name, p.desired_features, p.version_tag) for p in service.projections]
    assert found == [
        ("driver_stats", ["trips"], None),
        ("doubled", [], None),
        ("a", [], None),
        ("a", ["x", "y"], None),
        ("b", ["z"], 2),
        ("c", [], None),
        ("d@odd", ["w"], None),
    ]
    assert service.feature_view_projections == service.projections
    restored = from_spec(service.spec())
    assert isinstance(restored, FeatureService)
    assert [(p.name, p.desired_features, p.version_tag) for p in restored.projections] == found


def test_a_change_of_a_view_is_no_change_of_its_services() -> None:
    changed = make_view(schema=[*make_view().schema, Field(name="new", dtype=Int64)])
    assert FeatureService(name="s", features=[make_view()]) == FeatureService(name="s", features=[changed])


def test_a_permission_defaults_to_everything() -> None:
    permission = Permission("all")
    assert permission.types == d.ALL_RESOURCE_TYPES
    assert permission.actions == list(d.AuthzedAction)
    assert permission.policy is d.AllowAll
    assert Permission("p", name_patterns=" a.* ").name_patterns == ["a.*"]
    assert Permission("p").actions is not Permission("p").actions


@pytest.mark.parametrize(
    ("policy", "granted"),
    [
        (d.AllowAll, True),
        (d.RoleBasedPolicy(["reader", "x"]), True),
        (d.RoleBasedPolicy(["Reader"]), False),
        (d.RoleBasedPolicy([]), False),
        (d.GroupBasedPolicy(["g"]), True),
        (d.NamespaceBasedPolicy(["other"]), False),
        (d.CombinedGroupNamespacePolicy(["other"], ["n"]), True),
        (d.CombinedGroupNamespacePolicy(["other"], ["other"]), False),
    ],
    ids=repr,
)
def test_a_policy_grants_by_roles_groups_and_namespaces(policy: d.Policy, granted: bool) -> None:
    class Someone:
        roles = ("reader",)
        groups = ("g",)
        namespaces = ("n",)

    assert policy.validate_user(Someone())[0] is granted


# Errors

WRONG: dict[str, tuple[Any, str]] = {
    "no name": (lambda: Entity(name=""), "entity: name must be text"),
    "two join keys": (lambda: Entity(name="e", join_keys=["a", "b"]), r"entity 'e': join_keys has 2 columns"),
    "value type": (lambda: Entity(name="e", value_type="INT64"), r"entity 'e': value_type must be one of ValueType"),  # type: ignore[arg-type]
    "tags": (lambda: Entity(name="e", tags={"a": 1}), r"entity 'e': tags: 'a': 1 must be text to text; write '1'"),  # type: ignore[dict-item]
    "dtype": (lambda: Field(name="f", dtype=int), r"field 'f': dtype must be a type of feast.types"),  # type: ignore[arg-type]
    "bare Array": (lambda: Field(name="f", dtype=Array), r"field 'f': dtype Array needs its parts"),  # type: ignore[arg-type]
    "flat dtype": (lambda: Field(name="f", dtype=ValueType.STRUCT), "STRUCT does not name one type"),  # type: ignore[arg-type]
    "path": (lambda: FileSource(path=""), "path is empty"),
    "mapping": (lambda: FileSource(path="p", field_mapping=["a"]), "'p': field_mapping must map"),  # type: ignore[arg-type]
    "batch source": (lambda: PushSource(name="p", batch_source="x"), "'p': batch_source must be a data source"),  # type: ignore[arg-type]
    "request schema": (lambda: RequestSource(name="r", schema={"a": Int64}), "'r': schema must be a list of Field"),  # type: ignore[arg-type]
    "view source": (lambda: make_view(source="x"), "'driver_stats': source must be a data source or a feature view"),
    "ttl": (lambda: make_view(ttl=3600), r"'driver_stats': ttl must be a timedelta, as timedelta\(days=1\), not 3600"),
    "entities": (lambda: make_view(entities=[1]), "'driver_stats': entities must hold Entity objects, not 1"),
    "field": (lambda: make_view(schema=["a"]), r"'driver_stats': schema must hold Field\(name"),
    "same field": (lambda: make_view(schema=make_view().schema * 2), "schema has two fields named 'conv_rate'"),
    "same key": (
        lambda: make_view(entities=[driver, Entity(name="other", join_keys=["driver_id"])]),
        "two of its entities share the join key 'driver_id'",
    ),
    "key type": (
        lambda: make_view(schema=[Field(name="driver_id", dtype=String)]),
        "the schema says that 'driver_id' is String, entity 'driver' says Int64",
    ),
    "feature": (lambda: make_view()[["conv_rat"]], "has no feature 'conv_rat'; did you mean 'conv_rate'"),
    "features": (lambda: make_view()[["zzz"]], "has no feature 'zzz'; it has conv_rate, acc_rate, trips"),
    "mode": (lambda: make_view(mode="cobol"), "mode 'cobol' is not known; use one of python, pandas"),
    "stream source": (
        lambda: d.StreamFeatureView(name="s", source=drivers_file),
        "'s': source must be a PushSource, KafkaSource or KinesisSource, not FileSource",
    ),
    "mapped field": (
        lambda: make_view(schema=[Field(name="raw", dtype=Int64)]),
        "'driver_stats': its source maps column 'raw' to 'b'; call the field 'b'",
    ),
    "two vectors": (
        lambda: make_view(schema=[Field(name=name, dtype=Array(Float32), vector_index=True) for name in "ab"]),
        "'driver_stats': a, b have vector_index=True; a view has one vector",
    ),
    "no sink": (lambda: make_view(source=make_view()), "'driver_stats': .* needs a sink_source"),
    "no table": (lambda: d.BigQuerySource(name="b"), "data source 'b': give it a table or a query"),
    "no name of a source": (lambda: d.SparkSource(path="p"), "SparkSource.*: give it a name"),
    "destination": (lambda: d.LoggingConfig("logs"), "LoggingConfig: destination must be a logging destination"),  # type: ignore[arg-type]
    "two pins": (lambda: d.LanceFormat(version=1, tag="t"), "LanceFormat: version and tag both pin"),
    "no function": (lambda: d.PandasTransformation("x"), "transformation '': udf must be a function"),  # type: ignore[arg-type]
    "no inputs": (lambda: make_on_demand(sources=None), "'doubled': needs sources="),
    "inputs": (lambda: make_on_demand(sources=[driver]), "'doubled': sources must hold feature views"),
    "on demand mode": (lambda: make_on_demand(mode="sql"), "'doubled': mode 'sql' does not run on demand"),
    "singleton": (lambda: make_on_demand(singleton=True, mode="pandas"), "singleton=True needs mode='python'"),
    "no keys": (lambda: make_on_demand(write_to_online_store=True), "write_to_online_store=True needs entities"),
    "udf": (lambda: make_on_demand(udf="x"), "'doubled': udf must be a function, not 'x'"),
    "service": (lambda: FeatureService(name="s", features=make_view()), "'s': features must be a list"),  # type: ignore[arg-type]
    "service item": (lambda: FeatureService(name="s", features=[driver]), "'s': features must hold feature views"),
    "reference": (lambda: FeatureService(name="s", features=["a:"]), "'s': features: 'a:' is not"),
    "no actions": (lambda: Permission("p", actions=[]), "'p': actions is empty"),
    "types": (lambda: Permission("p", types=[PushSource]), "'p': types: .*PushSource.* cannot be guarded"),
    "pattern": (lambda: Permission("p", name_patterns=["("]), r"'p': name_patterns: '\(' is not a pattern"),
    "policy": (lambda: Permission("p", policy=None), "'p': policy must be a Policy"),  # type: ignore[arg-type]
    "what JSON lacks": (
        lambda: d.BatchFeatureView(name="b", batch_engine={"x": {1, 2}}).spec(),
        r"\{1, 2\} of type set cannot be stored",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_error_names_the_object_the_parameter_and_the_way_out(case: str) -> None:
    make, message = WRONG[case]
    with pytest.raises(DefinitionError, match=message):
        make()


def test_importing_the_definitions_imports_nothing_heavy() -> None:
    # A bare `feast_core` stands in for the package, whose own imports are not the matter here; -S leaves out what
    # site packages import by themselves.
    root = Path(d.__file__).parents[1]
    code = f"""
        import sys, types
        sys.modules["feast_core"] = core = types.ModuleType("feast_core")
        core.__path__ = [{str(root)!r}]
        import feast_core.definitions
        print(*sorted(sys.modules))
    """
    run = subprocess.run([sys.executable, "-S", "-c", dedent(code)], capture_output=True, text=True, check=True)
    modules = set(run.stdout.split())
    assert {name for name in modules if name.startswith("feast_core.")} == {"feast_core.errors"} | {
        name for name in modules if name.startswith("feast_core.definitions")
    }
    assert not modules & {"pandas", "numpy", "msgspec", "inspect", "dataclasses", "difflib", "ast"}


def test_a_class_of_the_repositorys_own_is_its_base_where_the_repository_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from feast_core.definitions import FileSource, Permission, Policy, definition

    class OwnSource(FileSource):
        pass

    class OwnPolicy(Policy):
        pass

    source = OwnSource(name="s", path="p", timestamp_field="t")
    permission = Permission(name="p", policy=OwnPolicy())
    assert from_spec(source.spec()) == source
    for own in ("OwnSource", "OwnPolicy"):
        monkeypatch.delitem(definition._classes, own)
    elsewhere = from_spec(source.spec())
    assert (type(elsewhere), elsewhere.name) == (FileSource, "s")
    stood_in = from_spec(permission.spec())
    assert isinstance(stood_in, Permission)
    assert stood_in.policy.validate_user(None)[0] is False


@pytest.mark.parametrize("name", ["a:b", "a@v1", "a@latest", "a@"])
def test_a_view_that_no_reference_could_name_is_refused(name: str) -> None:
    from feast_core.definitions import FeatureView

    with pytest.raises(DefinitionError, match="could not name it"):
        FeatureView(name=name)


def test_a_negative_time_to_live_is_refused() -> None:
    from feast_core.definitions import FeatureView

    with pytest.raises(DefinitionError, match="ttl must not be negative"):
        FeatureView(name="v", ttl=timedelta(days=-1))
