"""Feast's import path of Spark transformations."""

from feast_core.definitions import (
    SparkTransformation,
)

__all__ = ["SparkTransformation"]
