"""Feast's import path of ClickHouse sources."""

from feast_core.definitions import (
    ClickhouseSource,
    SavedDatasetClickhouseStorage,
)

__all__ = ["ClickhouseSource", "SavedDatasetClickhouseStorage"]
