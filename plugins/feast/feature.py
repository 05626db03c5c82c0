"""Feast's import path of the older Field."""

from feast_core.definitions import Feature

__all__ = ["Feature"]
