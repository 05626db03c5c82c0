"""What all definitions share: a name, a description, and a spec, which is the constructor's parameters as plain JSON.

    spec = driver.spec()      # {"class": "Entity", "name": "driver", "join_keys": ["driver_id"], ...}
    from_spec(spec) == driver

A class that takes part writes an ordinary `__init__` and keeps each parameter as an attribute of the same name; where
it keeps something else, it overrides `arguments()`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from types import FunctionType
from typing import Any, ClassVar, TypeVar

from feast_core.definitions.types import FeastType, ValueType, parse_type
from feast_core.errors import DefinitionError, NotSupported

Spec = dict[str, Any]
Value = TypeVar("Value")
AnyEnum = TypeVar("AnyEnum", bound=type[Enum])

_classes: dict[str, type["Declared"]] = {}
_parameters: dict[type["Declared"], dict[str, Any]] = {}
_names: dict[type["Declared"], Spec] = {}
_enums: dict[str, type[Enum]] = {"ValueType": ValueType}
#: What JSON has as it is, nearly all of a spec.
_PLAIN = frozenset({type(None), bool, int, float, str})


class Declared:
    """An object that its constructor's parameters describe completely. Equal if class and spec are equal."""

    #: Parameters that are for this process only (a function), and therefore not in the spec.
    not_in_spec: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # The first class of a name keeps it: a subclass that a repository calls FileSource does not replace ours.
        _classes.setdefault(cls.__name__, cls)

    def arguments(self) -> dict[str, Any]:
        """Parameter name to value: `type(self)(**self.arguments())` is an equal object."""
        try:
            return {name: getattr(self, name) for name in parameters(type(self))}
        except AttributeError:
            missing = [name for name in parameters(type(self)) if not hasattr(self, name)]
            raise DefinitionError(
                f"class {type(self).__name__}: parameter {missing[0]!r} of the constructor must be kept as an attribute"
                " of that name, so that the registry can store it"
            ) from None

    def spec(self) -> Spec:
        """Class and parameters as str, int, float, bool, None, list and dict. Deterministic."""
        spec = dict(_named(type(self)))
        left_out = self.not_in_spec
        for name, value in self.arguments().items():
            if name not in left_out:
                # A thousand views of a hundred features hold a million plain values: no call for each of them.
                spec[name] = value if type(value) in _PLAIN else encode(value)
        return spec

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, Declared) and self.spec() == other.spec()

    def __hash__(self) -> int:
        return hash((type(self).__name__, getattr(self, "name", None)))

    def __repr__(self) -> str:
        defaults = parameters(type(self))
        kept = ((name, value) for name, value in self.arguments().items() if name not in self.not_in_spec)
        told = ((name, value) for name, value in kept if value not in (None, "", [], {}, defaults.get(name)))
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in told)})"


class Definition(Declared):
    """What a feature repository declares and the registry keeps under a kind and a name."""

    #: The kind as people call it, in the singular: "feature view".
    kind: ClassVar[str] = "definition"
    #: Whether something here runs it. What is not supported loads, is listed, and says why when it is used.
    supported: bool = True
    unsupported_reason: str = ""

    def __init__(
        self, name: str, description: str | None = "", tags: Mapping[str, str] | None = None, owner: str | None = ""
    ) -> None:
        if not isinstance(name, str) or not name.strip():
            raise DefinitionError(f"{self.kind}: name must be text that is not empty, not {name!r}")
        self.name = name
        self.description = description or ""
        self.owner = owner or ""
        self.tags = checked_tags(self.label, tags)

    @property
    def label(self) -> str:
        """How messages name it: `feature view 'driver_stats'`."""
        return f"{self.kind} {self.name!r}"

    def not_supported(self) -> NotSupported:
        """The error of using it, for who wants to raise it."""
        return NotSupported(f"{self.label}: {self.unsupported_reason}")

    def __hash__(self) -> int:
        return hash((self.kind, self.name))


def from_spec(spec: Mapping[str, Any]) -> Definition:
    """The definition whose `spec()` this is. Parameters that this version does not know are ignored."""
    definition = decode(spec)
    if not isinstance(definition, Definition):
        raise DefinitionError(f"{spec.get('class')!r} is not the class of a definition that can stand alone")
    return definition


def parameters(cls: type[Declared]) -> dict[str, Any]:
    """The constructor's parameters in order, each with its default (None if it has none)."""
    found = _parameters.get(cls)
    if found is None:
        found = {}
        for base in cls.__mro__:
            init = vars(base).get("__init__")
            found = {**_read_parameters(init), **found}
            # A constructor with **others hands them to the next one.
            if init is not None and not _takes_any(init):
                break
        _parameters[cls] = found
    return found


def _named(cls: type[Declared]) -> Spec:
    """What a spec says of the class. One of the repository's own is not known where the repository is not read: its
    base stands in for it there."""
    found = _names.get(cls)
    if found is None:
        base = next(kind for kind in cls.__mro__ if kind.__module__.startswith(__name__.rpartition(".")[0]))
        found = _names[cls] = {"class": cls.__name__} | ({} if base is cls else {"base": base.__name__})
    return found


