"""Feast's import path of fields."""

from feast_core.definitions import Field

__all__ = ["Field"]
