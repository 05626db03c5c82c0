"""Feast's import path of BigQuery sources."""

from feast_core.definitions import (
    BigQueryLoggingDestination,
    BigQuerySource,
    SavedDatasetBigQueryStorage,
)

__all__ = ["BigQueryLoggingDestination", "BigQuerySource", "SavedDatasetBigQueryStorage"]
