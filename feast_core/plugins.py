"""Finding and loading plugins: defaults, installed entry points by name, then the repository's own `feast_plugins.py`.

FEAST_BLOCK_PLUGINS=a,b keeps plugins out; FEAST_TRACE_PLUGINS=1 prints every hook call on stderr. A plugin that does
not load is warned of, recorded with its error, and does not take the others down.
"""

import difflib
import importlib.util
import os
import sys
import warnings
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import pluggy
from pluggy import HookCaller

from feast_core import defaults, hookspecs
from feast_core.errors import PluginError

GROUP = "feast"
REPOSITORY_PLUGIN = "feast_plugins"


@dataclass(frozen=True, slots=True)
class PluginState:
    """One plugin as it was found. `state` is "loaded", "blocked" or "failed"; `error` says why it
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
    plugin = None
    try:
        plugin = entry_point.load()
        if manager.has_plugin(entry_point.name):
            raise PluginError(f"another distribution has a plugin of the name {entry_point.name!r}")
        _register(manager, plugin, entry_point.name)
    except Exception as error:  # boundary: somebody's package
        warnings.warn(
            f"the plugin {entry_point.name!r} of {distribution} does not load and does nothing: "
            f"{_reason(error)}; repair it, or block it with FEAST_BLOCK_PLUGINS={entry_point.name}",
            stacklevel=2,
        )
        manager.states.append(PluginState(entry_point.name, distribution, "failed", error=error))
        return
    manager.states.append(PluginState(entry_point.name, distribution, "loaded", _hooks_of(manager, plugin)))


def _register(manager: PluginManager, plugin: ModuleType, name: str) -> None:
    """All of a plugin or nothing. Raises PluginError for a hook that there is none of, PluginValidationError for an
    argument that the hook does not have, ValueError where the plugin is registered already."""
    try:
        manager.register(plugin, name=name)
        _refuse_unknown_hooks(manager, plugin)
    except (PluginError, pluggy.PluginValidationError):
        if manager.get_plugin(name) is plugin:
            manager.unregister(plugin)
        raise


def _refuse_unknown_hooks(manager: PluginManager, plugin: ModuleType) -> None:
    known = [
        name for name, caller in vars(manager.hook).items() if isinstance(caller, HookCaller) and caller.has_spec()
    ]
    for caller in manager.get_hookcallers(plugin) or ():
        required = any(found.plugin is plugin and not found.optionalhook for found in caller.get_hookimpls())
        if required and not caller.has_spec():
            close = difflib.get_close_matches(caller.name, known, 1, cutoff=0.8)
            hint = f", did you mean {close[0]}?" if close else "; mark it with hookimpl(optionalhook=True) if it may be"
            raise PluginError(f"it implements {caller.name}, which is not a hook{hint}")


def _load_repository_plugin(manager: PluginManager, path: Path) -> None:
    spec = importlib.util.spec_from_file_location(f"{REPOSITORY_PLUGIN}_{abs(hash(path)):x}", path)
    assert spec is not None
    assert spec.loader is not None
    plugin = importlib.util.module_from_spec(spec)
    # Data classes and pickles look their module up.
    sys.modules[spec.name] = plugin
    try:
        spec.loader.exec_module(plugin)
        _register(manager, plugin, REPOSITORY_PLUGIN)
    except Exception as error:  # boundary: the repository's own code
        del sys.modules[spec.name]
        raise PluginError(f"{path.name} does not load: {_reason(error)}") from error
    manager.states.append(PluginState(REPOSITORY_PLUGIN, path.name, "loaded", _hooks_of(manager, plugin)))


def _reason(error: BaseException) -> str:
    """In one line; pluggy's own have several."""
    text = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _hooks_of(manager: PluginManager, plugin: ModuleType) -> tuple[str, ...]:
    return tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or ()))
