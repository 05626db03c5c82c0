"""Sources of the test repository: those that run here, and those that only load."""

from datetime import timedelta

from feast import BigQuerySource, FileSource, KafkaSource, KinesisSource, PushSource, RequestSource, SnowflakeSource
from feast.data_format import AvroFormat, JsonFormat, ParquetFormat
from feast.field import Field
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import PostgreSQLSource
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource
from feast.types import Int64

driver_file = FileSource(
    name="driver_file",
    path="data/driver_stats.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
    field_mapping={"cr": "conv_rate"},
    file_format=ParquetFormat(),
)
old_style = FileSource(path="data/old.parquet", event_timestamp_column="ts")
driver_push = PushSource(name="driver_push", batch_source=driver_file)
request = RequestSource(name="request", schema=[Field(name="val_to_add", dtype=Int64)])
kafka = KafkaSource(
    name="kafka",
    kafka_bootstrap_servers="localhost:9092",
    topic="drivers",
    timestamp_field="event_timestamp",
    message_format=JsonFormat(schema_json="driver_id integer"),
    batch_source=driver_file,
    watermark_delay_threshold=timedelta(minutes=5),
)
kinesis = KinesisSource(
    name="kinesis",
    region="eu-central-1",
    stream_name="drivers",
    record_format=AvroFormat("{}"),
    batch_source=driver_file,
)
bigquery = BigQuerySource(name="bigquery", table="project.set.table", timestamp_field="ts")
snowflake = SnowflakeSource(database="DB", schema="PUBLIC", table="DRIVERS", timestamp_field="ts")
spark = SparkSource(name="spark", path="s3://bucket/drivers", file_format="parquet", timestamp_field="ts")
postgres = PostgreSQLSource("postgres", "select 1", timestamp_field="ts")
