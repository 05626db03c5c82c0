"""Permissions: who may do what with which objects."""

import re
from enum import Enum
from typing import Any

from feast_core.definitions.definition import Declared, Definition, checked_list, checked_tags, declared_enum
from feast_core.definitions.entities import Entity
from feast_core.definitions.label_views import LabelView
from feast_core.definitions.on_demand import OnDemandFeatureView
from feast_core.definitions.policies import AllowAll, Policy
from feast_core.definitions.projects import Project
from feast_core.definitions.saved_datasets import SavedDataset, ValidationReference
from feast_core.definitions.services import FeatureService
from feast_core.definitions.sources import DataSource
from feast_core.definitions.transformed_views import BatchFeatureView, StreamFeatureView
from feast_core.definitions.views import FeatureView
from feast_core.errors import DefinitionError


@declared_enum
class AuthzedAction(Enum):
    """What can be allowed."""

    CREATE = "create"
    DESCRIBE = "describe"
    UPDATE = "update"
    DELETE = "delete"
    READ_ONLINE = "read_online"
    READ_OFFLINE = "read_offline"
    WRITE_ONLINE = "write_online"
    WRITE_OFFLINE = "write_offline"


ALL_ACTIONS = list(AuthzedAction)
READ = [AuthzedAction.READ_OFFLINE, AuthzedAction.READ_ONLINE]
WRITE = [AuthzedAction.WRITE_OFFLINE, AuthzedAction.WRITE_ONLINE]
CRUD = [AuthzedAction.CREATE, AuthzedAction.DESCRIBE, AuthzedAction.UPDATE, AuthzedAction.DELETE]
NOTHING: list[Any] = []


class Permission(Definition):
    """Lets users whom `policy` accepts do `actions` with objects of `types` whose name and tags match.

    `types` empty is every type. `name_patterns` are regular expressions for the whole name, empty is every name.
    `required_tags` must all be on the object, with these values.
    """

    kind = "permission"

    def __init__(
        self,
        name: str,
        types: list[type[Definition]] | type[Definition] | None = NOTHING,
        name_patterns: str | list[str] | None = NOTHING,
        actions: list[AuthzedAction] | AuthzedAction = ALL_ACTIONS,
        policy: Policy = AllowAll,
        tags: dict[str, str] | None = None,
        required_tags: dict[str, str] | None = None,
    ) -> None:
        super().__init__(name, tags=tags)
        self.types: list[type[Declared]] = self._checked_types(types)
        patterns = [name_patterns] if isinstance(name_patterns, str) else name_patterns
        self.name_patterns = [p.strip() for p in checked_list(self.label, "name_patterns", patterns, str, "text")]
        for pattern in self.name_patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise DefinitionError(f"{self.label}: name_patterns: {pattern!r} is not a pattern: {error}") from error
        given = [actions] if isinstance(actions, AuthzedAction) else actions
        self.actions = checked_list(self.label, "actions", given, AuthzedAction, "AuthzedAction members")
        if not self.actions:
            raise DefinitionError(f"{self.label}: actions is empty; name at least one, as AuthzedAction.DESCRIBE")
        if not isinstance(policy, Policy):
            raise DefinitionError(f"{self.label}: policy must be a Policy, as RoleBasedPolicy([...]), not {policy!r}")
        self.policy = policy
        self.required_tags = checked_tags(self.label, required_tags)

    def covers(self, resource: Definition) -> bool:
        """Whether the permission is about this object: one of `types`, a name that a pattern matches whole, and all of
        the required tags. Who may do what is for `policy` and `actions`."""
        by_name = not self.name_patterns or any(re.fullmatch(found, resource.name) for found in self.name_patterns)
        tagged = self.required_tags.items() <= resource.tags.items()
        return by_name and tagged and isinstance(resource, tuple(self.types))

    def _checked_types(self, types: Any) -> list[type[Declared]]:
        given = types if isinstance(types, list | tuple) else [types] if types else []
        for item in given:
            if item not in ALL_RESOURCE_TYPES:
                known = ", ".join(cls.__name__ for cls in ALL_RESOURCE_TYPES)
                raise DefinitionError(f"{self.label}: types: {item!r} cannot be guarded; use one of {known}")
        return list(given) or list(ALL_RESOURCE_TYPES)


ALL_FEATURE_VIEW_TYPES: list[type[Definition]] = [
    FeatureView,
    OnDemandFeatureView,
    BatchFeatureView,
    StreamFeatureView,
    LabelView,
]
ALL_RESOURCE_TYPES: list[type[Definition]] = [
    Project,
    *ALL_FEATURE_VIEW_TYPES,
    Entity,
    FeatureService,
    DataSource,
    ValidationReference,
    SavedDataset,
    Permission,
]
