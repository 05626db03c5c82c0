"""Feast's import path of pandas transformations."""

from feast_core.definitions import PandasTransformation

__all__ = ["PandasTransformation"]
