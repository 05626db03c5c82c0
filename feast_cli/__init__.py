"""The command `feast`: the commands of all plugins, each imported when it is run, and errors as people read them.

A command of another package finds the repository in the context of click: `ctx.find_root().params` holds `chdir` and
`feature_store_yaml`, two paths or None, which are the arguments of `feast_core.config.find_config`.
"""

from collections.abc import Iterable

from feast_core.hookspecs import Command, hookimpl

#: Groups that list and describe what the registry holds; `feast_cli.objects` makes them.
OBJECT_GROUPS = (
    "entities",
    "feature-views",
    "on-demand-feature-views",
    "stream-feature-views",
    "label-views",
    "feature-services",
    "data-sources",
    "permissions",
    "projects",
    "saved-datasets",
    "validation-references",
)


@hookimpl
def feast_commands() -> Iterable[Command]:
    """The commands of the toolkit itself; `feast serve` comes from the package of the HTTP server."""
    yield Command("demo", "feast_cli.demo:demo", "Make the driver example, materialize it and serve it.")
    yield Command("init", "feast_cli.init:init", "Make a new feature repository.")
    yield Command("plan", "feast_cli.repo:plan", "Show what `apply` would change.")
    yield Command("apply", "feast_cli.repo:apply", "Bring the registry and the stores in line with the definitions.")
    yield Command("teardown", "feast_cli.repo:teardown", "Forget everything that was applied and materialized.")
    yield Command("materialize", "feast_cli.data:materialize", "Load a window of time into the online store.")
    yield Command(
        "materialize-incremental",
        "feast_cli.data:materialize_incremental",
        "Load what is new since the last time into the online store.",
    )
    yield Command("push", "feast_cli.push:push", "Write rows of a file to the views that a push source feeds.")
    yield Command("compact", "feast_cli.compacting:compact", "Merge what was pushed to batch sources.")
    yield Command("get-online-features", "feast_cli.data:get_online_features", "Read features of some entities.")
    yield Command("explain", "feast_cli.explain:explain", "Show how a request for features is answered.")
    yield Command("delete", "feast_cli.repo:delete", "Delete one object from the registry.")
    yield Command("plugins", "feast_cli.plugins:plugins", "List plugins, or begin a new one.")
    yield Command("completion", "feast_cli.completing:completion", "Print the script that makes a shell complete.")
    yield Command("configuration", "feast_cli.about:configuration", "Show feature_store.yaml as it was read.")
    yield Command("registry-dump", "feast_cli.about:registry_dump", "Print all that the registry holds, as JSON.")
    yield Command("version", "feast_cli.about:version", "Show the version.")
    yield Command("features", "feast_cli.features:features", "List and describe features.")
    for name in OBJECT_GROUPS:
        target = f"feast_cli.objects:{name.replace('-', '_')}"
        yield Command(name, target, f"List and describe {name.replace('-', ' ')}.")
