"""A view of every source that loads and is not read here, and the storages and destinations beside them."""

from feast import (
    AthenaSource,
    BigQuerySource,
    ChrononSource,
    Entity,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    OracleSource,
    RedshiftSource,
    SnowflakeSource,
)
from feast.credentials import ConnectionRef
from feast.data_format import DeltaFormat
from feast.data_source import PushSource
from feast.feature_logging import LoggingConfig
from feast.infra.offline_stores.bigquery_source import BigQueryLoggingDestination, SavedDatasetBigQueryStorage
from feast.infra.offline_stores.contrib.athena_offline_store.athena_source import (
    AthenaLoggingDestination,
    SavedDatasetAthenaStorage,
)
from feast.infra.offline_stores.contrib.clickhouse_offline_store.clickhouse_source import (
    ClickhouseSource,
    SavedDatasetClickhouseStorage,
)
from feast.infra.offline_stores.contrib.couchbase_offline_store.couchbase_source import (
    CouchbaseColumnarLoggingDestination,
    CouchbaseColumnarSource,
    SavedDatasetCouchbaseColumnarStorage,
)
from feast.infra.offline_stores.contrib.mongodb_offline_store.mongodb import MongoDBSource
from feast.infra.offline_stores.contrib.mssql_offline_store.mssqlserver_source import MsSqlServerSource
from feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source import (
    PostgreSQLSource,
    SavedDatasetPostgreSQLStorage,
)
from feast.infra.offline_stores.contrib.ray_offline_store.ray_source import RaySource
from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SavedDatasetSparkStorage, SparkSource
from feast.infra.offline_stores.contrib.trino_offline_store.trino_source import SavedDatasetTrinoStorage, TrinoSource
from feast.infra.offline_stores.redshift_source import RedshiftLoggingDestination, SavedDatasetRedshiftStorage
from feast.infra.offline_stores.snowflake_source import SavedDatasetSnowflakeStorage, SnowflakeLoggingDestination
from feast.saved_dataset import SavedDataset
from feast.table_format import DeltaFormat as DeltaTable
from feast.table_format import HudiFormat, IcebergFormat, LanceFormat
from feast.types import Int64

customer = Entity(name="customer")
TS = "event_timestamp"
sources = [
    AthenaSource(name="athena", table="t", database="d", data_source="c", timestamp_field=TS),
    BigQuerySource(name="bigquery", query="select 1", timestamp_field=TS, connection_ref=ConnectionRef("vault", "bq")),
    ChrononSource(name="chronon", materialization_path="p", chronon_join="joins/a", timestamp_field=TS),
    ClickhouseSource(name="clickhouse", query="select 1", timestamp_field=TS),
    CouchbaseColumnarSource(name="couchbase", query="select 1", database="d", scope="s", collection="c"),
    FileSource(name="delta", path="data/delta", timestamp_field=TS, file_format=DeltaFormat()),
    FileSource(
        name="remote", path="s3://bucket/x.parquet", timestamp_field=TS, s3_endpoint_override="http://host:9000"
    ),
    MongoDBSource(name="mongodb", timestamp_field=TS, created_timestamp_column="created"),
    MsSqlServerSource(name="mssql", table_ref="t", event_timestamp_column=TS, connection_str="driver=x"),
    OracleSource(name="oracle", table_ref="T", event_timestamp_column=TS, created_timestamp_column="CREATED"),
    PostgreSQLSource(name="postgres", query="select 1", timestamp_field=TS, created_timestamp_column="created"),
    RaySource(name="ray", reader_type="huggingface", reader_options={"split": "train"}, timestamp_field=TS),
    RedshiftSource(name="redshift", table="t", database="d", schema="s", timestamp_field=TS),
    SnowflakeSource(name="snowflake", database="D", schema="S", table="T", warehouse="W", timestamp_field=TS),
    SparkSource(name="spark", table="t", table_format=IcebergFormat(catalog="c"), timestamp_field=TS),
    SparkSource(name="spark_path", path="s3://x", file_format="delta", table_format=DeltaTable(), timestamp_field=TS),
    SparkSource(name="spark_hudi", query="select 1", table_format=HudiFormat(record_key="k"), timestamp_field=TS),
    SparkSource(name="spark_lance", table="t", table_format=LanceFormat(version=3), timestamp_field=TS),
    TrinoSource(name="trino", table="c.s.t", timestamp_field=TS),
]
views = {
    f"of_{source.name}": FeatureView(
        name=f"of_{source.name}", entities=[customer], schema=[Field(name="x", dtype=Int64)], source=source
    )
    for source in sources
}
# As Feast: what counts is an attribute of the module.
globals().update(views)
behind_push = FeatureView(
    name="behind_push",
    entities=[customer],
    schema=[Field(name="x", dtype=Int64)],
    source=PushSource(name="push", batch_source=sources[0]),
)
plain = FeatureView(
    name="plain",
    entities=[customer],
    schema=[Field(name="x", dtype=Int64)],
    source=FileSource(name="plain", path="data/plain.parquet", timestamp_field=TS),
)
services = {
    f"logs_{position}": FeatureService(
        name=f"logs_{position}",
        features=[plain],
        logging_config=LoggingConfig(destination=destination, sample_rate=0.1),
    )
    for position, destination in enumerate(
        [
            AthenaLoggingDestination(table_name="t"),
            BigQueryLoggingDestination(table_ref="t"),
            CouchbaseColumnarLoggingDestination(database="d", scope="s", table_name="t"),
            RedshiftLoggingDestination(table_name="t"),
            SnowflakeLoggingDestination(table_name="t"),
        ]
    )
}
globals().update(services)
datasets = {
    f"kept_{position}": SavedDataset(f"kept_{position}", ["plain:x"], ["customer"], storage, namespace="n")
    for position, storage in enumerate(
        [
            SavedDatasetAthenaStorage(table_ref="t"),
            SavedDatasetBigQueryStorage(table="t"),
            SavedDatasetClickhouseStorage(table_ref="t"),
            SavedDatasetCouchbaseColumnarStorage(database_ref="d", scope_ref="s", collection_ref="c"),
            SavedDatasetPostgreSQLStorage(table_ref="t"),
            SavedDatasetRedshiftStorage(table_ref="t"),
            SavedDatasetSnowflakeStorage(table_ref="t"),
            SavedDatasetSparkStorage(path="p", file_format="parquet"),
            SavedDatasetTrinoStorage(table="t"),
        ]
    )
}
globals().update(datasets)
