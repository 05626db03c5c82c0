"""What code written for Feast calls on a store: finding, deleting, and what is not supported."""

import asyncio
import inspect
from datetime import UTC, datetime
from typing import Any

import pytest

from feast_core import definitions as d
from feast_core.errors import NotSupported, ObjectNotFound
from feast_core.interfaces import User
from feast_core.store import FeatureStore
from feast_core.unsupported import Unsupported

DEFINITIONS = """
    from feast import (
        ConflictPolicy, Entity, FeatureService, FeatureView, Field, FileSource, LabelView, PushSource, RequestSource,
        StreamFeatureView,
    )
    from feast.on_demand_feature_view import on_demand_feature_view
    from feast.permissions.permission import Permission
    from feast.saved_dataset import SavedDataset, ValidationReference
    from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
    from feast.types import Int64

    driver = Entity(name="driver", tags={"team": "a"})
    source = FileSource(name="source", path="x.parquet", timestamp_field="ts")
    schema = [Field(name="driver", dtype=Int64), Field(name="trips", dtype=Int64)]
    plain = FeatureView(name="plain", entities=[driver], schema=schema, source=source, tags={"team": "a", "x": "y"})
    streamed = StreamFeatureView(
        name="streamed", entities=[driver], schema=schema, source=PushSource(name="push", batch_source=source)
    )
    labels = LabelView(name="labels", entities=[driver], schema=schema)

    @on_demand_feature_view(sources=[plain], schema=[Field(name="more", dtype=Int64)], mode="python")
    def more(inputs):
        return {"more": [trips + 1 for trips in inputs["trips"]]}

    service = FeatureService(name="service", features=[plain])
    saved = SavedDataset(
        "saved", ["plain:trips"], ["driver"], SavedDatasetFileStorage("s.parquet"), namespace="n", collection="c"
    )
    reference = saved.as_reference("reference", profiler=print)
    everyone = Permission(name="everyone")
"""


@pytest.fixture
def store(make_store: Any, feature_repo: Any) -> FeatureStore:
    feature_repo({"features.py": DEFINITIONS})
    store: FeatureStore = make_store()
    store.apply()
    return store


def test_every_kind_is_got_by_name(store: FeatureStore) -> None:
    assert store.get_entity("driver").join_key == "driver"
    assert store.get_feature_view("plain").features[0].name == "trips"
    assert store.get_stream_feature_view("streamed").name == "streamed"
    assert store.get_on_demand_feature_view("more").mode == "python"
    assert store.get_label_view("labels").conflict_policy is d.ConflictPolicy.LAST_WRITE_WINS
    assert store.get_feature_service("service").projections[0].name == "plain"
    assert store.get_data_source("push").name == "push"
    assert store.get_permission("everyone").actions == d.ALL_ACTIONS
    assert store.get_saved_dataset("saved").join_keys == ["driver"]
    assert store.get_validation_reference("reference").dataset_name == "saved"
    assert store.get_project(None) == store.get_project(store.project)
    with pytest.raises(ObjectNotFound, match="stream feature view plain does not exist"):
        store.get_stream_feature_view("plain")


def test_every_kind_is_listed_by_name_and_tags(store: FeatureStore) -> None:
    def names(found: Any) -> list[str]:
        return [item.name for item in found]

    assert names(store.list_entities(tags={"team": "a"})) == ["driver"]
    assert names(store.list_feature_views()) == names(store.list_batch_feature_views()) == ["plain"]
    assert names(store.list_stream_feature_views()) == ["streamed"]
    assert names(store.list_all_feature_views()) == ["labels", "more", "plain", "streamed"]
    assert names(store.list_all_feature_views(tags={"x": "y"})) == ["plain"]
    assert store.list_entities(tags={"team": "b"}) == []
    assert names(store.list_on_demand_feature_views()) == ["more"]
    assert names(store.list_label_views()) == ["labels"]
    assert names(store.list_feature_services()) == ["service"]
    assert names(store.list_data_sources()) == ["push", "source"]
    assert names(store.list_permissions()) == ["everyone"]
    assert names(store.list_saved_datasets(namespace="n", collection="c")) == ["saved"]
    assert store.list_saved_datasets(namespace="other") == []
    assert names(store.list_validation_references()) == ["reference"]
    assert names(store.list_projects()) == [store.project]


def test_a_view_and_a_service_are_deleted_by_name(store: FeatureStore) -> None:
    store.delete_feature_service("service")
    assert store.list_feature_services() == []
    store.delete_feature_view("streamed")
    store.delete_feature_view("more")
    assert [view.name for view in store.list_all_feature_views()] == ["labels", "plain"]
    with pytest.raises(ObjectNotFound):
        store.delete_feature_view("streamed")


