"""Feast's import path of projects."""

from feast_core.definitions import Project

__all__ = ["Project"]
