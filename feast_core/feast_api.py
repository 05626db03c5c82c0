"""What code written for Feast calls on a store to find and delete definitions, and to write rows: its names, its
parameters."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypeVar

from feast_core.definitions import (
    BaseFeatureView,
    DataSource,
    Definition,
    Entity,
    FeatureService,
    FeatureView,
    LabelView,
    OnDemandFeatureView,
    Permission,
    Project,
    PushMode,
    SavedDataset,
    StreamFeatureView,
    ValidationReference,
)
from feast_core.diff import Diff
from feast_core.errors import FeatureServiceNotFound, FeatureViewNotFound, InvalidInput, ObjectNotFound
from feast_core.frames import Frame
from feast_core.ingestion import PushReceipt, PushRequest
from feast_core.snapshot import Snapshot

D = TypeVar("D", bound=Definition)
Tags = Mapping[str, str] | None


class FeastApi(ABC):
    """Feast's second names of what a store has anyway; `FeatureStore` inherits them.

    `get_*` raise ObjectNotFound, or its kind for views and services. `list_*` give all objects that have the tags, by
    name. Definitions are copies of those in the snapshot: who changes one, to apply it perhaps, changes nothing that is
    served. As Feast: it is looked first whether the registry has changed, which is one query, unless a parameter says
    that a cached registry will do.
    """

    project: str

    @property
    @abstractmethod
    def snapshot(self) -> Snapshot:
        """The registry as it was when it was loaded last."""

    @abstractmethod
    def refresh(self) -> bool:
        """Look whether the registry has changed, and load it if so."""

    @abstractmethod
    def delete(self, kind: str, name: str) -> Diff:
        """Forget one object."""

    @abstractmethod
    def projects(self) -> list[Definition]:
        """The projects of the whole registry."""

    @abstractmethod
    def push(
        self,
        push_source_name: str,
        df: Frame,
        allow_registry_cache: bool = True,
        to: PushMode = PushMode.ONLINE,
        transform_on_write: bool = True,
    ) -> PushReceipt:
        """Write rows of a push source."""

    @abstractmethod
    def write(self, request: PushRequest, frame: Frame, allow_registry_cache: bool = True) -> PushReceipt:
        """Write rows where the request says."""

    @abstractmethod
    def teardown(self, *, project: str | None = None) -> None:
        """Forget a project."""

    def refresh_registry(self) -> None:
        """`refresh`."""
        self.refresh()

    # One object.

    def get_entity(self, name: str, allow_registry_cache: bool = False) -> Entity:
        """An entity."""
        return self._named(Entity, "entity", name, allow_registry_cache)

    def get_feature_view(self, name: str, allow_registry_cache: bool = False) -> FeatureView:
        """A feature view, batch and stream views among them."""
        return self._named(FeatureView, "feature view", name, allow_registry_cache)

    def get_stream_feature_view(self, name: str, allow_registry_cache: bool = False) -> StreamFeatureView:
        """A stream feature view."""
        return self._named(StreamFeatureView, "stream feature view", name, allow_registry_cache)

    def get_on_demand_feature_view(self, name: str, allow_registry_cache: bool = False) -> OnDemandFeatureView:
        """An on-demand feature view."""
        return self._named(OnDemandFeatureView, "on demand feature view", name, allow_registry_cache)

    def get_label_view(self, name: str, allow_registry_cache: bool = False) -> LabelView:
        """A label view."""
        return self._named(LabelView, "label view", name, allow_registry_cache)

    def get_feature_service(self, name: str, allow_cache: bool = False) -> FeatureService:
        """A feature service."""
        return self._named(FeatureService, "feature service", name, allow_cache)

    def get_data_source(self, name: str) -> DataSource:
        """A data source."""
        return self._named(DataSource, "data source", name, False)

    def get_permission(self, name: str) -> Permission:
        """A permission."""
        return self._named(Permission, "permission", name, False)

    def get_saved_dataset(self, name: str) -> SavedDataset:
        """What a repository says of a saved data set; its data is not read here."""
        return self._named(SavedDataset, "saved dataset", name, False)

    def get_validation_reference(self, name: str, allow_cache: bool = False) -> ValidationReference:
        """What a repository says of a validation reference."""
        return self._named(ValidationReference, "validation reference", name, allow_cache)

    def get_project(self, name: str | None) -> Project:
        """A project of the registry; None is that of this store."""
        wanted = name or self.project
        for project in self.list_projects():
            if project.name == wanted:
                return project
        raise ObjectNotFound(f"project {wanted} does not exist")

    # All of a kind.

    def list_entities(self, allow_cache: bool = False, tags: Tags = None) -> list[Entity]:
        """Entities."""
        return self._tagged(Entity, tags, allow_cache)

    def list_all_feature_views(self, allow_cache: bool = False, tags: Tags = None) -> list[BaseFeatureView]:
        """Views of every kind."""
        return self._tagged(BaseFeatureView, tags, allow_cache)

    def list_feature_views(self, allow_cache: bool = False, tags: Tags = None) -> list[FeatureView]:
        """Feature views and batch feature views. As Feast: without stream feature views."""
        return [
            view for view in self._tagged(FeatureView, tags, allow_cache) if not isinstance(view, StreamFeatureView)
        ]

    def list_batch_feature_views(self, allow_cache: bool = False, tags: Tags = None) -> list[FeatureView]:
        """As Feast: another name of `list_feature_views`."""
        return self.list_feature_views(allow_cache, tags)

    def list_stream_feature_views(self, allow_cache: bool = False, tags: Tags = None) -> list[StreamFeatureView]:
        """Stream feature views."""
        return self._tagged(StreamFeatureView, tags, allow_cache)

    def list_on_demand_feature_views(self, allow_cache: bool = False, tags: Tags = None) -> list[OnDemandFeatureView]:
        """On-demand feature views."""
        return self._tagged(OnDemandFeatureView, tags, allow_cache)

    def list_label_views(self, allow_cache: bool = False, tags: Tags = None) -> list[LabelView]:
        """Label views."""
        return self._tagged(LabelView, tags, allow_cache)

    def list_feature_services(self, tags: Tags = None) -> list[FeatureService]:
        """Feature services."""
        return self._tagged(FeatureService, tags, False)

    def list_data_sources(self, allow_cache: bool = False, tags: Tags = None) -> list[DataSource]:
        """Data sources."""
        return self._tagged(DataSource, tags, allow_cache)

    def list_permissions(self, allow_cache: bool = False, tags: Tags = None) -> list[Permission]:
        """Permissions."""
        return self._tagged(Permission, tags, allow_cache)

    def list_saved_datasets(
        self,
        allow_cache: bool = False,
        tags: Tags = None,
        namespace: str | None = None,
        collection: str | None = None,
    ) -> list[SavedDataset]:
        """Saved data sets, of one namespace and collection where these are given."""
        found = self._tagged(SavedDataset, tags, allow_cache)
        found = [item for item in found if namespace is None or item.namespace == namespace]
        return [item for item in found if collection is None or item.collection == collection]

    def list_validation_references(self, allow_cache: bool = False, tags: Tags = None) -> list[ValidationReference]:
        """Validation references."""
        return self._tagged(ValidationReference, tags, allow_cache)

    def list_projects(self, allow_cache: bool = False, tags: Tags = None) -> list[Project]:
        """The projects of the registry."""
        wanted = (tags or {}).items()
        return [item for item in self.projects() if isinstance(item, Project) and wanted <= item.tags.items()]

    # Away with it.

    def delete_feature_view(self, name: str) -> None:
        """Delete a view of any kind, with its online rows. Raises as `delete` does."""
        self.delete(self._named(BaseFeatureView, "feature view", name, False).kind, name)

    def delete_feature_service(self, name: str) -> None:
        """Delete a feature service. Raises FeatureServiceNotFound."""
        self.delete(self._named(FeatureService, "feature service", name, False).kind, name)

    def delete_project(self, name: str, commit: bool = True) -> None:
        """`teardown` of a project of the registry. Raises ObjectNotFound."""
        self.teardown(project=self.get_project(name).name)

    def _named(self, kind: type[D], label: str, name: str, allow_cache: bool) -> D:
        for found in self._snapshot(allow_cache).objects:
            if isinstance(found, kind) and found.name == name:
                return deepcopy(found)
        missing = ObjectNotFound
        if issubclass(kind, BaseFeatureView):
            missing = FeatureViewNotFound
        elif issubclass(kind, FeatureService):
            missing = FeatureServiceNotFound
        raise missing(f"{label} {name} does not exist in project {self.project}")

    def _tagged(self, kind: type[D], tags: Tags, allow_cache: bool) -> list[D]:
        found = [item for item in self._snapshot(allow_cache).objects if isinstance(item, kind)]
        wanted = (tags or {}).items()
        tagged = [deepcopy(item) for item in found if wanted <= item.tags.items()]
        return sorted(tagged, key=lambda item: item.name)

    def _snapshot(self, allow_cache: bool) -> Snapshot:
        if not allow_cache:
            self.refresh()
        return self.snapshot

    def get_feature_server_endpoint(self) -> str | None:
        """As Feast, where a server is not part of a cloud's account: None."""
        return None

    async def initialize(self) -> None:
        """As Feast: what a server awaits before it serves. Loads the snapshot."""
        _ = self.snapshot

    # Writing.

    async def push_async(
        self,
        push_source_name: str,
        df: Frame,
        allow_registry_cache: bool = True,
        to: PushMode = PushMode.ONLINE,
        **kwargs: Any,
    ) -> PushReceipt:
        """The same, awaited; the writing is done in a thread."""
        return await asyncio.to_thread(self.push, push_source_name, df, allow_registry_cache, to)

    def write_to_online_store(
        self,
        feature_view_name: str,
        df: Frame = None,
        inputs: Frame = None,
        allow_registry_cache: bool = True,
        transform_on_write: bool = True,
    ) -> PushReceipt:
        """Write rows of one view to the online store; as Feast, they are given as `df` or as `inputs`. Other
        parameters and errors are those of `push`; ObjectNotFound where there is no such view."""
        request = PushRequest(feature_view_name, PushMode.ONLINE, is_view=True)
        return self.write(request, _one_frame(df, inputs), allow_registry_cache)

    async def write_to_online_store_async(
        self,
        feature_view_name: str,
        df: Frame = None,
        inputs: Frame = None,
        allow_registry_cache: bool = True,
    ) -> PushReceipt:
        """The same, awaited; the writing is done in a thread."""
        return await asyncio.to_thread(self.write_to_online_store, feature_view_name, df, inputs, allow_registry_cache)

    def write_to_offline_store(
        self,
        feature_view_name: str,
        df: Frame,
        allow_registry_cache: bool = True,
        reorder_columns: bool = True,
    ) -> PushReceipt:
        """Append rows to the batch source of one view; the order of columns never matters."""
        request = PushRequest(feature_view_name, PushMode.OFFLINE, is_view=True)
        return self.write(request, df, allow_registry_cache)


def _one_frame(df: Frame, inputs: Frame) -> Frame:
    if (df is None) == (inputs is None):
        raise InvalidInput("give the rows as df or as inputs, one of them")
    return inputs if df is None else df
