"""Online requests, from entity values to the bytes of the response, over both kinds of reader."""

import asyncio
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feast_core.errors import InvalidInput
from feast_core.store import FeatureStore

NOTHING = "1970-01-01T00:00:00Z"
EVENT = "2026-11-22T09:00:00Z"

Put = Callable[..., Any]
Ask = Callable[..., Any]


@pytest.fixture
def filled(store: FeatureStore, put: Put) -> FeatureStore:
    """Rows in every view: drivers 1001 to 1003, two of three composite keys, one global row."""
    put(
        store,
        "driver_stats",
        {
            "driver_id": [1001, 1002, 1003],
            "conv_rate": [0.1, 0.2, None],
            "acc_rate": [0.5, None, 0.75],
            "trips": [10, 9007199254740993, None],
            "name": ["ann", "bö b", ""],
        },
    )
    put(store, "driver_fresh", {"driver_id": [1001, 1003], "conv_rate": [0.9, 0.8], "speed": [1.5, float("inf")]})
    put(store, "customer_driver", {"driver_id": [1001, 1002], "customer_id": ["a", "b"], "rides": [1, 2]})
    put(store, "global_stats", {"g_rate": [2.5], "g_list": [[1, 2]]})
    return store


# The shape of the contract.


def test_rows_are_as_documented(filled: FeatureStore, ask_bytes: Ask) -> None:
    body = ask_bytes(
        filled,
        ["driver_stats:conv_rate", "driver_stats:acc_rate", "driver_stats:trips"],
        {"driver_id": [1001, 1002, 9999]},
    )
    assert body == (
        b'{"metadata":{"feature_names":["driver_id","conv_rate","acc_rate","trips"]},"results":['
        b'{"values":[1001,0.10000000149011612,0.5,10],"statuses":["PRESENT","PRESENT","PRESENT","PRESENT"],'
        b'"event_timestamps":["1970-01-01T00:00:00Z","2026-11-22T09:00:00Z","2026-11-22T09:00:00Z",'
        b'"2026-11-22T09:00:00Z"]},'
        b'{"values":[1002,0.20000000298023224,null,9007199254740993],'
        b'"statuses":["PRESENT","PRESENT","NULL_VALUE","PRESENT"],'
        b'"event_timestamps":["1970-01-01T00:00:00Z","2026-11-22T09:00:00Z","2026-11-22T09:00:00Z",'
        b'"2026-11-22T09:00:00Z"]},'
        b'{"values":[9999,null,null,null],"statuses":["PRESENT","NOT_FOUND","NOT_FOUND","NOT_FOUND"],'
        b'"event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z","1970-01-01T00:00:00Z",'
        b'"1970-01-01T00:00:00Z"]}]}'
    )


def test_columns_are_as_feast_sends_them(filled: FeatureStore, ask_bytes: Ask) -> None:
    body = ask_bytes(
        filled, ["driver_stats:acc_rate", "driver_stats:name"], {"driver_id": [1002, 9999]}, form="columns"
    )
    assert body == (
        b'{"results":['
        b'{"values":[1002,9999],"statuses":["PRESENT","PRESENT"],'
        b'"event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},'
        b'{"values":[null,null],"statuses":["NULL_VALUE","NOT_FOUND"],'
        b'"event_timestamps":["2026-11-22T09:00:00Z","1970-01-01T00:00:00Z"]},'
        b'{"values":["b\xc3\xb6 b",null],"statuses":["PRESENT","NOT_FOUND"],'
        b'"event_timestamps":["2026-11-22T09:00:00Z","1970-01-01T00:00:00Z"]}],'
        b'"metadata":{"feature_names":["driver_id","acc_rate","name"]}}'
    )


def test_features_come_in_the_order_of_the_request(filled: FeatureStore, table: Ask) -> None:
    features = ["driver_stats:name", "driver_fresh:speed", "driver_stats:trips", "global_stats:g_rate"]
    names, values, statuses, times = table(filled, features, {"driver_id": [1003, 1001]})
    assert names == ["driver_id", "name", "speed", "trips", "g_rate"]
    assert values == [[1003, "", "Infinity", None, 2.5], [1001, "ann", 1.5, 10, 2.5]]
    assert statuses[0] == ["PRESENT", "PRESENT", "PRESENT", "NULL_VALUE", "PRESENT"]
    assert times[1] == [NOTHING, EVENT, EVENT, EVENT, EVENT]


