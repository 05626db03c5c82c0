"""The embedded online store: one SQLite file, one row per entity key and view."""

from collections.abc import Iterable

from feast_core import Component, hookimpl


@hookimpl
def feast_components() -> Iterable[Component]:
    """`online_store: sqlite`."""
    return [
        Component(
            "online_store",
            "sqlite",
            "feast_online_sqlite.store:SqliteOnlineStore",
            help="one file, no server, many processes",
        )
    ]
