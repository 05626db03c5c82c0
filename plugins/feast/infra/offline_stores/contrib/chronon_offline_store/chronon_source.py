"""Feast's import path of Chronon sources."""

from feast_core.definitions import ChrononSource

__all__ = ["ChrononSource"]
