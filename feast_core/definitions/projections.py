"""The part of a view that somebody wants: which features, under which alias, with which join keys renamed."""

import re
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, ClassVar, Self

from feast_core.definitions.definition import Declared, Definition, checked_list
from feast_core.definitions.entities import Entity, Field, checked_schema, key_field
from feast_core.definitions.sources import DataSource
from feast_core.definitions.types import Invalid
from feast_core.errors import DefinitionError


class FeatureViewProjection(Declared):
    """A choice of features of one view. Treated as immutable: what changes it makes a copy.

    `desired_features` holds the chosen names, in the order of choice; empty means all. `features` holds the fields,
    as far as they were known where the choice was made. `join_key_map` maps join keys to the names a request uses.
    """

    def __init__(
        self,
        name: str,
        name_alias: str | None,
        desired_features: list[str],
        features: list[Field],
        join_key_map: dict[str, str] | None = None,
        timestamp_field: str | None = None,
        date_partition_column: str | None = None,
        created_timestamp_column: str | None = None,
        batch_source: DataSource | None = None,
        version_tag: int | None = None,
        view_type: str = "featureView",
    ) -> None:
        self.name = name
        self.name_alias = name_alias
        self.desired_features = list(desired_features)
        self.features = list(features)
        self.join_key_map: dict[str, str] = dict(join_key_map or {})
        self.timestamp_field = timestamp_field
        self.date_partition_column = date_partition_column
        self.created_timestamp_column = created_timestamp_column
        self.batch_source = batch_source
        self.version_tag = version_tag
        self.view_type = view_type

    def name_to_use(self) -> str:
        """The name in requests and responses: the alias, or the view's own."""
        return self.name_alias or self.name

    def get_feature(self, feature_name: str) -> Field:
        """The field of this name. Raises DefinitionError."""
        for field in self.features:
            if field.name == feature_name:
                return field
        raise DefinitionError(f"projection {self.name_to_use()!r} has no feature {feature_name!r}")

    def replace(self, **changes: Any) -> "FeatureViewProjection":
        """A copy with some parameters changed."""
        return FeatureViewProjection(**{**self.arguments(), **changes})

    def reference(self) -> "FeatureViewProjection":
        """A copy that only names: what a service stores, so that a view's changes are not changes of the service."""
        return FeatureViewProjection(
            name=self.name,
            name_alias=self.name_alias,
            desired_features=self.desired_features,
            features=[],
            join_key_map=self.join_key_map,
            version_tag=self.version_tag,
            view_type=self.view_type,
        )

    @staticmethod
    def from_definition(base_feature_view: "BaseFeatureView") -> "FeatureViewProjection":
        """The whole view under its own name."""
        view = base_feature_view
        return FeatureViewProjection(view.name, None, [], view.features, view_type=view.view_type)

    @staticmethod
    def from_feature_view_definition(feature_view: "BaseFeatureView") -> "FeatureViewProjection":
        """As Feast: another name of `from_definition`."""
        return FeatureViewProjection.from_definition(feature_view)


