"""Feast's import path of transformations."""

from feast_core.definitions import Transformation, transformation

__all__ = ["Transformation", "transformation"]
