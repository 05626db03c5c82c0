"""Feast's import path of aggregations."""

from feast_core.definitions import Aggregation

__all__ = ["Aggregation"]
