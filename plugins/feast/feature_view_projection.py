"""Feast's import path of projections."""

from feast_core.definitions import FeatureViewProjection

__all__ = ["FeatureViewProjection"]
