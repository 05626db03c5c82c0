"""Feast's import path of Ray transformations."""

from feast_core.definitions import (
    RayTransformation,
)

__all__ = ["RayTransformation"]
