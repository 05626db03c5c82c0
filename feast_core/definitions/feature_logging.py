"""Where a feature service would log what it served. Stored; as with Feast's Python server, nothing logs."""

from feast_core.definitions.definition import Declared
from feast_core.errors import DefinitionError


class LoggingDestination(Declared):
    """Base of the places to log to."""


class FileLoggingDestination(LoggingDestination):
    """A folder of parquet files."""

    def __init__(self, *, path: str, s3_endpoint_override: str = "", partition_by: list[str] | None = None) -> None:
        self.path = path
        self.s3_endpoint_override = s3_endpoint_override
        self.partition_by = partition_by


class BigQueryLoggingDestination(LoggingDestination):
    """A BigQuery table."""

    def __init__(self, *, table_ref: str) -> None:
        self.table_ref = table_ref


class SnowflakeLoggingDestination(LoggingDestination):
    """A Snowflake table."""

    def __init__(self, *, table_name: str) -> None:
        self.table_name = table_name


class RedshiftLoggingDestination(LoggingDestination):
    """A Redshift table."""

    def __init__(self, *, table_name: str) -> None:
        self.table_name = table_name


class AthenaLoggingDestination(LoggingDestination):
    """An Athena table."""

    def __init__(self, *, table_name: str) -> None:
        self.table_name = table_name


class CouchbaseColumnarLoggingDestination(LoggingDestination):
    """A Couchbase collection."""

    def __init__(self, *, database: str, scope: str, table_name: str) -> None:
        self.database = database
        self.scope = scope
        self.table_name = table_name


class LoggingConfig(Declared):
    """How much of what is served is logged (a share between 0 and 1), and where."""

    def __init__(self, destination: LoggingDestination, sample_rate: float = 1.0) -> None:
        if not isinstance(destination, LoggingDestination):
            raise DefinitionError(
                "LoggingConfig: destination must be a logging destination such as FileLoggingDestination(path=...),"
                f" not {destination!r}"
            )
        self.destination = destination
        self.sample_rate = sample_rate
