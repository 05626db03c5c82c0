"""Feast's import path of Clickhouse sources."""

from feast_core.definitions import ClickhouseSource

__all__ = ["ClickhouseSource"]
