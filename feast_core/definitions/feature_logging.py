"""Where a feature service would log what it served. Stored; as with Feast's Python server, nothing logs."""

from typing import Any

from feast_core.definitions.definition import Declared


class LoggingDestination(Declared):
    """Base of the places to log to."""


class FileLoggingDestination(LoggingDestination):
    """A folder of parquet files."""

    def __init__(self, *, path: str, s3_endpoint_override: str = "", partition_by: list[str] | None = None) -> None:
        self.path = path
        self.s3_endpoint_override = s3_endpoint_override
        self.partition_by = partition_by


class OtherLoggingDestination(LoggingDestination):
    """Base of destinations in warehouses; their parameters are kept in `options`, unread."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def arguments(self) -> dict[str, Any]:
        return dict(self.options)


class BigQueryLoggingDestination(OtherLoggingDestination):
    """A BigQuery table."""


class SnowflakeLoggingDestination(OtherLoggingDestination):
    """A Snowflake table."""


class RedshiftLoggingDestination(OtherLoggingDestination):
    """A Redshift table."""


class AthenaLoggingDestination(OtherLoggingDestination):
    """An Athena table."""


class LoggingConfig(Declared):
    """How much of what is served is logged, and where."""

    def __init__(self, destination: LoggingDestination, sample_rate: float = 1.0) -> None:
        self.destination = destination
        self.sample_rate = sample_rate
