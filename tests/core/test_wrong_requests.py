"""Every wrong request is told what is wrong and where, with the status that the client acts on; none is a 500."""

import asyncio
import json
import pickle
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feast_core import refs
from feast_core.config import parse_config
from feast_core.definitions import Entity, FeatureView, Field, FileSource, ValueType, types
from feast_core.errors import (
    FeastError,
    FeatureNotFound,
    FeatureServiceNotFound,
    FeatureViewNotFound,
    InvalidInput,
    NameCollision,
    NotSupported,
)
from feast_core.store import FeatureStore

Ask = Callable[..., Any]

TRIPS, RIDES, HEAT = ["driver_stats:trips"], ["customer_driver:rides"], ["at_moment:heat"]
ONE: dict[str, Any] = {"driver_id": [1]}


def customer(value: Any) -> dict[str, Any]:
    return {"driver_id": [1], "customer_id": [value]}


DEEP: list[Any] = []
for _ in range(10_000):
    DEEP = [DEEP]


#: error -> what is wrong -> features or a service, entities, what the message says
WRONG: dict[type[FeastError], dict[str, tuple[Any, Any, str]]] = {
    FeatureViewNotFound: {
        "unknown": (["nope:trips"], ONE, "Feature view nope does not exist in project test_project"),
        "misspelt": (["driver_stat:trips"], ONE, "did you mean 'driver_stats'"),
        "unknown version": (["driver_stats@x:trips"], ONE, "driver_stats@x does not exist"),
    },
    FeatureNotFound: {
        "unknown": (["driver_stats:nope"], ONE, r"nope does not exist in .* driver_stats"),
        "misspelt": (["driver_stats:trip"], ONE, "did you mean 'trips'"),
    },
    FeatureServiceNotFound: {
        "unknown": ("nope", ONE, "Feature service nope does not exist in project test_project"),
        "misspelt": ("wole", ONE, "did you mean 'whole'"),
    },
    NameCollision: {
        "same feature twice": (TRIPS * 2, ONE, r"trips.*full_feature_names"),
        "one name from two views": (["driver_stats:conv_rate", "driver_fresh:conv_rate"], ONE, "conv_rate"),
        "one name twice in a service": ("twice", ONE, "conv_rate"),
    },
    InvalidInput: {
        "no features": ([], ONE, r'features: name features \("view:feature"\) or a feature_service'),
        "an empty service": ("empty", ONE, "feature service empty has no features"),
        "no colon": (["trips"], ONE, r"features\[0\]: invalid feature reference 'trips'"),
        "no view": ([*TRIPS, ":trips"], ONE, r"features\[1\]: invalid feature reference ':trips'"),
        "no feature": (["driver_stats:"], ONE, r"features\[0\]: invalid feature reference 'driver_stats:'"),
        "no view before a version": (["@v2:trips"], ONE, r"features\[0\]: invalid feature reference '@v2:trips'"),
        "no view before the latest": (["@:trips"], ONE, r"features\[0\]: invalid feature reference '@:trips'"),
        "no colon in a very long one": (["x" * 100_000], ONE, r"features\[0\]: invalid feature reference 'xxx"),
        "pinned version": (["driver_stats@v2:trips"], ONE, "versions are not kept here"),
        "not online": (["not_online:x"], ONE, r"not_online .*online=False"),
        "not enabled": (["not_enabled:x"], ONE, r"not_enabled .*enabled=False"),
        "no entities": (TRIPS, {}, r"entities.driver_id: .*driver_stats needs .* 'driver_id'; given: nothing"),
        "no join key": (TRIPS, {"customer_id": ["a"]}, "given: customer_id"),
        "part of a key": (RIDES, ONE, r"entities.customer_id: .*given: driver_id"),
        "mapped key missing": ("one_alias", ONE, r"entities.origin_id: .*origin"),
        "join key and entity": (TRIPS, {"driver": [1], "driver_id": [1]}, "a second time"),
        "ragged": (TRIPS, {"driver_id": [1, 2], "x": [1]}, r"entities: .*driver_id: 2, x: 1"),
        "null": (TRIPS, {"driver_id": [1, None]}, r"entities.driver_id\[1\]: .*null"),
        "null for a text": (RIDES, customer(None), r"customer_id\[0\]: .*null"),
        "NaN": (TRIPS, {"driver_id": [1, float("nan")]}, r"entities.driver_id\[1\]: .*missing"),
        "NaN for a text": (RIDES, customer(float("nan")), r"customer_id\[0\]: .*missing"),
        "text for an integer": (TRIPS, {"driver_id": [1, "abc"]}, r"driver_id\[1\]: .*integer.*'abc'"),
        "fraction in a text": (TRIPS, {"driver_id": ["1.5"]}, r"driver_id\[0\]: .*integer.*'1.5'"),
        "too large": (TRIPS, {"driver_id": [99999999999999999999]}, r"driver_id\[0\]: .*64-bit"),
        "too small": (TRIPS, {"driver_id": [1, -(2**63) - 1]}, r"driver_id\[1\]: .*64-bit"),
        "a very long text": (TRIPS, {"driver_id": ["x" * 100_000]}, r"driver_id\[0\]: .*integer"),
        "a very long list": (TRIPS, {"driver_id": [[1] * 100_000]}, r"driver_id\[0\]: .*integer"),
        "a very large object": (RIDES, customer(dict.fromkeys(range(100_000))), r"customer_id\[0\]: .*text"),
        "a very deep list": (RIDES, customer(DEEP), r"customer_id\[0\]: .*text"),
        "a very long time": (HEAT, {"at": ["2" * 100_000]}, r"entities.at\[0\]: .*bare number"),
        "a very long word for a time": (HEAT, {"at": ["x" * 100_000]}, r"entities.at\[0\]: .*ISO 8601"),
        "a time beyond all": (HEAT, {"at": [1e300]}, r"entities.at\[0\]: .*not an instant"),
        "enormous": (TRIPS, {"driver_id": [1e300]}, r"driver_id\[0\]: .*64-bit"),
        "infinite": (TRIPS, {"driver_id": [float("inf")]}, r"driver_id\[0\]"),
        "a list": (TRIPS, {"driver_id": [[1]]}, r"driver_id\[0\]: .*integer"),
        "an object": (TRIPS, {"driver_id": [{}]}, r"driver_id\[0\]: .*integer"),
        "a list for a text": (RIDES, customer(["a"]), r"customer_id\[0\]: .*text"),
        "true for a text": (RIDES, customer(True), r"customer_id\[0\]: .*text"),
        "not Unicode": (RIDES, customer("\ud800"), r"customer_id.*Unicode"),
        "no time": (HEAT, {"at": ["2026-11-22", "yesterday"]}, r"entities.at\[1\]: .*ISO 8601"),
        "number as text": (HEAT, {"at": ["1795305600"]}, r"entities.at\[0\]: .*bare number"),
        "unused join key": (TRIPS, {"driver_id": [1], "at": ["never"]}, r"entities.at\[0\]"),
    },
}
CASES = [
    pytest.param(error, *case, id=f"{error.__name__}-{name}")
    for error, cases in WRONG.items()
    for name, case in cases.items()
]


