"""Feast's import path of the classes that permissions guard."""

from feast_core.definitions import ALL_FEATURE_VIEW_TYPES, ALL_RESOURCE_TYPES
from feast_core.definitions import Definition as FeastObject

__all__ = ["ALL_FEATURE_VIEW_TYPES", "ALL_RESOURCE_TYPES", "FeastObject"]
