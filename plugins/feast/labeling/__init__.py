"""Feast's import path of label views."""

from feast_core.definitions import ConflictPolicy, LabelView

__all__ = ["ConflictPolicy", "LabelView"]
