"""The driver example of Feast's documentation: one entity, one feature view that is also pushed to, one service."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource, ValueType
from feast.types import Float32, Int64

# What the features describe. A request names drivers by their join key.
driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64, description="A driver")

# Where the history is. `created` decides between two rows of one driver and one event time.
driver_stats_source = FileSource(
    name="driver_hourly_stats_source",
    path="data/driver_stats.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
)

# Rows that are pushed to the server go straight to the online store; their history is the same file.
driver_stats_push_source = PushSource(name="driver_stats_push_source", batch_source=driver_stats_source)

driver_hourly_stats = FeatureView(
    name="driver_hourly_stats",
    entities=[driver],
    # The first incremental materialization goes back this far. Long, so that it always reaches the example's data.
    ttl=timedelta(days=3650),
    schema=[
        Field(name="conv_rate", dtype=Float32, description="Share of requests that became trips"),
        Field(name="acc_rate", dtype=Float32, description="Share of requests that the driver accepted"),
        Field(name="avg_daily_trips", dtype=Int64, description="Average number of trips in a day"),
    ],
    online=True,
    source=driver_stats_push_source,
    tags={"team": "driver_performance"},
)

# What one model needs, under one name.
driver_activity = FeatureService(name="driver_activity", features=[driver_hourly_stats])
