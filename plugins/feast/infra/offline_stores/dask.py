"""Feast's import path of the configuration of the offline store of files."""

from feast.repo_config import DaskOfflineStoreConfig

__all__ = ["DaskOfflineStoreConfig"]
