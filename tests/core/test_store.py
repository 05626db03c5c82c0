"""The facade: applying, refreshing, closing, and features from Python."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import feast_online_sqlite
import feast_registry_sql
import numpy as np
import pandas as pd
import pytest

from feast_core import Component, hookimpl
from feast_core.definitions import (
    DataSource,
    Entity,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    Float64,
    Int64,
    Project,
    PushSource,
    ValueType,
)
from feast_core.errors import (
    ConfigurationError,
    DefinitionError,
    FeastError,
    FeatureNotFound,
    FeatureViewNotFound,
    InvalidInput,
    NotFound,
    NotSupported,
    ObjectNotFound,
    PermissionDenied,
    RegistryError,
    Unavailable,
)
from feast_core.interfaces import Interval, OnlineStore, User
from feast_core.store import FeatureStore
from feast_core.testing import memory

Put = Callable[..., Any]
Ask = Callable[..., Any]

DRIVER = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
SOURCE = FileSource(name="trips_source", path="trips.parquet", timestamp_field="event_timestamp")
TRIPS = FeatureView(name="trips", entities=[DRIVER], schema=[Field(name="n", dtype=Int64)], source=SOURCE)


def another(store: FeatureStore) -> FeatureStore:
    """A store of another process over the same repository."""
    return FeatureStore(store.repo_path)


# Applying.


def test_apply_stores_what_the_files_define(store: FeatureStore) -> None:
    assert [view.name for view in store.objects("feature view")][:2] == ["at_moment", "changing"]
    assert store.get_object("entity", "driver") == DRIVER
    assert {source.name for source in store.objects("data source")} >= {"driver_source", "driver_push", "cd_source"}
    assert [project.name for project in store.objects("project")] == ["test_project"]
    with pytest.raises(
        ObjectNotFound, match="entity drivr does not exist in project test_project, did you mean 'driver'"
    ):
        store.get_object("entity", "drivr")


def test_a_second_apply_changes_nothing(store: FeatureStore) -> None:
    generation = store.registry.generation(store.project)
    assert store.plan().empty
    assert store.apply().empty
    assert store.registry.generation(store.project) == generation == store.snapshot.generation


def test_plan_shows_what_apply_does_and_touches_nothing(make_store: Any, feature_repo: Any) -> None:
    root = feature_repo({"definitions.py": DEFINITION})
    store = make_store()
    planned = store.plan()
    assert {(change.action, change.kind, change.name) for change in planned.changes} == {
        ("create", "project", "test_project"),
        ("create", "entity", "driver"),
        ("create", "data source", "trips_source"),
        ("create", "feature view", "trips"),
    }
    assert not (root / "data").exists()
    assert store.apply() == planned
    assert store.plan().empty


DEFINITION = """
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Int64

    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    source = FileSource(name="trips_source", path="trips.parquet", timestamp_field="event_timestamp")
    trips = FeatureView(name="trips", entities=[driver], schema=[Field(name="n", dtype=Int64)], source=source)
