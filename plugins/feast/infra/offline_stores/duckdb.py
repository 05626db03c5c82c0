"""Feast's import path of the configuration of the offline store of files, by its DuckDB name."""

from feast.repo_config import DuckDBOfflineStoreConfig

__all__ = ["DuckDBOfflineStoreConfig"]
