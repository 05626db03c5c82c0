"""Feast's import path of Ray sources."""

from feast_core.definitions import RaySource

__all__ = ["RaySource"]
