"""Feast's import path of the base of all views."""

from feast_core.definitions import BaseFeatureView

__all__ = ["BaseFeatureView"]
