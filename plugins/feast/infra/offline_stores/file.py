"""Feast's import path of file sources, by their older module."""

from feast_core.definitions import FileLoggingDestination, FileSource, SavedDatasetFileStorage

__all__ = ["FileLoggingDestination", "FileSource", "SavedDatasetFileStorage"]
