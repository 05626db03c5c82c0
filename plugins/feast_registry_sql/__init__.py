"""Registry in a database: `registry: data/registry.db` is a SQLite file, `{registry_type: sql, path: URL}` any server.

In feature_store.yaml:

    registry:
      registry_type: sql
      path: postgresql+psycopg://user:${PASSWORD}@host/database
"""

from collections.abc import Iterable

from feast_core.components import Component
from feast_core.hookspecs import hookimpl


@hookimpl
def feast_components() -> Iterable[Component]:
    """The types `file` and `sql`: one class each, since a path and a URL are read differently."""
    return [
        Component("registry", "file", "feast_registry_sql.registry:FileRegistry", help="A SQLite file."),
        Component("registry", "sql", "feast_registry_sql.registry:SqlRegistry", help="A database that a URL names."),
    ]
