"""The types of features and entities, and their one spelling as text: `Int64`, `Array(Int64)`, `Struct({"a": Int64})`.

parse_type("Array(Int64)") == Array(Int64)
str(Array(Int64)) == "Array(Int64)"
Array(Int64).to_value_type() is ValueType.INT64_LIST
"""

import json
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING

from feast_core.errors import DefinitionError

if TYPE_CHECKING:
    import ast


class ValueType(Enum):
    """The older, flat names of types; what `Entity(value_type=...)` takes. The numbers are Feast's."""

    UNKNOWN = 0
    BYTES = 1
    STRING = 2
    INT32 = 3
    INT64 = 4
    DOUBLE = 5
    FLOAT = 6
    BOOL = 7
    UNIX_TIMESTAMP = 8
    BYTES_LIST = 11
    STRING_LIST = 12
    INT32_LIST = 13
    INT64_LIST = 14
    DOUBLE_LIST = 15
    FLOAT_LIST = 16
    BOOL_LIST = 17
    UNIX_TIMESTAMP_LIST = 18
    NULL = 19
    MAP = 20
    MAP_LIST = 21
    BYTES_SET = 22
    STRING_SET = 23
    INT32_SET = 24
    INT64_SET = 25
    DOUBLE_SET = 26
    FLOAT_SET = 27
    BOOL_SET = 28
    UNIX_TIMESTAMP_SET = 29
    PDF_BYTES = 30
    IMAGE_BYTES = 31
    JSON = 32
    JSON_LIST = 33
    STRUCT = 34
    STRUCT_LIST = 35
    UUID = 36
    TIME_UUID = 37
    UUID_LIST = 38
    TIME_UUID_LIST = 39
    UUID_SET = 40
    TIME_UUID_SET = 41
    VALUE_LIST = 42
    VALUE_SET = 43
    DECIMAL = 44
    DECIMAL_LIST = 45
    DECIMAL_SET = 46
    SCALAR_MAP = 47
    ZONED_TIMESTAMP = 48


class FeastType:
    """A type. Two types are equal if their text is; `str(type)` is read back by `parse_type`."""

    def to_value_type(self) -> ValueType:
        """The flat name; lists of lists and the like are all VALUE_LIST or VALUE_SET."""
        raise NotImplementedError


#: Primitive types whose `ValueType` is called otherwise.
_OTHER_NAMES = {"INVALID": "UNKNOWN", "FLOAT64": "DOUBLE", "FLOAT32": "FLOAT"}


class PrimitiveFeastType(FeastType, Enum):
    """A type with no parts. The numbers are Feast's, and not those of `ValueType`."""

    INVALID = 0
    BYTES = 1
    STRING = 2
    INT32 = 3
    INT64 = 4
    FLOAT64 = 5
    FLOAT32 = 6
    BOOL = 7
    UNIX_TIMESTAMP = 8
    PDF_BYTES = 9
    IMAGE_BYTES = 10
    MAP = 11
    JSON = 12
    UUID = 13
    TIME_UUID = 14
    DECIMAL = 15
    SCALAR_MAP = 16
    ZONED_TIMESTAMP = 17

    def to_value_type(self) -> ValueType:
        return ValueType[_OTHER_NAMES.get(self.name, self.name)]

    def __str__(self) -> str:
        return _SPELLINGS[self]

    __repr__ = __str__


_SPELLINGS = {member: member.name.title().replace("_", "") for member in PrimitiveFeastType}


Invalid = PrimitiveFeastType.INVALID
Bytes = PrimitiveFeastType.BYTES
PdfBytes = PrimitiveFeastType.PDF_BYTES
ImageBytes = PrimitiveFeastType.IMAGE_BYTES
String = PrimitiveFeastType.STRING
Bool = PrimitiveFeastType.BOOL
Int32 = PrimitiveFeastType.INT32
Int64 = PrimitiveFeastType.INT64
Float32 = PrimitiveFeastType.FLOAT32
Float64 = PrimitiveFeastType.FLOAT64
UnixTimestamp = PrimitiveFeastType.UNIX_TIMESTAMP
Map = PrimitiveFeastType.MAP
Json = PrimitiveFeastType.JSON
Uuid = PrimitiveFeastType.UUID
TimeUuid = PrimitiveFeastType.TIME_UUID
Decimal = PrimitiveFeastType.DECIMAL
ScalarMap = PrimitiveFeastType.SCALAR_MAP
ZonedTimestamp = PrimitiveFeastType.ZONED_TIMESTAMP

PRIMITIVES: dict[str, FeastType] = {str(primitive): primitive for primitive in PrimitiveFeastType}


