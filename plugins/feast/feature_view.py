"""Feast's import path of feature views."""

from feast_core.definitions import FeatureView, FeatureViewState

__all__ = ["FeatureView", "FeatureViewState"]
