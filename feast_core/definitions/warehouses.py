"""Sources that live in a database, a warehouse or a lake. They load, apply and list; nothing here reads them.

Each has Feast's parameters, in Feast's order, and keeps them as attributes.
"""

from collections.abc import Mapping
from typing import Any

from feast_core.definitions.definition import parameters
from feast_core.definitions.formats import ConnectionRef, TableFormat
from feast_core.definitions.sources import DataSource
from feast_core.errors import DefinitionError


class WarehouseSource(DataSource):
    """A table, a query or a folder that nothing here reads."""

    supported = False
    unsupported_reason = "no offline store here reads warehouses; export to parquet and use FileSource"

    def __init__(self, given: Mapping[str, Any], name: str | None) -> None:
        """`given`: what the constructor of the subclass was called with; `name`: how the source is called then."""
        if not name:
            raise DefinitionError(f"{type(self).__name__} {given.get('query') or ''!r}: give it a name")
        shared = {key: given[key] for key in parameters(DataSource) if key in given and key != "name"}
        super().__init__(name=name, **shared)

    def _needs_table_or_query(self, table: str | None, query: str | None) -> None:
        if table is None and query is None:
            raise DefinitionError(f"{self.label}: give it a table or a query")


class BigQuerySource(WarehouseSource):
    """A BigQuery table or query."""

    unsupported_reason = "BigQuery is not read here; export to parquet and use FileSource"

    def __init__(
        self,
        *,
        name: str | None = None,
        timestamp_field: str | None = None,
        table: str | None = None,
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        date_partition_column: str | None = None,
        timestamp_field_type: str | None = None,
        query: str | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(locals(), name or table)
        self._needs_table_or_query(table, query)
        self.table = table
        self.query = query


class SnowflakeSource(WarehouseSource):
    """A Snowflake table or query."""

    unsupported_reason = "Snowflake is not read here; export to parquet and use FileSource"

    def __init__(
        self,
        *,
        name: str | None = None,
        timestamp_field: str | None = "",
        database: str | None = None,
        warehouse: str | None = None,
        schema: str | None = None,
        table: str | None = None,
        query: str | None = None,
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(locals(), name or table)
        self._needs_table_or_query(table, query)
        self.database = database
        self.warehouse = warehouse
        self.schema = schema
        self.table = table
        self.query = query


class RedshiftSource(WarehouseSource):
    """A Redshift table or query."""

    unsupported_reason = "Redshift is not read here; unload to parquet and use FileSource"

    def __init__(
        self,
        *,
        name: str | None = None,
        timestamp_field: str | None = "",
        table: str | None = None,
        schema: str | None = None,
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        query: str | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        database: str | None = "",
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(locals(), name or table)
        self._needs_table_or_query(table, query)
        self.table = table
        self.schema = schema
        self.query = query
        self.database = database


class AthenaSource(WarehouseSource):
    """An Athena table or query."""

    unsupported_reason = "Athena is not read here; use FileSource with the files of the table"

    def __init__(
        self,
        *,
        timestamp_field: str | None = "",
        table: str | None = None,
        database: str | None = None,
        data_source: str | None = None,
        created_timestamp_column: str | None = None,
        field_mapping: dict[str, str] | None = None,
        date_partition_column: str | None = None,
        query: str | None = None,
        name: str | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(locals(), name or table)
        self._needs_table_or_query(table, query)
        self.table = table
        self.database = database
        self.data_source = data_source
        self.query = query


class SparkSource(WarehouseSource):
    """A Spark table, query or path."""

    unsupported_reason = "Spark is not run here; use FileSource with the files of the table"

    def __init__(
        self,
        *,
        name: str | None = None,
        table: str | None = None,
        query: str | None = None,
        path: str | None = None,
        file_format: str | None = None,
        table_format: TableFormat | None = None,
        created_timestamp_column: str | None = None,
        field_mapping: dict[str, str] | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        timestamp_field: str | None = None,
        date_partition_column: str | None = None,
        date_partition_column_format: str | None = "%Y-%m-%d",
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(locals(), name or table)
        self.table = table
        self.query = query
        self.path = path
        self.file_format = file_format
        self.table_format = table_format
        self.date_partition_column_format = date_partition_column_format


class TrinoSource(WarehouseSource):
    """A Trino table or query."""

    unsupported_reason = "Trino is not read here; export to parquet and use FileSource"

    def __init__(
        self,
        *,
        name: str | None = None,
        timestamp_field: str | None = None,
        table: str | None = None,
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        query: str | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(locals(), name or table)
        self.table = table
        self.query = query


class PostgreSQLSource(WarehouseSource):
    """A PostgreSQL table or query."""

    unsupported_reason = "PostgreSQL is not read as a batch source here; export to parquet and use FileSource"

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
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(locals(), name or table)
        self.query = query
        self.table = table


class ClickhouseSource(WarehouseSource):
    """A ClickHouse table or query."""

    unsupported_reason = "ClickHouse is not read here; export to parquet and use FileSource"

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
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(locals(), name or table)
        self.query = query
        self.table = table


class CouchbaseColumnarSource(WarehouseSource):
    """A Couchbase collection or query."""

    unsupported_reason = "Couchbase is not read here; export to parquet and use FileSource"

    def __init__(
        self,
        name: str | None = None,
        query: str | None = None,
        database: str | None = "Default",
        scope: str | None = "Default",
        collection: str | None = None,
        timestamp_field: str | None = "",
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(locals(), name or collection)
        self.query = query
        self.database = database
        self.scope = scope
        self.collection = collection


class MongoDBSource(WarehouseSource):
    """The documents that a MongoDB collection holds for one feature view."""

    unsupported_reason = "MongoDB is not read here; export to parquet and use FileSource"

    def __init__(
        self,
        name: str | None = None,
        timestamp_field: str | None = "event_timestamp",
        created_timestamp_column: str | None = "created_at",
        field_mapping: dict[str, str] | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(locals(), name)


class MsSqlServerSource(WarehouseSource):
    """A SQL Server table."""

    unsupported_reason = "SQL Server is not read here; export to parquet and use FileSource"

    def __init__(
        self,
        name: str,
        table_ref: str | None = None,
        event_timestamp_column: str | None = None,
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        date_partition_column: str | None = "",
        connection_str: str | None = "",
        description: str | None = None,
        tags: dict[str, str] | None = None,
        owner: str | None = None,
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__({**locals(), "timestamp_field": event_timestamp_column}, name)
        self.table_ref = table_ref
        self.connection_str = connection_str

    @property
    def event_timestamp_column(self) -> str:
        """What this source calls its timestamp_field."""
        return self.timestamp_field


class OracleSource(WarehouseSource):
    """An Oracle table."""

    unsupported_reason = "Oracle is not read here; export to parquet and use FileSource"

    def __init__(
        self,
        name: str,
        table_ref: str | None = None,
        event_timestamp_column: str | None = None,
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        date_partition_column: str | None = "",
        description: str | None = None,
        tags: dict[str, str] | None = None,
        owner: str | None = None,
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__({**locals(), "timestamp_field": event_timestamp_column}, name)
        self.table_ref = table_ref

    @property
    def event_timestamp_column(self) -> str:
        """What this source calls its timestamp_field."""
        return self.timestamp_field


class ChrononSource(WarehouseSource):
    """What Chronon materializes of a join or a group-by."""

    unsupported_reason = "Chronon is not run here; use FileSource with the files it materializes"

    def __init__(
        self,
        *,
        materialization_path: str,
        name: str | None = None,
        chronon_group_by: str | None = None,
        chronon_join: str | None = None,
        online_endpoint: str | None = None,
        timestamp_field: str | None = "",
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
    ) -> None:
        # As Feast: called as its path, where it has no name.
        super().__init__(locals(), name or materialization_path)
        self.materialization_path = materialization_path
        self.chronon_group_by = chronon_group_by
        self.chronon_join = chronon_join
        self.online_endpoint = online_endpoint


class RaySource(WarehouseSource):
    """A Ray data set."""

    unsupported_reason = "Ray data sets are not read here; use FileSource with their files"

    def __init__(
        self,
        *,
        name: str,
        reader_type: str,
        path: str | None = None,
        reader_options: dict[str, Any] | None = None,
        created_timestamp_column: str | None = None,
        field_mapping: dict[str, str] | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        timestamp_field: str | None = None,
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(locals(), name)
        self.reader_type = reader_type
        self.path = path
        self.reader_options = reader_options or {}
