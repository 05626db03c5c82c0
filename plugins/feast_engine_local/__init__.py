"""Runs materialization in this process, one view after the other: the default engine.

In feature_store.yaml:

    batch_engine:
      type: local
"""

from collections.abc import Iterable

from feast_core.components import Component
from feast_core.hookspecs import hookimpl


@hookimpl
def feast_components() -> Iterable[Component]:
    """The type `local`."""
    return [Component("batch_engine", "local", "feast_engine_local.engine:LocalEngine", help="In this process.")]
