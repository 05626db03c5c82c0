"""On-demand feature views: features computed by a function while a request is answered."""

from collections.abc import Callable
from typing import Any

from feast_core.definitions.aggregation import Aggregation
from feast_core.definitions.definition import checked_list
from feast_core.definitions.entities import Entity, Field, checked_schema
from feast_core.definitions.projections import BaseFeatureView, FeatureViewProjection
from feast_core.definitions.sources import RequestSource
from feast_core.definitions.transformations import Transformation, Udf, checked_mode, transformation_of
from feast_core.definitions.types import ValueType
from feast_core.definitions.views import FeatureView
from feast_core.errors import DefinitionError

MODES = ("pandas", "python", "substrait")
Source = FeatureView | FeatureViewProjection | RequestSource


class OnDemandFeatureView(BaseFeatureView):
    """A function over features of other views and columns of the request.

    The function itself (`udf`) stays in the process that imported it. The spec has its source text only, and a view
    that came from the registry has `udf` None: whoever runs it imports the repository. Inputs are `sources`, or just
    request columns as `input_schema`.
    """

    kind = "on demand feature view"
    view_type = "onDemandFeatureView"
    not_in_spec = frozenset({"udf", "feature_transformation"})

    def __init__(
        self,
        *,
        name: str,
        entities: list[Entity] | None = None,
        schema: list[Field] | None = None,
        sources: list[Source] | None = None,
        input_schema: list[Field] | None = None,
        udf: Udf | None = None,
        udf_string: str | None = "",
        feature_transformation: Transformation | None = None,
        mode: str = "pandas",
        description: str = "",
        tags: dict[str, str] | None = None,
        owner: str = "",
        org: str = "",
        write_to_online_store: bool = False,
        singleton: bool = False,
        track_metrics: bool = False,
        aggregations: list[Aggregation] | None = None,
        version: str = "latest",
        enabled: bool = True,
    ) -> None:
        super().__init__(name=name, entities=entities, schema=schema, description=description, tags=tags, owner=owner)
        if sources is None and input_schema is None:
            raise DefinitionError(f"{self.label}: needs sources=[views, RequestSource] or input_schema=[fields]")
        # Views are kept as projections: what a view is later, the registry says.
        self.sources = [_source(self.label, source) for source in sources or []]
        self.input_schema = checked_schema(self.label, "input_schema", input_schema)
        mode = checked_mode(self.label, mode)
        self.feature_transformation = transformation_of(self.label, mode, udf, udf_string, feature_transformation)
        self.mode = self.feature_transformation.mode if self.feature_transformation else mode
        if self.mode not in MODES:
            raise DefinitionError(f"{self.label}: mode {self.mode!r} does not run on demand; use {', '.join(MODES)}")
        self.udf = self.feature_transformation.udf if self.feature_transformation else None
        self.udf_string = (self.feature_transformation.udf_string or "") if self.feature_transformation else ""
        self.org = org or ""
        self.write_to_online_store = bool(write_to_online_store)
        self.singleton = bool(singleton)
        if self.singleton and self.mode != "python":
            raise DefinitionError(f"{self.label}: singleton=True needs mode='python', not {self.mode!r}")
        if self.write_to_online_store and not self.entities:
            raise DefinitionError(f"{self.label}: write_to_online_store=True needs entities, the keys of its rows")
        self.track_metrics = bool(track_metrics)
        self.aggregations = checked_list(self.label, "aggregations", aggregations, Aggregation, "Aggregation objects")
        self.version = version or "latest"
        self.enabled = bool(enabled)
        if self.aggregations or self.mode == "substrait":
            self.supported = False
            what = "aggregations" if self.aggregations else "mode='substrait'"
            self.unsupported_reason = f"{what} of on demand feature views are not run here; use a function"

    @property
    def source_projections(self) -> list[FeatureViewProjection]:
        """The views it reads, in order."""
        return [source for source in self.sources if isinstance(source, FeatureViewProjection)]

    @property
    def request_sources(self) -> list[RequestSource]:
        """The declared request sources, in order."""
        return [source for source in self.sources if isinstance(source, RequestSource)]

    @property
    def request_columns(self) -> list[Field]:
        """The columns that a request must bring: of all request sources, then of `input_schema`."""
        return [field for source in self.request_sources for field in source.schema] + self.input_schema

    @property
    def source_feature_view_projections(self) -> dict[str, FeatureViewProjection]:
        """As Feast: the source projections by name."""
        return {projection.name_to_use(): projection for projection in self.source_projections}

    @property
    def source_request_sources(self) -> dict[str, RequestSource]:
        """As Feast: the request sources by name."""
        return {source.name: source for source in self.request_sources}

    def get_feature_transformation(self) -> Transformation | None:
        """As Feast: `feature_transformation`."""
        return self.feature_transformation

    def get_request_data_schema(self) -> dict[str, ValueType]:
        """As Feast: the columns that a request must bring, with their flat types."""
        return {field.name: field.dtype.to_value_type() for field in self.request_columns}

    @property
    def udf_location(self) -> str:
        """Where the function is written, as `features.py:12`, for messages; "" if it came from the registry."""
        return self.feature_transformation.location if self.feature_transformation else ""


def on_demand_feature_view(
    *,
    name: str | None = None,
    entities: list[Entity] | None = None,
    schema: list[Field],
    sources: list[Source] | None = None,
    input_schema: list[Field] | None = None,
    aggregations: list[Aggregation] | None = None,
    mode: str = "pandas",
    description: str = "",
    tags: dict[str, str] | None = None,
    owner: str = "",
    org: str = "",
    write_to_online_store: bool = False,
    singleton: bool = False,
    track_metrics: bool = False,
    explode: bool = False,
    version: str = "latest",
) -> Callable[[Udf], OnDemandFeatureView]:
    """Decorator: the function becomes an OnDemandFeatureView, called as the function unless a name is given."""
    given: dict[str, Any] = dict(locals())
    # As Feast: `explode` belongs to the decorator alone, and changes nothing while serving.
    del given["explode"]

    def decorate(function: Udf) -> OnDemandFeatureView:
        return OnDemandFeatureView(**{**given, "name": name or function.__name__, "udf": function})

    return decorate


def _source(label: str, source: Any) -> FeatureViewProjection | RequestSource:
    if isinstance(source, FeatureViewProjection | RequestSource):
        return source
    if isinstance(source, BaseFeatureView):
        return source.projection
    raise DefinitionError(f"{label}: sources must hold feature views and RequestSource objects, not {source!r}")
