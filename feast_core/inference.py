"""What a view does not declare, read from its source: features, types of join keys, the event timestamp."""

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from feast_core.definitions import (
    DataSource,
    Definition,
    FeastType,
    FeatureView,
    Field,
    FileSource,
    Invalid,
    PushSource,
    String,
    UnixTimestamp,
)
from feast_core.errors import DefinitionError, SourceError

D = TypeVar("D", bound=Definition)
logger = logging.getLogger("feast")
ColumnsOf = Callable[[DataSource], dict[str, FeastType]]
"""Columns of a source, by the names the view uses. Raises SourceError."""


def infer(objects: Sequence[Definition], columns_of: ColumnsOf) -> list[Definition]:
    """The same objects, complete. A source is read only where something is missing, and once.

    Raises SourceError where a source that must be read cannot be, DefinitionError where it does not tell enough.
    """
    known: dict[str, dict[str, FeastType]] = {}

    def columns(source: DataSource) -> dict[str, FeastType]:
        if source.name not in known:
            known[source.name] = columns_of(source)
        return known[source.name]

    return [_complete(found, columns) for found in objects]


def _complete(found: Definition, columns: ColumnsOf) -> Definition:
    if isinstance(found, DataSource):
        return _with_timestamp(found, columns)
    if isinstance(found, FeatureView):
        return _with_schema(_with_source(found, columns), columns)
    return found


def _with_source(view: FeatureView, columns: ColumnsOf) -> FeatureView:
    if not isinstance(view.source, DataSource):
        return view
    source = _with_timestamp(view.source, columns)
    return view if source is view.source else _replaced(view, source=source)


def _with_timestamp(source: DataSource, columns: ColumnsOf) -> DataSource:
    """The source with its event timestamp column named, where it did not say."""
    if isinstance(source, PushSource):
        batch = source.batch_source and _with_timestamp(source.batch_source, columns)
        return source if batch is source.batch_source else _replaced(source, batch_source=batch)
    if not isinstance(source, FileSource) or source.timestamp_field:
        return source
    created = source.created_timestamp_column
    instants = [
        name
        for name, dtype in columns(source).items()
        if dtype == UnixTimestamp and name not in (created, source.field_mapping.get(created))
    ]
    if len(instants) != 1:
        found = ", ".join(instants) or "none"
        raise DefinitionError(
            f"{source.label}: set timestamp_field, the column with the time of the event "
            f"(columns of that type: {found})"
        )
    return _replaced(source, timestamp_field=instants[0])


def _with_schema(view: FeatureView, columns: ColumnsOf) -> FeatureView:
    untyped = [field.name for field in view.entity_columns if field.dtype == Invalid]
    if view.features and not untyped:
        return view
    # The sink of a view that is derived from others holds nothing before that view is computed.
    source = None if view.source_views else view.batch_source
    if source is None:
        if not view.features:
            raise DefinitionError(f"{view.label}: give it a schema; it has no batch source to read one from")
        return _with_text_keys(view, untyped)
    try:
        found = columns(source)
    except SourceError as error:
        if source.supported:
            raise
        if not view.features:
            raise SourceError(f"{view.label}: declare its schema, since its source cannot be read: {error}") from error
        logger.warning(
            "%s: join key %s is taken for a String, give its entity a value_type if it is another type (%s)",
            *(view.label, ", ".join(untyped), error),
        )
        return _with_text_keys(view, untyped)
    missing = [name for name in untyped if name not in found]
    if missing:
        raise DefinitionError(
            f"{view.label}: its source {source.name!r} has no column for the join key {missing[0]!r}; "
            f"columns: {', '.join(found)}"
        )
    keys = [
        field if field.dtype != Invalid else Field(name=field.name, dtype=found[field.name])
        for field in view.entity_columns
    ]
    features = view.features or _features(view, source, found)
    if not features:
        raise DefinitionError(f"{view.label}: its source {source.name!r} has no column left to be a feature")
    return view.with_schema([*keys, *features])


def _with_text_keys(view: FeatureView, untyped: Sequence[str]) -> FeatureView:
    """As Feast: a join key of which nothing is known is a text."""
    return view.with_schema([*(Field(name=name, dtype=String) for name in untyped), *view.schema])


def _features(view: FeatureView, source: DataSource, found: dict[str, FeastType]) -> list[Field]:
    mapping = source.field_mapping
    taken = {
        *view.join_keys,
        mapping.get(source.timestamp_field, source.timestamp_field),
        mapping.get(source.created_timestamp_column, source.created_timestamp_column),
    }
    # As Feast: a name that begins with two underscores is nobody's feature, such as pandas' `__index_level_0__`.
    return [
        Field(name=name, dtype=dtype)
        for name, dtype in found.items()
        if name not in taken and not name.startswith("__")
    ]


def _replaced(found: D, **changes: Any) -> D:
    return type(found)(**{**found.arguments(), **changes})
