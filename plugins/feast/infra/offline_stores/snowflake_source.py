"""Feast's import path of Snowflake sources."""

from feast_core.definitions import SnowflakeLoggingDestination, SnowflakeSource

__all__ = ["SnowflakeLoggingDestination", "SnowflakeSource"]
