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
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from feast_core.errors import ConfigurationError, PluginError

if TYPE_CHECKING:
    from feast_core.config import Section
    from feast_core.plugins import PluginManager

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


def _import(plugin: str, target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)


class Catalog:
    """All components of all plugins, by role and type."""

    def __init__(
        self,
        components: Iterable[tuple[str, Component]],
        import_target: Callable[[str, str], Any] = _import,
    ) -> None:
        """`components` are (plugin name, component) pairs; `import_target` gives the class that a plugin's target
        names."""
        self._by_role: dict[str, dict[str, list[tuple[str, Component]]]] = defaultdict(lambda: defaultdict(list))
        for plugin, component in components:
            self._by_role[component.role][component.type].append((plugin, component))
        self._import = import_target

    @classmethod
    def from_plugins(cls, plugins: "PluginManager") -> "Catalog":
        """Ask every plugin once. Raises PluginError where one of them fails, or gives something else."""
        return cls(plugins.offers(plugins.hook.feast_components, Component), plugins.import_target)

    def types(self, role: Role) -> list[str]:
        """Types that can be chosen for a role, sorted."""
        return sorted(self._by_role[role])

    def of_plugin(self, plugin: str) -> list[Component]:
        """What one plugin offers, by role and type."""
        offers = [pair for types in self._by_role.values() for pairs in types.values() for pair in pairs]
        return sorted((found for name, found in offers if name == plugin), key=lambda found: (found.role, found.type))

    def plugins_for(self, role: Role, chosen: str) -> list[str]:
        """Names of the plugins that provide a type; one, unless something is wrong."""
        return [plugin for plugin, _ in self._by_role[role].get(chosen, [])]

    def create(self, role: Role, section: "Section") -> Any:
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
        from feast_core.config import decode_section  # brings YAML: not for `feast --help`, which lists components

        plugin, component = offers[0]
        chosen = self._class_of(plugin, component)
        return chosen(decode_section(chosen.Options, section))

    def _class_of(self, plugin: str, component: Component) -> Any:
        try:
            return self._import(plugin, component.target)
        except ModuleNotFoundError as error:
            own = component.target.partition(":")[0].partition(".")[0]
            if error.name and error.name.partition(".")[0] != own:
                install = f"feastkit[{component.extra}]" if component.extra else error.name
                raise PluginError(
                    f"{component.role} {component.type!r} needs the package {error.name}: pip install '{install}'"
                ) from error
            raise _broken(plugin, component, error) from error
        except (ImportError, AttributeError) as error:
            raise _broken(plugin, component, error) from error


def _broken(plugin: str, component: Component, error: Exception) -> PluginError:
    return PluginError(f"{component.role} {component.type!r} of the plugin {plugin!r} does not load: {error}")
