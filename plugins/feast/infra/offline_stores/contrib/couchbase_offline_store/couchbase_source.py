"""Feast's import path of Couchbase sources."""

from feast_core.definitions import (
    CouchbaseColumnarLoggingDestination,
    CouchbaseColumnarSource,
    SavedDatasetCouchbaseColumnarStorage,
)

__all__ = ["CouchbaseColumnarLoggingDestination", "CouchbaseColumnarSource", "SavedDatasetCouchbaseColumnarStorage"]
