"""Policies: the condition on a user under which a permission grants.

A policy asks a user for `roles`, `groups` or `namespaces`; what a user is, the security layer says.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from feast_core.definitions.definition import Declared


class HasRights(Protocol):
    """What a policy looks at in a user."""

    @property
    def roles(self) -> Iterable[str]: ...
    @property
    def groups(self) -> Iterable[str]: ...
    @property
    def namespaces(self) -> Iterable[str]: ...


class Policy(Declared):
    """Base of all policies; a repository may bring its own. Where that one's class is not known, this stands in for it,
    and grants nothing."""

    def validate_user(self, user: Any) -> tuple[bool, str]:
        """Whether the user meets the condition, and the sentence for a denial."""
        return False, "The condition is not known here"


class AllowAllPolicy(Policy):
    """Every user that is known."""

    def validate_user(self, user: Any) -> tuple[bool, str]:
        return True, ""


class RoleBasedPolicy(Policy):
    """Users with at least one of the roles."""

    def __init__(self, roles: list[str]) -> None:
        self.roles = list(roles)

    def get_roles(self) -> list[str]:
        """As Feast: `roles`."""
        return self.roles

    def validate_user(self, user: HasRights) -> tuple[bool, str]:
        return not set(self.roles).isdisjoint(user.roles), f"Requires roles {self.roles}"


class GroupBasedPolicy(Policy):
    """Users in at least one of the groups."""

    def __init__(self, groups: list[str]) -> None:
        self.groups = list(groups)

    def get_groups(self) -> list[str]:
        """As Feast: `groups`."""
        return self.groups

    def validate_user(self, user: HasRights) -> tuple[bool, str]:
        return not set(self.groups).isdisjoint(user.groups), "User is not added into the permitted groups"


class NamespaceBasedPolicy(Policy):
    """Users in at least one of the namespaces."""

    def __init__(self, namespaces: list[str]) -> None:
        self.namespaces = list(namespaces)

    def get_namespaces(self) -> list[str]:
        """As Feast: `namespaces`."""
        return self.namespaces

    def validate_user(self, user: HasRights) -> tuple[bool, str]:
        granted = not set(self.namespaces).isdisjoint(user.namespaces)
        return granted, "User is not added into the permitted namespaces"


class CombinedGroupNamespacePolicy(Policy):
    """Users in at least one of the groups or of the namespaces."""

    def __init__(self, groups: list[str], namespaces: list[str]) -> None:
        self.groups = list(groups)
        self.namespaces = list(namespaces)

    def get_groups(self) -> list[str]:
        """As Feast: `groups`."""
        return self.groups

    def get_namespaces(self) -> list[str]:
        """As Feast: `namespaces`."""
        return self.namespaces

    def validate_user(self, user: HasRights) -> tuple[bool, str]:
        by_group = not set(self.groups).isdisjoint(user.groups)
        by_namespace = not set(self.namespaces).isdisjoint(user.namespaces)
        return by_group or by_namespace, "User must be in at least one of the permitted groups or namespaces"


#: As Feast: an object, not a class.
AllowAll = AllowAllPolicy()
