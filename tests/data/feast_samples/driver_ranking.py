"""A ranking model's features, from a warehouse: a table and a query."""

from datetime import timedelta

from feast import BigQuerySource, Entity, FeatureService, FeatureView, Field, ValueType
from feast.types import Float64, Int64

hourly_stats = BigQuerySource(
    table="rides.hourly_stats", timestamp_field="datetime", created_timestamp_column="created"
)
driver = Entity(name="driver_id", value_type=ValueType.INT64, description="driver id")

hourly_stats_view = FeatureView(
    name="driver_hourly_stats",
    entities=[driver],
    ttl=timedelta(weeks=52),
    schema=[
        Field(name="conv_rate", dtype=Float64),
        Field(name="acc_rate", dtype=Float64),
        Field(name="avg_daily_trips", dtype=Int64),
    ],
    source=hourly_stats,
    tags={},
)
model_v1 = FeatureService(name="ranking_v1", features=[hourly_stats_view], owner="ml@example.com", tags={"v": "1"})
