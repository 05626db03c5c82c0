"""Feast's import path of Athena sources."""

from feast_core.definitions import (
    AthenaLoggingDestination,
    AthenaSource,
    SavedDatasetAthenaStorage,
)

__all__ = ["AthenaLoggingDestination", "AthenaSource", "SavedDatasetAthenaStorage"]
