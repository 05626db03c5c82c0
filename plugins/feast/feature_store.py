"""Feast's import path of the store, looked up when it is asked for."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "FeatureStore":
        from feast_core.store import FeatureStore

        return FeatureStore
    raise AttributeError(f"module 'feast.feature_store' has no attribute {name!r}")
