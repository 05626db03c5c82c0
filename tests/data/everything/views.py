"""Views, services and permissions of the test repository: everything that a repository can declare."""

from datetime import timedelta
from typing import Any

from entities import customer, driver
from feast import (
    Aggregation,
    BatchFeatureView,
    ConflictPolicy,
    FeatureService,
    FeatureView,
    LabelView,
    Project,
    StreamFeatureView,
)
from feast.batch_feature_view import batch_feature_view
from feast.feature_logging import LoggingConfig
from feast.field import Field
from feast.infra.offline_stores.file_source import FileLoggingDestination, FileSource, SavedDatasetFileStorage
from feast.on_demand_feature_view import on_demand_feature_view
from feast.permissions.action import READ, AuthzedAction
from feast.permissions.permission import Permission
from feast.permissions.policy import CombinedGroupNamespacePolicy, RoleBasedPolicy
from feast.saved_dataset import SavedDataset
from feast.stream_feature_view import stream_feature_view
from feast.types import *  # noqa: F403
from feast.types import Array, Float32, Float64, Int64, Map, Set, String, Struct
from sources import driver_file, driver_push, kafka, request

project = Project(name="everything", description="one of each", tags={"stage": "test"})

driver_stats = FeatureView(
    name="driver_stats",
    entities=[driver],
    ttl=timedelta(hours=2),
    schema=[
        Field(name="driver_id", dtype=Int64),
        Field(name="conv_rate", dtype=Float32, description="share of offers taken"),
        Field(name="acc_rate", dtype=Float32, tags={"quality": "high"}),
        Field(name="embedding", dtype=Array(Float32), vector_index=True, vector_length=3, vector_search_metric="L2"),
    ],
    source=driver_push,
    tags={"team": "drivers"},
)
inferred = FeatureView(name="inferred", entities=[customer], source=FileSource(path="data/inline.parquet"), ttl=None)
all_drivers = FeatureView(name="all_drivers", schema=[Field(name="rate", dtype=Float64)], source=driver_file)
types = FeatureView(
    name="types",
    entities=[driver, customer],
    source=driver_file,
    schema=[
        Field(name="of_map", dtype=Map),
        Field(name="of_set", dtype=Set(String)),
        Field(name="of_struct", dtype=Struct({"a": Int64, "b": Array(Array(String))})),
    ],
)
derived = FeatureView(name="derived", source=[driver_stats], sink_source=driver_file, entities=[driver])
batch = BatchFeatureView(name="batch", entities=[driver], source=driver_file, aggregations=[Aggregation("x", "sum")])
stream = StreamFeatureView(name="stream", entities=[driver], source=kafka, schema=[Field(name="y", dtype=Int64)])
labels = LabelView(
    name="labels",
    entities=[driver],
    schema=[Field(name="label", dtype=String)],
    conflict_policy=ConflictPolicy.MAJORITY_VOTE,
    reference_feature_view="driver_stats",
)


@batch_feature_view(entities=["driver"], source=driver_file, schema=[Field(name="z", dtype=Int64)], mode="pandas")
def by_name(frame: Any) -> Any:
    return frame


@stream_feature_view(entities=[driver], source=driver_push, schema=[Field(name="w", dtype=Int64)])
def streamed(frame: Any) -> Any:
    return frame


@on_demand_feature_view(
    sources=[driver_stats[["conv_rate"]], request],
    schema=[Field(name="plus", dtype=Float64)],
    mode="python",
)
def plus(inputs):
    return {"plus": [rate + add for rate, add in zip(inputs["conv_rate"], inputs["val_to_add"], strict=True)]}


activity = FeatureService(
    name="activity",
    features=[driver_stats[["acc_rate", "conv_rate"]], plus, labels, "all_drivers:rate"],
    logging_config=LoggingConfig(destination=FileLoggingDestination(path="logs"), sample_rate=0.5),
)
trips = FeatureService(
    name="trips",
    features=[
        driver_stats.with_name("origin").with_join_key_map({"driver_id": "origin_id"}),
        driver_stats[["conv_rate"]].with_name("destination").with_join_key_map({"driver_id": "destination_id"}),
    ],
)
readers = Permission(
    name="readers",
    types=[FeatureView, FeatureService],
    name_patterns="driver.*",
    actions=[AuthzedAction.DESCRIBE, *READ],
    policy=RoleBasedPolicy(roles=["reader"]),
    required_tags={"team": "drivers"},
)
everyone = Permission(name="everyone")
team = Permission(name="team", policy=CombinedGroupNamespacePolicy(groups=["a"], namespaces=["b"]))
saved = SavedDataset("saved", ["driver_stats:conv_rate"], ["driver_id"], SavedDatasetFileStorage(path="saved.parquet"))
