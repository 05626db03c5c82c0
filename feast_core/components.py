"""Components: the classes behind a section's `type` in feature_store.yaml, imported when they are chosen.

A plugin lists what it offers, and nothing of it is imported until a repository's configuration names it:

    from feast_core import Component, hookimpl

    @hookimpl
    def feast_components():
        return [Component("online_store", "redis", "feast_online_redis.store:RedisOnlineStore", extra="redis")]
"""

import difflib
import importlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import pluggy

from feast_core.config import Section, decode_section
from feast_core.errors import ConfigurationError, PluginError

Role = Literal["registry", "online_store", "offline_store", "batch_engine", "auth"]


@dataclass(frozen=True, slots=True)
class Component:
    """One choice for one role.

    `target` is "module:Class"; the class has an `Options` struct and takes an instance of it.
    `extra` is the extra of feastkit that brings what the class imports; somebody else's package declares that itself.
    """

    role: Role
    type: str
    target: str
    extra: str | None = None
    help: str = ""


class Catalog:
    """All components of all plugins, by role and type."""

    def __init__(self, components: Iterable[tuple[str, Component]]) -> None:
        """`components` are (plugin name, component) pairs."""
        self._by_role: dict[str, dict[str, list[tuple[str, Component]]]] = defaultdict(lambda: defaultdict(list))
        for plugin, component in components:
            self._by_role[component.role][component.type].append((plugin, component))

    @classmethod
    def from_plugins(cls, plugins: pluggy.PluginManager) -> "Catalog":
        """Ask every plugin once. Raises PluginError where one of them fails."""
        found: list[tuple[str, Component]] = []
        for impl in plugins.hook.feast_components.get_hookimpls():
            try:
                offered: Any = impl.function()
                found += [(impl.plugin_name, component) for component in offered]
            except Exception as error:  # boundary: somebody's package
                raise PluginError(
                    f"the plugin {impl.plugin_name!r} cannot say what it offers: {type(error).__name__}: {error}; "
                    f"block it with FEAST_BLOCK_PLUGINS={impl.plugin_name}"
                ) from error
        return cls(found)

    def types(self, role: Role) -> list[str]:
        """Types that can be chosen for a role, sorted."""
        return sorted(self._by_role[role])

    def create(self, role: Role, section: Section) -> Any:
        """The component that a section chooses, made with the section's options.

        Raises ConfigurationError for an unknown type or a wrong option, PluginError where two plugins provide the
        type or a package is missing.
        """
        offers = self._by_role[role].get(section.type, [])
        if not offers:
            close = difflib.get_close_matches(section.type, self.types(role), 1)
            hint = f", did you mean {close[0]!r}?" if close else f"; known: {', '.join(self.types(role)) or 'none'}"
            raise ConfigurationError(f"{section.where()}: unknown {role} type {section.type!r}{hint}")
        if len(offers) > 1:
            names = " and ".join(plugin for plugin, _ in offers)
            raise PluginError(
                f"{role} {section.type!r} is provided by both {names}; "
                f"block one with FEAST_BLOCK_PLUGINS={offers[0][0]}"
            )
        plugin, component = offers[0]
        chosen = _class_of(plugin, component)
        return chosen(decode_section(chosen.Options, section))


def _class_of(plugin: str, component: Component) -> Any:
    module_name, _, class_name = component.target.partition(":")
    try:
        return getattr(importlib.import_module(module_name), class_name)
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] != module_name.partition(".")[0]:
            install = f"feastkit[{component.extra}]" if component.extra else error.name
            raise PluginError(
                f"{component.role} {component.type!r} needs the package {error.name}: pip install '{install}'"
            ) from error
        raise _broken(plugin, component, error) from error
    except (ImportError, AttributeError) as error:
        raise _broken(plugin, component, error) from error


def _broken(plugin: str, component: Component, error: Exception) -> PluginError:
    return PluginError(f"{component.role} {component.type!r} of the plugin {plugin!r} does not load: {error}")
