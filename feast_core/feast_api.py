"""What code written for Feast calls on a store, under Feast's names and with Feast's parameters."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TypeVar

from feast_core.definitions import DataSource, Definition, Entity, FeatureService, FeatureView
from feast_core.errors import ObjectNotFound
from feast_core.snapshot import Snapshot

D = TypeVar("D", bound=Definition)


class FeastApi(ABC):
    """Feast's second names of what a store has anyway; `FeatureStore` inherits them.

    Parameters that say whether a cached registry will do are accepted and mean nothing: definitions always come from
    the snapshot, which `refresh` replaces.
    """

    project: str

    @property
    @abstractmethod
    def snapshot(self) -> Snapshot:
        """The registry as it was when it was loaded last."""

    @abstractmethod
    def refresh(self) -> bool:
        """Look whether the registry has changed, and load it if so."""

    def refresh_registry(self) -> None:
        """`refresh`."""
        self.refresh()

    def get_entity(self, name: str, allow_registry_cache: bool = False) -> Entity:
        """Raises ObjectNotFound, as all of these do."""
        return self._named(Entity, "entity", name)

    def get_feature_view(self, name: str, allow_registry_cache: bool = False) -> FeatureView:
        """A feature view, batch and stream views among them."""
        return self._named(FeatureView, "feature view", name)

    def get_feature_service(self, name: str, allow_cache: bool = False) -> FeatureService:
        """A feature service."""
        return self._named(FeatureService, "feature service", name)

    def get_data_source(self, name: str) -> DataSource:
        """A data source."""
        return self._named(DataSource, "data source", name)

    def list_entities(self, allow_cache: bool = False, tags: Mapping[str, str] | None = None) -> list[Entity]:
        """All with these tags, by name, as all of these."""
        return self._tagged(Entity, tags)

    def list_feature_views(self, allow_cache: bool = False, tags: Mapping[str, str] | None = None) -> list[FeatureView]:
        """Feature views."""
        return self._tagged(FeatureView, tags)

    def list_feature_services(self, tags: Mapping[str, str] | None = None) -> list[FeatureService]:
        """Feature services."""
        return self._tagged(FeatureService, tags)

    def list_data_sources(self, allow_cache: bool = False, tags: Mapping[str, str] | None = None) -> list[DataSource]:
        """Data sources."""
        return self._tagged(DataSource, tags)

    def _named(self, kind: type[D], label: str, name: str) -> D:
        for found in self._tagged(kind, None):
            if found.name == name:
                return found
        raise ObjectNotFound(f"{label} {name} does not exist in project {self.project}")

    def _tagged(self, kind: type[D], tags: Mapping[str, str] | None) -> list[D]:
        found = [item for item in self.snapshot.objects if isinstance(item, kind)]
        wanted = (tags or {}).items()
        return sorted((item for item in found if wanted <= item.tags.items()), key=lambda item: item.name)
