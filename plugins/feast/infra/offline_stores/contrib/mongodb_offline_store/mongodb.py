"""Feast's import path of MongoDB sources."""

from feast_core.definitions import (
    MongoDBSource,
)

__all__ = ["MongoDBSource"]