def test_a_part_of_a_row_reads_as_the_whole_does(filled: FeatureStore, table: Ask) -> None:
    """The whole row is spliced, a part of it is decoded and written again."""
    names = ["conv_rate", "acc_rate", "trips", "name"]
    entities = {"driver_id": [1001, 1002, 1003, 1004]}
    _, *whole = table(filled, [f"driver_stats:{name}" for name in names], entities)
    _, *reordered = table(filled, [f"driver_stats:{name}" for name in reversed(names)], entities)
    for part, other in zip(whole, reordered, strict=True):
        assert [[row[0], *reversed(row[1:])] for row in other] == part
    for at, name in enumerate(names, 1):
        _, *single = table(filled, [f"driver_stats:{name}"], entities)
        for part, other in zip(whole, single, strict=True):
            assert other == [[row[0], row[at]] for row in part]


def test_join_keys_come_first_in_the_order_of_the_request(filled: FeatureStore, table: Ask) -> None:
    """Also join keys of other views of the project, as Feast; columns that are no join key are dropped."""
    names, values, statuses, times = table(
        filled,
        ["driver_stats:trips"],
        {"customer_id": ["a"], "no_key": [{"any": "thing"}], "driver_id": ["1001"], "at": ["2026-11-22"]},
    )
    assert names == ["customer_id", "driver_id", "at", "trips"]
    assert values == [["a", 1001, 1795305600, 10]]
    assert statuses == [["PRESENT"] * 4]
    assert times == [[NOTHING, NOTHING, NOTHING, EVENT]]


def test_the_same_entity_twice_is_two_rows(filled: FeatureStore, table: Ask) -> None:
    _, values, _, _ = table(filled, ["driver_stats:trips"], {"driver_id": [1001, 9, 1002, 1001, 9]})
    assert values == [[1001, 10], [9, None], [1002, 9007199254740993], [1001, 10], [9, None]]


def test_no_entities_are_no_rows(filled: FeatureStore, table: Ask, ask_bytes: Ask) -> None:
    assert json.loads(ask_bytes(filled, ["driver_stats:trips"], {"driver_id": []})) == {
        "metadata": {"feature_names": ["driver_id", "trips"]},
        "results": [],
    }
    columns = json.loads(ask_bytes(filled, ["driver_stats:trips"], {"driver_id": []}, form="columns"))
    assert columns["results"] == [{"values": [], "statuses": [], "event_timestamps": []}] * 2


# Names.


def test_full_feature_names_prefix_features_only(filled: FeatureStore, table: Ask) -> None:
    names, *_ = table(filled, ["driver_fresh:conv_rate", "driver_stats:conv_rate"], {"driver_id": [1001]}, full=True)
    assert names == ["driver_id", "driver_fresh__conv_rate", "driver_stats__conv_rate"]


def test_latest_version_is_the_view_itself(filled: FeatureStore, table: Ask) -> None:
    names, values, *_ = table(filled, ["driver_stats@latest:trips"], {"driver_id": [1001]}, full=True)
    assert (names, values) == (["driver_id", "driver_stats__trips"], [[1001, 10]])


def test_a_service_gives_its_features_in_its_order(filled: FeatureStore, table: Ask) -> None:
    names, values, *_ = table(filled, "part", {"driver_id": [1001]})
    assert (names, values) == (
        ["driver_id", "trips", "conv_rate", "g_rate", "g_list"],
        [[1001, 10, 0.10000000149011612, 2.5, [1, 2]]],
    )


def test_a_service_of_a_view_gives_all_of_it(filled: FeatureStore, table: Ask) -> None:
    names, values, *_ = table(filled, "whole", {"driver_id": [1003]}, full=True)
    assert names == ["driver_id", *(f"driver_stats__{name}" for name in ("conv_rate", "acc_rate", "trips", "name"))]
    assert values == [[1003, None, 0.75, None, ""]]


