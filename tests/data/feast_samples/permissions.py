"""Permissions: roles, groups, namespaces, patterns, tags, and a policy of the repository's own."""

from feast import Entity, FeatureService, FeatureView, Field, FileSource
from feast.feast_object import ALL_FEATURE_VIEW_TYPES, ALL_RESOURCE_TYPES
from feast.permissions.action import ALL_ACTIONS, CRUD, READ, WRITE, AuthzedAction
from feast.permissions.permission import Permission
from feast.permissions.policy import (
    AllowAll,
    CombinedGroupNamespacePolicy,
    GroupBasedPolicy,
    NamespaceBasedPolicy,
    Policy,
    RoleBasedPolicy,
)
from feast.permissions.user import User
from feast.types import Int64

risky = FeatureView(
    name="risky_view",
    entities=[Entity(name="customer")],
    schema=[Field(name="score", dtype=Int64)],
    source=FileSource(path="data/risk.parquet", timestamp_field="ts"),
    tags={"risk_level": "high"},
)


class NamedPolicy(Policy):
    """Users of these names."""

    def __init__(self, names: list[str]):
        self.names = names

    def validate_user(self, user: User) -> tuple[bool, str]:
        return user.username in self.names, "not on the list"


admin = Permission(
    name="admin", types=ALL_RESOURCE_TYPES, policy=RoleBasedPolicy(roles=["feast-admin"]), actions=ALL_ACTIONS
)
reader = Permission(
    name="reader",
    types=[FeatureView, FeatureService],
    policy=RoleBasedPolicy(roles=["feast-reader"]),
    actions=[AuthzedAction.DESCRIBE, *READ],
)
risk = Permission(
    name="risk",
    types=ALL_FEATURE_VIEW_TYPES,
    name_patterns=".*risky.*",
    required_tags={"risk_level": "high"},
    policy=GroupBasedPolicy(groups=["risk", "audit"]),
    actions=CRUD,
    tags={"reviewed": "yes"},
)
staging = Permission(
    name="staging", types=FeatureView, policy=NamespaceBasedPolicy(namespaces=["staging"]), actions=WRITE
)
both = Permission(
    name="both",
    types=[Entity],
    name_patterns=["^customer$", "^driver"],
    policy=CombinedGroupNamespacePolicy(groups=["data"], namespaces=["test"]),
    actions=[*READ, AuthzedAction.DESCRIBE],
)
everyone = Permission(name="everyone", policy=AllowAll)
listed = Permission(name="listed", policy=NamedPolicy(names=["ann"]), actions=AuthzedAction.DESCRIBE)
permissions = [admin, reader, risk, staging, both, everyone, listed]
