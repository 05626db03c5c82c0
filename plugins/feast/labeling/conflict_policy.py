"""Feast's import path of conflict policies."""

from feast_core.definitions import ConflictPolicy

__all__ = ["ConflictPolicy"]
