"""Feast's import path of PostgreSQL sources."""

from feast_core.definitions import (
    PostgreSQLSource,
    SavedDatasetPostgreSQLStorage,
)

__all__ = ["PostgreSQLSource", "SavedDatasetPostgreSQLStorage"]
