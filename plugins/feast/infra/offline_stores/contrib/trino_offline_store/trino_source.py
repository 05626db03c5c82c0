"""Feast's import path of Trino sources."""

from feast_core.definitions import (
    SavedDatasetTrinoStorage,
    TrinoSource,
)

__all__ = ["SavedDatasetTrinoStorage", "TrinoSource"]
