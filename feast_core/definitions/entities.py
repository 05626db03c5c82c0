"""Entity, and the Field of a schema (with Feast's older Feature)."""

from collections.abc import Mapping
from typing import Any

from feast_core.definitions.definition import Declared, Definition, checked_tags
from feast_core.definitions.types import FeastType, Invalid, ValueType, from_value_type
from feast_core.errors import DefinitionError


class Entity(Definition):
    """A thing that features describe, found by one join key column.

    `join_keys` defaults to the name. `value_type` UNKNOWN means that the type comes from a view's schema or source.
    """

    kind = "entity"

    def __init__(
        self,
        *,
        name: str,
        join_keys: list[str] | None = None,
        value_type: ValueType | None = None,
        description: str = "",
        tags: dict[str, str] | None = None,
        owner: str = "",
    ) -> None:
        super().__init__(name, description, tags, owner)
        self.join_keys = [name] if not join_keys else [join_keys] if isinstance(join_keys, str) else list(join_keys)
        if len(self.join_keys) > 1:
            raise DefinitionError(
                f"{self.label}: join_keys has {len(self.join_keys)} columns, {self.join_keys}; an entity has one;"
                " declare one entity per column and give the view both"
            )
        if isinstance(value_type, FeastType):
            value_type = value_type.to_value_type()
        if not isinstance(value_type, ValueType | None):
            raise DefinitionError(f"{self.label}: value_type must be one of ValueType, as INT64, not {value_type!r}")
        self.value_type = value_type or ValueType.UNKNOWN

    def is_valid(self) -> None:
        """As Feast: a check that a program may call again. The constructor has made it."""

    @property
    def join_key(self) -> str:
        """The column that holds the entity's key."""
        return self.join_keys[0]

    @property
    def dtype(self) -> FeastType:
        """The type of the join key; Invalid if the entity does not say."""
        return from_value_type(self.value_type)


class Field(Declared):
    """A column of a schema: its name, its type, and whether it is searched as a vector."""

    def __init__(
        self,
        *,
        name: str,
        dtype: FeastType,
        description: str = "",
        tags: dict[str, str] | None = None,
        vector_index: bool = False,
        vector_length: int = 0,
        vector_search_metric: str | None = None,
    ) -> None:
        if not isinstance(name, str) or not name:
            raise DefinitionError(f"field: name must be text that is not empty, not {name!r}")
        if isinstance(dtype, ValueType):
            dtype = from_value_type(dtype)
        if isinstance(dtype, type) and issubclass(dtype, FeastType):
            raise DefinitionError(f"field {name!r}: dtype {dtype.__name__} needs its parts, as {dtype.__name__}(Int64)")
        if not isinstance(dtype, FeastType):
            raise DefinitionError(f"field {name!r}: dtype must be a type of feast.types, as Int64, not {dtype!r}")
        self.name = name
        self.dtype = dtype
        self.description = description or ""
        self.tags = checked_tags(f"field {name!r}", tags)
        self.vector_index = bool(vector_index)
        self.vector_length = int(vector_length or 0)
        self.vector_search_metric = vector_search_metric

    @classmethod
    def from_feature(cls, feature: "Feature") -> "Field":
        """The field that an older Feature declares."""
        return cls(name=feature.name, dtype=from_value_type(feature.dtype), description=feature.description)


class Feature(Declared):
    """Feast's older Field: a name and a ValueType. Accepted in a schema, where it becomes a Field."""

    def __init__(
        self, name: str, dtype: ValueType, description: str = "", labels: dict[str, str] | None = None
    ) -> None:
        if not isinstance(dtype, ValueType):
            raise DefinitionError(f"feature {name!r}: dtype must be a ValueType, not {dtype!r}; or use Field")
        self.name = name
        self.dtype = dtype
        self.description = description
        self.labels = checked_tags(f"feature {name!r}", labels)


def checked_schema(label: str, parameter: str, schema: object) -> list[Field]:
    """The fields of a schema, in order; DefinitionError names what is not a field, and what is there twice."""
    if schema is None:
        return []
    if isinstance(schema, Mapping) or not isinstance(schema, list | tuple):
        raise DefinitionError(f"{label}: {parameter} must be a list of Field(name=..., dtype=...), not {schema!r}")
    fields = [_field(label, parameter, item) for item in schema]
    seen: set[str] = set()
    for field in fields:
        if field.name in seen:
            raise DefinitionError(f"{label}: {parameter} has two fields named {field.name!r}; remove one")
        seen.add(field.name)
    return fields


def _field(label: str, parameter: str, item: Any) -> Field:
    if isinstance(item, Feature):
        item = Field.from_feature(item)
    if not isinstance(item, Field):
        raise DefinitionError(f"{label}: {parameter} must hold Field(name=..., dtype=...), not {item!r}")
    return item


def key_field(entity: Entity) -> Field:
    """The join key of an entity as a field, with the entity's own type."""
    return Field(name=entity.join_key, dtype=entity.dtype if entity.value_type is not ValueType.UNKNOWN else Invalid)
