"""Feast's import path of Snowflake sources."""

from feast_core.definitions import (
    SavedDatasetSnowflakeStorage,
    SnowflakeLoggingDestination,
    SnowflakeSource,
)

__all__ = ["SavedDatasetSnowflakeStorage", "SnowflakeLoggingDestination", "SnowflakeSource"]
