"""Feast's import path of Trino sources."""

from feast_core.definitions import TrinoSource

__all__ = ["TrinoSource"]
