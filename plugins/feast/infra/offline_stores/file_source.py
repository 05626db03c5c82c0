"""Feast's import path of file sources."""

from feast_core.definitions import FileLoggingDestination, FileSource, SavedDatasetFileStorage

__all__ = ["FileLoggingDestination", "FileSource", "SavedDatasetFileStorage"]
