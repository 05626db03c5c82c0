"""Feast's import path of Redshift sources."""

from feast_core.definitions import RedshiftLoggingDestination, RedshiftSource

__all__ = ["RedshiftLoggingDestination", "RedshiftSource"]
