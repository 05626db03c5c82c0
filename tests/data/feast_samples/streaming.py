"""Views of streams: Kafka with a batch source behind it, decorators, aggregations with tiles, Kinesis."""

from datetime import timedelta

from feast import Aggregation, Entity, FeatureView, Field, FileSource, KafkaSource, KinesisSource, StreamFeatureView
from feast.data_format import AvroFormat, JsonFormat, ProtoFormat
from feast.stream_feature_view import stream_feature_view
from feast.types import Float32, Float64, Int32, Int64

driver = Entity(name="driver", join_keys=["driver_id"])
batch = FileSource(
    name="stats_batch", path="data/stats.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"
)
stream = KafkaSource(
    name="stats_stream",
    kafka_bootstrap_servers="localhost:9092",
    topic="drivers",
    timestamp_field="event_timestamp",
    batch_source=batch,
    message_format=JsonFormat(schema_json="driver_id integer, event_timestamp timestamp, miles double"),
    watermark_delay_threshold=timedelta(minutes=5),
    description="rides as they end",
)
older = KafkaSource(
    name="older_stream",
    bootstrap_servers="localhost:9092",
    topic="older",
    timestamp_field="event_timestamp",
    message_format=ProtoFormat(class_path="rides.Ride"),
    batch_source=batch,
)
kinesis = KinesisSource(
    name="kinesis_stream",
    region="eu-west-1",
    stream_name="rides",
    timestamp_field="event_timestamp",
    record_format=AvroFormat(schema_json='{"type": "record", "name": "Ride", "fields": []}'),
    batch_source=batch,
)

plain = FeatureView(
    name="driver_stats",
    entities=[driver],
    ttl=timedelta(seconds=8640000000),
    schema=[Field(name="miles", dtype=Float32), Field(name="trips", dtype=Int32)],
    online=True,
    source=stream,
    tags={"production": "True"},
    owner="rides@example.com",
)
from_kinesis = StreamFeatureView(
    name="from_kinesis", entities=[driver], schema=[Field(name="trips", dtype=Int64)], source=kinesis
)


@stream_feature_view(
    entities=[driver],
    ttl=timedelta(days=30),
    mode="spark",
    schema=[Field(name="miles_percent", dtype=Float32)],
    timestamp_field="event_timestamp",
    online=True,
    source=stream,
    tags={},
)
def driver_stats_stream(frame):
    from pyspark.sql.functions import col

    return frame.withColumn("miles_percent", col("miles") * 100.0).drop("miles")


@stream_feature_view(
    entities=["driver"],
    mode="spark",
    schema=[Field(name="miles_hour", dtype=Float64)],
    aggregations=[
        Aggregation(
            column="miles", function="sum", time_window=timedelta(hours=1), slide_interval=timedelta(minutes=5)
        ),
        Aggregation(column="miles", function="max", time_window=timedelta(hours=24), name="longest"),
    ],
    timestamp_field="event_timestamp",
    source=stream,
)
def windows(frame):
    return frame


tiled = StreamFeatureView(
    name="tiled",
    entities=[driver],
    schema=[Field(name="sum_miles_3600s", dtype=Float64)],
    source=older,
    aggregations=[Aggregation("miles", "sum", timedelta(hours=1))],
    timestamp_field="event_timestamp",
    enable_tiling=True,
    tiling_hop_size=timedelta(minutes=5),
    stream_engine={"type": "spark", "cores": 2},
)
