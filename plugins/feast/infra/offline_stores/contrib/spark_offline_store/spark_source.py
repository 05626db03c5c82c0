"""Feast's import path of Spark sources."""

from feast_core.definitions import SparkSource

__all__ = ["SparkSource"]
