"""`feast entities list`, `feast feature-views describe NAME` and so on: groups of commands, all made from one table."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from feast_cli import output
from feast_cli.completing import completing
from feast_cli.describing import duration, readable
from feast_cli.groups import HelpfulGroup
from feast_cli.invocation import invocation_of, tell_if_nothing_is_applied
from feast_cli.output import AnyCommand
from feast_cli.permissions import add_permissions_own, covered
from feast_core.errors import ObjectNotFound

if TYPE_CHECKING:
    from feast_core.definitions import Definition
    from feast_core.store import FeatureStore


@dataclass(frozen=True, slots=True)
class Kind:
    """One group: the kind of the registry's objects, and the columns of `list` after the name."""

    kind: str
    columns: Mapping[str, Callable[[Any], object]]
    #: Where several classes share the kind, the one that is meant.
    class_name: str = ""
    #: What `list --verbose` shows of each object, as plain data: a name for it, and how to find it.
    verbose: tuple[str, Callable[["FeatureStore", Any], list[dict[str, str]]]] | None = None


tags_option = click.option(
    "--tags",
    multiple=True,
    metavar="KEY:VALUE",
    help="Only those with this tag, or all of these: 'team:a, stage:b'; may be given again.",
)


def _names(items: Sequence[Any]) -> str:
    return ", ".join(item if isinstance(item, str) else item.name for item in items)


def _description(found: Any) -> str:
    return str(found.description)


def _class(found: Any) -> str:
    return type(found).__name__


_VIEW: Mapping[str, Callable[[Any], object]] = {
    "ENTITIES": lambda view: _names(view.entities),
    "FEATURES": lambda view: len(view.features),
    "TYPE": _class,
}

KINDS: Mapping[str, Kind] = {
    "entities": Kind(
        "entity",
        {"JOIN KEY": lambda e: e.join_key, "TYPE": lambda e: e.value_type.name, "DESCRIPTION": _description},
    ),
    "feature-views": Kind(
        "feature view",
        {
            "ENTITIES": lambda view: _names(view.entities),
            "FEATURES": lambda view: len(view.features),
            "TTL": lambda view: duration(view.ttl),
            "ONLINE": lambda view: "yes" if view.online else "no",
            "TYPE": _class,
        },
    ),
    "stream-feature-views": Kind("feature view", _VIEW, "StreamFeatureView"),
    "on-demand-feature-views": Kind(
        "on demand feature view",
        {
            "MODE": lambda view: view.mode,
            "SOURCES": lambda view: _names(view.sources),
            "FEATURES": lambda view: len(view.features),
        },
    ),
    "label-views": Kind("label view", _VIEW),
    "feature-services": Kind(
        "feature service",
        {
            "VIEWS": lambda service: ", ".join(part.name_to_use() for part in service.projections),
            "DESCRIPTION": _description,
        },
    ),
    "data-sources": Kind("data source", {"CLASS": _class, "DESCRIPTION": _description}),
    "permissions": Kind(
        "permission",
        {
            "ACTIONS": lambda permission: _names([action.value for action in permission.actions]),
            "POLICY": lambda permission: _class(permission.policy),
        },
        verbose=("resources", covered),
    ),
    "projects": Kind("project", {"DESCRIPTION": _description, "OWNER": lambda project: project.owner}),
    "saved-datasets": Kind("saved dataset", {"DESCRIPTION": _description}),
    "validation-references": Kind("validation reference", {"DESCRIPTION": _description}),
}


