"""`feast plan`, `apply` and `teardown`: from the definitions of a repository to its registry and stores."""

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from feast_cli import output
from feast_cli.completing import names_of_all
from feast_cli.invocation import invocation_of
from feast_core.errors import NotSupported

if TYPE_CHECKING:
    from feast_core.diff import Diff
    from feast_core.store import FeatureStore

_STYLES = {"create": "green", "update": "yellow", "delete": "red"}
_DONE = {"create": "Created", "update": "Updated", "delete": "Deleted"}
#: How what needs attention is drawn.
_EFFECTS = {"missing": "yellow", "stale": "yellow", "refused": "yellow", "dropped": "red"}
_PLANNED = {"create": "Would create", "update": "Would update", "delete": "Would delete"}


#: Where two objects of different kinds have one name, `delete` takes the first. As Feast: in this order.
_KINDS = (
    "entity",
    "feature view",
    "feature service",
    "data source",
    "saved dataset",
    "validation reference",
    "on demand feature view",
    "label view",
    "permission",
)


@click.command(help="Show what `apply` would change, object by object. Changes nothing.")
@click.option("--skip-source-validation", is_flag=True, help="Accepted for scripts written for Feast.")
@click.option("--skip-feature-view-validation", is_flag=True, help="Accepted for scripts written for Feast.")
@output.json_option
@click.pass_context
def plan(ctx: click.Context, skip_source_validation: bool, skip_feature_view_validation: bool, as_json: bool) -> None:
    """Print the diff."""
    with invocation_of(ctx).store() as store:
        with output.working("Reading the repository"):
            diff = store.plan()
        if as_json:
            _print_json(store, diff)
        else:
            _print_changes(diff, _PLANNED)


@click.command(help="Bring the registry and the online store in line with the definitions of the repository.")
@click.option(
    "--replace-registry",
    is_flag=True,
    help="Keep a registry file that Feast itself wrote as .bak, and make a new one.",
)
@click.option("--skip-source-validation", is_flag=True, help="Accepted for scripts written for Feast.")
@click.option("--skip-feature-view-validation", is_flag=True, help="Accepted for scripts written for Feast.")
@click.option("--no-progress", is_flag=True, help="Do not show that something is going on.")
@click.option(
    "--no-promote",
    is_flag=True,
    help="Refuse to change a feature view that is applied: its versions are not kept here, so a change counts at once.",
)
@output.json_option
@click.pass_context
def apply(
    ctx: click.Context,
    replace_registry: bool,
    skip_source_validation: bool,
    skip_feature_view_validation: bool,
    no_progress: bool,
    no_promote: bool,
    as_json: bool,
) -> None:
    """Apply, and print what was done."""
    with invocation_of(ctx).store() as store:
        if replace_registry:
            kept = store.registry.set_aside()
            if kept is not None:
                output.note(f"The registry that was there is kept as {kept}")
        if no_promote:
            _refuse_to_promote(store.plan())
        apply_repository(store, quiet=no_progress, as_json=as_json)


@click.command(help="Delete one object of the project from the registry, by its name. Its definition file stays.")
@click.argument("object_id", shell_complete=names_of_all)
@output.json_option
@click.pass_context
def delete(ctx: click.Context, object_id: str, as_json: bool) -> None:
    """The first object of this name, in the order of kinds."""
    with invocation_of(ctx).store() as store:
        kind = next((kind for kind in _KINDS if object_id in [found.name for found in store.objects(kind)]), None)
        if kind is not None:
            store.delete(kind, object_id)
        project = store.project
    if as_json:
        output.print_json({"project": project, "kind": kind, "name": object_id})
    elif kind is None:
        # As Feast: no error, so that deleting twice does no harm.
        output.say(f"There is no object {object_id} in project {project}; nothing was deleted")
    else:
        output.say(f"Deleted {kind} {object_id} from project {project}", _STYLES["delete"])


@click.command(help="Forget all that was applied and materialized of the project. The repository's files stay.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def teardown(ctx: click.Context, yes: bool) -> None:
    """Ask if somebody is there to answer, then forget."""
    with invocation_of(ctx).store() as store:
        question = f"Forget all definitions and online values of project {store.project}?"
        # As Feast: nobody is asked where nobody can answer.
        if not yes and sys.stdin.isatty() and not click.confirm(question, err=True):
            output.say("Nothing was changed")
            ctx.exit(1)
        with output.working(f"Tearing down project {store.project}"):
            store.teardown()
        output.say(f"Project {store.project} is torn down")


def _refuse_to_promote(diff: "Diff") -> None:
    changed = [change.name for change in diff.changes if change.action == "update" and change.kind.endswith("view")]
    if changed:
        raise NotSupported(
            f"--no-promote: {', '.join(changed)} would change, and the change would count at once, since versions of"
            " feature views are not kept here; nothing was changed"
        )


def apply_repository(store: "FeatureStore", quiet: bool = False, as_json: bool = False) -> None:
    """Apply the repository's files and print what was done."""
    if not as_json:
        # As Feast: the first line.
        output.say(f"Applying changes for project {store.project}")
    with nullcontext() if quiet else output.working("Reading the repository"):
        diff = store.apply()
    if as_json:
        _print_json(store, diff)
    else:
        _print_changes(diff, _DONE)


def _print_changes(diff: "Diff", verbs: dict[str, str]) -> None:
    if diff.empty:
        # As Feast.
        output.say("No changes to registry")
    for change in diff.changes:
        output.say(f"{verbs[change.action]} {change.kind} {change.name}", _STYLES[change.action])
        for detail in change.details:
            output.say(f"    {detail}")
        for found in change.consequences:
            output.remark(f"    => {found}", _EFFECTS.get(found.effect))
        if change.next_step:
            output.say(f"    => to do: {change.next_step}")


def _print_json(store: "FeatureStore", diff: "Diff") -> None:
    changes = [
        {
            "action": change.action,
            "kind": change.kind,
            "name": change.name,
            "details": change.details,
            "consequences": [
                {"effect": found.effect, "subject": found.subject, "text": found.text, "rows": found.rows}
                for found in change.consequences
            ],
            "next_step": change.next_step or None,
        }
        for change in diff.changes
    ]
    output.print_json({"project": store.project, "changes": changes})
