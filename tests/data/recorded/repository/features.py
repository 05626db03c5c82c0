"""What the answers were recorded with: one view of each shape, and on-demand views of each mode."""

from datetime import timedelta

import pandas as pd
from feast import Entity, FeatureService, FeatureView, Field, FileSource, Project, PushSource, RequestSource, ValueType
from feast.on_demand_feature_view import on_demand_feature_view
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
    Set,
    String,
    Struct,
    UnixTimestamp,
    Uuid,
)


def parquet(name: str, file: str) -> FileSource:
    path = f"data/{file}.parquet"
    return FileSource(name=name, path=path, timestamp_field="event_timestamp", created_timestamp_column="created")


project = Project(name="wirespec", description="what Feast was asked while its answers were recorded")

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)
kent = Entity(name="kent", join_keys=["k"], value_type=ValueType.STRING)

driver_source = parquet("driver_src", "driver_stats")
driver_features = {"conv_rate": Float32, "acc_rate": Float32, "avg_daily_trips": Int32}

driver_stats = FeatureView(
    name="driver_stats",
    entities=[driver],
    ttl=timedelta(hours=2),
    schema=[Field(name=name, dtype=dtype) for name, dtype in driver_features.items()],
    source=driver_source,
)
driver_fresh = FeatureView(
    name="driver_fresh",
    entities=[driver],
    ttl=timedelta(days=1),
    schema=[Field(name=name, dtype=dtype) for name, dtype in driver_features.items()],
    source=PushSource(name="driver_push", batch_source=driver_source),
)
global_stats = FeatureView(
    name="global_stats",
    entities=[],
    ttl=timedelta(0),
    schema=[Field(name="g_rate", dtype=Float64)],
    source=parquet("global_src", "global"),
)
cd_stats = FeatureView(
    name="cd_stats",
    entities=[driver, customer],
    ttl=timedelta(days=3650),
    schema=[Field(name="trips", dtype=Int64)],
    source=parquet("cd_src", "cd"),
)
type_features = {
    "f_int32": Int32,
    "f_int64": Int64,
    "f_float32": Float32,
    "f_float64": Float64,
    "f_string": String,
    "f_bytes": Bytes,
    "f_bool": Bool,
    "f_ts": UnixTimestamp,
    "f_l_int64": Array(Int64),
    "f_l_float32": Array(Float32),
    "f_l_float64": Array(Float64),
    "f_l_string": Array(String),
    "f_l_bytes": Array(Bytes),
    "f_l_bool": Array(Bool),
    "f_l_ts": Array(UnixTimestamp),
    "f_map": Map,
    "f_json": Json,
    "f_struct": Struct({"name": String, "age": String}),
    "f_uuid": Uuid,
    "f_decimal": Decimal,
    "f_set": Set(Int64),
    "f_nested": Array(Array(Int64)),
}
types_fv = FeatureView(
    name="types_fv",
    entities=[kent],
    ttl=timedelta(0),
    schema=[Field(name=name, dtype=dtype) for name, dtype in type_features.items()],
    source=parquet("types_src", "types"),
)

asked = RequestSource(name="vals", schema=[Field(name="val_to_add", dtype=Int64), Field(name="val2", dtype=Int64)])


@on_demand_feature_view(
    sources=[driver_stats, asked], schema=[Field(name="c_plus", dtype=Float64), Field(name="c_plus2", dtype=Float64)]
)
def odfv_pandas(inputs: pd.DataFrame) -> pd.DataFrame:
    rate = inputs["conv_rate"]
    return pd.DataFrame({"c_plus": rate + inputs["val_to_add"], "c_plus2": rate + inputs["val2"]})


@on_demand_feature_view(sources=[driver_stats, asked], schema=[Field(name="py_plus", dtype=Float64)], mode="python")
def odfv_python(inputs):
    pairs = zip(inputs["conv_rate"], inputs["val_to_add"], strict=True)
    return {"py_plus": [(rate or 0.0) + added for rate, added in pairs]}


@on_demand_feature_view(
    sources=[driver_stats, asked], schema=[Field(name="single_plus", dtype=Float64)], mode="python", singleton=True
)
def odfv_singleton(inputs):
    return {"single_plus": (inputs["conv_rate"] or 0.0) + inputs["val_to_add"]}


@on_demand_feature_view(
    sources=[driver_stats],
    entities=[driver],
    schema=[Field(name="w_conv", dtype=Float64)],
    mode="python",
    write_to_online_store=True,
)
def odfv_write(inputs):
    return {"w_conv": [10 * (rate or 0.0) for rate in inputs["conv_rate"]]}


@on_demand_feature_view(sources=[asked], schema=[Field(name="only_req", dtype=Int64)], mode="python")
def odfv_reqonly(inputs):
    return {"only_req": [one * other for one, other in zip(inputs["val_to_add"], inputs["val2"], strict=True)]}


fs_basic = FeatureService(name="fs_basic", features=[driver_stats[["conv_rate", "avg_daily_trips"]]])
fs_odfv = FeatureService(name="fs_odfv", features=[driver_stats[["conv_rate"]], odfv_pandas])
fs_alias = FeatureService(
    name="fs_alias",
    features=[
        driver_stats.with_name("origin").with_join_key_map({"driver_id": "origin_id"}),
        driver_stats.with_name("dest").with_join_key_map({"driver_id": "dest_id"}),
    ],
)
