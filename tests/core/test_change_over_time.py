"""Any sequence of changes of a view, with rows written between them: what is read is what was stored under that name
and type, or NOT_FOUND, for who knows the newest definitions and for who still has older ones."""

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import feast_online_sqlite
import feast_registry_sql
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from feast_core import defaults, hookspecs
from feast_core.config import parse_config
from feast_core.definitions import (
    Array,
    Definition,
    Entity,
    FeastType,
    FeatureView,
    Field,
    FileSource,
    Float64,
    Int32,
    Int64,
    String,
    ValueType,
)
from feast_core.interfaces import Columns, ViewRead
from feast_core.keys import KeyEncoder, coerced
from feast_core.plugins import PluginManager
from feast_core.repo import collect
from feast_core.retrieval import RetrievalPlan, RetrievalRequest
from feast_core.rows import RowEncoder, keyed_rows, schema_of
from feast_core.snapshot import Snapshot
from feast_core.store import FeatureStore
from feast_core.testing import memory

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
NAMES = "abcd"
#: Types whose values could be taken for one another's.
TYPES: dict[str, FeastType] = {
    "Int64": Int64,
    "Int32": Int32,
    "Float64": Float64,
    "String": String,
    "List": Array(Int64),
}
KEYS = (0, 1, 2)


def an_entity(name: str, value_type: ValueType = ValueType.INT64) -> Entity:
    return Entity(name=name, join_keys=[f"{name}_id"], value_type=value_type)


#: What a view may be keyed by. Integers of any width make the same keys, and so have the same rows.
ENTITIES: dict[str, list[Entity]] = {
    "driver": [an_entity("driver")],
    "narrow driver": [an_entity("driver", ValueType.INT32)],
    "driver by text": [an_entity("driver", ValueType.STRING)],
    "customer": [an_entity("customer")],
    "driver and customer": [an_entity("driver"), an_entity("customer")],
}
SAME_PLACE = {"narrow driver": "driver"}


@dataclass(frozen=True)
class Version:
    """What the repository says: features in order, and the rest of the view; no features where there is no view."""

    features: tuple[tuple[str, str], ...] = (("a", "Int64"), ("b", "String"))
    entities: str = "driver"
    ttl: int = 0
    path: str = "first.parquet"

    @property
    def place(self) -> str:
        return SAME_PLACE.get(self.entities, self.entities)

    @property
    def view(self) -> FeatureView:
        return FeatureView(
            name="view",
            entities=ENTITIES[self.entities],
            schema=[Field(name=name, dtype=TYPES[dtype]) for name, dtype in self.features],
            source=FileSource(name="source", path=self.path, timestamp_field="event_timestamp"),
            ttl=timedelta(days=self.ttl),
        )

    @property
    def objects(self) -> list[Definition]:
        return [self.view] if self.features else [an_entity("driver")]


def edited(version: Version, edit: tuple[str, Any, Any]) -> Version:
    """The version after an edit; the same where the edit means nothing there."""
    what, first, second = edit
    features = dict(version.features)
    if what == "delete":
        return replace(version, features=())
    if not features and what != "add":
        return version
    if what == "add":
        return replace(version, features=tuple((features | {first: features.get(first, second)}).items()))
    if what == "retype" and first in features:
        return replace(version, features=tuple((features | {first: second}).items()))
    if what == "drop" and len(features) > 1:
        return replace(version, features=tuple(item for item in version.features if item[0] != first))
    if what == "rename" and first in features and second not in features:
        renamed = [(second if name == first else name, dtype) for name, dtype in version.features]
        return replace(version, features=tuple(renamed))
    if what == "reorder":
        return replace(version, features=version.features[::-1])
    return replace(version, **{what: first}) if what in ("entities", "ttl", "path") else version


name, dtype = st.sampled_from(NAMES), st.sampled_from(sorted(TYPES))
EDITS = st.one_of(
    st.tuples(st.just("add"), name, dtype),
    st.tuples(st.just("retype"), name, dtype),
    st.tuples(st.just("drop"), name, st.none()),
    st.tuples(st.just("rename"), name, name),
    st.tuples(st.sampled_from(["reorder", "delete"]), st.none(), st.none()),
    st.tuples(st.just("entities"), st.sampled_from(sorted(ENTITIES)), st.none()),
    st.tuples(st.just("ttl"), st.integers(0, 3), st.none()),
    st.tuples(st.just("path"), st.sampled_from(["first.parquet", "second.parquet"]), st.none()),
)
#: Rows: by whom (the newest version, or one of the older ones), of which keys, of which event time, which is null.
WRITES = st.tuples(
    st.just("write"), st.integers(0, 3), st.lists(st.sampled_from(KEYS), min_size=1, unique=True), st.integers(0, 3)
)
STEPS = st.lists(st.one_of(EDITS, EDITS, WRITES, WRITES, st.just(("hold",))), min_size=4, max_size=14)


def value_of(dtype: str, number: int) -> Any:
    """A value of a type; no two writes have the same."""
    return {"Int64": number, "Int32": number, "Float64": number + 0.5, "String": f"text {number}", "List": [number]}[
        dtype
    ]


def key_columns(version: Version, keys: tuple[int, ...] | list[int]) -> dict[str, list[Any]]:
    return {entity.join_key: list(keys) for entity in ENTITIES[version.entities]}


