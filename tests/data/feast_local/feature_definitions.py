"""The kinds of object, and the calls, of the repository that `feast init` of Feast 0.67 writes; another example."""

from datetime import timedelta

import pandas as pd
from feast import (
    ConflictPolicy,
    Entity,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    LabelView,
    Project,
    PushSource,
    RequestSource,
)
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.file_source import FileLoggingDestination
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float32, Float64, Int64, Json, Map, String, Struct

project = Project(name="couriers", description="What couriers deliver")

courier = Entity(name="courier", join_keys=["courier_id"])

deliveries_source = FileSource(
    name="deliveries_source",
    path="data/deliveries.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
)

deliveries = FeatureView(
    name="courier_deliveries",
    entities=[courier],
    ttl=timedelta(days=1),
    schema=[
        Field(name="on_time", dtype=Float32),
        Field(name="rating", dtype=Float32),
        Field(name="parcels", dtype=Int64, description="Parcels of a day"),
        Field(name="equipment", dtype=Map, description="What the courier carries"),
        Field(name="preferences", dtype=Json, description="What the courier wishes"),
        Field(name="profile", dtype=Struct({"name": String, "age": String}), description="Who the courier is"),
    ],
    online=True,
    source=deliveries_source,
    tags={"team": "dispatch"},
    enable_validation=True,
    version="latest",
)

bonuses = RequestSource(
    name="bonuses",
    schema=[Field(name="bonus", dtype=Int64), Field(name="second_bonus", dtype=Int64)],
)


@on_demand_feature_view(
    sources=[deliveries, bonuses],
    schema=[Field(name="on_time_and_bonus", dtype=Float64), Field(name="on_time_and_second", dtype=Float64)],
)
def with_bonus(inputs: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame()
    frame["on_time_and_bonus"] = inputs["on_time"] + inputs["bonus"]
    frame["on_time_and_second"] = inputs["on_time"] + inputs["second_bonus"]
    return frame


dispatch_v1 = FeatureService(
    name="dispatch_v1",
    features=[deliveries[["on_time"]], with_bonus],
    logging_config=LoggingConfig(destination=FileLoggingDestination(path="data")),
)
dispatch_v2 = FeatureService(name="dispatch_v2", features=[deliveries, with_bonus])

deliveries_push_source = PushSource(name="deliveries_push_source", batch_source=deliveries_source)

deliveries_fresh = FeatureView(
    name="courier_deliveries_fresh",
    entities=[courier],
    ttl=timedelta(days=1),
    schema=[
        Field(name="on_time", dtype=Float32),
        Field(name="rating", dtype=Float32),
        Field(name="parcels", dtype=Int64),
        Field(name="equipment", dtype=Map),
        Field(name="preferences", dtype=Json),
        Field(name="profile", dtype=Struct({"name": String, "age": String})),
    ],
    online=True,
    source=deliveries_push_source,
    tags={"team": "dispatch"},
    version="latest",
)


@on_demand_feature_view(
    sources=[deliveries_fresh, bonuses],
    schema=[Field(name="on_time_and_bonus", dtype=Float64), Field(name="on_time_and_second", dtype=Float64)],
)
def with_bonus_fresh(inputs: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame()
    frame["on_time_and_bonus"] = inputs["on_time"] + inputs["bonus"]
    frame["on_time_and_second"] = inputs["on_time"] + inputs["second_bonus"]
    return frame


dispatch_v3 = FeatureService(name="dispatch_v3", features=[deliveries_fresh, with_bonus_fresh])

labels_source = PushSource(
    name="courier_labels_push",
    batch_source=FileSource(
        name="courier_labels_batch", path="data/courier_labels.parquet", timestamp_field="event_timestamp"
    ),
)

courier_labels = LabelView(
    name="courier_labels",
    entities=[courier],
    schema=[
        Field(name="is_careful", dtype=Int64),
        Field(name="score", dtype=Float32),
        Field(name="notes", dtype=String),
        Field(name="labeler", dtype=String),
    ],
    source=labels_source,
    labeler_field="labeler",
    conflict_policy=ConflictPolicy.LAST_WRITE_WINS,
    description="What dispatchers think of couriers",
    tags={"feast.io/labeling-method": "table", "feast.io/field-role:is_careful": "label"},
)
