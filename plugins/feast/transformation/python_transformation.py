"""Feast's import path of Python transformations."""

from feast_core.definitions import PythonTransformation

__all__ = ["PythonTransformation"]