class BaseFeatureView(Definition):
    """What feature views, on-demand feature views and label views share: entities, a schema and a projection.

    entities        names of the entities, in order; empty if the view has none
    entity_objects  the entities themselves, without those that were given by name only
    join_keys       one column per entity, in the same order
    features        the schema without the join keys, in the order of declaration; empty until inferred
    entity_columns  one field per join key: from the schema, else the entity's own type, else Invalid until inferred
    schema          what was declared: join keys first, then features
    """

    view_type: ClassVar[str] = "featureView"

    def __init__(
        self,
        *,
        name: str,
        entities: Sequence[Entity | str] | None,
        schema: Sequence[Field] | None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
    ) -> None:
        super().__init__(name, description, tags, owner)
        if ":" in name or re.search(r"@(latest|[vV]\d+)?$", name):
            raise DefinitionError(
                f"{self.label}: a reference such as 'view:feature' or 'view@v2:feature' could not name it"
            )
        # As Feast: entities may be given by name; `resolve_entities` puts the objects in when the repository is read.
        given: Any = [entities] if isinstance(entities, Entity) else list(entities) if entities else []
        self._given_entities: list[Entity | str] = checked_list(
            self.label, "entities", given, (Entity, str), "Entity objects"
        )
        self.entities = [entity if isinstance(entity, str) else entity.name for entity in self._given_entities]
        self.entity_objects = [entity for entity in self._given_entities if isinstance(entity, Entity)]
        self.join_keys = [entity if isinstance(entity, str) else entity.join_key for entity in self._given_entities]
        for key in self.join_keys:
            if self.join_keys.count(key) > 1:
                raise DefinitionError(f"{self.label}: two of its entities share the join key {key!r}; remove one")
        fields = {field.name: field for field in checked_schema(self.label, "schema", schema)}
        self.features = [field for field in fields.values() if field.name not in self.join_keys]
        self.schema = [field for field in fields.values() if field.name in self.join_keys] + self.features
        indexed = [field.name for field in self.features if field.vector_index]
        if len(indexed) > 1:
            raise DefinitionError(
                f"{self.label}: {', '.join(indexed)} have vector_index=True; a view has one vector to search,"
                " move the others to a view of their own"
            )
        self.entity_columns = [self._key_field(entity, fields) for entity in self._given_entities]
        self.projection = FeatureViewProjection.from_definition(self)

    def _key_field(self, entity: Entity | str, fields: Mapping[str, Field]) -> Field:
        if isinstance(entity, str):
            return fields.get(entity) or Field(name=entity, dtype=Invalid)
        own = key_field(entity)
        declared = fields.get(entity.join_key, own)
        if Invalid not in (own.dtype, declared.dtype) and own.dtype != declared.dtype:
            raise DefinitionError(
                f"{self.label}: the schema says that {declared.name!r} is {declared.dtype}, {entity.label} says"
                f" {own.dtype}; make them agree"
            )
        return declared if declared.dtype != Invalid else own

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "entities": self._given_entities}

    def ensure_valid(self) -> None:
        """As Feast: a check that a program may call again. The constructor has made it."""

    @property
    def unresolved_entities(self) -> list[str]:
        """Entities that were given by name and are not known yet."""
        return [entity for entity in self._given_entities if isinstance(entity, str)]

    def resolve_entities(self, known: Mapping[str, Entity]) -> Self:
        """A copy in which entities given by name are the objects; DefinitionError if one is not known."""
        for name in self.unresolved_entities:
            if name not in known:
                raise DefinitionError(f"{self.label}: no entity is named {name!r}; declare Entity(name={name!r})")
        return self._with(entities=[known[e] if isinstance(e, str) else e for e in self._given_entities])

    def with_schema(self, fields: Sequence[Field]) -> Self:
        """A copy with the whole schema given: what `apply` makes after it has looked at the source."""
        return self._with(schema=list(fields))

    def _with(self, **changes: Any) -> Self:
        changed = type(self)(**{**self.arguments(), **changes})
        chosen = self.projection.desired_features
        known = [field for field in changed.features if not chosen or field.name in chosen]
        changed.projection = self.projection.replace(features=known)
        return changed

    def __getitem__(self, item: str | list[str]) -> Self:
        """A copy that stands for some features only: `view["a"]` or `view[["a", "b"]]`."""
        names = [item] if isinstance(item, str) else list(item)
        # As Feast: join keys may stand in the list, and mean nothing there.
        names = [name for name in dict.fromkeys(names) if name not in self.join_keys]
        if not names:
            raise DefinitionError(f"{self.label}: {item!r} selects no feature; name at least one")
        fields = {field.name: field for field in self.features}
        for name in names:
            if fields and name not in fields:
                from difflib import get_close_matches

                close = get_close_matches(str(name), fields, 1)
                hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(fields)}"
                raise DefinitionError(f"{self.label} has no feature {name!r}; {hint}")
        known = [fields[name] for name in names if name in fields]
        return self.with_projection(self.projection.replace(desired_features=names, features=known))

    def with_name(self, name: str) -> Self:
        """A copy that is called so in requests and responses; the view itself keeps its name."""
        return self.with_projection(self.projection.replace(name_alias=name))

    def with_join_key_map(self, join_key_map: dict[str, str]) -> Self:
        """A copy whose join keys are called otherwise in requests: `{"driver_id": "origin_id"}`."""
        return self.with_projection(self.projection.replace(join_key_map=join_key_map))

    def with_projection(self, feature_view_projection: FeatureViewProjection) -> Self:
        """A copy with this projection, which must be of this view."""
        copied = copy(self)
        copied.set_projection(feature_view_projection)
        return copied

    def set_projection(self, feature_view_projection: FeatureViewProjection) -> None:
        """As Feast: puts this projection in place, without a copy."""
        if feature_view_projection.name != self.name:
            raise DefinitionError(
                f"{self.label}: the projection is of view {feature_view_projection.name!r}; use one of this view"
            )
        self.projection = feature_view_projection
