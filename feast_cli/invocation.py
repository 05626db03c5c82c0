"""What one run of `feast` was told before the command: which repository; and what that repository's plugins offer."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from feast_core.errors import PluginError
from feast_core.hookspecs import Command
from feast_core.plugins import REPOSITORY_PLUGIN, PluginManager, load_plugins

# The rest of the core is imported by what needs it, so that `feast --help` is quick.
if TYPE_CHECKING:
    from feast_core.config import Config
    from feast_core.store import FeatureStore


class Invocation:
    """`repo_path` and `yaml_path` are the values of --chdir and --feature-store-yaml, or None."""

    def __init__(self, repo_path: Path | None = None, yaml_path: Path | None = None) -> None:
        self.repo_path = repo_path
        self.yaml_path = yaml_path

    @cached_property
    def plugins(self) -> PluginManager:
        """Installed plugins, and the repository's own where there is a repository."""
        # What a plugin prints when it is imported is not the result of a command.
        with redirect_stdout(sys.stderr):
            return load_plugins(self._repository())

    @cached_property
    def commands(self) -> dict[str, list[tuple[str, Command]]]:
        """Command name to the (plugin name, command) pairs that offer it, by name; more than one is a mistake."""
        offers: dict[str, list[tuple[str, Command]]] = {}
        for plugin, command in self.plugins.offers(self.plugins.hook.feast_commands, Command):
            offers.setdefault(command.name, []).append((plugin, command))
        return dict(sorted(offers.items()))

    def load_command(self, name: str) -> click.Command | None:
        """The click command of this name, imported now; None if nobody offers it. Raises PluginError."""
        offers = self.commands.get(name, [])
        if not offers:
            return None
        if len(offers) > 1:
            plugins = " and ".join(plugin for plugin, _ in offers)
            raise PluginError(
                f"the command {name!r} is provided by {plugins}; block one with FEAST_BLOCK_PLUGINS={offers[0][0]}"
            )
        plugin, command = offers[0]
        try:
            found = self.plugins.import_target(plugin, command.target)
        except (ImportError, AttributeError) as error:
            raise PluginError(f"the command {name!r} of the plugin {plugin!r} does not load: {error}") from error
        if not isinstance(found, click.Command):
            raise PluginError(f"the command {name!r} of the plugin {plugin!r}: {command.target} is not a click command")
        return found

    def config(self) -> "Config":
        """The configuration of the repository. Raises ConfigurationError."""
        from feast_core.config import find_config

        return find_config(self.repo_path, self.yaml_path)

    @contextmanager
    def store(self) -> Iterator["FeatureStore"]:
        """The repository's store, closed at the end of the block. Raises ConfigurationError."""
        from feast_core.store import FeatureStore

        with FeatureStore(config=self.config(), plugins=self.plugins) as store:
            yield store

    def _repository(self) -> Path | None:
        """The directory that may hold `feast_plugins.py`; None where there is no configuration, so that nothing is run
        in a directory that only happens to have such a file."""
        directory = Path(self.repo_path or os.environ.get("FEATURE_REPO_DIR_ENV_VAR") or Path.cwd()).expanduser()
        if not (directory / f"{REPOSITORY_PLUGIN}.py").is_file():
            return None
        from feast_core.config import FILE_NAME

        if self.yaml_path is None and os.environ.get("FEATURE_STORE_YAML_BASE64"):
            return directory.absolute()
        named = self.yaml_path or os.environ.get("FEAST_FS_YAML_FILE_PATH")
        yaml_path = Path(named).expanduser() if named else directory / FILE_NAME
        return directory.absolute() if yaml_path.is_file() else None


def invocation_of(ctx: click.Context) -> Invocation:
    """The one Invocation of this run, made from the options before the command."""
    root = ctx.find_root()
    if root.obj is None:
        root.obj = Invocation(root.params.get("chdir"), root.params.get("feature_store_yaml"))
    assert isinstance(root.obj, Invocation)
    return root.obj


def tell_if_nothing_is_applied(store: "FeatureStore") -> None:
    """A line for who sees an empty answer because the first step is still to be done."""
    from feast_cli import output

    if not store.snapshot.objects:
        output.note(f"nothing is applied to project {store.project} yet, see `feast apply`")