class ComplexFeastType(FeastType):
    """A type made of other types. Immutable by convention."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __repr__(self) -> str:
        return str(self)


def _element(container: str, base_type: object, refused: tuple[FeastType, ...], structs: bool) -> FeastType:
    if isinstance(base_type, ValueType):
        base_type = from_value_type(base_type)
    if not isinstance(base_type, FeastType):
        raise DefinitionError(
            f"{container}({base_type!r}): the element must be a type of feast.types, as in {container}(Int64)"
        )
    if base_type in refused or (isinstance(base_type, Struct) and not structs):
        raise DefinitionError(f"{container}({base_type}): {container} cannot hold {base_type}; use another type")
    return base_type


class Array(ComplexFeastType):
    """A list of values of one type, which may itself be an Array, a Set or a Struct."""

    def __init__(self, base_type: FeastType) -> None:
        self.base_type = _element("Array", base_type, (ZonedTimestamp,), structs=True)

    def to_value_type(self) -> ValueType:
        if isinstance(self.base_type, Struct):
            return ValueType.STRUCT_LIST
        return _container_value_type(self.base_type, "LIST")

    def __str__(self) -> str:
        return f"Array({self.base_type})"


class Set(ComplexFeastType):
    """Distinct values of one type, in no order."""

    def __init__(self, base_type: FeastType) -> None:
        self.base_type = _element("Set", base_type, (ZonedTimestamp, Map, ScalarMap), structs=False)

    def to_value_type(self) -> ValueType:
        return _container_value_type(self.base_type, "SET")

    def __str__(self) -> str:
        return f"Set({self.base_type})"


class Struct(ComplexFeastType):
    """Named values, each of its own type; `fields` keeps the order of declaration."""

    def __init__(self, fields: Mapping[str, FeastType]) -> None:
        if not isinstance(fields, Mapping) or not fields:
            raise DefinitionError('Struct: needs at least one field, as in Struct({"name": String})')
        for name, dtype in fields.items():
            if not isinstance(name, str) or not isinstance(dtype, FeastType):
                raise DefinitionError(f"Struct: field {name!r}: {dtype!r} must be a name and a type of feast.types")
        self.fields: dict[str, FeastType] = dict(fields)

    def to_value_type(self) -> ValueType:
        return ValueType.STRUCT

    def __str__(self) -> str:
        fields = (f"{json.dumps(name, ensure_ascii=False)}: {dtype}" for name, dtype in self.fields.items())
        return f"Struct({{{', '.join(fields)}}})"


def _container_value_type(base_type: FeastType, suffix: str) -> ValueType:
    if isinstance(base_type, PrimitiveFeastType):
        flat = ValueType.__members__.get(f"{base_type.to_value_type().name}_{suffix}")
        if flat is not None:
            return flat
    return ValueType[f"VALUE_{suffix}"]


def from_value_type(value_type: ValueType) -> FeastType:
    """The type of a flat name. DefinitionError where the flat name does not say enough (STRUCT, VALUE_LIST, ...)."""
    if value_type in (ValueType.UNKNOWN, ValueType.NULL):
        return Invalid
    name, _, suffix = value_type.name.rpartition("_")
    container = {"LIST": Array, "SET": Set}.get(suffix)
    element = ValueType.__members__.get(name) if container else value_type
    primitive = next((p for p in PrimitiveFeastType if element is not None and p.to_value_type() is element), None)
    if primitive is None:
        raise DefinitionError(f"ValueType.{value_type.name} does not name one type; use feast.types, as Array(Int64)")
    return container(primitive) if container else primitive


def from_feast_type(feast_type: FeastType) -> ValueType:
    """As Feast: `to_value_type`, as a function."""
    return feast_type.to_value_type()


@cache
def parse_type(text: str) -> FeastType:
    """The type that `str(type)` gave. DefinitionError if the text is not a type."""
    if text in PRIMITIVES:
        return PRIMITIVES[text]
    import ast

    try:
        expression = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise DefinitionError(f"{text!r} is not a type; types look like Int64 or Array(Int64)") from error
    return _build(expression, text)


def _build(node: "ast.expr", text: str) -> FeastType:
    # The text of a type is an expression of Python, so Python's own parser reads it; nothing is evaluated.
    import ast

    if isinstance(node, ast.Name) and node.id in PRIMITIVES:
        return PRIMITIVES[node.id]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        container, argument = node.func.id, node.args[0]
        if container == "Array":
            return Array(_build(argument, text))
        if container == "Set":
            return Set(_build(argument, text))
        if container == "Struct" and isinstance(argument, ast.Dict):
            fields = zip(argument.keys, argument.values, strict=True)
            return Struct({getattr(key, "value", None): _build(dtype, text) for key, dtype in fields})  # type: ignore[misc]
    from difflib import get_close_matches

    close = get_close_matches(ast.unparse(node), PRIMITIVES, 1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(PRIMITIVES)}, Array, Set, Struct"
    raise DefinitionError(f"{text!r} is not a type; {hint}")