def test_a_service_may_use_a_view_twice_under_two_names(filled: FeatureStore, table: Ask) -> None:
    entities = {"origin_id": [1001, 1002], "dest_id": [1002, 7]}
    names, values, statuses, _ = table(filled, "alias", entities, full=True)
    assert names == [
        "origin_id",
        "dest_id",
        *(f"origin__{name}" for name in ("conv_rate", "acc_rate", "trips", "name")),
        "dest__trips",
        "dest__name",
    ]
    assert values == [
        [1001, 1002, 0.10000000149011612, 0.5, 10, "ann", 9007199254740993, "bö b"],
        [1002, 7, 0.20000000298023224, None, 9007199254740993, "bö b", None, None],
    ]
    assert statuses[1][2:] == ["PRESENT", "NULL_VALUE", "PRESENT", "PRESENT", "NOT_FOUND", "NOT_FOUND"]


def test_mapped_join_keys_are_coerced_as_the_join_key_is(filled: FeatureStore, table: Ask) -> None:
    _, values, *_ = table(filled, "alias", {"dest_id": ["1001"], "origin_id": [1001.9]}, full=True)
    assert values[0][:2] == [1001, 1001]
    assert values[0][-1] == "ann"


# Keys.


def test_composite_keys_need_all_their_parts(filled: FeatureStore, table: Ask) -> None:
    entities = {"customer_id": ["a", "b", "b", "a"], "driver_id": [1001, 1001, 1002, 1002]}
    names, values, statuses, _ = table(filled, ["customer_driver:rides", "driver_stats:name"], entities)
    assert names == ["customer_id", "driver_id", "rides", "name"]
    assert [row[2] for row in values] == [1, None, 2, None]
    assert [row[3] for row in values] == ["ann", "ann", "bö b", "bö b"]
    assert [row[2] for row in statuses] == ["PRESENT", "NOT_FOUND", "PRESENT", "NOT_FOUND"]


def test_names_may_hold_any_character(make_store: Any, feature_repo: Any, put: Put, table: Ask) -> None:
    """As in Feast, the first colon of a reference ends the name of the view."""
    feature_repo(
        {
            "definitions.py": """
            from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
            from feast.types import Int64

            key = Entity(name="clé 名", join_keys=["the key é"], value_type=ValueType.INT64)
            view = FeatureView(
                name="odd é/名",
                entities=[key],
                schema=[Field(name=name, dtype=Int64) for name in ("a:b", "é 😀", 'quo"te\\\\', " ", "x@v2", "[0]")],
                source=FileSource(name="s", path="s.parquet", timestamp_field="event_timestamp"),
            )
            service = FeatureService(name="../a b/é", features=[view])
            """
        }
    )
    store = make_store()
    store.apply()
    features = ["a:b", "é 😀", 'quo"te\\', " ", "x@v2", "[0]"]
    put(store, "odd é/名", {"the key é": [1], **{name: [at] for at, name in enumerate(features)}})
    for asked in ([f"odd é/名:{name}" for name in features], "../a b/é"):
        names, values, *_ = table(store, asked, {"the key é": [1]})
        assert (names, values) == (["the key é", *features], [[1, 0, 1, 2, 3, 4, 5]])
    assert table(store, ["odd é/名:a:b"], {"clé 名": [1]}, full=True)[0] == ["the key é", "odd é/名__a:b"]


@pytest.mark.parametrize("entities", [{}, {"driver_id": [1001, 77]}, {"anything": ["x", None]}])
def test_a_view_without_entities_gives_every_row_the_same(
    filled: FeatureStore, table: Ask, entities: dict[str, list[Any]]
) -> None:
    names, values, statuses, times = table(filled, ["global_stats:g_list", "global_stats:g_rate"], entities)
    echoed = [name for name in entities if name == "driver_id"]
    rows = len(next(iter(entities.values()), [0]))
    assert names == [*echoed, "g_list", "g_rate"]
    assert [row[len(echoed) :] for row in values] == [[[1, 2], 2.5]] * rows
    assert [row[len(echoed) :] for row in statuses] == [["PRESENT", "PRESENT"]] * rows
    assert [row[len(echoed) :] for row in times] == [[EVENT, EVENT]] * rows


def test_the_entity_may_be_named_instead_of_its_join_key(filled: FeatureStore, table: Ask) -> None:
    names, values, *_ = table(filled, ["customer_driver:rides"], {"driver": ["1001"], "customer": ["a"]})
    assert (names, values) == (["driver_id", "customer_id", "rides"], [[1001, "a", 1]])


