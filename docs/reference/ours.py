"""The plugins that come along, whatever else is installed beside them."""

from functools import cache

import click

from feast_cli.invocation import Invocation
from feast_cli.main import cli
from feast_core.plugins import PluginManager, load_plugins

DISTRIBUTION = "feastkit"


@cache
def our_plugins() -> PluginManager:
    """A manager without plugins of other distributions, which somebody may be working on."""
    manager = load_plugins()
    for state in manager.states:
        if state.distribution != DISTRIBUTION and state.state == "loaded":
            manager.unregister(name=state.name)
    return manager


def our_commands() -> dict[str, click.Command]:
    """The commands of `feast` by name, imported."""
    invocation = Invocation()
    invocation.plugins = our_plugins()
    context = click.Context(cli, info_name="feast", obj=invocation)
    return {name: found for name in cli.list_commands(context) if (found := cli.get_command(context, name))}
