"""What historical features are validated with: a view of aggregates, one computed of it, a saved data set."""

from datetime import timedelta

import pandas as pd
from feast import Entity, FeatureView, Field, FileSource
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
from feast.on_demand_feature_view import on_demand_feature_view
from feast.saved_dataset import SavedDataset, ValidationReference
from feast.types import Float64, Int64
from feast.value_type import ValueType

batch_source = FileSource(
    timestamp_field="day",
    path="data/trips.parquet",
    # Made by hand for one view.
    tags={"made": "here"},
)
taxi = Entity(name="taxi", join_keys=["taxi_id"], value_type=ValueType.INT64)

trips_stats = FeatureView(
    name="trip_stats",
    entities=[taxi],
    ttl=timedelta(seconds=86400),
    schema=[
        Field(name="total_miles", dtype=Float64),
        Field(name="total_minutes", dtype=Float64),
        Field(name="trips", dtype=Int64),
    ],
    source=batch_source,
)


@on_demand_feature_view(
    schema=[Field(name="avg_miles", dtype=Float64), Field(name="miles_per_minute", dtype=Float64)],
    sources=[trips_stats],
)
def computed(features: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame()
    frame["avg_miles"] = features["total_miles"] / features["trips"]
    frame["miles_per_minute"] = features["total_miles"] / features["total_minutes"]
    return frame


training = SavedDataset(
    name="training",
    features=["trip_stats:total_miles", "computed:avg_miles"],
    join_keys=["taxi_id"],
    storage=SavedDatasetFileStorage(path="training.parquet"),
    full_feature_names=True,
)
reference = training.as_reference(name="training_reference", profiler=lambda frame: frame.describe())
second = ValidationReference.from_saved_dataset("second_reference", training, profiler=None)
