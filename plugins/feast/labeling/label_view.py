"""Feast's import path of label views."""

from feast_core.definitions import LabelView

__all__ = ["LabelView"]