def _takes_any(init: object) -> bool:
    return isinstance(init, FunctionType) and bool(init.__code__.co_flags & 0x08)  # CO_VARKEYWORDS


def _read_parameters(init: object) -> dict[str, Any]:
    if not isinstance(init, FunctionType):
        return {}
    # Not inspect.signature: importing inspect costs more than all the definitions together.
    code, named = init.__code__, init.__kwdefaults__ or {}
    positional = code.co_varnames[1 : code.co_argcount]
    values = init.__defaults__ or ()
    defaults = dict(zip(positional[len(positional) - len(values) :], values, strict=True))
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    return {name: {**defaults, **named}.get(name) for name in (*positional, *keywords)}


def declared_enum(cls: AnyEnum) -> AnyEnum:
    """Class decorator: members of this enumeration may stand in a spec."""
    _enums[cls.__name__] = cls
    return cls


def encode(value: object) -> Any:
    """A parameter's value as JSON; what JSON lacks becomes an object with a "class"."""
    if type(value) in _PLAIN:
        return value
    # What there is most of comes first.
    match value:
        case FeastType():
            return {"class": "FeastType", "type": str(value)}
        case dict():
            items = {str(key): encode(item) for key, item in value.items()}
            return {"class": "dict", "items": items} if "class" in items else items
        case Declared():
            return value.spec()
        case list() | tuple():
            return [encode(item) for item in value]
        case Enum():
            return {"class": type(value).__name__, "member": value.name}
        case str() | int() | float():  # of a class derived from it
            return value
        case bytes():
            return {"class": "bytes", "hex": value.hex()}
        case timedelta():
            return {"class": "timedelta", "microseconds": value // timedelta(microseconds=1)}
        case datetime():
            return {"class": "datetime", "iso": value.isoformat()}
        case type():
            return {"class": "type", "name": value.__name__}
    raise DefinitionError(f"{value!r} of type {type(value).__name__} cannot be stored; use plain values")


def decode(value: Any) -> Any:
    """The value that `encode` was given."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict | Mapping):
        return value
    name = value.get("class")
    if name is None:
        return {key: decode(item) for key, item in value.items()}
    if name == "FeastType":
        return parse_type(value["type"])
    if name == "timedelta":
        return timedelta(microseconds=value["microseconds"])
    if name == "bytes":
        return bytes.fromhex(value["hex"])
    if name == "datetime":
        return datetime.fromisoformat(value["iso"])
    if name == "dict":
        return {key: decode(item) for key, item in value["items"].items()}
    if name == "type":
        return class_named(value["name"])
    if name in _enums:
        return _enums[name][value["member"]]
    cls = class_named(name if name in _classes else value.get("base", name))
    known = parameters(cls)
    given = {key: item if type(item) in _PLAIN else decode(item) for key, item in value.items() if key in known}
    if cls.not_in_spec:  # what is not in the spec is not here
        given.update(dict.fromkeys(cls.not_in_spec & known.keys()))
    return cls(**given)


def class_named(name: str) -> type[Declared]:
    """The class that a spec names. DefinitionError if there is none."""
    if name not in _classes:
        raise DefinitionError(
            f"the registry holds an object of class {name!r}, which this version does not know;"
            " upgrade feastkit or, if the class is your own, import it before the registry is read"
        )
    return _classes[name]


def checked_tags(label: str, tags: Mapping[str, str] | None) -> dict[str, str]:
    """A copy of the tags; DefinitionError unless they map text to text."""
    if tags is None or tags == {}:
        return {}
    if not isinstance(tags, Mapping | None):
        raise DefinitionError(f"{label}: tags must be a dict of text to text, not {tags!r}")
    for key, value in (tags or {}).items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise DefinitionError(f"{label}: tags: {key!r}: {value!r} must be text to text; write {str(value)!r}")
    return dict(tags or {})


def checked_list(
    label: str, parameter: str, values: object, accepted: type[Value] | tuple[type[Value], ...], what: str
) -> list[Value]:
    """A copy of a list whose items are of the accepted type; None is the empty list."""
    if values is None:
        return []
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise DefinitionError(f"{label}: {parameter} must be a list of {what}, not {values!r}")
    items = list(values)
    for item in items:
        if not isinstance(item, accepted):
            raise DefinitionError(f"{label}: {parameter} must hold {what}, not {item!r} of type {type(item).__name__}")
    return items


def checked_duration(label: str, parameter: str, value: timedelta | None) -> timedelta:
    """The duration; None is zero."""
    if not isinstance(value, timedelta | None):
        raise DefinitionError(f"{label}: {parameter} must be a timedelta, as timedelta(days=1), not {value!r}")
    if value is not None and value < timedelta(0):
        raise DefinitionError(f"{label}: {parameter} must not be negative, got {value}; timedelta(0) is for ever")
    return value or timedelta(0)
