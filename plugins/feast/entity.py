"""Feast's import path of entities."""

from feast_core.definitions import Entity

__all__ = ["Entity"]
