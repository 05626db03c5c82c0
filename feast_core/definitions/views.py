"""Feature views: stored features of entities, from a source, in the online store for as long as `ttl` says."""

import json
from datetime import timedelta
from enum import IntEnum

from feast_core.definitions.definition import checked_duration, checked_list
from feast_core.definitions.entities import Entity, Field
from feast_core.definitions.projections import BaseFeatureView
from feast_core.definitions.sources import DataSource, PushSource
from feast_core.definitions.streams import KafkaSource, KinesisSource
from feast_core.definitions.transformations import TransformationMode, checked_mode
from feast_core.definitions.types import FeastType, Int32, Int64, Invalid, String
from feast_core.errors import DefinitionError


class FeatureViewState(IntEnum):
    """Feast's stages of a view's life. Named here so that imports work; views here have no stages."""

    STATE_UNSPECIFIED = 0
    CREATED = 1
    GENERATED = 2
    MATERIALIZING = 3
    AVAILABLE_ONLINE = 4


class FeatureView(BaseFeatureView):
    """Features of entities, read from a source and kept in the online store.

    `ttl` zero (or None) is for ever. `source` is a data source, or the views that this one is derived from.
    """

    kind = "feature view"

    def __init__(
        self,
        *,
        name: str,
        source: "DataSource | FeatureView | list[FeatureView] | None" = None,
        sink_source: DataSource | None = None,
        schema: list[Field] | None = None,
        entities: list[Entity] | None = None,
        ttl: timedelta | None = timedelta(0),
        online: bool = True,
        offline: bool = False,
        description: str = "",
        tags: dict[str, str] | None = None,
        owner: str = "",
        org: str = "",
        mode: TransformationMode | str | None = None,
        enable_validation: bool = False,
        version: str = "latest",
        enabled: bool = True,
    ) -> None:
        super().__init__(name=name, entities=entities, schema=schema, description=description, tags=tags, owner=owner)
        if not isinstance(source, DataSource | BaseFeatureView | list | None):
            raise DefinitionError(f"{self.label}: source must be a data source or a feature view, not {source!r}")
        if isinstance(source, list):
            checked_list(self.label, "source", source, BaseFeatureView, "feature views")
        if source is not None and not isinstance(source, DataSource) and sink_source is None:
            raise DefinitionError(f"{self.label}: a view that is derived from views needs a sink_source, where it goes")
        self.source = source
        self.sink_source = sink_source
        self.ttl = checked_duration(self.label, "ttl", ttl)
        self.online = bool(online)
        self.offline = bool(offline)
        self.org = org or ""
        self.mode = checked_mode(self.label, mode) if mode else None
        self.enable_validation = bool(enable_validation)
        self.version = version or "latest"
        self.enabled = bool(enabled)
        mapping = self.batch_source.field_mapping if self.batch_source else {}
        for field in self.schema:
            if field.name in mapping and field.name not in mapping.values():
                raise DefinitionError(
                    f"{self.label}: its source maps column {field.name!r} to {mapping[field.name]!r};"
                    f" call the field {mapping[field.name]!r}, or take it out of the field_mapping"
                )

    def get_ttl_duration(self) -> timedelta:
        """As Feast: `ttl`, in a form of its own there."""
        return self.ttl

    @property
    def stream_source(self) -> DataSource | None:
        """The push source or stream that feeds the view between materializations."""
        return self.source if isinstance(self.source, PushSource | KafkaSource | KinesisSource) else None

    @property
    def batch_source(self) -> DataSource | None:
        """Where the history is: behind the push source or stream, the source itself, or the sink of a derived view."""
        if isinstance(self.source, PushSource | KafkaSource | KinesisSource):
            return self.source.batch_source
        return self.source if isinstance(self.source, DataSource) else self.sink_source

    @property
    def place(self) -> str:
        """What an online store calls the place of its rows: the name, and the join keys with their types, since a key
        does not say of which entity it is. With other join keys it has another place, so that who still knows the old
        ones neither reads nor writes rows of the new. Integers of any width make the same keys."""
        # As Feast: a join key of which nothing is known is a text.
        same: dict[FeastType, FeastType] = {Int32: Int64, Invalid: String}
        types = {field.name: str(same.get(field.dtype, field.dtype)) for field in self.entity_columns}
        return f"{self.name} {json.dumps(types, ensure_ascii=False, sort_keys=True)}"

    @property
    def source_views(self) -> list[str]:
        """Names of the views that this one is derived from."""
        views = self.source if isinstance(self.source, list) else [self.source]
        return [view.name for view in views if isinstance(view, BaseFeatureView)]

    @property
    def not_materialized(self) -> str:
        """Why it cannot be materialized; empty where it can be."""
        if not self.online:
            return "it is declared with online=False"
        if not self.enabled:
            return "it is declared with enabled=False"
        if not self.supported:
            return self.unsupported_reason
        if self.source_views:
            return "it is derived from other views, which is not supported here"
        return "" if self.batch_source else "it has no batch source"