@pytest.mark.parametrize("form", ["rows", "columns"])
@pytest.mark.parametrize(("error", "features", "entities", "message"), CASES)
def test_a_wrong_request_is_told_what_is_wrong(
    store: FeatureStore, ask: Ask, error: type[FeastError], features: Any, entities: Any, message: str, form: str
) -> None:
    for _ in range(2):  # what was wrong once is not remembered as something else
        with pytest.raises(error, match=message) as raised:
            ask(store, features, entities, form=form)
        assert type(raised.value) is error
        assert raised.value.http_status == (422 if issubclass(error, InvalidInput) else 404)
        assert "\n" not in str(raised.value)
        assert len(str(raised.value)) < 300


def test_the_store_serves_on_after_wrong_requests(store: FeatureStore, ask: Ask) -> None:
    for cases in WRONG.values():
        for features, entities, _ in cases.values():
            with pytest.raises(FeastError):
                ask(store, features, entities)
    assert ask(store, TRIPS, ONE)["results"][0]["values"] == [1, None]


def test_problems_name_their_place(store: FeatureStore, ask: Ask) -> None:
    with pytest.raises(InvalidInput) as raised:
        ask(store, TRIPS, {"driver_id": [1, 2, "x"]})
    ((path, message),) = raised.value.problems
    assert path == "entities.driver_id[2]"
    assert str(raised.value) == f"{path}: {message}"


KEYS = {
    "INT32": "Int32",
    "INT64": "Int64",
    "STRING": "String",
    "BYTES": "Bytes",
    "BOOL": "Bool",
    "UNIX_TIMESTAMP": "UnixTimestamp",
    "UUID": "Uuid",
    "TIME_UUID": "TimeUuid",
}
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["NaN", "-1", "1e5", " 7 ", "AP8B", "2026-11-22", "12345678-1234-5678-1234-567812345678", "\0"])
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