"""


def test_apply_deletes_what_is_gone_from_the_files(store: FeatureStore, feature_repo: Any, put: Put, ask: Ask) -> None:
    put(store, "driver_stats", {"driver_id": [1], "trips": [5]})
    feature_repo({"definitions.py": DEFINITION})
    change = store.apply()
    deleted = {found.name for found in change.changes if found.action == "delete"}
    assert deleted >= {"driver_stats", "customer", "part", "driver_push"}
    with pytest.raises(FeatureViewNotFound):
        ask(store, ["driver_stats:trips"], {"driver_id": [1]})


def test_rows_of_a_deleted_view_are_gone(store: FeatureStore, feature_repo: Any, put: Put, ask: Ask) -> None:
    put(store, "driver_stats", {"driver_id": [1], "trips": [5]})
    before = feature_repo({}) / "definitions.py"
    text = before.read_text()
    feature_repo({"definitions.py": DEFINITION})
    store.apply()
    before.write_text(text)
    store.apply()
    assert ask(store, ["driver_stats:trips"], {"driver_id": [1]})["results"][0]["statuses"] == ["PRESENT", "NOT_FOUND"]


def test_apply_of_objects_adds_and_updates_only(make_store: Any) -> None:
    """With what they need: the entities and sources of a view come along."""
    store = make_store()
    store.apply([TRIPS])
    other = FeatureView(name="other", entities=[DRIVER], schema=[Field(name="x", dtype=Int64)], source=SOURCE)
    change = store.apply(other)
    assert [(found.action, found.name) for found in change.changes] == [("create", "other")]
    service = FeatureService(name="both", features=[TRIPS, other])
    assert [found.name for found in store.apply([service, other]).changes] == ["both"]
    assert [view.name for view in store.objects("feature view")] == ["other", "trips"]
    assert [entity.name for entity in store.objects("entity")] == ["driver"]
    assert [source.name for source in store.objects("data source")] == ["trips_source"]


def test_apply_of_objects_leaves_the_project_as_it_is(make_store: Any) -> None:
    store = make_store()
    store.apply([Project(name="test_project", description="ours")])
    store.apply([TRIPS])
    (project,) = store.objects("project")
    assert project.description == "ours"
    assert store.apply([Project(name="test_project", description="theirs")]).changes[0].action == "update"
    with pytest.raises(DefinitionError, match="somebody_elses"):
        store.apply([Project(name="somebody_elses")])


def test_apply_of_objects_refuses_two_of_one_name(make_store: Any) -> None:
    store = make_store()
    with pytest.raises(DefinitionError, match="two different objects have one name"):
        store.apply([TRIPS, FeatureView(name="trips", entities=[DRIVER], schema=[], source=SOURCE)])
    assert store.registry.generation(store.project) == 0


@pytest.mark.parametrize(
    ("view", "message"),
    [
        (
            FeatureView(
                name="v",
                entities=[Entity(name="e", value_type=ValueType.DOUBLE)],
                schema=[Field(name="x", dtype=Int64)],
                source=SOURCE,
            ),
            "feature view 'v': join key 'e' has type Float64",
        ),
        (FeatureView(name="v", entities=[DRIVER], source=PushSource(name="p")), "'v': give it a schema"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_is_stored(
    make_store: Any, view: FeatureView, message: str
) -> None:
    store = make_store()
    with pytest.raises(DefinitionError, match=message):
        store.apply([TRIPS, view])
    assert store.registry.load(store.project).objects == ()
    assert not (store.repo_path / "data" / "online.db").exists()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (["tripz"], "feature service 'service' uses feature view 'tripz', which does not exist, did you mean 'trips'"),
        (["trips:m"], "feature service 'service' uses trips:m, which does not exist"),
        (["trips:n", "nobody:x"], "uses feature view 'nobody', which does not exist$"),
    ],
)
def test_a_service_of_what_is_not_there_is_refused(make_store: Any, features: list[str], message: str) -> None:
    store = make_store()
    store.apply([TRIPS])
    with pytest.raises(DefinitionError, match=message):
        store.apply([FeatureService(name="service", features=features)])
    assert store.objects("feature service") == []
    assert not store.apply([FeatureService(name="service", features=["trips", "trips:n"])]).empty


def test_a_view_that_a_service_still_uses_cannot_go(make_store: Any, feature_repo: Any) -> None:
    feature_repo({"definitions.py": DEFINITION, "service.py": SERVICE})
    store = make_store()
    store.apply()
    feature_repo({"definitions.py": DEFINITION.replace('"n"', '"m"')})
    with pytest.raises(DefinitionError, match="uses trips:n, which does not exist"):
        store.apply()
    assert [field.name for field in store.snapshot.view("trips").features] == ["n"]


SERVICE = """
    from feast import FeatureService

    service = FeatureService(name="service", features=["trips:n"])
"""


class FailingApply:
    """A plugin that fails, before or after what it wraps."""

    def __init__(self, when: str) -> None:
        self.when = when

    @hookimpl(wrapper=True)
    def feast_apply(self, store: FeatureStore, diff: Any) -> Any:
        if self.when == "before":
            raise DefinitionError("not today")
        return (yield)


def test_a_plugin_that_vetoes_leaves_everything_as_it_was(make_store: Any, only_plugins: Any) -> None:
    plugins = only_plugins(feast_registry_sql, feast_online_sqlite, FailingApply("before"))
    store = make_store(plugins=plugins)
    with pytest.raises(DefinitionError, match="not today"):
        store.apply([TRIPS])
    assert store.registry.generation(store.project) == 0
    assert store.registry.load(store.project).objects == ()
    assert not (store.repo_path / "data" / "online.db").exists()


def test_a_registry_that_fails_leaves_the_rows(
    store: FeatureStore, feature_repo: Any, put: Put, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of a deleted view go last: when nobody can ask for them any more."""
    put(store, "driver_stats", {"driver_id": [1], "trips": [5]})
    feature_repo({"definitions.py": DEFINITION})

    def fail(*arguments: object) -> int:
        raise Unavailable("the registry is on fire")

    with monkeypatch.context() as patched:
        patched.setattr(store.registry, "apply", fail)
        with pytest.raises(Unavailable, match="on fire"):
            store.apply()
    assert ask(store, ["driver_stats:trips"], {"driver_id": [1]})["results"][0]["values"] == [1, 5]
    assert "driver_stats" in {view.name for view in store.objects("feature view")}
    assert not store.plan().empty


