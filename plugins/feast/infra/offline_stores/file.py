"""Feast's import path of file sources and the offline store of files, by their older module."""

from feast.repo_config import FileOfflineStoreConfig
from feast_core.definitions import FileLoggingDestination, FileSource, SavedDatasetFileStorage

__all__ = ["FileLoggingDestination", "FileOfflineStoreConfig", "FileSource", "SavedDatasetFileStorage"]
