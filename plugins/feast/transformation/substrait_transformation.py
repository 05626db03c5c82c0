"""Feast's import path of Substrait transformations."""

from feast_core.definitions import (
    SubstraitTransformation,
)

__all__ = ["SubstraitTransformation"]