def test_an_online_store_that_fails_leaves_the_registry(make_store: Any, feature_repo: Any) -> None:
    root = feature_repo({"data": ""})  # where the online store wants its directory
    store = make_store(registry="registry.db")
    with pytest.raises(Unavailable, match="online store"):
        store.apply([TRIPS])
    assert store.registry.generation(store.project) == 0
    (root / "data").unlink()
    assert not store.apply([TRIPS]).empty


def test_a_view_that_becomes_another_kind_keeps_its_rows(make_store: Any, put: Put, ask: Ask) -> None:
    store = make_store()
    store.apply([TRIPS])
    put(store, "trips", {"driver_id": [1], "n": [5]})
    (store.repo_path / "definitions.py").write_text(
        "from feast import BatchFeatureView, Entity, Field, FileSource, ValueType\n"
        "from feast.types import Int64\n"
        'driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)\n'
        'source = FileSource(name="trips_source", path="trips.parquet", timestamp_field="event_timestamp")\n'
        'trips = BatchFeatureView(name="trips", entities=[driver], schema=[Field(name="n", dtype=Int64)],'
        " source=source, online=True)\n"
    )
    change = store.apply()
    assert [(found.action, found.name) for found in change.changes] == [("update", "trips")]
    assert ask(store, ["trips:n"], {"driver_id": [1]})["results"][0]["values"] == [1, 5]


def test_teardown_forgets_definitions_and_rows(store: FeatureStore, put: Put, ask: Ask) -> None:
    put(store, "driver_stats", {"driver_id": [1], "trips": [5]})
    store.teardown()
    assert store.snapshot.objects == ()
    with pytest.raises(FeatureViewNotFound):
        ask(store, ["driver_stats:trips"], {"driver_id": [1]})
    store.apply()
    assert ask(store, ["driver_stats:trips"], {"driver_id": [1]})["results"][0]["values"] == [1, None]


# Refreshing.


@pytest.fixture
def serving(make_store: Any, feature_repo: Any) -> FeatureStore:
    """A store whose process serves while others change the registry."""
    feature_repo({"definitions.py": DEFINITION})
    store: FeatureStore = make_store()
    store.apply()
    assert store.snapshot.generation  # is read when first asked for
    return store


def test_refresh_without_a_change_does_nothing(serving: FeatureStore) -> None:
    snapshot = serving.snapshot
    assert serving.refresh() is False
    assert serving.snapshot is snapshot


def test_refresh_sees_what_another_process_applied(serving: FeatureStore, ask: Ask) -> None:
    with another(serving) as other:
        other.apply([FeatureView(name="new", entities=[DRIVER], schema=[Field(name="x", dtype=Int64)], source=SOURCE)])
    with pytest.raises(FeatureViewNotFound):
        ask(serving, ["new:x"], {"driver_id": [1]})
    assert serving.refresh() is True
    assert ask(serving, ["new:x"], {"driver_id": [1]})["results"][0]["values"] == [1, None]


def test_a_directory_without_definitions_does_not_delete_everything(serving: FeatureStore) -> None:
    """As `feast -f somewhere/feature_store.yaml apply` in the wrong directory would."""
    before = serving.snapshot.objects
    (serving.repo_path / "definitions.py").write_text("")
    with pytest.raises(DefinitionError, match=r"defines nothing, and the registry holds .* `feast -c DIR`"):
        serving.apply()
    assert serving.registry.load(serving.project).objects == before


def test_rows_of_one_entity_are_never_served_for_another(serving: FeatureStore, put: Put, ask: Ask) -> None:
    """A view that gets other join keys loses its rows and intervals: a key does not say of which entity it is."""
    put(serving, "trips", {"driver_id": [1], "n": [5]})
    window = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    serving.registry.record_interval(serving.project, "trips", window)
    customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
    schema = [Field(name="n", dtype=Int64)]
    change = serving.apply([FeatureView(name="trips", entities=[customer], schema=schema, source=SOURCE)])
    (found,) = [found for found in change.changes if found.name == "trips"]
    assert [str(consequence) for consequence in found.consequences] == [
        "stored rows: the join key was driver_id and is customer_id; the one there is goes;"
        " NOT_FOUND until the view is materialized again"
    ]
    assert found.next_step == "feast materialize-incremental END -v trips"
    answer = ask(serving, ["trips:n"], {"customer_id": [1]})
    assert answer["results"][0]["statuses"] == ["PRESENT", "NOT_FOUND"]
    assert serving.intervals("trips") == ()


