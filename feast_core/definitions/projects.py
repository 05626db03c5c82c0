"""Project: the namespace of everything that one feature_store.yaml applies."""

from datetime import datetime

from feast_core.definitions.definition import Definition


class Project(Definition):
    """The project, where a repository says more of it than its name. The times are the registry's to keep."""

    kind = "project"
    not_in_spec = frozenset({"created_timestamp", "last_updated_timestamp"})

    def __init__(
        self,
        *,
        name: str,
        description: str = "",
        tags: dict[str, str] | None = None,
        owner: str = "",
        created_timestamp: datetime | None = None,
        last_updated_timestamp: datetime | None = None,
    ) -> None:
        super().__init__(name, description, tags, owner)
        self.created_timestamp = created_timestamp
        self.last_updated_timestamp = last_updated_timestamp

    def is_valid(self) -> None:
        """As Feast: a check that a program may call again. The constructor has made it."""
