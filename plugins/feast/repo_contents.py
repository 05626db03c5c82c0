"""Feast's import path of what a repository defines."""

from feast_core.repo import (
    RepoContents,
)

__all__ = ["RepoContents"]
