"""An immutable, indexed view of the registry at one generation; plans are compiled from it."""

import difflib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from feast_core.definitions import (
    DataSource,
    Definition,
    Entity,
    FeastType,
    FeatureService,
    FeatureView,
    Invalid,
    LabelView,
    OnDemandFeatureView,
    PushSource,
    String,
    from_value_type,
)
from feast_core.errors import DefinitionError, FeatureServiceNotFound, FeatureViewNotFound, NotSupported, ObjectNotFound
from feast_core.interfaces import RowSchema
from feast_core.rows import schema_of

D = TypeVar("D", bound=Definition)


class Snapshot:
    """All definitions of one project. Never changes; a newer generation is a new snapshot."""

    def __init__(self, project: str, generation: int, objects: Iterable[Definition]) -> None:
        self.project = project
        self.generation = generation
        self.objects = tuple(objects)
        self._schemas: dict[str, RowSchema] = {}
        self._positions: dict[str, Mapping[str, int]] = {}

    def _named(self, kind: type[D]) -> dict[str, D]:
        return {found.name: found for found in self.objects if isinstance(found, kind)}

    @cached_property
    def views(self) -> Mapping[str, FeatureView]:
        """Feature views by name, batch and stream views among them."""
        return self._named(FeatureView)

    @cached_property
    def on_demand_views(self) -> Mapping[str, OnDemandFeatureView]:
        """On-demand feature views by name."""
        return self._named(OnDemandFeatureView)

    @cached_property
    def services(self) -> Mapping[str, FeatureService]:
        """Feature services by name."""
        return self._named(FeatureService)

    @cached_property
    def entities(self) -> Mapping[str, Entity]:
        """Entities by name."""
        return self._named(Entity)

    @cached_property
    def data_sources(self) -> Mapping[str, DataSource]:
        """Data sources by name."""
        return self._named(DataSource)

    @cached_property
    def batch_sources(self) -> Mapping[str, DataSource]:
        """The batch sources of feature views that can be used here, by name."""
        found = [view.batch_source for view in self.views.values()]
        return {source.name: source for source in found if source is not None and source.supported}

    @cached_property
    def fed_by(self) -> Mapping[str, Sequence[FeatureView | LabelView]]:
        """Views by the name of the push source that feeds them, each by name; label views among them."""
        found: dict[str, list[FeatureView | LabelView]] = {}
        for view in sorted(self.objects, key=lambda view: view.name):
            if isinstance(view, FeatureView | LabelView) and isinstance(view.stream_source, PushSource):
                found.setdefault(view.stream_source.name, []).append(view)
        return found

    @cached_property
    def join_keys(self) -> Mapping[str, FeastType]:
        """Every join key of the project and its type. Where views disagree, the first view by name speaks."""
        types: dict[str, FeastType] = {}
        for view in sorted(self.views.values(), key=lambda found: found.name):
            for name, dtype in self.key_types(view).items():
                types.setdefault(name, dtype)
        for entity in self.entities.values():
            try:
                dtype = from_value_type(entity.value_type)
            except DefinitionError:  # of a type that is not one of a feature, and that no view uses
                dtype = String
            types.setdefault(entity.join_key, _known(dtype))
        return types

    @cached_property
    def join_key_of_entity(self) -> Mapping[str, str]:
        """Entity name -> join key, for requests that name the entity (as Feast still allows)."""
        return {entity.name: entity.join_key for entity in self.entities.values()}

    def key_types(self, view: FeatureView) -> dict[str, FeastType]:
        """Type of each join key of a view; a text where nothing says otherwise (as Feast)."""
        declared = {field.name: field.dtype for field in view.entity_columns}
        return {name: _known(declared.get(name, Invalid)) for name in view.join_keys}

    def schema(self, view: FeatureView) -> RowSchema:
        """The row schema of a view, made once."""
        schema = self._schemas.get(view.name)
        if schema is None:
            schema = self._schemas[view.name] = schema_of(view.features)
        return schema

    def positions(self, view: FeatureView) -> Mapping[str, int]:
        """Where a row of the view has each feature, made once."""
        positions = self._positions.get(view.name)
        if positions is None:
            names = self.schema(view).names
            positions = self._positions[view.name] = {name: position for position, name in enumerate(names)}
        return positions

    def view(self, name: str) -> FeatureView:
        """The stored view of this name. Raises FeatureViewNotFound, or NotSupported for a view of another kind."""
        view = self.views.get(name)
        if view is not None:
            return view
        if name in self.on_demand_views:
            raise NotSupported(
                f"{name} is an on demand feature view; on demand feature views are not computed by this version, "
                "request the features of its sources instead"
            )
        for found in self.objects:
            if found.name == name and found.kind == "label view":
                raise NotSupported(f"{name} is a label view; label views are not served here")
        raise FeatureViewNotFound(
            f"Feature view {name} does not exist in project {self.project}", self._hint(name, self.views)
        )

    def service(self, name: str) -> FeatureService:
        """The feature service of this name. Raises FeatureServiceNotFound."""
        service = self.services.get(name)
        if service is None:
            raise FeatureServiceNotFound(
                f"Feature service {name} does not exist in project {self.project}", self._hint(name, self.services)
            )
        return service

    def of_kind(self, kind: str) -> list[Definition]:
        """All objects of a kind ("entity", "feature view", ...), by name."""
        return sorted((found for found in self.objects if found.kind == kind), key=lambda found: found.name)

    def get(self, kind: str, name: str) -> Definition:
        """One object. Raises ObjectNotFound."""
        known = {found.name: found for found in self.of_kind(kind)}
        if name not in known:
            raise ObjectNotFound(f"{kind} {name} does not exist in project {self.project}", self._hint(name, known))
        return known[name]

    def _hint(self, name: str, known: Iterable[str]) -> str:
        """What may have been meant, or what is to be done first."""
        return did_you_mean(name, known) if self.objects else "; nothing is applied to it yet, see `feast apply`"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?`, or nothing. Bounded in time, since a client may ask for anything: only names of about the
    same length are compared, and of those a thousand."""
    alike = itertools.islice((found for found in known if abs(len(found) - len(name)) <= 3), 1000)
    close = difflib.get_close_matches(name, alike, 1) if len(name) <= 100 else []
    return f", did you mean {close[0]!r}?" if close else ""


def _known(dtype: FeastType) -> FeastType:
    return String if dtype == Invalid else dtype
