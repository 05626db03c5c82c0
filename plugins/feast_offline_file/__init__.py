"""Parquet files as offline store, read through DuckDB: one file, a folder or a glob; larger than memory if need be.

In feature_store.yaml:

    offline_store:
      type: file      # or dask, or duckdb: Feast's names for its engines, which all mean this one
"""

from collections.abc import Iterable

from feast_core.components import Component
from feast_core.hookspecs import hookimpl


@hookimpl
def feast_components() -> Iterable[Component]:
    """The types `file`, `dask` and `duckdb`, all one class."""
    target = "feast_offline_file.store:FileOfflineStore"
    return [Component("offline_store", kind, target, help="Parquet files.") for kind in ("file", "dask", "duckdb")]
