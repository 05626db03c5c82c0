"""Finding and loading plugins: defaults, installed entry points by name, then the repository's own `feast_plugins.py`.

FEAST_BLOCK_PLUGINS=a,b keeps plugins out; FEAST_TRACE_PLUGINS=1 prints every hook call on stderr. A plugin that does
not load is recorded with its error and does not take the others down.
"""

import importlib.util
import os
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import pluggy

from feast_core import defaults, hookspecs
from feast_core.errors import PluginError

GROUP = "feast"
REPOSITORY_PLUGIN = "feast_plugins"


@dataclass(frozen=True, slots=True)
class PluginState:
    """One plugin as `feast plugins` lists it. `state` is "loaded", "blocked" or "failed"; `error` says why it
    failed."""

    name: str
    distribution: str
    state: str
    hooks: tuple[str, ...] = ()
    error: BaseException | None = None


class PluginManager(pluggy.PluginManager):
    """pluggy's manager that also remembers what could not be loaded."""

    def __init__(self) -> None:
        super().__init__(GROUP)
        self.states: list[PluginState] = []


def load_plugins(repo_path: Path | None = None) -> PluginManager:
    """A new manager with the defaults, every installed plugin that is not blocked, and the repository's own, if it has
    one. Raises PluginError only for the repository's own file, since its author is the one who is running it."""
    manager = PluginManager()
    manager.add_hookspecs(hookspecs)
    manager.register(defaults, name="defaults")
    if os.environ.get("FEAST_TRACE_PLUGINS", "") not in ("", "0"):
        manager.trace.root.setwriter(lambda text: print(text, end="", file=sys.stderr))
        manager.enable_tracing()
    blocked = {name.strip() for name in os.environ.get("FEAST_BLOCK_PLUGINS", "").split(",") if name.strip()}
    for entry_point in sorted(entry_points(group=GROUP), key=lambda found: found.name):
        _load_installed(manager, entry_point, blocked)
    if repo_path is not None and (repo_path / f"{REPOSITORY_PLUGIN}.py").is_file():
        _load_repository_plugin(manager, repo_path / f"{REPOSITORY_PLUGIN}.py")
    return manager


def _load_installed(manager: PluginManager, entry_point: EntryPoint, blocked: set[str]) -> None:
    distribution = entry_point.dist.name if entry_point.dist else "?"
    if entry_point.name in blocked:
        manager.set_blocked(entry_point.name)
        manager.states.append(PluginState(entry_point.name, distribution, "blocked"))
        return
    try:
        plugin = entry_point.load()
        manager.register(plugin, name=entry_point.name)
    except Exception as error:  # boundary: somebody's package; `feast plugins` shows why
        manager.unregister(name=entry_point.name)
        manager.states.append(PluginState(entry_point.name, distribution, "failed", error=error))
        return
    manager.states.append(PluginState(entry_point.name, distribution, "loaded", _hooks_of(manager, plugin)))


def _load_repository_plugin(manager: PluginManager, path: Path) -> None:
    spec = importlib.util.spec_from_file_location(f"{REPOSITORY_PLUGIN}_{abs(hash(path)):x}", path)
    assert spec is not None
    assert spec.loader is not None
    plugin = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(plugin)
        manager.register(plugin, name=REPOSITORY_PLUGIN)
    except Exception as error:  # boundary: the repository's own code
        raise PluginError(f"{path.name} does not load: {type(error).__name__}: {error}") from error
    manager.states.append(PluginState(REPOSITORY_PLUGIN, path.name, "loaded", _hooks_of(manager, plugin)))


def _hooks_of(manager: PluginManager, plugin: ModuleType) -> tuple[str, ...]:
    return tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or ()))