@pytest.fixture(scope="module")
def of_every_key_type(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeatureStore]:
    """A view `by_x` with the feature `f` for each type x of a join key `x`."""
    entities = [Entity(name=name, join_keys=[name.lower()], value_type=ValueType[name]) for name in KEYS]
    source = FileSource(name="source", path="x.parquet", timestamp_field="event_timestamp")
    views = [
        FeatureView(
            name=f"by_{entity.join_key}",
            entities=[entity],
            schema=[
                Field(name=entity.join_key, dtype=getattr(types, KEYS[entity.name])),
                Field(name="f", dtype=types.Int64),
            ],
            source=source,
        )
        for entity in entities
    ]
    path = tmp_path_factory.mktemp("keys")
    yaml = "project: keys\nregistry: registry.db\nonline_store: {type: sqlite, path: online.db}\n"
    with FeatureStore(config=parse_config(yaml, path)) as store:
        store.apply([*entities, *views])
        yield store


@pytest.mark.parametrize("name", KEYS)
@settings(max_examples=60, deadline=None)
@given(values=st.lists(JSON, min_size=1, max_size=3))
def test_any_value_of_any_key_is_taken_or_named(of_every_key_type: FeatureStore, name: str, values: list[Any]) -> None:
    key = name.lower()
    plan = of_every_key_type.retrieval_plan([f"by_{key}:f"], None, False, (key,), "rows")
    told = ""
    try:
        answer = asyncio.run(plan.run({key: values}))
    except InvalidInput as error:
        told = str(error)
    if told:
        assert re.match(rf"entities\.{key}(\[[0-2]\])?: ", told)
        assert len(told) < 300
    else:
        assert len(json.loads(answer)["results"]) == len(values)


def test_of_a_feature_that_is_repeated_endlessly_one_is_looked_at(
    store: FeatureStore, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    monkeypatch.setattr(refs, "split", lambda reference, path: looked_at.append(path) or reference.split(":"))
    with pytest.raises(NameCollision, match="duplicate feature names in the answer: trips;"):
        ask(store, TRIPS * 1000, ONE)
    with pytest.raises(FeatureViewNotFound):
        ask(store, [*TRIPS * 1000, "nope:x"], ONE)
    assert looked_at == ["features[0]", "features[0]", "features[1000]"]


def test_a_join_key_that_is_also_a_feature_needs_full_names(make_store: Any, feature_repo: Any, ask: Ask) -> None:
    feature_repo(
        {
            "definitions.py": """
            from feast import Entity, FeatureView, Field, FileSource, ValueType
            from feast.types import Int64

            driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
            car = Entity(name="car", join_keys=["car_id"], value_type=ValueType.INT64)
            cars = FeatureView(
                name="cars",
                entities=[car],
                schema=[Field(name="driver_id", dtype=Int64)],
                source=FileSource(path="cars.parquet", timestamp_field="event_timestamp"),
            )
            """
        }
    )
    store = make_store()
    store.apply()
    with pytest.raises(NameCollision, match="driver_id would be both a join key and a feature"):
        ask(store, ["cars:driver_id"], {"car_id": [1], "driver_id": [2]})
    assert ask(store, ["cars:driver_id"], {"car_id": [1]})["metadata"]["feature_names"] == ["car_id", "driver_id"]
    full = ask(store, ["cars:driver_id"], {"car_id": [1], "driver_id": [2]}, full=True)
    assert full["metadata"]["feature_names"] == ["car_id", "driver_id", "cars__driver_id"]


def test_a_join_key_that_two_views_type_differently_is_read_as_each_declares(
    make_store: Any, feature_repo: Any, put: Any, table: Ask
) -> None:
    feature_repo(
        {
            "definitions.py": """
            from feast import Entity, FeatureView, Field, FileSource, ValueType
            from feast.types import Int64, String

            user = Entity(name="user", join_keys=["user_id"])
            source = FileSource(path="x.parquet", timestamp_field="event_timestamp")
            by_number = FeatureView(
                name="by_number",
                entities=[user],
                schema=[Field(name="user_id", dtype=Int64), Field(name="a", dtype=Int64)],
                source=source,
            )
            by_text = FeatureView(
                name="by_text",
                entities=[user],
                schema=[Field(name="user_id", dtype=String), Field(name="b", dtype=Int64)],
                source=source,
            )
            """
        }
    )
    store = make_store()
    store.apply()
    put(store, "by_number", {"user_id": [7], "a": [1]})
    put(store, "by_text", {"user_id": ["7"], "b": [2]})
    for features in (["by_number:a", "by_text:b"], ["by_text:b", "by_number:a"]):
        for value in (7, "7"):
            names, values, *_ = table(store, features, {"user_id": [value]})
            assert dict(zip(names[1:], values[0][1:], strict=True)) == {"a": 1, "b": 2}
    with pytest.raises(InvalidInput, match=r"entities.user_id\[0\]"):
        table(store, ["by_text:b", "by_number:a"], {"user_id": ["x"]})


def test_an_entity_whose_type_makes_no_key_does_not_break_requests_of_others(
    make_store: Any, feature_repo: Any, table: Ask
) -> None:
    """Feast lets an entity have any type; no view here uses it, but a request may bring its column along."""
    feature_repo(
        {
            "definitions.py": """
            from feast import Entity, FeatureView, Field, FileSource, ValueType
            from feast.types import Int64

            driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
            odd = Entity(name="odd", join_keys=["price"], value_type=ValueType.DOUBLE)
            stats = FeatureView(
                name="stats",
                entities=[driver],
                schema=[Field(name="a", dtype=Int64)],
                source=FileSource(path="x.parquet", timestamp_field="event_timestamp"),
            )
            """
        }
    )
    store = make_store()
    store.apply()
    names, values, *_ = table(store, ["stats:a"], {"driver_id": [1], "price": [1.5]})
    assert (names, values) == (["driver_id", "price", "a"], [[1, 1.5, None]])


def test_what_is_declared_for_feast_only_says_so_when_it_is_used(make_store: Any, feature_repo: Any, ask: Ask) -> None:
    feature_repo(
        {
            "definitions.py": """
            from feast import Entity, FeatureService, FeatureView, Field, FileSource, RequestSource, ValueType
            from feast.on_demand_feature_view import on_demand_feature_view
            from feast.types import Float64, Int64

            driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
            stats = FeatureView(
                name="stats",
                entities=[driver],
                schema=[Field(name="a", dtype=Int64)],
                source=FileSource(path="x.parquet", timestamp_field="event_timestamp"),
            )

            @on_demand_feature_view(sources=[stats], schema=[Field(name="b", dtype=Float64)], mode="python")
            def doubled(inputs):
                return {"b": [2 * a for a in inputs["a"]]}

            both = FeatureService(name="both", features=[stats, doubled])
            pinned = FeatureService(name="pinned", features=["stats@v3:a"])
            """
        }
    )
    store = make_store()
    store.apply()
    with pytest.raises(NotSupported, match="doubled is an on demand feature view"):
        ask(store, ["doubled:b"], {"driver_id": [1]})
    with pytest.raises(NotSupported, match="doubled is an on demand feature view"):
        ask(store, "both", {"driver_id": [1]})
    with pytest.raises(NotSupported, match=r"pinned .*version 3 of feature view stats"):
        ask(store, "pinned", {"driver_id": [1]})
    assert ask(store, ["stats:a"], {"driver_id": [1]})["results"][0]["values"] == [1, None]


def test_nothing_is_applied_yet(make_store: Any, ask: Ask) -> None:
    with pytest.raises(FeatureViewNotFound):
        ask(make_store(), TRIPS, ONE)


def test_errors_travel_between_processes() -> None:
    """A worker's error reaches the parent, an engine's its driver."""
    error = InvalidInput.at("entities.driver_id[3]", "expected an integer")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.problems) == (str(error), error.problems)


