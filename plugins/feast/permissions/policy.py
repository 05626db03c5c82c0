"""Feast's import path of the policies of permissions."""

from feast_core.definitions import (
    AllowAll,
    CombinedGroupNamespacePolicy,
    GroupBasedPolicy,
    NamespaceBasedPolicy,
    Policy,
    RoleBasedPolicy,
)

__all__ = [
    "AllowAll",
    "CombinedGroupNamespacePolicy",
    "GroupBasedPolicy",
    "NamespaceBasedPolicy",
    "Policy",
    "RoleBasedPolicy",
]
