"""Feast's import path of Flink transformations."""

from feast_core.definitions import (
    FlinkTransformation,
)

__all__ = ["FlinkTransformation"]
