"""Feast's import path of MsSqlServer sources."""

from feast_core.definitions import MsSqlServerSource

__all__ = ["MsSqlServerSource"]
