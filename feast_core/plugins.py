"""Finding and loading plugins: defaults, installed entry points by name, then the repository's own `feast_plugins.py`.

FEAST_BLOCK_PLUGINS=a,b keeps plugins out; FEAST_TRACE_PLUGINS=1 prints every hook call on stderr. A plugin that does
not load is warned of, recorded with its error, and does not take the others down.
"""

import difflib
import importlib.util
import inspect
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pluggy
from pluggy import HookCaller, HookImpl

from feast_core import defaults, hookspecs
from feast_core.errors import FeastError, PluginError
from feast_core.hookspecs import Setting
from feast_core.neighbours import neighbours_of

GROUP = "feast"
REPOSITORY_PLUGIN = "feast_plugins"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PluginState:
    """One plugin as it was found. `state` is "loaded", "blocked" or "failed"; `error` says why it failed. `version` is
    that of the distribution, empty for the repository's own plugin."""

    name: str
    distribution: str
    state: str
    hooks: tuple[str, ...] = ()
    error: BaseException | None = None
    version: str = ""

    @property
    def reason(self) -> str:
        """The error in one line, empty where there is none."""
        return "" if self.error is None else _reason(self.error)


class PluginManager(pluggy.PluginManager):
    """pluggy's manager that also remembers what could not be loaded, and can ask plugins one by one."""

    def __init__(self) -> None:
        super().__init__(GROUP)
        self.states: list[PluginState] = []

    def answers(self, hook: HookCaller, **arguments: Any) -> Iterator[tuple[str, Any]]:
        """(plugin name, result) of each implementation of a hook, in the order in which pluggy asks them; wrappers are
        not asked. For what must name the plugin, and never on the way of a request.

        Raises PluginError, which names the plugin, where one fails; a FeastError stays as it is.
        """
        trace = self.trace.root.get("hook")  # as pluggy's own calls, and nowhere without FEAST_TRACE_PLUGINS
        trace(hook.name, arguments)
        for found in reversed(hook.get_hookimpls()):
            if not _wraps(found):
                answer = _ask(found, hook.name, arguments)
                trace(hook.name, "of", found.plugin_name, "-->", answer)
                yield found.plugin_name, answer

    def offers(self, hook: HookCaller, kind: type[T], **arguments: Any) -> Iterator[tuple[str, T]]:
        """(plugin name, record) of each record in the lists that a hook gives. Raises PluginError as `answers` does,
        and where a plugin gives anything but records of this kind."""
        for plugin, offered in self.answers(hook, **arguments):
            if offered is None:  # as pluggy: nothing
                continue
            found = list(offered) if isinstance(offered, Iterable) else None
            wrong = [offered] if found is None else [item for item in found if not isinstance(item, kind)]
            if wrong:
                among = "" if found is None else " in its list"
                raise PluginError(
                    f"the plugin {plugin!r}: {hook.name} returns a list of {kind.__name__}, and gave "
                    f"{type(wrong[0]).__name__}{among}; repair it, or block it with FEAST_BLOCK_PLUGINS={plugin}"
                )
            for item in found or ():
                yield plugin, item

    def wrappers(self, hook: HookCaller) -> list[str]:
        """Names of the plugins that wrap a hook, the outermost first."""
        return [found.plugin_name for found in reversed(hook.get_hookimpls()) if _wraps(found)]

    def settings(self) -> list[Setting]:
        """Sections of feature_store.yaml that plugins read."""
        return [setting for _, setting in self.offers(self.hook.feast_settings, Setting)]

    def import_target(self, plugin: str, target: str) -> Any:
        """What a plugin's "module:attribute" names, imported now. The repository's own plugin may name itself, as
        `feast_plugins`, and modules beside it. Raises ImportError, AttributeError."""
        module, _, attribute = target.partition(":")
        own = self.get_plugin(REPOSITORY_PLUGIN) if plugin == REPOSITORY_PLUGIN else None
        if not isinstance(own, ModuleType) or own.__file__ is None:
            return getattr(importlib.import_module(module), attribute)
        if module == REPOSITORY_PLUGIN:
            return getattr(own, attribute)
        with neighbours_of(Path(own.__file__).parent):
            return getattr(importlib.import_module(module), attribute)


def _wraps(implementation: HookImpl) -> bool:
    return implementation.wrapper or implementation.hookwrapper


def _ask(implementation: HookImpl, hook: str, arguments: dict[str, Any]) -> Any:
    try:
        found = implementation.function(*(arguments[name] for name in implementation.argnames))
        return list(found) if inspect.isgenerator(found) else found
    except FeastError:
        raise
    except Exception as error:  # boundary: somebody's package
        raise PluginError(
            f"the plugin {implementation.plugin_name!r} fails in {hook}: {_reason(error)}; "
            f"block it with FEAST_BLOCK_PLUGINS={implementation.plugin_name}"
        ) from error


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
    version = entry_point.dist.version if entry_point.dist else ""
    if entry_point.name in blocked:
        manager.set_blocked(entry_point.name)
        manager.states.append(PluginState(entry_point.name, distribution, "blocked", version=version))
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
        manager.states.append(PluginState(entry_point.name, distribution, "failed", error=error, version=version))
        return
    hooks = _hooks_of(manager, plugin)
    manager.states.append(PluginState(entry_point.name, distribution, "loaded", hooks, version=version))


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
        with neighbours_of(path.parent):
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
