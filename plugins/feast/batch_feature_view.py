"""Feast's import path of batch feature views."""

from feast_core.definitions import BatchFeatureView, batch_feature_view

__all__ = ["BatchFeatureView", "batch_feature_view"]