@dataclass
class Model:
    """What is stored, said simply: per place and key, the event time and the values by name and type."""

    rows: dict[str, dict[int, tuple[int, dict[tuple[str, str], Any]]]] = field(default_factory=dict)

    def apply(self, old: Version, new: Version) -> None:
        if old.features and (not new.features or old.place != new.place):
            self.rows.pop(old.place, None)
        if old.features and new.features and old.place != new.place:
            self.rows.pop(new.place, None)

    def write(self, version: Version, key: int, event: int, values: dict[tuple[str, str], Any]) -> None:
        place = self.rows.setdefault(version.place, {})
        if key not in place or event >= place[key][0]:
            place[key] = event, values

    def read(self, version: Version, key: int, feature: tuple[str, str]) -> tuple[Any, str]:
        _, values = self.rows.get(version.place, {}).get(key, (0, {}))
        if feature not in values:
            return None, "NOT_FOUND"
        return values[feature], "NULL_VALUE" if values[feature] is None else "PRESENT"


def write(store: FeatureStore, version: Version, keys: list[int], event: int, null: str, number: int) -> dict[int, Any]:
    """Rows as a materialization that knows this version writes them; their values by key."""
    read = ViewRead(version.view, schema_of(version.view.features))
    values = {
        key: {(name, kind): None if name == null else value_of(kind, number + key) for name, kind in version.features}
        for key in keys
    }
    columns: Columns = {name: [values[key][name, kind] for key in keys] for name, kind in version.features}
    given = key_columns(version, keys)
    encoder = KeyEncoder(Snapshot(store.project, 0, version.objects).key_types(version.view))
    encoded = encoder.encode([coerced(encoder.coerce[key], given[key], key) for key in encoder.join_keys], len(keys))
    rows = RowEncoder(read.schema).encode(columns, len(keys))
    write_rows = store.plugins.hook.feast_writer(store=store, view=read)
    write_rows(keyed_rows(encoded, [event] * len(keys), [0] * len(keys), read.schema.fingerprint, rows))
    return values


def check(plans: list[RetrievalPlan], version: Version, model: Model) -> None:
    """All plans of a version read what the model says: whole rows, and rows in another order; both formats."""
    for plan in plans:
        found = json.loads(asyncio.run(plan.run(key_columns(version, KEYS))))
        results = {part: [result[part] for result in found["results"]] for part in ("values", "statuses")}
        if plan.request.response_format == "columns":
            results = {part: [list(row) for row in zip(*columns, strict=True)] for part, columns in results.items()}
        kinds = dict(version.features)
        at = {name: place for place, name in enumerate(found["metadata"]["feature_names"])}
        for row, key in enumerate(KEYS):
            for name, kind in kinds.items():
                read = results["values"][row][at[name]], results["statuses"][row][at[name]]
                assert read == model.read(version, key, (name, kind)), (version, key, name, plan.request)


def plans_of(store: FeatureStore, version: Version) -> list[RetrievalPlan]:
    if not version.features:
        return []
    snapshot = Snapshot(store.project, 0, version.objects)
    names = [f"view:{name}" for name, _ in version.features]
    columns = tuple(key_columns(version, KEYS))
    return [
        RetrievalPlan(store, snapshot, RetrievalRequest(tuple(features), None, False, columns, form))  # type: ignore[arg-type]
        for features, form in ((names, "rows"), (names[::-1], "columns"))
    ]


@pytest.fixture(scope="module")
def plugins() -> PluginManager:
    manager = PluginManager()
    manager.add_hookspecs(hookspecs)
    for plugin in (defaults, feast_registry_sql, feast_online_sqlite, memory):
        manager.register(plugin)
    return manager


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory, plugins: PluginManager) -> Callable[..., FeatureStore]:
    """`projects(online_store)`: a new project each time, in files that all of them share."""
    root, numbers = tmp_path_factory.mktemp("change"), itertools.count()

    def make(online_store: str, project: str | None = None) -> FeatureStore:
        project = project or f"p{next(numbers)}"
        text = f"project: {project}\nprovider: local\nregistry: registry.db\nonline_store: {{type: {online_store}}}\n"
        return FeatureStore(config=parse_config(text, Path(root)), plugins=plugins)

    return make


@pytest.mark.parametrize("online_store", ["sqlite", "memory"])
def test_what_is_read_is_what_was_stored_under_that_name_and_type(projects: Any, online_store: str) -> None:
    # Not shrunk: an example is short, and takes half a second.
    @settings(max_examples=12 if online_store == "sqlite" else 20, deadline=None, phases=PHASES)
    @given(steps=STEPS)
    def run(steps: list[Any]) -> None:
        with projects(online_store) as store:
            live(store, projects, online_store, steps)

    run()


def live(store: FeatureStore, projects: Any, online_store: str, steps: list[Any]) -> None:
    """The life of one project: applied, written and read, step by step."""
    model, newest = Model(), Version()
    store.apply(collect(newest.objects, store.project))
    held = [(newest, plans_of(store, newest))]
    for number, (what, *rest) in enumerate(steps):
        if what == "hold":
            held.append((newest, plans_of(store, newest)))
        elif what == "write":
            by, keys, event = rest
            version = newest if by >= len(held) else held[by][0]
            if version.features:
                null = NAMES[number % len(NAMES)] if number % 3 == 0 else ""
                for key, values in write(store, version, keys, event, null, number * 10).items():
                    model.write(version, key, event, values)
        else:
            later = edited(newest, (what, *rest))
            store.apply(collect(later.objects, store.project))
            model.apply(newest, later)
            newest = later
        for version, plans in held:
            check(plans, version, model)
        if online_store == "memory":
            check(plans_of(store, newest), newest, model)
        else:
            with projects(online_store, store.project) as fresh:
                assert fresh.snapshot.views.keys() == ({"view"} if newest.features else set())
                check(plans_of(fresh, newest), newest, model)