# The Python API on top.


def test_entity_rows_must_have_the_same_keys(store: FeatureStore) -> None:
    with pytest.raises(InvalidInput, match=r"entity_rows\[1\]"):
        store.get_online_features(TRIPS, [{"driver_id": 1}, {"driver_id": 2, "x": 1}])
    with pytest.raises(InvalidInput, match="entity_rows is empty"):
        store.get_online_features(TRIPS, [])


def test_missing_entity_values_of_pandas_are_refused(store: FeatureStore) -> None:
    import pandas as pd

    for missing in (pd.NA, pd.NaT, float("nan"), None):
        with pytest.raises(InvalidInput, match=r"entities.driver_id\[1\]"):
            store.get_online_features(TRIPS, {"driver_id": [1, missing]})
        with pytest.raises(InvalidInput, match=r"entities.customer_id\[0\]"):
            store.get_online_features(["customer_driver:rides"], {"driver_id": [1], "customer_id": [missing]})


@pytest.mark.parametrize("features", [[1], [None], [("a", "b")], 5, {"driver_stats:trips": 1}, None])
def test_features_of_a_wrong_type_are_refused(store: FeatureStore, features: Any) -> None:
    with pytest.raises(InvalidInput, match="features"):
        store.get_online_features(features, [{"driver_id": 1}])


def test_the_asynchronous_call_raises_the_same(store: FeatureStore) -> None:
    with pytest.raises(InvalidInput, match=r"entities.driver_id\[0\]"):
        asyncio.run(store.get_online_features_async(TRIPS, [{"driver_id": "x"}]))
