"""On-demand views in all their forms: pandas, python, one row at a time, without views, by class, of projections."""

from typing import Any

import pandas as pd
from feast import Entity, FeatureService, FeatureView, Field, FileSource, OnDemandFeatureView, RequestSource
from feast.aggregation import Aggregation
from feast.on_demand_feature_view import PandasTransformation, on_demand_feature_view
from feast.transformation.python_transformation import PythonTransformation
from feast.types import Array, Float64, Int64, String

driver = Entity(name="driver", join_keys=["driver_id"])
stats = FeatureView(
    name="stats",
    entities=[driver],
    schema=[Field(name="conv_rate", dtype=Float64), Field(name="acc_rate", dtype=Float64)],
    source=FileSource(path="data/stats.parquet", timestamp_field="event_timestamp"),
)
request = RequestSource(name="request", schema=[Field(name="add", dtype=Int64)])


@on_demand_feature_view(
    sources=[stats, request], schema=[Field(name="sum_pandas", dtype=Float64)], mode="pandas", description="in a frame"
)
def by_pandas(inputs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"sum_pandas": inputs["conv_rate"] + inputs["add"]})


@on_demand_feature_view(
    sources=[stats[["conv_rate"]], request], schema=[Field(name="sum_python", dtype=Float64)], mode="python"
)
def by_python(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"sum_python": [rate + add for rate, add in zip(inputs["conv_rate"], inputs["add"], strict=True)]}


@on_demand_feature_view(
    sources=[stats.with_name("own_stats"), request],
    schema=[Field(name="sum_single", dtype=Float64)],
    mode="python",
    singleton=True,
    tags={"kind": "single"},
    owner="me@example.com",
    track_metrics=True,
)
def by_row(inputs):
    return {"sum_single": inputs["conv_rate"] + inputs["add"]}


@on_demand_feature_view(
    name="from_request",
    input_schema=[Field(name="text", dtype=String)],
    schema=[Field(name="words", dtype=Array(String))],
    mode="python",
    explode=True,
)
def split(inputs):
    return {"words": [text.split() for text in inputs["text"]]}


@on_demand_feature_view(
    entities=[driver],
    sources=[stats],
    schema=[Field(name="stored", dtype=Float64)],
    mode="python",
    write_to_online_store=True,
)
def stored(inputs):
    return {"stored": inputs["conv_rate"]}


def double(frame):
    return pd.DataFrame({"doubled": frame["conv_rate"] * 2})


by_class = OnDemandFeatureView(
    name="by_class",
    sources=[stats],
    schema=[Field(name="doubled", dtype=Float64)],
    feature_transformation=PandasTransformation(udf=double, udf_string="def double(frame): ..."),
)
by_function = OnDemandFeatureView(
    name="by_function",
    sources=[stats.projection],
    schema=[Field(name="doubled", dtype=Float64)],
    udf=double,
    udf_string="def double(frame): ...",
    mode="pandas",
)
by_python_class = OnDemandFeatureView(
    name="by_python_class",
    sources=[stats],
    schema=[Field(name="same", dtype=Float64)],
    feature_transformation=PythonTransformation(udf=lambda inputs: {"same": inputs["conv_rate"]}, udf_string="same"),
    mode="python",
)
aggregated = OnDemandFeatureView(
    name="aggregated",
    sources=[stats],
    schema=[Field(name="sum_conv_rate", dtype=Float64)],
    aggregations=[Aggregation(column="conv_rate", function="sum")],
    mode="python",
)
service = FeatureService(
    name="all_forms", features=[stats, by_pandas, by_python[["sum_python"]], split, "stored:stored"]
)
