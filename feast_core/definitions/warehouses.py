"""Sources that live in a database, a warehouse or a lake. They load, apply and list; nothing here reads them."""

from typing import Any

from feast_core.definitions.sources import DataSource


class WarehouseSource(DataSource):
    """A table or a query of a warehouse. Parameters that only one warehouse has are kept in `options`, unread."""

    supported = False
    unsupported_reason = "no offline store here reads warehouses; export to parquet and use FileSource"

    def __init__(
        self,
        name: str | None = None,
        query: str | None = None,
        table: str | None = None,
        timestamp_field: str | None = "",
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        date_partition_column: str | None = None,
        timestamp_field_type: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            # As Feast: a source without a name is called as its table.
            name=name or table or str(options.get("path") or "") or query or "",
            timestamp_field=timestamp_field or options.pop("event_timestamp_column", ""),
            created_timestamp_column=created_timestamp_column,
            field_mapping=field_mapping,
            description=description,
            tags=tags,
            owner=owner,
            date_partition_column=date_partition_column,
            timestamp_field_type=timestamp_field_type,
            connection_ref=options.pop("connection_ref", None),
        )
        self.query = query
        self.table = table
        self.options = options

    def arguments(self) -> dict[str, Any]:
        connection = {"connection_ref": self.connection_ref} if self.connection_ref else {}
        return {**super().arguments(), **connection, **self.options}


class BigQuerySource(WarehouseSource):
    """A BigQuery table or query."""

    unsupported_reason = "BigQuery is not read here; export to parquet and use FileSource"


class SnowflakeSource(WarehouseSource):
    """A Snowflake table or query; `database`, `schema` and `warehouse` are in `options`."""

    unsupported_reason = "Snowflake is not read here; export to parquet and use FileSource"


class RedshiftSource(WarehouseSource):
    """A Redshift table or query; `database` and `schema` are in `options`."""

    unsupported_reason = "Redshift is not read here; unload to parquet and use FileSource"


class AthenaSource(WarehouseSource):
    """An Athena table or query; `database` and `data_source` are in `options`."""

    unsupported_reason = "Athena is not read here; use FileSource with the files of the table"


class SparkSource(WarehouseSource):
    """A Spark table, query or path; `path` and `file_format` are in `options`."""

    unsupported_reason = "Spark is not run here; use FileSource with the files of the table"


class TrinoSource(WarehouseSource):
    """A Trino table or query."""

    unsupported_reason = "Trino is not read here; export to parquet and use FileSource"


class PostgreSQLSource(WarehouseSource):
    """A PostgreSQL table or query."""

    unsupported_reason = "PostgreSQL is not read as a batch source here; export to parquet and use FileSource"


class MsSqlServerSource(WarehouseSource):
    """A SQL Server table."""

    unsupported_reason = "SQL Server is not read here; export to parquet and use FileSource"


class ClickhouseSource(WarehouseSource):
    """A ClickHouse table or query."""

    unsupported_reason = "ClickHouse is not read here; export to parquet and use FileSource"


class CouchbaseColumnarSource(WarehouseSource):
    """A Couchbase collection; `database`, `scope` and `collection` are in `options`."""

    unsupported_reason = "Couchbase is not read here; export to parquet and use FileSource"


class OracleSource(WarehouseSource):
    """An Oracle table or query."""

    unsupported_reason = "Oracle is not read here; export to parquet and use FileSource"


class ChrononSource(WarehouseSource):
    """A Chronon join; its parameters are in `options`."""

    unsupported_reason = "Chronon is not run here; use FileSource with the files it materializes"


class RaySource(WarehouseSource):
    """A Ray data set; its parameters are in `options`."""

    unsupported_reason = "Ray data sets are not read here; use FileSource with their files"
