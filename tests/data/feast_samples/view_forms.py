"""Feature views in the forms that the documentation has: without entity, inferred, aliased, derived, transformed."""

from datetime import timedelta

from feast import (
    Aggregation,
    BatchFeatureView,
    Entity,
    Feature,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    PushSource,
    ValueType,
)
from feast.batch_feature_view import batch_feature_view
from feast.transformation.base import Transformation, transformation
from feast.transformation.mode import TransformationMode
from feast.transformation.pandas_transformation import PandasTransformation
from feast.transformation.spark_transformation import SparkTransformation
from feast.transformation.sql_transformation import SQLTransformation
from feast.types import *  # noqa: F403
from feast.types import (
    Array,
    Bool,
    Bytes,
    Decimal,
    Float32,
    Float64,
    Int32,
    Int64,
    Json,
    Map,
    ScalarMap,
    Set,
    String,
    Struct,
    TimeUuid,
    UnixTimestamp,
    Uuid,
    ZonedTimestamp,
)

location = Entity(name="location", join_keys=["location_id"])
customer = Entity(name="customer", value_type=ValueType.STRING)
source = FileSource(
    name="weather",
    path="data/weather.parquet",
    timestamp_field="event_timestamp",
    field_mapping={"temp": "temperature"},
)
everywhere = FeatureView(
    name="global_weather", entities=[], schema=[Field(name="humidity", dtype=Float64)], source=source
)
inferred = FeatureView(name="weather", entities=[location], ttl=timedelta(days=2), source=source)
both = FeatureView(
    name="location_of_customer",
    entities=[location, customer],
    schema=[Feature(name="visits", dtype=ValueType.INT64), Field(name="last", dtype=UnixTimestamp)],
    source=PushSource(name="visits", batch_source=source),
    org="travel",
    offline=True,
    online=False,
)
every_type = FeatureView(
    name="every_type",
    entities=[location],
    source=source,
    schema=[
        Field(name=f"f{position}", dtype=dtype, tags={"position": str(position)})
        for position, dtype in enumerate(
            [
                Bool, Bytes, Decimal, Float32, Float64, Int32, Int64, Json, Map, ScalarMap, String, TimeUuid,
                UnixTimestamp, Uuid, ZonedTimestamp, Array(Bool), Array(Array(Int64)), Set(String), Array(Map),
                Struct({"street": String, "numbers": Array(Int32)}), Array(Struct({"a": Int64})), Array(Uuid),
            ]
        )
    ],
)  # fmt: skip
trip = FeatureService(
    name="trip",
    features=[
        inferred.with_name("origin").with_join_key_map({"location_id": "origin_id"}),
        inferred.with_name("destination").with_join_key_map({"location_id": "destination_id"}),
        everywhere[["humidity"]],
    ],
)


def cool(frame):
    return frame


batch = BatchFeatureView(
    name="batch",
    entities=[location],
    source=source,
    schema=[Field(name="temperature", dtype=Float64)],
    feature_transformation=PandasTransformation(udf=cool, udf_string="def cool(frame): return frame"),
    online=True,
    ttl=timedelta(days=1),
    batch_engine={"type": "spark.engine", "partitions": 10},
)
aggregated = BatchFeatureView(
    name="aggregated",
    mode="spark",
    entities=[location],
    source=source,
    schema=[Field(name="max_temperature", dtype=Float64)],
    aggregations=[Aggregation(column="temperature", function="max", time_window=timedelta(days=1))],
    udf=cool,
)
by_sql = BatchFeatureView(
    name="by_sql",
    mode=TransformationMode.SPARK_SQL,
    entities=[location],
    source=source,
    schema=[Field(name="temperature", dtype=Float64)],
    feature_transformation=SparkTransformation(
        mode=TransformationMode.SPARK_SQL, udf=lambda inputs: "select 1", udf_string="select 1", spark_config={"a": "b"}
    ),
)
of_views = BatchFeatureView(
    name="of_views",
    mode="pandas",
    entities=[location],
    source=[batch],
    sink_source=FileSource(name="sink", path="data/sink.parquet", timestamp_field="event_timestamp"),
    schema=[Field(name="temperature", dtype=Float64)],
    udf=cool,
)
of_view = FeatureView(
    name="of_view",
    entities=[location],
    source=inferred,
    sink_source=FileSource(name="second_sink", path="data/second.parquet", timestamp_field="event_timestamp"),
    schema=[Field(name="temperature", dtype=Float64)],
    mode="python",
)


@batch_feature_view(
    mode="python", entities=["location"], source=source, schema=[Field(name="temperature", dtype=Float64)], online=True
)
def decorated(frame):
    return frame


@transformation(mode=TransformationMode.PANDAS, name="kept", tags={"a": "b"}, description="kept", owner="me")
def kept(frame):
    return frame


assert isinstance(kept, Transformation)
queried = SQLTransformation(mode=TransformationMode.SQL, udf=lambda: "select 1", udf_string="select 1", name="queried")
of_transformation = BatchFeatureView(
    name="of_transformation",
    entities=[location],
    source=source,
    schema=[Field(name="temperature", dtype=Float64)],
    feature_transformation=kept,
)
