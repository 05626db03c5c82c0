"""Feast's import path of Trino transformations."""

from feast_core.definitions import (
    TrinoTransformation,
)

__all__ = ["TrinoTransformation"]
