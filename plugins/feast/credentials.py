"""Feast's import path of references to credentials."""

from feast_core.definitions import ConnectionRef

__all__ = ["ConnectionRef"]