@pytest.mark.parametrize(
    ("given", "echoed"),
    [("1001", 1001), (1001.7, 1001), (" 1001 ", 1001), (True, 1), (-0.5, 0), (2**63 - 1, 2**63 - 1)],
)
def test_integer_keys_are_read_as_feast_does(
    store: FeatureStore, put: Put, table: Ask, given: Any, echoed: int
) -> None:
    put(store, "driver_stats", {"driver_id": [echoed], "name": ["found"]})
    _, values, *_ = table(store, ["driver_stats:name"], {"driver_id": [given]})
    assert values == [[echoed, "found"]]
    assert type(values[0][0]) is int


@pytest.mark.parametrize(
    ("given", "echoed"), [(5, "5"), (5.5, "5.5"), ("5", "5"), ("", ""), ("日\u0000'", "日\u0000'")]
)
def test_text_keys_are_read_as_feast_does(store: FeatureStore, put: Put, table: Ask, given: Any, echoed: str) -> None:
    put(store, "customer_driver", {"driver_id": [1], "customer_id": [echoed], "rides": [3]})
    _, values, *_ = table(store, ["customer_driver:rides"], {"driver_id": [1], "customer_id": [given]})
    assert values == [[1, echoed, 3]]


def test_instants_are_keys_in_every_spelling(store: FeatureStore, put: Put, table: Ask) -> None:
    put(store, "at_moment", {"at": [datetime(2026, 11, 22, tzinfo=UTC)], "since": [datetime(2020, 1, 1)]})
    spellings = ["2026-11-22", "2026-11-22T02:00:00+02:00", 1795305600, "2026-11-22 00:00:00Z"]
    _, values, *_ = table(store, ["at_moment:since"], {"at": spellings})
    assert values == [[1795305600, 1577836800]] * 4


# Statuses and times.


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (datetime(2026, 11, 22, 9, tzinfo=UTC), "2026-11-22T09:00:00Z"),
        (datetime(2026, 11, 22, 9, 0, 0, 120000, tzinfo=UTC), "2026-11-22T09:00:00.120Z"),
        (datetime(2026, 11, 22, 9, 0, 0, 123456, tzinfo=UTC), "2026-11-22T09:00:00.123456Z"),
        (datetime(2026, 11, 22, 9, 0, 0, 1, tzinfo=UTC), "2026-11-22T09:00:00.000001Z"),
        (datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC), "1969-12-31T23:59:59.999Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_timestamps_have_as_many_digits_as_they_need(
    store: FeatureStore, put: Put, table: Ask, event: datetime, text: str
) -> None:
    put(store, "driver_fresh", {"driver_id": [1], "speed": [1.0]}, event=event)
    _, _, _, times = table(store, ["driver_fresh:speed", "driver_fresh:conv_rate"], {"driver_id": [1, 2]})
    assert times == [[NOTHING, text, text], [NOTHING, NOTHING, NOTHING]]


def test_old_rows_are_served_unless_ttl_is_enforced(store: FeatureStore, put: Put, table: Ask) -> None:
    put(store, "driver_stats", {"driver_id": [1], "name": ["old"]}, event=datetime(2000, 1, 1, tzinfo=UTC))
    _, values, statuses, _ = table(store, ["driver_stats:name"], {"driver_id": [1]})
    assert (values, statuses) == ([[1, "old"]], [["PRESENT", "PRESENT"]])


def test_enforced_ttl_hides_old_rows(make_applied: Any, put: Put, table: Ask) -> None:
    """The value is null and the status says why; a view without a ttl keeps its rows for ever."""
    store = make_applied(feature_server={"enforce_ttl": True})
    now = datetime.now(UTC).replace(microsecond=0)
    events = [now - timedelta(hours=2, seconds=60), now - timedelta(hours=1), now + timedelta(hours=1)]
    put(store, "driver_stats", {"driver_id": [1, 2, 3], "name": ["old", "young", "to come"]}, event=events)
    put(store, "driver_fresh", {"driver_id": [1], "speed": [7.0]}, event=datetime(2000, 1, 1, tzinfo=UTC))
    features = ["driver_stats:name", "driver_stats:trips", "driver_fresh:speed"]
    _, values, statuses, times = table(store, features, {"driver_id": [1, 2, 3, 4]})
    assert [row[1] for row in values] == [None, "young", "to come", None]
    assert values[0] == [1, None, None, 7.0]
    assert statuses == [
        ["PRESENT", "OUTSIDE_MAX_AGE", "OUTSIDE_MAX_AGE", "PRESENT"],
        ["PRESENT", "PRESENT", "NULL_VALUE", "NOT_FOUND"],
        ["PRESENT", "PRESENT", "NULL_VALUE", "NOT_FOUND"],
        ["PRESENT", "NOT_FOUND", "NOT_FOUND", "NOT_FOUND"],
    ]
    assert times[0][1] == events[0].isoformat().replace("+00:00", "Z")


