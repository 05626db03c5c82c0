"""Feast's import path of Athena sources."""

from feast_core.definitions import AthenaLoggingDestination, AthenaSource

__all__ = ["AthenaLoggingDestination", "AthenaSource"]
