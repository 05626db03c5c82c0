"""What permissions mean for the objects of the registry: `feast permissions list -v`, `list-roles` and `check`."""

from typing import TYPE_CHECKING, Any

import click

from feast_cli import output
from feast_cli.invocation import invocation_of

if TYPE_CHECKING:
    from feast_core.definitions import Definition, Permission
    from feast_core.store import FeatureStore


def covered(store: "FeatureStore", permission: Any) -> list[dict[str, str]]:
    """Objects that a permission is about."""
    return [_named(found) for found in store.snapshot.objects if permission.covers(found)]


def add_permissions_own(group: click.Group) -> None:
    """`list-roles` and `check`, for the group of permissions."""

    @group.command("list-roles", help="List the roles that policies name, and what each may do.")
    @click.option("-v", "--verbose", is_flag=True, help="Show the objects and actions, too.")
    @output.json_option
    @click.pass_context
    def list_roles(ctx: click.Context, verbose: bool, as_json: bool) -> None:
        with invocation_of(ctx).store() as store:
            found = _roles(store)
        if as_json:
            output.print_json(found)
        elif not verbose:
            output.print_table(["ROLE"], [[role["role"]] for role in found])
        else:
            rows = [
                [role["role"], item["name"], item["kind"], ", ".join(item["actions"])]
                for role in found
                for item in role["resources"]
            ]
            output.print_table(["ROLE", "NAME", "KIND", "ACTIONS"], rows)

    @group.command(
        "check", help="Show what no permission is about: objects, and actions on them, that are denied to all."
    )
    @output.json_option
    @click.pass_context
    def check(ctx: click.Context, as_json: bool) -> None:
        with invocation_of(ctx).store() as store:
            found = _uncovered(store)
        if as_json:
            output.print_json(found)
        elif not found:
            output.say("Every action on every object is covered by a permission")
        else:
            rows = [[item["name"], item["kind"], ", ".join(item["actions"])] for item in found]
            output.print_table(["NAME", "KIND", "ACTIONS"], rows)


def _roles(store: "FeatureStore") -> list[dict[str, Any]]:
    """Each role, with the objects that permissions for it are about, and the actions on each."""
    roles: dict[str, dict[tuple[str, str], set[str]]] = {}
    for permission in _permissions(store):
        for role in getattr(permission.policy, "roles", []):
            resources = roles.setdefault(role, {})
            for item in covered(store, permission):
                resources.setdefault((item["kind"], item["name"]), set()).update(_actions(permission))
    return [
        {
            "role": role,
            "resources": [
                {"kind": kind, "name": name, "actions": sorted(actions)}
                for (kind, name), actions in sorted(resources.items())
            ],
        }
        for role, resources in sorted(roles.items())
    ]


def _uncovered(store: "FeatureStore") -> list[dict[str, Any]]:
    from feast_core.definitions import ALL_ACTIONS

    permissions = _permissions(store)
    every = [action.value for action in ALL_ACTIONS]
    found = []
    for item in store.snapshot.objects:
        allowed = {action for permission in permissions if permission.covers(item) for action in _actions(permission)}
        left = [action for action in every if action not in allowed]
        if left:
            found.append({**_named(item), "actions": left})
    return found


def _permissions(store: "FeatureStore") -> "list[Permission]":
    from feast_core.definitions import Permission

    return [found for found in store.objects("permission") if isinstance(found, Permission)]


def _actions(permission: "Permission") -> list[str]:
    return [action.value for action in permission.actions]


def _named(found: "Definition") -> dict[str, str]:
    return {"kind": found.kind, "name": found.name}
