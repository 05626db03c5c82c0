"""`feast plugins list` and `new`: what is installed, why some of it is not loaded; and a plugin to begin with."""

from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import click

from feast_cli import output
from feast_cli.completing import names_of_plugins
from feast_cli.groups import HelpfulGroup
from feast_cli.invocation import invocation_of
from feast_cli.scaffold import KINDS, Scaffold
from feast_core.components import Catalog
from feast_core.errors import ConfigurationError, ObjectNotFound, PluginError
from feast_core.plugins import PluginManager


@click.group(cls=HelpfulGroup, invoke_without_command=True, help="List plugins, or begin a new one.")
@click.pass_context
def plugins(ctx: click.Context) -> None:
    """Without a command, the list."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_plugins, names=(), as_json=False)


@plugins.command(
    "list",
    help="List the plugins that are installed, and the repository's own, or only those of these NAMES: what they bring,"
    " and why one is not loaded.",
)
@click.argument("names", nargs=-1, shell_complete=names_of_plugins)
@output.json_option
@click.pass_context
def list_plugins(ctx: click.Context, names: tuple[str, ...], as_json: bool) -> None:
    """One line per plugin. A plugin that cannot say what it offers ends it with its error, after the list."""
    manager = invocation_of(ctx).plugins
    broken = None
    try:
        catalog = Catalog.from_plugins(manager)
    except PluginError as error:
        catalog, broken = Catalog([]), error
    found = [plugin for plugin in _found(manager, catalog) if not names or plugin["name"] in names]
    missing = sorted({*names} - {plugin["name"] for plugin in found})
    if missing:
        raise ObjectNotFound(f"there is no plugin {', '.join(missing)}; `feast plugins list` shows them all")
    if as_json:
        output.print_json(found)
    else:
        headers = ["NAME", "DISTRIBUTION", "STATE", "COMPONENTS", "HOOKS"]
        output.print_table(headers, [_row(plugin) for plugin in found])
        for plugin in found:
            if plugin["error"]:
                output.say(f"{plugin['name']}: {plugin['error']}", "red")
    if broken is not None:
        raise broken


def _found(manager: PluginManager, catalog: Catalog) -> list[dict[str, Any]]:
    return [
        {
            "name": state.name,
            "distribution": state.distribution,
            "version": state.version or None,
            "state": state.state,
            "hooks": list(state.hooks),
            "components": [
                {"role": offer.role, "type": offer.type, "extra": offer.extra, "help": offer.help}
                for offer in (catalog.of_plugin(state.name) if state.state == "loaded" else [])
            ],
            "error": state.reason or None,
        }
        for state in manager.states
    ]


def _row(plugin: dict[str, Any]) -> list[str]:
    return [
        plugin["name"],
        f"{plugin['distribution']} {plugin['version'] or ''}".strip(),
        plugin["state"],
        ", ".join(f"{offer['role']} {offer['type']}" for offer in plugin["components"]),
        ", ".join(hook.removeprefix("feast_") for hook in plugin["hooks"]),
    ]


@plugins.command(
    "new",
    help="Write a plugin package to begin with into DIRECTORY (default: its name, here): the hook implementations, the"
    " entry point that makes it a plugin, and tests that pass. Overwrites nothing.",
)
@click.argument("name")
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@click.option(
    "-k",
    "--kind",
    type=click.Choice(list(KINDS)),
    default="hook",
    show_default=True,
    help="; ".join(f"{name}: {kind.help}" for name, kind in KINDS.items()) + ".",
)
@output.json_option
@click.pass_context
def new(ctx: click.Context, name: str, directory: Path | None, kind: str, as_json: bool) -> None:
    """Write it, and say what to do next."""
    scaffold = Scaffold.named(name, kind, version_of("feastkit"))
    taken = {state.name: state.distribution for state in invocation_of(ctx).plugins.states}
    if scaffold.name in taken:
        raise ConfigurationError(
            f"there is a plugin of the name {scaffold.name!r} already, of {taken[scaffold.name]}; take another name"
        )
    target = directory or Path(scaffold.distribution)
    files = scaffold.write(target)
    if as_json:
        output.print_json({"name": scaffold.name, "kind": kind, "directory": str(target), "files": files})
        return
    output.say(f"Created the plugin {scaffold.name} in {target}", "green")
    for file in files:
        output.say(f"  {file}")
    output.say("")
    output.say("Next:")
    for step in (f"cd {target}", "pip install -e '.[test]'", "pytest", "feast plugins list"):
        output.say(f"  {step}", "bold")