def _group_of(name: str, kind: Kind) -> click.Group:
    """`feast NAME list` and `feast NAME describe`."""
    group = HelpfulGroup(name.replace("-", "_"), help=f"List and describe {name.replace('-', ' ')}.")

    @group.command("list", help=f"List all {name.replace('-', ' ')}.")
    @tags_option
    @_verbose_option(kind)
    @output.json_option
    @click.pass_context
    def list_(ctx: click.Context, tags: tuple[str, ...], as_json: bool, verbose: bool = False) -> None:
        wanted = wanted_tags(tags)
        with invocation_of(ctx).store() as store:
            found = [item for item in _objects(store, kind) if wanted.items() <= item.tags.items()]
            if not as_json:
                tell_if_nothing_is_applied(store)
            more = {item.name: kind.verbose[1](store, item) for item in found} if verbose and kind.verbose else {}
        if as_json:
            extra = {name: {kind.verbose[0]: part} for name, part in more.items()} if kind.verbose else {}
            output.print_json([{**item.spec(), **extra.get(item.name, {})} for item in found])
        elif verbose:
            shown = {name: [f"{part['kind']} {part['name']}" for part in parts] for name, parts in more.items()}
            output.print_outline(name.replace("-", " "), shown)
        else:
            rows = [[item.name, *(value(item) for value in kind.columns.values())] for item in found]
            output.print_table(["NAME", *kind.columns], rows)

    @group.command("describe", help=f"Show one of the {name.replace('-', ' ')}.")
    @click.argument("name", shell_complete=completing(lambda store: [item.name for item in _objects(store, kind)]))
    @output.json_option
    @click.pass_context
    def describe(ctx: click.Context, name: str, as_json: bool) -> None:
        with invocation_of(ctx).store() as store:
            item = _object(store, kind, name)
            spec = item.spec()
            # Only views are materialized.
            intervals = store.intervals(name) if kind.kind == "feature view" else ()
        windows = [{"start": output.moment(found.start), "end": output.moment(found.end)} for found in intervals]
        if as_json:
            output.print_json({**spec, "materialization_intervals": windows} if kind.kind == "feature view" else spec)
        else:
            output.print_outline(item.label, {**readable(spec), **({"materialized": windows} if windows else {})})

    return group


def _verbose_option(kind: Kind) -> Callable[[AnyCommand], AnyCommand]:
    if kind.verbose is None:
        return lambda command: command
    return click.option("-v", "--verbose", is_flag=True, help=f"Show the {kind.verbose[0]} of each, too.")


def _objects(store: "FeatureStore", kind: Kind) -> "list[Definition]":
    if kind.kind == "project":
        # As Feast: of the whole registry.
        return store.projects()
    found = store.objects(kind.kind)
    return [item for item in found if not kind.class_name or _class(item) == kind.class_name]


def _object(store: "FeatureStore", kind: Kind, name: str) -> "Definition":
    """Raises ObjectNotFound."""
    for item in _objects(store, kind):
        if item.name == name:
            return item
    item = store.get_object(kind.kind, name)  # raises, with the near name
    raise ObjectNotFound(f"{item.label} is a {_class(item)}, not a {kind.class_name}")


def wanted_tags(texts: Sequence[str]) -> dict[str, str]:
    """`["a:1, b:2", "c:3"]` to a dict. Raises a usage error for what is not KEY:VALUE."""
    wanted = {}
    for text in texts:
        for pair in filter(None, (part.strip() for part in text.split(","))):
            key, colon, value = pair.partition(":")
            if not colon:
                raise click.BadParameter(f"{pair!r} is not KEY:VALUE", param_hint="--tags")
            wanted[key.strip()] = value.strip()
    return wanted


def _add_projects_own(group: click.Group) -> None:
    """`feast projects current_project` and `delete`."""

    # As Feast: the name, with its underscore.
    @group.command("current_project", help="Show the project of this repository.")
    @output.json_option
    @click.pass_context
    def current_project(ctx: click.Context, as_json: bool) -> None:
        with invocation_of(ctx).store() as store:
            item = _object(store, KINDS["projects"], store.project)
        if as_json:
            output.print_json(item.spec())
        else:
            output.print_outline(item.label, readable(item.spec()))

    @group.command("delete", help="Forget a project of the registry: all its definitions, intervals and online rows.")
    @click.argument("name", shell_complete=completing(lambda store: [item.name for item in store.projects()]))
    @click.option("-y", "--yes", is_flag=True, help="Do not ask.")
    @output.json_option
    @click.pass_context
    def delete(ctx: click.Context, name: str, yes: bool, as_json: bool) -> None:
        with invocation_of(ctx).store() as store:
            if name not in [item.name for item in store.projects()]:
                raise ObjectNotFound(f"project {name} does not exist in the registry; see `feast projects list`")
            if not yes and not sys.stdin.isatty():
                raise click.UsageError("nobody is here to be asked; say --yes")
            if not yes and not click.confirm(f"Forget all definitions and online values of project {name}?", err=True):
                output.say("Nothing was changed")
                ctx.exit(1)
            store.teardown(project=name)
        if as_json:
            output.print_json({"project": name})
        else:
            output.say(f"Project {name} is deleted")


def __getattr__(name: str) -> click.Group:
    """The group of commands of one kind, made when it is asked for: `feast_cli.objects:feature_views`."""
    kind = KINDS.get(name.replace("_", "-"))
    if kind is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    group = _group_of(name.replace("_", "-"), kind)
    if name == "projects":
        _add_projects_own(group)
    if name == "permissions":
        add_permissions_own(group)
    return group
