"""The core of feastkit: hooks, plans and the facade. What a plugin or a frontend may import by name stands here.

Names that bring heavy modules along are loaded when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from feast_core.components import Component
from feast_core.hookspecs import Command, Route, Setting, hookimpl

if TYPE_CHECKING:
    from feast_core.interfaces import (
        Batch,
        Call,
        Engine,
        Interval,
        Job,
        KeyedRow,
        Latest,
        OfflineStore,
        OnlineStore,
        Outcome,
        Receipt,
        Registry,
        RegistryContents,
        RowSchema,
        StoredRow,
        User,
        ViewRead,
    )
    from feast_core.store import FeatureStore

__all__ = [
    "Batch",
    "Call",
    "Command",
    "Component",
    "Engine",
    "FeatureStore",
    "Interval",
    "Job",
    "KeyedRow",
    "Latest",
    "OfflineStore",
    "OnlineStore",
    "Outcome",
    "Receipt",
    "Registry",
    "RegistryContents",
    "Route",
    "RowSchema",
    "Setting",
    "StoredRow",
    "User",
    "ViewRead",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    # Every command loads every plugin, and few commands need what is not imported above.
    if name in __all__:
        return getattr(
            importlib.import_module(f"feast_core.{'store' if name == 'FeatureStore' else 'interfaces'}"), name
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
