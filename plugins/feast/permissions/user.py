"""Feast's import path of who is calling, for policies of a repository's own."""

from feast_core.interfaces import (
    User,
)

__all__ = ["User"]