def test_a_wider_integer_key_keeps_its_rows(serving: FeatureStore, put: Put, ask: Ask) -> None:
    put(serving, "trips", {"driver_id": [1], "n": [5]})
    narrow = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT32)
    serving.apply([FeatureView(name="trips", entities=[narrow], schema=[Field(name="n", dtype=Int64)], source=SOURCE)])
    assert ask(serving, ["trips:n"], {"driver_id": [1]})["results"][0]["values"] == [1, 5]


def test_objects_are_found_as_in_feast(serving: FeatureStore) -> None:
    serving.apply(FeatureService(name="service", features=["trips"], tags={"team": "a"}))
    service = serving.get_feature_service("service")
    assert serving.get_online_features(service, [{"driver_id": 1}]).to_dict() == {"driver_id": [1], "n": [None]}
    assert serving.get_feature_view("trips").name == "trips"
    assert serving.get_entity("driver") == DRIVER
    assert serving.get_data_source("trips_source") == SOURCE
    assert serving.list_feature_services(tags={"team": "a"}) == [service]
    assert serving.list_feature_services(tags={"team": "b"}) == []
    assert [entity.name for entity in serving.list_entities()] == ["driver"]
    assert "trips" in [view.name for view in serving.list_feature_views()]
    assert "trips_source" in [source.name for source in serving.list_data_sources()]
    with pytest.raises(ObjectNotFound, match="feature service nope does not exist"):
        serving.get_feature_service("nope")


def test_objects_are_looked_up_in_the_registry_unless_a_cached_one_will_do(serving: FeatureStore) -> None:
    assert serving.list_entities() == [DRIVER]
    with another(serving) as other:
        other.apply(Entity(name="new"))
    assert serving.list_entities(allow_cache=True) == [DRIVER]
    with pytest.raises(ObjectNotFound):
        serving.get_entity("new", allow_registry_cache=True)
    assert serving.get_entity("new").name == "new"
    assert len(serving.list_entities(allow_cache=True)) == 2


def test_what_is_done_to_a_definition_that_was_asked_for_means_nothing_until_it_is_applied(
    serving: FeatureStore, ask: Ask
) -> None:
    for view in (serving.get_feature_view("trips"), *serving.list_feature_views()):
        view.tags["team"] = "a"
        view.features.clear()
    assert serving.get_feature_view("trips").tags == {}
    assert [field.name for field in serving.snapshot.view("trips").features] == ["n"]
    assert ask(serving, ["trips:n"], {"driver_id": [1]})["metadata"]["feature_names"] == ["driver_id", "n"]
    view = serving.get_feature_view("trips")
    view.tags["team"] = "a"
    serving.apply(view)
    assert serving.get_feature_view("trips").tags == {"team": "a"}


@pytest.fixture
def reading(make_store: Any, feature_repo: Any) -> Callable[[int], FeatureStore]:
    """`reading(seconds)`: a store whose registry may be cached for so long, after which another process has applied
    another feature."""

    def make(seconds: int) -> FeatureStore:
        feature_repo({"definitions.py": DEFINITION})
        store: FeatureStore = make_store(registry={"path": "data/registry.db", "cache_ttl_seconds": seconds})
        store.apply()
        assert store.snapshot.views.keys() == {"trips"}
        with another(store) as other:
            schema = [Field(name="m", dtype=Int64)]
            other.apply(FeatureView(name="trips", entities=[DRIVER], schema=schema, source=SOURCE))
        return store

    return make


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """`later(seconds)`: so much later by the clock."""
    now = time.monotonic()
    return lambda seconds: monkeypatch.setattr(time, "monotonic", lambda: now + seconds)


@pytest.mark.parametrize("awaited", [False, True])
def test_a_program_that_only_reads_sees_a_later_apply_in_time(reading: Any, later: Any, awaited: bool) -> None:
    """As Feast: after `cache_ttl_seconds`."""
    store = reading(60)

    def read(feature: str) -> Any:
        if awaited:
            return asyncio.run(store.get_online_features_async([feature], {"driver_id": [1]})).to_dict()
        return store.get_online_features([feature], {"driver_id": [1]}).to_dict()

    assert read("trips:n") == {"driver_id": [1], "n": [None]}
    with pytest.raises(FeatureNotFound):
        read("trips:m")
    later(120)
    assert read("trips:m") == {"driver_id": [1], "m": [None]}


