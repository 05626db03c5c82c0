"""Feast's import path of Redshift sources."""

from feast_core.definitions import (
    RedshiftLoggingDestination,
    RedshiftSource,
    SavedDatasetRedshiftStorage,
)

__all__ = ["RedshiftLoggingDestination", "RedshiftSource", "SavedDatasetRedshiftStorage"]
