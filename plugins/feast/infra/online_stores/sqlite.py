"""Feast's import path of the configuration of the embedded online store."""

from feast.repo_config import SqliteOnlineStoreConfig

__all__ = ["SqliteOnlineStoreConfig"]
