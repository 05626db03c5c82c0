"""Feast's import path of feature services."""

from feast_core.definitions import FeatureService

__all__ = ["FeatureService"]