def test_a_view_that_was_never_written_is_not_found(store: FeatureStore, table: Ask) -> None:
    _, values, statuses, times = table(store, "part", {"driver_id": [1]})
    assert (values, statuses, times) == ([[1] + [None] * 4], [["PRESENT"] + ["NOT_FOUND"] * 4], [[NOTHING] * 5])


# Many rows.


def test_a_large_request_is_the_sum_of_its_parts(store: FeatureStore, put: Put, table: Ask) -> None:
    ids = list(range(0, 1234, 2))
    put(
        store,
        "driver_stats",
        {"driver_id": ids, "trips": [i if i % 6 else None for i in ids], "name": list(map(str, ids))},
    )
    put(store, "driver_fresh", {"driver_id": ids[::3], "speed": [i / 7 for i in ids[::3]]})
    put(store, "global_stats", {"g_rate": [1.0]})
    features = ["driver_stats:name", "driver_fresh:speed", "driver_stats:trips", "global_stats:g_rate"]
    asked = [(i * 31) % 1234 for i in range(1234)]
    whole = table(store, features, {"driver_id": asked})
    parts = [table(store, features, {"driver_id": asked[at : at + 100]}) for at in range(0, 1234, 100)]
    for at in (1, 2, 3):
        assert whole[at] == [row for part in parts for row in part[at]]
    assert sum(row[1] is not None for row in whole[1]) == 617


def test_other_requests_are_answered_while_a_large_one_is_read(filled: FeatureStore) -> None:
    """A request of 20,000 rows gives way; one of a single row does not wait for it."""

    async def both() -> list[str]:
        done = []

        async def run(name: str, rows: int) -> None:
            plan = filled.retrieval_plan(["driver_stats:name"], None, False, ("driver_id",), "rows")
            await plan.run({"driver_id": [1001] * rows})
            done.append(name)

        await asyncio.gather(run("large", 20_000), run("small", 1))
        return done

    assert asyncio.run(both()) == ["small", "large"]


# Rows of other schemas.


def change_view(store: FeatureStore, feature_repo: Any, schema: str) -> None:
    """Give the view `changing` this schema, and apply."""
    path = feature_repo({}) / "definitions.py"
    text, count = re.subn("CHANGING = .*", "CHANGING = {" + schema + "}", path.read_text())
    assert count == 1
    path.write_text(text)
    assert not store.apply().empty


P, N, F = "PRESENT", "NULL_VALUE", "NOT_FOUND"


@pytest.mark.parametrize(
    ("schema", "values", "statuses"),
    [
        ('"one": Float64, "two": Int64, "new": Int64, "three": String', [None, 2, None, "3"], [N, P, F, P]),
        ('"one": Float64, "three": String', [None, "3"], [N, P]),
        ('"one": Float64, "two": String, "three": String', [None, None, "3"], [N, F, P]),
        ('"one": Float64, "deux": Int64, "three": String', [None, None, "3"], [N, F, P]),
        ('"three": String, "two": Int64, "one": Float64', ["3", 2, None], [P, P, N]),
    ],
    ids=["added", "removed", "retyped", "renamed", "reordered"],
)
def test_rows_of_an_older_schema_are_read_by_name(
    store: FeatureStore, put: Put, table: Ask, feature_repo: Any, schema: str, values: list[Any], statuses: list[str]
) -> None:
    """Whatever changed in between, in a splice of the whole row as in a part of it."""
    put(store, "changing", {"driver_id": [1], "two": [2], "three": ["3"]})
    change_view(store, feature_repo, schema)
    names = [field.name for field in store.snapshot.view("changing").features]
    put(store, "changing", {"driver_id": [5], "three": [None]})
    for features in ("changes", [f"changing:{name}" for name in names]):
        found_names, found, found_statuses, times = table(store, features, {"driver_id": [5, 1, 9]})
        assert found_names == ["driver_id", *names]
        assert found[1] == [1, *values]
        assert found_statuses[1] == [P, *statuses]
        assert times[1] == [NOTHING] + [EVENT] * len(names)
        assert found_statuses[0][1:] == [N] * len(names)
        assert found_statuses[2][1:] == [F] * len(names)
    for name, value, status in zip(names, values, statuses, strict=True):
        _, found, found_statuses, _ = table(store, [f"changing:{name}"], {"driver_id": [1]})
        assert (found, found_statuses) == ([[1, value]], [[P, status]])