def test_objects_to_delete_go_where_the_change_is_not_partial(store: FeatureStore) -> None:
    streamed = store.get_stream_feature_view("streamed")
    assert store.apply([], objects_to_delete=[streamed]).empty
    change = store.apply(d.Entity(name="rider"), objects_to_delete=[streamed], partial=False)
    assert {(found.action, found.name) for found in change.changes} == {("create", "rider"), ("delete", "streamed")}
    assert store.get_feature_view("plain")
    assert store.get_entity("rider")


def test_a_view_that_a_service_uses_is_not_deleted_by_name(store: FeatureStore) -> None:
    from feast_core.errors import DefinitionError

    with pytest.raises(DefinitionError, match="feature view 'plain' is used by feature service 'service'"):
        store.delete_feature_view("plain")
    assert store.get_feature_view("plain")


def test_what_another_object_uses_is_not_among_objects_to_delete(store: FeatureStore) -> None:
    from feast_core.errors import DefinitionError

    with pytest.raises(DefinitionError, match="entity 'driver' is used by feature view"):
        store.apply([], objects_to_delete=[store.get_entity("driver")], partial=False)
    assert store.get_entity("driver")


def test_a_project_is_deleted_by_its_name(store: FeatureStore) -> None:
    with pytest.raises(ObjectNotFound, match="project other does not exist"):
        store.delete_project("other")
    store.delete_project(store.project)
    assert store.list_entities() == []


def test_the_store_is_awaited_where_feasts_is(make_store: Any) -> None:
    async def live() -> None:
        store = make_store()
        await store.initialize()
        await store.close()

    asyncio.run(live())


def test_parameters_that_mean_nothing_here_are_accepted_and_versions_are_not(store: FeatureStore) -> None:
    now = datetime.now(UTC)
    store.delete_feature_service("service")
    store.delete_feature_view("streamed")
    store.delete_feature_view("more")
    store.delete_feature_view("plain")
    assert store.materialize(now, now, full_feature_names=True, force=True, run_async=True) == []
    assert store.materialize_incremental(now, force=True) == []
    with pytest.raises(NotSupported, match="version 'v2': versions of views are not kept here"):
        store.materialize(now, now, ["labels"], version="v2")


UNSUPPORTED = sorted(name for name in vars(Unsupported) if not name.startswith("_"))


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_is_not_supported_says_so_and_what_to_do(name: str) -> None:
    assert getattr(FeatureStore, name) is vars(Unsupported)[name]
    with pytest.raises(NotSupported, match=rf"^FeatureStore\.{name} is not supported: .{{10}}"):
        use(Unsupported(), name)


def use(store: Unsupported, name: str) -> None:
    """Read a property, or call a method with something for every parameter that it needs."""
    method = getattr(store, name)
    needed = [p.name for p in inspect.signature(method).parameters.values() if p.default is p.empty]
    result = method(**{parameter: "x" for parameter in needed if parameter != "kwargs"})
    if inspect.iscoroutine(result):
        asyncio.run(result)


def test_a_store_with_an_embedding_provider_is_refused(make_store: Any) -> None:
    with pytest.raises(NotSupported, match="text is not embedded here"):
        FeatureStore(embedding_provider=print)  # type: ignore[arg-type]


def test_the_data_of_a_saved_dataset_is_not_read(store: FeatureStore) -> None:
    saved = store.get_saved_dataset("saved")
    for read in (saved.to_df, saved.to_arrow, lambda: saved.get_profile(None)):
        with pytest.raises(NotSupported, match="saved dataset 'saved': saved datasets are not kept here"):
            read()
    with pytest.raises(NotSupported, match="validation reference 'reference': data is not validated here"):
        _ = store.get_validation_reference("reference").profile


def test_a_policy_of_the_repositorys_own_may_ask_a_user_as_in_feast() -> None:
    user = User("ann", roles=frozenset({"reader"}), groups=frozenset({"team"}), namespaces=frozenset({"prod"}))
    assert user.username == "ann"
    assert user.has_matching_role(["reader", "writer"])
    assert not user.has_matching_group(["other"])
    assert user.has_matching_namespace(["prod"])


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("get_feature_view", "FeatureViewNotFoundException"),
        ("get_on_demand_feature_view", "OnDemandFeatureViewNotFoundException"),
        ("get_feature_service", "FeatureServiceNotFoundException"),
        ("get_entity", "EntityNotFoundException"),
        ("delete_feature_view", "FeatureViewNotFoundException"),
        ("delete_feature_service", "FeatureServiceNotFoundException"),
    ],
)
def test_what_is_not_there_is_what_code_for_feast_catches(store: FeatureStore, method: str, error: str) -> None:
    from feast import errors

    with pytest.raises(getattr(errors, error)):
        getattr(store, method)("nope")
    with pytest.raises(errors.FeastObjectNotFoundException):
        getattr(store, method)("nope")
