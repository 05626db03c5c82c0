"""Feast's import path of feature logging."""

from feast_core.definitions import FileLoggingDestination, LoggingConfig, LoggingDestination

__all__ = ["FileLoggingDestination", "LoggingConfig", "LoggingDestination"]