def test_rows_of_a_newer_schema_are_read_by_a_plan_of_the_older(
    store: FeatureStore, put: Put, feature_repo: Any
) -> None:
    """A worker that has not refreshed yet serves what others write already."""
    put(store, "changing", {"driver_id": [1], "two": [2], "three": ["3"]})
    old = {form: store.retrieval_plan(None, "changes", False, ("driver_id",), form) for form in ("rows", "columns")}
    change_view(store, feature_repo, '"one": Float64, "new": Int64, "two": String, "three": String')
    put(store, "changing", {"driver_id": [2], "new": [1], "two": ["many"], "three": ["drei"]})
    rows = json.loads(asyncio.run(old["rows"].run({"driver_id": [1, 2]})))
    columns = json.loads(asyncio.run(old["columns"].run({"driver_id": [1, 2]})))
    assert rows["results"][0]["values"] == [1, None, 2, "3"]
    assert rows["results"][1]["values"] == [2, None, None, "drei"]
    assert rows["results"][1]["statuses"] == [P, N, F, P]
    for at, row in enumerate(rows["results"]):
        for part in ("values", "statuses", "event_timestamps"):
            assert [column[part][at] for column in columns["results"]] == row[part]


def test_rows_of_several_schemas_in_one_request(store: FeatureStore, put: Put, table: Ask, feature_repo: Any) -> None:
    """More rows than one slice, each of a schema that the plan meets there for the first time."""
    for generation in range(4):
        ids = list(range(generation * 400, generation * 400 + 400))
        put(store, "changing", {"driver_id": ids, "three": ["x"] * 400})
        added = ", ".join(f'"new_{number}": Int64' for number in range(generation + 1))
        change_view(store, feature_repo, f'"three": String, {added}')
    _, values, statuses, _ = table(store, ["changing:three", "changing:new_1"], {"driver_id": list(range(1600))})
    assert [row[1] for row in values] == ["x"] * 1600
    assert [row[2] for row in statuses] == [F] * 800 + [N] * 800


def test_a_row_whose_schema_is_lost_is_not_found(store: FeatureStore, put: Put, table: Ask) -> None:
    read_one = store.retrieval_plan(["driver_stats:name"], None, False, ("driver_id",), "rows").reads[0]
    put(store, "driver_stats", {"driver_id": [1], "name": ["ann"]})
    key = store.plugins.hook.feast_writer(store=store, view=read_one)
    lost = 1234567
    from feast_core.keys import KeyEncoder

    keys = KeyEncoder(store.snapshot.key_types(read_one.view)).encode([[2]], 1)
    key([(keys[0], 0, 0, lost, b"", b'["what",1]')])
    _, values, statuses, _ = table(store, ["driver_stats:name"], {"driver_id": [1, 2]})
    assert values == [[1, "ann"], [2, None]]
    assert statuses == [["PRESENT", "PRESENT"], ["PRESENT", "NOT_FOUND"]]


# Both formats say the same.

