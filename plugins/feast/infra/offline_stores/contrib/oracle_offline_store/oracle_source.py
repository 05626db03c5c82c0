"""Feast's import path of Oracle sources."""

from feast_core.definitions import OracleSource

__all__ = ["OracleSource"]
