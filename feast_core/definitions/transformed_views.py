"""Batch and stream feature views: feature views with a transformation of their own, and their decorators."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from feast_core.definitions.aggregation import Aggregation
from feast_core.definitions.definition import checked_list
from feast_core.definitions.entities import Entity, Field
from feast_core.definitions.sources import DataSource
from feast_core.definitions.transformations import (
    Transformation,
    TransformationMode,
    Udf,
    checked_mode,
    transformation_of,
)
from feast_core.definitions.views import FeatureView
from feast_core.errors import DefinitionError


class _TransformedFeatureView(FeatureView):
    """What batch and stream feature views add: a transformation and aggregations, which nothing here runs."""

    not_in_spec = frozenset({"udf", "feature_transformation"})

    def _keep_transformation(
        self,
        mode: TransformationMode | str,
        udf: Udf | None,
        udf_string: str | None,
        given: Transformation | None,
        aggregations: list[Aggregation] | None,
    ) -> None:
        mode = checked_mode(self.label, mode)
        self.feature_transformation = transformation_of(self.label, mode, udf, udf_string, given)
        self.mode = self.feature_transformation.mode if self.feature_transformation else mode
        self.udf = self.feature_transformation.udf if self.feature_transformation else None
        self.udf_string = self.feature_transformation.udf_string if self.feature_transformation else ""
        self.aggregations = checked_list(self.label, "aggregations", aggregations, Aggregation, "Aggregation objects")
        if self.feature_transformation or self.aggregations:
            self.supported = False
            self.unsupported_reason = (
                "its transformation is not run here; write transformed rows to its source and declare a FeatureView"
            )

    def get_feature_transformation(self) -> Transformation | None:
        """As Feast: `feature_transformation`."""
        return self.feature_transformation


class BatchFeatureView(_TransformedFeatureView):
    """A feature view with a batch transformation. Without one it is an ordinary feature view, offline by default."""

    def __init__(
        self,
        *,
        name: str,
        mode: TransformationMode | str = TransformationMode.PYTHON,
        source: DataSource | FeatureView | list[FeatureView] | None = None,
        sink_source: DataSource | None = None,
        entities: list[Entity] | None = None,
        ttl: timedelta | None = None,
        tags: dict[str, str] | None = None,
        online: bool = False,
        offline: bool = False,
        description: str = "",
        owner: str = "",
        org: str = "",
        schema: list[Field] | None = None,
        udf: Udf | None = None,
        udf_string: str | None = "",
        feature_transformation: Transformation | None = None,
        batch_engine: dict[str, Any] | None = None,
        aggregations: list[Aggregation] | None = None,
        enable_validation: bool = False,
        version: str = "latest",
    ) -> None:
        super().__init__(
            name=name,
            source=source,
            sink_source=sink_source,
            schema=schema,
            entities=entities,
            ttl=ttl,
            online=online,
            offline=offline,
            description=description,
            tags=tags,
            owner=owner,
            org=org,
            enable_validation=enable_validation,
            version=version,
        )
        self._keep_transformation(mode, udf, udf_string, feature_transformation, aggregations)
        self.batch_engine = batch_engine


class StreamFeatureView(_TransformedFeatureView):
    """A feature view over a push source or a stream, with a streaming transformation."""

    def __init__(
        self,
        *,
        name: str,
        source: DataSource | FeatureView | list[FeatureView],
        sink_source: DataSource | None = None,
        entities: list[Entity] | None = None,
        ttl: timedelta = timedelta(0),
        tags: dict[str, str] | None = None,
        online: bool = True,
        offline: bool = False,
        description: str = "",
        owner: str = "",
        org: str = "",
        schema: list[Field] | None = None,
        aggregations: list[Aggregation] | None = None,
        mode: str | TransformationMode = TransformationMode.PYTHON,
        timestamp_field: str | None = "",
        udf: Udf | None = None,
        udf_string: str | None = "",
        feature_transformation: Transformation | None = None,
        stream_engine: dict[str, Any] | None = None,
        enable_tiling: bool = False,
        tiling_hop_size: timedelta | None = None,
        enable_validation: bool = False,
        version: str = "latest",
    ) -> None:
        super().__init__(
            name=name,
            source=source,
            sink_source=sink_source,
            schema=schema,
            entities=entities,
            ttl=ttl,
            online=online,
            offline=offline,
            description=description,
            tags=tags,
            owner=owner,
            org=org,
            enable_validation=enable_validation,
            version=version,
        )
        if isinstance(source, DataSource) and self.stream_source is None:
            raise DefinitionError(
                f"{self.label}: source must be a PushSource, KafkaSource or KinesisSource, not {type(source).__name__};"
                " use FeatureView for a batch source"
            )
        self._keep_transformation(mode, udf, udf_string, feature_transformation, aggregations)
        self.timestamp_field = timestamp_field or ""
        self.stream_engine = stream_engine
        self.enable_tiling = bool(enable_tiling)
        self.tiling_hop_size = tiling_hop_size


def batch_feature_view(
    *,
    name: str | None = None,
    mode: TransformationMode | str = TransformationMode.PYTHON,
    entities: list[str] | None = None,
    ttl: timedelta | None = None,
    source: DataSource | None = None,
    tags: dict[str, str] | None = None,
    online: bool = True,
    offline: bool = True,
    description: str = "",
    owner: str = "",
    org: str = "",
    schema: list[Field] | None = None,
    enable_validation: bool = False,
    version: str = "latest",
) -> Callable[[Udf], BatchFeatureView]:
    """Decorator: the function becomes the transformation of a BatchFeatureView of its name."""
    given: dict[str, Any] = dict(locals())

    def decorate(function: Udf) -> BatchFeatureView:
        return BatchFeatureView(**{**given, "name": name or function.__name__, "udf": function})

    return decorate


def stream_feature_view(
    *,
    entities: list[Entity] | list[str] | None = None,
    ttl: timedelta | None = None,
    tags: dict[str, str] | None = None,
    online: bool | None = True,
    description: str | None = "",
    owner: str | None = "",
    org: str | None = "",
    schema: list[Field] | None = None,
    source: DataSource | None = None,
    aggregations: list[Aggregation] | None = None,
    mode: str | None = "spark",
    timestamp_field: str | None = "",
    enable_validation: bool = False,
    version: str = "latest",
) -> Callable[[Udf], StreamFeatureView]:
    """Decorator: the function becomes the transformation of a StreamFeatureView of its name."""
    given: dict[str, Any] = dict(locals())

    def decorate(function: Udf) -> StreamFeatureView:
        return StreamFeatureView(**{**given, "name": function.__name__, "udf": function})

    return decorate
