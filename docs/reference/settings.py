"""Every key of feature_store.yaml."""

import json
import typing
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any

import msgspec

from feast_core import config
from feast_core.components import Component
from reference.markdown import Rows, doc, first_sentence, sentences, table
from reference.ours import our_plugins


def settings() -> str:
    """Every key of feature_store.yaml, section by section."""
    parts = [
        "## The keys of the file",
        table(("key", "default", "meaning"), _top_level()),
        "Feast's keys " + ", ".join(f"`{key}`" for key in sorted(config._TOLERATED)) + " are accepted, without effect.",
    ]
    for path, struct in [*core_sections(), *plugin_sections()]:
        parts += [f"## {path}", first_sentence(doc(struct)), _options(struct)]
    for component, offered in components():
        names = " or ".join(f"`{found.type}`" for found in offered)
        key = "registry_type" if component.role == "registry" else "type"
        parts += [
            f"## {component.role}: {component.type}",
            f"`{key}`: {names}. {component.help[:1].upper()}{component.help[1:].rstrip('.')}.",
            _options(class_of(component).Options),
        ]
    return "\n\n".join(part for part in parts if part)


def _top_level() -> Rows:
    said = sentences(config.Config)
    defaults = config.parse_config("project: p\nregistry: r", Path())
    for name, text in said.items():
        value = getattr(defaults, name)
        needed = name in ("project", "registry")
        default = "" if needed else f"`{value.type}`" if isinstance(value, config.Section) else ""
        yield f"`{name}`", default, text


def core_sections() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    for name, kind in typing.get_type_hints(config.Config).items():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield name, kind
            for field in msgspec.structs.fields(kind):
                if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
                    yield f"{name}.{field.encode_name}", field.type


def plugin_sections() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    for found in our_plugins().hook.feast_settings():
        for setting in found:
            yield setting.path, setting.struct


def components() -> list[tuple[Component, list[Component]]]:
    """One component for each class, and all that share it, by role."""
    by_class: dict[tuple[str, str], list[Component]] = defaultdict(list)
    for found in our_plugins().hook.feast_components():
        for component in found:
            by_class[component.role, component.target].append(component)
    order = list(typing.get_type_hints(config.Config))
    return sorted(((found[0], found) for found in by_class.values()), key=lambda pair: order.index(pair[0].role))


def class_of(component: Component) -> Any:
    module, _, name = component.target.partition(":")
    return getattr(__import__(module, fromlist=[name]), name)


def _options(struct: type[msgspec.Struct]) -> str:
    said = sentences(struct)
    rows = []
    for field in msgspec.structs.fields(struct):
        text = said.get(field.name)
        assert text, f"{struct.__qualname__}.{field.name} has no sentence: write one under it"
        rows.append((f"`{field.encode_name}`", _type(field.type), _default(field), text))
    return table(("key", "value", "default", "meaning"), rows) if rows else ""


def _type(kind: Any) -> str:
    """A type as people name it: `integer, at least 1`."""
    if typing.get_origin(kind) is typing.Annotated:
        inner, *details = typing.get_args(kind)
        bounds = [f", at least {detail.ge}" for detail in details if getattr(detail, "ge", None) is not None]
        return _type(inner) + "".join(bounds)
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(f"`{choice}`" for choice in typing.get_args(kind))
    if isinstance(kind, UnionType) or typing.get_origin(kind) is typing.Union:  # the latter of annotated types
        return " or ".join(_type(inner) for inner in typing.get_args(kind) if inner is not type(None))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "mapping, see below"
    names = {bool: "`true` or `false`", int: "integer", float: "number", str: "text", Path: "path", dict: "mapping"}
    plain = typing.get_origin(kind) or kind
    if plain in (list, tuple, frozenset, set):
        return f"list of {_type(typing.get_args(kind)[0])}"
    return names.get(plain, "text")


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    if value is msgspec.NODEFAULT:
        return "needed"
    if isinstance(value, msgspec.Struct) or value in (None, "", {}):
        return ""
    return f"`{value if isinstance(value, str | Path) else json.dumps(value)}`"
