"""Feast's import path of Spark sources."""

from feast_core.definitions import (
    SavedDatasetSparkStorage,
    SparkSource,
)

__all__ = ["SavedDatasetSparkStorage", "SparkSource"]
