"""Feast's import path of value types."""

from feast_core.definitions import ValueType

__all__ = ["ValueType"]