FEATURES = [
    "driver_stats:conv_rate",
    "driver_stats:acc_rate",
    "driver_stats:trips",
    "driver_stats:name",
    "driver_fresh:speed",
    "global_stats:g_rate",
    "customer_driver:rides",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_columns_are_rows_transposed(filled: FeatureStore, ask: Ask, data: st.DataObject) -> None:
    features = data.draw(st.lists(st.sampled_from(FEATURES), min_size=1, unique=True))
    ids = data.draw(st.lists(st.integers(1000, 1004), max_size=7))
    entities: dict[str, list[Any]] = {"driver_id": ids}
    if "customer_driver:rides" in features or data.draw(st.booleans()):
        customers = st.lists(st.sampled_from(["a", "b"]), min_size=len(ids), max_size=len(ids))
        entities["customer_id"] = data.draw(customers)
    full = data.draw(st.booleans())
    rows = ask(filled, features, entities, full=full, form="rows")
    columns = ask(filled, features, entities, full=full, form="columns")
    assert rows["metadata"] == columns["metadata"]
    assert len(rows["results"]) == len(ids)
    assert len(columns["results"]) == len(rows["metadata"]["feature_names"])
    for part in ("values", "statuses", "event_timestamps"):
        transposed = [[column[part][at] for column in columns["results"]] for at in range(len(ids))]
        assert [row[part] for row in rows["results"]] == transposed


# Plans.


def test_a_plan_is_compiled_once_per_shape(filled: FeatureStore) -> None:
    def plan(features: list[str], columns: tuple[str, ...], full: bool = False, form: Any = "rows") -> object:
        return filled.retrieval_plan(features, None, full, columns, form)

    first = plan(["driver_stats:trips"], ("driver_id",))
    assert plan(["driver_stats:trips"], ("driver_id",)) is first
    others = [
        plan(["driver_stats:name"], ("driver_id",)),
        plan(["driver_stats:trips"], ("driver_id", "customer_id")),
        plan(["driver_stats:trips"], ("driver_id",), full=True),
        plan(["driver_stats:trips"], ("driver_id",), form="columns"),
    ]
    assert len({id(found) for found in [first, *others]}) == 5


def test_invented_shapes_do_not_push_out_a_plan_in_use(filled: FeatureStore) -> None:
    hot = filled.retrieval_plan(["driver_stats:trips"], None, False, ("driver_id",), "rows")
    for number in range(2500):
        filled.retrieval_plan(["driver_stats:trips"], None, False, ("driver_id", f"made_up_{number}"), "rows")
        if number % 200 == 0:
            assert filled.retrieval_plan(["driver_stats:trips"], None, False, ("driver_id",), "rows") is hot
    assert len(filled._loaded().plans) == 1024


def test_names_too_long_to_keep_are_compiled_each_time(filled: FeatureStore) -> None:
    """A client that sends a megabyte as the name of a column does not make the server remember it."""
    before = len(filled._loaded().plans)
    for columns in (("driver_id", "x" * 140_000), ("driver_id", *(f"x{number}" for number in range(2000)))):
        assert filled.retrieval_plan(["driver_stats:trips"], None, False, columns, "rows")
    assert len(filled._loaded().plans) == before


def test_a_plan_can_be_printed(filled: FeatureStore) -> None:
    plan = filled.retrieval_plan(["driver_stats:trips", "global_stats:g_rate"], None, False, ("driver",), "rows")
    described = json.loads(json.dumps(plan.describe()))
    assert described["columns"] == [
        {"name": "driver_id", "type": "Int64", "from": "entities.driver"},
        {"name": "trips", "type": "Int64", "from": "driver_stats:trips"},
        {"name": "g_rate", "type": "Float64", "from": "global_stats:g_rate"},
    ]
    stats, everywhere = described["views"]
    assert (stats["name"], stats["class"], stats["ttl_seconds"]) == ("driver_stats", "FeatureView", 7200)
    assert stats["join_keys"] == [{"name": "driver_id", "type": "Int64", "column": "driver"}]
    assert list(stats["schema"]["features"].items())[:2] == [("conv_rate", "Float32"), ("acc_rate", "Float64")]
    assert len(stats["schema"]["fingerprint"]) == 16
    assert stats["features"] == ["trips"]
    assert (everywhere["join_keys"], everywhere["features"]) == ([], ["g_rate"])


def test_a_plan_serves_many_requests_at_once(filled: FeatureStore) -> None:
    plan = filled.retrieval_plan(["driver_stats:name", "driver_fresh:speed"], None, False, ("driver_id",), "columns")

    async def many() -> list[bytes]:
        return await asyncio.gather(*(plan.run({"driver_id": [1001 + at % 3] * (1 + at % 4)}) for at in range(60)))

    for at, body in enumerate(asyncio.run(many())):
        answer = json.loads(body)
        expected = {0: "ann", 1: "bö b", 2: ""}[at % 3]
        assert answer["results"][1]["values"] == [expected] * (1 + at % 4)


def test_ragged_columns_are_refused_also_where_they_are_not_used(filled: FeatureStore) -> None:
    plan = filled.retrieval_plan(["driver_stats:name"], None, False, ("driver_id", "unused"), "rows")
    with pytest.raises(InvalidInput, match="driver_id: 2, unused: 1"):
        asyncio.run(plan.run({"driver_id": [1, 2], "unused": [1]}))
