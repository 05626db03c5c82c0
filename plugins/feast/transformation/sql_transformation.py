"""Feast's import path of SQL transformations."""

from feast_core.definitions import (
    SQLTransformation,
)

__all__ = ["SQLTransformation"]
