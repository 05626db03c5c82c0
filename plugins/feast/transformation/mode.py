"""Feast's import path of the modes of transformations."""

from feast_core.definitions import TransformationMode

__all__ = ["TransformationMode"]
