"""Feast's import path of saved data sets."""

from feast_core.definitions import SavedDataset, SavedDatasetStorage, ValidationReference

__all__ = ["SavedDataset", "SavedDatasetStorage", "ValidationReference"]