def test_a_program_reads_on_where_the_registry_cannot_be_asked(
    reading: Any, later: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And does not ask again at every read: each might wait."""
    store = reading(60)
    asked = []

    def fail(project: str) -> int:
        asked.append(project)
        raise Unavailable("no network")

    monkeypatch.setattr(store.registry, "generation", fail)
    later(120)
    for _ in range(3):
        assert store.get_online_features(["trips:n"], {"driver_id": [1]}).to_dict() == {"driver_id": [1], "n": [None]}
    assert len(asked) == 1
    assert "what was read of the registry before is served on: no network" in caplog.text


def test_a_registry_that_may_be_cached_for_ever_is_not_asked(reading: Any, later: Any) -> None:
    """As Feast: 0 is for ever."""
    store = reading(0)
    later(1e6)
    assert store.get_online_features(["trips:n"], {"driver_id": [1]}).to_dict() == {"driver_id": [1], "n": [None]}
    assert store.refresh()


@pytest.mark.parametrize("applies", [1, 2, 3])
def test_a_registry_that_was_made_anew_is_noticed(serving: FeatureStore, applies: int) -> None:
    """Also after as many applies as before."""
    serving.apply(Entity(name="gone"))
    (serving.repo_path / "data" / "registry.db").unlink()
    with another(serving) as other:
        for number in range(applies):
            other.apply(Entity(name=f"entity_{number}"))
    assert serving.refresh() is True
    assert [entity.name for entity in serving.objects("entity")] == [f"entity_{number}" for number in range(applies)]
    assert serving.refresh() is False


def test_a_registry_that_is_gone_leaves_the_old_snapshot(
    serving: FeatureStore, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody removed the file, and the next apply is still to come: no reason to answer 404."""
    (serving.repo_path / "data" / "registry.db").unlink()
    assert serving.refresh() is False
    assert "the registry of project test_project is gone" in caplog.text
    assert ask(serving, ["trips:n"], {"driver_id": [1]})
    with another(serving) as other:
        other.apply([TRIPS, Entity(name="new")])
    assert serving.refresh() is True
    assert serving.get_object("entity", "new")


def test_a_project_that_was_torn_down_is_empty_after_the_refresh(serving: FeatureStore, ask: Ask) -> None:
    with another(serving) as other:
        other.teardown()
    assert serving.refresh() is True
    with pytest.raises(FeatureViewNotFound):
        ask(serving, ["trips:n"], {"driver_id": [1]})


def test_a_plan_that_a_plugin_cannot_compile_does_not_stop_the_refresh(
    serving: FeatureStore, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        ask(serving, ["trips:n"], {"driver_id": [1]})

    class Broken:
        @hookimpl(tryfirst=True)
        def feast_reader(self, store: FeatureStore, reads: Any) -> Any:
            raise KeyError("a plugin's own mistake")

    serving.plugins.register(Broken())
    with another(serving) as other:
        other.apply([Entity(name="another")])
    assert serving.refresh() is True
    assert serving.get_object("entity", "another")
    assert "a plan cannot be compiled" in caplog.text


def test_refresh_compiles_the_plans_in_use_anew(serving: FeatureStore, put: Put) -> None:
    """The first request after a change does not pay for it, and the old plan ends its requests. A shape that came
    once is not in use."""
    put(serving, "trips", {"driver_id": [1], "n": [5]})
    shape = (["trips:n"], None, False, ("driver_id",), "rows")
    serving.retrieval_plan(["trips:n"], None, False, ("driver_id", "made_up"), "rows")
    serving.retrieval_plan(*shape)  # type: ignore[arg-type]
    old = serving.retrieval_plan(*shape)  # type: ignore[arg-type]
    with another(serving) as other:
        schema = [Field(name="m", dtype=Float64), Field(name="n", dtype=Int64)]
        other.apply([FeatureView(name="trips", entities=[DRIVER], schema=schema, source=SOURCE)])
    assert serving.refresh()
    (compiled,) = serving._loaded().plans.values()
    new = serving.retrieval_plan(*shape)  # type: ignore[arg-type]
    assert new is compiled
    assert new is not old
    put(serving, "trips", {"driver_id": [2], "n": [6], "m": [0.5]})
    for plan in (old, new):
        assert b'"values":[1,5]' in asyncio.run(plan.run({"driver_id": [1]}))
        assert b'"values":[2,6]' in asyncio.run(plan.run({"driver_id": [2]}))


@pytest.mark.parametrize(
    ("becomes", "error"),
    [
        ("gone", FeatureViewNotFound),
        ("on demand", NotSupported),
        ("without the feature", FeatureNotFound),
        ("offline", InvalidInput),
    ],
)
def test_a_plan_that_can_no_longer_be_compiled_does_not_stop_the_refresh(
    serving: FeatureStore, ask: Ask, becomes: str, error: type[FeastError]
) -> None:
    assert ask(serving, ["trips:n"], {"driver_id": [1]})
    text = (serving.repo_path / "definitions.py").read_text()
    trips = next(line for line in text.splitlines() if line.startswith("trips ="))
    instead = {
        "gone": "",
        "on demand": "from feast.on_demand_feature_view import on_demand_feature_view\n"
        'base = FeatureView(name="base", entities=[driver], schema=[Field(name="n", dtype=Int64)], source=source)\n'
        '@on_demand_feature_view(sources=[base], schema=[Field(name="n", dtype=Int64)], mode="python")\n'
        "def trips(inputs):\n    return inputs\n",
        "without the feature": trips.replace('"n"', '"other"'),
        "offline": trips.replace("source=source", "source=source, online=False"),
    }[becomes]
    (serving.repo_path / "definitions.py").write_text(text.replace(trips, instead))
    with another(serving) as other:
        assert not other.apply().empty
    assert serving.refresh() is True
    with pytest.raises(error, match="trips"):
        ask(serving, ["trips:n"], {"driver_id": [1]})


def test_a_failed_refresh_leaves_the_old_snapshot(
    serving: FeatureStore, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with another(serving) as other:
        other.apply([Entity(name="another")])

    def fail(*arguments: object) -> Any:
        raise Unavailable("no network")

    for method in ("generation", "reload"):
        with monkeypatch.context() as patched:
            patched.setattr(serving.registry, method, fail)
            with pytest.raises(Unavailable):
                serving.refresh()
            assert ask(serving, ["trips:n"], {"driver_id": [1]})
    assert serving.refresh() is True


def test_an_older_answer_of_the_registry_does_not_replace_a_newer(
    serving: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The background refresh of a server may be overtaken by an apply."""
    reload = serving.registry.reload
    with another(serving) as other:
        other.apply([Entity(name="first")])
        slow = serving.registry.load(serving.project)
        other.apply([Entity(name="second")])

    def overtaken(project: str, old: Any) -> Any:
        monkeypatch.setattr(serving.registry, "reload", reload)
        assert serving.refresh() is True
        return slow

    monkeypatch.setattr(serving.registry, "reload", overtaken)
    serving.refresh()
    assert serving.get_object("entity", "second")


def test_refresh_and_requests_may_run_in_different_threads(serving: FeatureStore, ask: Ask) -> None:
    errors: list[BaseException] = []
    done = threading.Event()

    def requests() -> None:
        try:
            number = 0
            while not done.is_set():
                number += 1
                ask(serving, ["trips:n"], {"driver_id": [1], f"made_up_{number % 50}": [1]})
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=requests) for _ in range(2)]
    for thread in threads:
        thread.start()
    with another(serving) as other:
        for number in range(8):
            other.apply([Entity(name=f"entity_{number}")])
            assert serving.refresh() is True
    done.set()
    for thread in threads:
        thread.join()
    assert not errors


# What it is made of.


class SlowPlugin:
    @hookimpl
    def feast_components(self) -> list[Component]:
        return [Component("online_store", "slow", "slow_store:Slow")]


def test_a_component_is_made_once_whoever_asks_first(
    make_store: Any, only_plugins: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []

    class Slow(memory.MemoryOnlineStore):
        def __init__(self, options: Any) -> None:
            super().__init__(options)
            time.sleep(0.05)
            made.append(self)

    module = ModuleType("slow_store")
    monkeypatch.setattr(module, "Slow", Slow, raising=False)
    monkeypatch.setitem(sys.modules, "slow_store", module)
    store = make_store(plugins=only_plugins(feast_registry_sql, SlowPlugin()), online_store="slow")
    found: list[OnlineStore] = []
    threads = [threading.Thread(target=lambda: found.append(store.online)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == made * 6


def test_nothing_is_made_before_it_is_used(make_store: Any, feature_repo: Any) -> None:
    root = feature_repo({})
    make_store()
    assert [path.name for path in root.iterdir()] == ["feature_store.yaml"]


@pytest.mark.parametrize("part", ["online", "offline"])
def test_a_store_that_is_switched_off_says_so(make_store: Any, part: str) -> None:
    store = make_store(**{f"{part}_store": None})
    with pytest.raises(ConfigurationError, match=rf"feature_store.yaml line \d+, {part}_store: .* switched off"):
        getattr(store, part)


def test_a_repository_without_online_store_can_be_applied(make_store: Any) -> None:
    store = make_store(online_store=None)
    assert not store.apply([TRIPS]).empty
    store.teardown()
    assert store.snapshot.objects == ()


def test_shared_things_are_made_once_and_closed_last_first(make_store: Any) -> None:
    store = make_store()
    events: list[str] = []

    def make(name: str) -> Callable[[], list[str]]:
        def made() -> list[str]:
            events.append(f"made {name}")
            store.closing(lambda: events.append(f"closed {name}"))
            return [name]

        return made

    pool = store.shared(("pool", 1), make("pool"))
    assert store.shared(("pool", 1), make("pool")) is pool
    store.shared("thread", make("thread"))
    store.close()
    store.close()
    assert events == ["made pool", "made thread", "closed thread", "closed pool"]


def test_closing_ends_everything_whatever_one_of_them_raises(make_store: Any) -> None:
    store = make_store()
    closed: list[str] = []
    store.closing(lambda: closed.append("first"))

    def fail() -> None:
        raise OSError("stuck")

    store.closing(fail)
    store.closing(lambda: closed.append("last"))
    with pytest.raises(OSError, match="stuck"):
        store.close()
    assert closed == ["last", "first"]
    store.close()


def test_a_store_closes_its_components(make_applied: Any) -> None:
    with make_applied() as store:
        store.get_online_features(["driver_stats:trips"], [{"driver_id": 1}])
        online = store.online
    if isinstance(online, memory.MemoryOnlineStore):
        with pytest.raises(Unavailable):
            online.check()
    assert not [thread for thread in threading.enumerate() if thread.name == "feast-driver"]


# Guards.


class OnlyOps:
    """Reads are for ops."""

    seen: list[tuple[str, list[Any]]]

    def __init__(self) -> None:
        self.seen = []

    @hookimpl
    def feast_guard(self, store: FeatureStore, action: str, resources: list[Any]) -> Any:
        self.seen.append((action, [getattr(found, "name", found) for found in resources]))

        def ops_only(user: User) -> None:
            if user.name != "ops":
                raise PermissionDenied("ops only")

        return ops_only


def test_a_guard_answers_before_an_unknown_name_is_revealed(make_store: Any, only_plugins: Any) -> None:
    guard = OnlyOps()
    store = make_store(plugins=only_plugins(feast_registry_sql, feast_online_sqlite, guard))
    store.apply([TRIPS, FeatureService(name="service", features=[TRIPS])])
    known = store.retrieval_plan(["trips:n"], None, False, ("driver_id",), "rows")
    service = store.retrieval_plan(None, "service", False, ("driver_id",), "rows")
    unknown = store.retrieval_plan(["secret:n", "secret:m", "trips:n"], None, False, ("driver_id",), "rows")
    no_service = store.retrieval_plan(None, "secret", False, ("driver_id",), "rows")
    for plan in (known, service, unknown, no_service):
        with pytest.raises(PermissionDenied):
            plan.guard(User("eve"))
        plan.guard(User("ops"))
    assert [resources for _, resources in guard.seen if "secret" in resources] == [["secret", "trips"], ["secret"]]
    assert ("read_online", ["service", "trips"]) in guard.seen
    with pytest.raises(FeatureViewNotFound, match="secret"):
        asyncio.run(unknown.run({"driver_id": [1]}))


def test_a_suggestion_does_not_reveal_a_name(make_store: Any, only_plugins: Any) -> None:
    """Where guards are in force: who may ask for one name may not be allowed to know of another."""
    secret = FeatureView(name="salaries", entities=[DRIVER], schema=[Field(name="n", dtype=Int64)], source=SOURCE)
    store = make_store(plugins=only_plugins(feast_registry_sql, feast_online_sqlite, OnlyOps()))
    store.apply([TRIPS, secret, FeatureService(name="service", features=[secret])])
    for features, service in ((["salarie:n"], None), (["salaries:nn"], None), (None, "servic")):
        plan = store.retrieval_plan(features, service, False, ("driver_id",), "rows")
        with pytest.raises(NotFound) as raised:
            asyncio.run(plan.run({"driver_id": [1]}))
        assert "did you mean" not in str(raised.value)


# Features from Python.


@pytest.fixture
def filled(store: FeatureStore, put: Put) -> FeatureStore:
    columns = {"driver_id": [1, 2], "conv_rate": [0.5, None], "trips": [10, None], "name": ["ann", "bob"]}
    put(store, "driver_stats", columns)
    put(store, "at_moment", {"at": [0], "since": [datetime(2020, 1, 1, tzinfo=UTC)], "heat": [float("inf")]})
    return store


NAMES = ["driver_stats:conv_rate", "driver_stats:trips", "driver_stats:name"]


@pytest.mark.parametrize(
    "rows",
    [
        [{"driver_id": 1}, {"driver_id": 2}, {"driver_id": 3}],
        {"driver_id": [1, 2, 3]},
        {"driver_id": np.array([1, 2, 3])},
        {"driver_id": pd.Series([1, 2, 3])},
        [{"driver_id": np.int64(number)} for number in (1, 2, 3)],
        [{"driver": "1"}, {"driver": "2"}, {"driver": "3"}],
    ],
    ids=["rows", "columns", "numpy", "pandas", "numpy scalars", "entity name"],
)
def test_features_as_a_dict(filled: FeatureStore, rows: Any) -> None:
    answer = filled.get_online_features(NAMES, rows)
    assert answer.to_dict() == {
        "driver_id": [1, 2, 3],
        "conv_rate": [0.5, None, None],
        "trips": [10, None, None],
        "name": ["ann", "bob", None],
    }
    assert answer.statuses()["trips"] == ["PRESENT", "NULL_VALUE", "NOT_FOUND"]
    assert filled.get_online_features(NAMES, rows).to_dict() == answer.to_dict()


def test_features_as_a_frame(filled: FeatureStore) -> None:
    frame = filled.get_online_features(NAMES, [{"driver_id": 1}, {"driver_id": 2}]).to_df()
    assert list(frame.columns) == ["driver_id", "conv_rate", "trips", "name"]
    assert frame["driver_id"].tolist() == [1, 2]
    assert frame["trips"].dtype == "Int64"
    assert frame["trips"][0] == 10
    assert frame["trips"].isna().tolist() == [False, True]
    assert frame["conv_rate"].isna().tolist() == [False, True]


def test_event_times_stand_beside_features_on_demand(filled: FeatureStore) -> None:
    answer = filled.get_online_features(["driver_stats:name"], [{"driver_id": 1}, {"driver_id": 9}])
    assert answer.to_dict(include_event_timestamps=True) == {
        "driver_id": [1, 9],
        "driver_id__ts": [0, 0],
        "name": ["ann", None],
        "name__ts": [1795338000, 0],
    }


def test_values_are_those_of_python(filled: FeatureStore) -> None:
    answer = filled.get_online_features(["at_moment:since", "at_moment:heat"], [{"at": 0}, {"at": 1}]).to_dict()
    assert answer == {
        "at": [datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)],
        "since": [datetime(2020, 1, 1, tzinfo=UTC), None],
        "heat": [float("inf"), None],
    }


def test_a_service_is_asked_for_by_object_or_name(filled: FeatureStore) -> None:
    by_name = filled.get_online_features("whole", [{"driver_id": 1}], full_feature_names=True).to_dict()
    service = filled.get_object("feature service", "whole")
    assert isinstance(service, FeatureService)
    assert filled.get_online_features(service, [{"driver_id": 1}], full_feature_names=True).to_dict() == by_name
    assert by_name["driver_stats__name"] == ["ann"]


def test_features_are_awaited_in_a_program_with_a_loop(filled: FeatureStore) -> None:
    async def program() -> tuple[Any, Any]:
        awaited = await filled.get_online_features_async(NAMES, {"driver_id": [1]})
        # A notebook calls the plain method with a loop already running.
        return awaited.to_dict(), filled.get_online_features(NAMES, {"driver_id": [1]}).to_dict()

    awaited, plain = asyncio.run(program())
    assert awaited == plain == {"driver_id": [1], "conv_rate": [0.5], "trips": [10], "name": ["ann"]}


def test_features_are_read_by_many_threads(filled: FeatureStore) -> None:
    answers: list[Any] = []

    def read() -> None:
        answers.extend(filled.get_online_features(NAMES, {"driver_id": [1, 2]}).to_dict()["name"] for _ in range(20))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [["ann", "bob"]] * 80


def test_a_store_is_found_by_directory_file_or_configuration(
    filled: FeatureStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = filled.repo_path
    monkeypatch.chdir(tmp_path)
    yaml_file = root / "feature_store.yaml"
    for arguments in ({"repo_path": root}, {"repo_path": str(root)}, {"repo_path": root, "fs_yaml_file": yaml_file}):
        with FeatureStore(**arguments) as found:
            assert found.project == "test_project"
            assert found.repo_path == root
    # As Feast: the file is read, the repository is the current directory.
    with FeatureStore(fs_yaml_file=yaml_file) as found:
        assert (found.project, found.repo_path) == ("test_project", tmp_path)
    monkeypatch.chdir(root)
    with FeatureStore() as found:
        assert found.repo_path == root
    with FeatureStore(config=filled.config) as found:
        assert found.config is filled.config
    assert not (tmp_path / "data").exists()


def test_sources_and_views_have_their_types(store: FeatureStore) -> None:
    assert all(isinstance(source, DataSource) for source in store.objects("data source"))
    assert store.intervals("driver_stats") == ()
    assert store.intervals("nobody") == ()


def test_a_registry_that_is_not_ours_is_refused(make_store: Any, feature_repo: Any) -> None:
    root = feature_repo({"data/registry.db": b"\n\x08wirespec\x12protobuf"})
    store = make_store()
    for attempt in (lambda: store.snapshot, store.plan, lambda: store.apply([TRIPS])):
        with pytest.raises(RegistryError, match="replace-registry"):
            attempt()
    assert (root / "data" / "registry.db").read_bytes() == b"\n\x08wirespec\x12protobuf"
