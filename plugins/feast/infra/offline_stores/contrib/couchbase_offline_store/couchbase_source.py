"""Feast's import path of CouchbaseColumnar sources."""

from feast_core.definitions import CouchbaseColumnarSource

__all__ = ["CouchbaseColumnarSource"]
