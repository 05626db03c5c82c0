"""Feast's import path of PostgreSQL sources."""

from feast_core.definitions import PostgreSQLSource

__all__ = ["PostgreSQLSource"]
