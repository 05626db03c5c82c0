"""Feast's import path of permissions."""

from feast_core.definitions import Permission

__all__ = ["Permission"]
