"""What a change means for stored rows, said for every kind of change."""

from datetime import timedelta
from typing import Any

import pytest

from feast_core.definitions import (
    Array,
    BatchFeatureView,
    DataSource,
    Definition,
    Entity,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    Float32,
    Float64,
    Int32,
    Int64,
    Permission,
    Project,
    PushSource,
    RoleBasedPolicy,
    String,
    ValueType,
)
from feast_core.definitions.permissions import AuthzedAction
from feast_core.diff import Change, diff

DRIVER = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
CAR = Entity(name="car", join_keys=["car_id"], value_type=ValueType.INT64)
SOURCE = FileSource(name="source", path="a.parquet", timestamp_field="ts")
RATE, TRIPS, NAME = Field(name="rate", dtype=Float32), Field(name="trips", dtype=Int64), Field(name="n", dtype=String)
AGAIN = "NOT_FOUND until materialized again"
WINDOW = "feast materialize START END -v v"
ANEW = "feast materialize-incremental END -v v"


def a_view(name: str = "v", **changes: Any) -> FeatureView:
    options: dict[str, Any] = {"entities": [DRIVER], "schema": [RATE, TRIPS], "source": SOURCE, **changes}
    return FeatureView(name=name, **options)


def a_source(**changes: Any) -> FileSource:
    return FileSource(**{"name": "source", "path": "a.parquet", "timestamp_field": "ts", **changes})


def a_push(name: str = "push", source: DataSource = SOURCE) -> PushSource:
    return PushSource(name=name, batch_source=source)


def a_transformed(name: str) -> BatchFeatureView:
    return BatchFeatureView(
        name=name, entities=[DRIVER], schema=[RATE, TRIPS], source=SOURCE, online=True, udf=len, udf_string="len"
    )


def changes(old: list[Definition], new: list[Definition]) -> dict[tuple[str, str], Change]:
    """The changes by action and name."""
    return {(change.action, change.name): change for change in diff(old, new, delete_missing=True).changes}


def told(change: Change) -> list[tuple[str, str]]:
    return [(found.effect, str(found)) for found in change.consequences]


@pytest.mark.parametrize(
    ("change", "expected", "step"),
    [
        ({"description": "new", "tags": {"a": "b"}, "owner": "me"}, [], ""),
        (
            {"schema": [RATE, TRIPS, NAME]},
            [("missing", f"feature n: rows stored before have none: {AGAIN}")],
            WINDOW,
        ),
        (
            {"schema": [RATE]},
            [("unread", "feature trips: no longer served; stays in stored rows until they are written anew")],
            "",
        ),
        (
            {"schema": [RATE, Field(name="trips", dtype=Int32)]},
            [("missing", f"feature trips: values stored as Int64 are not read as Int32: {AGAIN}")],
            WINDOW,
        ),
        (
            {"schema": [RATE, Field(name="trips", dtype=Array(Int64))], "online": False},
            [
                ("missing", f"feature trips: values stored as Int64 are not read as Array(Int64): {AGAIN}"),
                (
                    "refused",
                    "online=False: requests are refused, and it is no longer materialized;"
                    " stored rows stay until the view is deleted",
                ),
            ],
            "",
        ),
        (
            {"schema": [TRIPS, RATE]},
            [("kept", "order of features: means nothing, stored rows are read by name")],
            "",
        ),
        (
            {"schema": [RATE, Field(name="journeys", dtype=Int64)]},
            [
                (
                    "missing",
                    f"feature journeys: rows stored before have none: {AGAIN};"
                    " if it is trips renamed, those values do not come along",
                ),
                ("unread", "feature trips: no longer served; stays in stored rows until they are written anew"),
            ],
            WINDOW,
        ),
        (
            {"ttl": timedelta(days=2)},
            [
                (
                    "kept",
                    "ttl: stored rows stay; a first materialize-incremental goes back 2 days,"
                    " and with enforce_ttl what is older is OUTSIDE_MAX_AGE",
                )
            ],
            "",
        ),
        (
            {"entities": [CAR]},
            [
                (
                    "dropped",
                    "stored rows: the join key was driver_id and is car_id; all of them go;"
                    " NOT_FOUND until the view is materialized again",
                )
            ],
            ANEW,
        ),
        (
            {"entities": [Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.STRING)]},
            [
                (
                    "dropped",
                    "stored rows: the join key driver_id was Int64 and is String, so that stored keys no longer match;"
                    " all of them go; NOT_FOUND until the view is materialized again",
                )
            ],
            ANEW,
        ),
        ({"entities": [Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT32)]}, [], ""),
        ({"entities": [Entity(name="chauffeur", join_keys=["driver_id"], value_type=ValueType.INT64)]}, [], ""),
        (
            {"source": a_push()},
            [("kept", "push source: stored rows stay; pushes come through push from now on")],
            "",
        ),
        ({"source": a_source(name="other name", description="x")}, [], ""),
    ],
)
def test_a_change_of_a_view(change: dict[str, Any], expected: list[tuple[str, str]], step: str) -> None:
    found = changes([a_view()], [a_view(**change)])["update", "v"]
    assert told(found) == expected
    assert found.next_step == step
    assert found.loses_rows == (step == ANEW)


@pytest.mark.parametrize(
    "source",
    [
        a_source(path="b.parquet"),
        a_source(timestamp_field="other"),
        a_source(created_timestamp_column="created"),
        a_source(field_mapping={"r": "rate"}),
        FileSource(name="another", path="b.parquet", timestamp_field="ts"),
        a_push(source=a_source(path="b.parquet")),
    ],
)
def test_a_source_that_moved_leaves_the_rows_and_needs_a_start(source: DataSource) -> None:
    found = changes([a_view()], [a_view(source=source)])["update", "v"]
    assert told(found)[0] == (
        "stale",
        "source: stored rows stay; materialize-incremental goes on where it ended,"
        " so that what the new source has from before needs a START",
    )
    assert found.next_step == WINDOW
    assert not found.loses_rows


@pytest.mark.parametrize("part", ["online", "enabled"])
def test_a_view_that_is_served_again_is_as_old_as_it_was(part: str) -> None:
    found = changes([a_view(**{part: False})], [a_view()])["update", "v"]
    assert told(found) == [("stale", f"{part}=True: what is stored is served again, as old as it is")]
    assert found.next_step == WINDOW


def test_a_view_that_gets_a_transformation_is_not_materialized_here() -> None:
    found = changes([a_view()], [a_transformed("v")])["update", "v"]
    ((effect, text),) = told(found)
    assert effect == "stale"
    assert "no new ones are materialized: its transformation is not run here" in text
    assert found.next_step == ""


def test_nobody_is_sent_to_materialize_a_view_that_is_derived_from_others() -> None:
    derived = [a_view("v", source=a_view("base"), sink_source=SOURCE, entities=[entity]) for entity in (DRIVER, CAR)]
    found = changes([a_view("base"), derived[0]], [a_view("base"), derived[1]])["update", "v"]
    assert [effect for effect, _ in told(found)] == ["dropped"]
    assert found.next_step == ""


def test_two_features_that_could_be_the_renamed_one_are_not_taken_for_it() -> None:
    new = [RATE, Field(name="a", dtype=Int64), Field(name="b", dtype=Int64)]
    for old, later in ((a_view(), a_view(schema=new)), (a_view(schema=new), a_view())):
        found = changes([old], [later])["update", "v"]
        assert not any("renamed" in consequence.text for consequence in found.consequences)


def test_services_of_the_whole_view_change_with_it() -> None:
    services = [
        FeatureService(name="whole", features=[a_view()]),
        FeatureService(name="part", features=[a_view()[["rate"]]]),
    ]
    found = changes([a_view(), *services], [a_view(schema=[RATE]), *services])
    assert list(found) == [("update", "v")]
    assert told(found["update", "v"])[1:] == [
        ("answers", "feature service whole: it has the whole view, so its answers change")
    ]


def test_what_is_deleted() -> None:
    grant = Permission(name="p", actions=[AuthzedAction.READ_ONLINE], policy=RoleBasedPolicy(roles=["a"]))
    old: list[Definition] = [DRIVER, SOURCE, a_push(), a_view(), FeatureService(name="s", features=["v"]), grant]
    found = changes(old, [Project(name="p")])
    assert {name: told(change) for (action, name), change in found.items() if action == "delete"} == {
        "p": [],
        "s": [("refused", "stored rows: none go; requests by this service are answered 404")],
        "v": [("dropped", "stored rows: all of them go; requests for the view are answered 404")],
        "push": [("refused", "stored rows: none go; pushes to this source are refused")],
        "source": [("kept", "stored rows: none go, and the data stays where it is")],
        "driver": [("kept", "stored rows: none go")],
    }
    assert told(found["create", "p"]) == []


@pytest.mark.parametrize("change", [{}, {"source": a_source(path="b.parquet")}, {"ttl": timedelta(days=1)}])
def test_a_view_that_was_renamed_is_recognised(change: dict[str, Any]) -> None:
    found = changes([a_view("old")], [a_view("new", **change)])
    assert told(found["delete", "old"]) == [
        (
            "dropped",
            "stored rows: all of them go; requests for the view are answered 404; it looks renamed to new",
        )
    ]
    assert told(found["create", "new"]) == [
        (
            "missing",
            "stored rows: it looks like old renamed, whose rows do not come along: NOT_FOUND until it is materialized;"
            " to serve on meanwhile, keep both, materialize this one, then delete old",
        )
    ]
    assert found["create", "new"].next_step == "feast materialize-incremental END -v new"


def test_of_several_renamed_views_each_is_found_by_its_source() -> None:
    other = a_source(name="other", path="other.parquet")
    old: list[Definition] = [a_view("a"), a_view("b", source=other), a_view("c", schema=[NAME])]
    new: list[Definition] = [a_view("b2", source=other), a_view("a2"), a_view("d", schema=[TRIPS])]
    found = changes(old, new)
    assert {
        name: change.consequences[0].text.rpartition("renamed to ")[2]
        for (action, name), change in found.items()
        if action == "delete" and "renamed" in change.consequences[0].text
    } == {"a": "a2", "b": "b2"}
    assert told(found["create", "d"]) == []


def test_a_name_that_another_view_takes_over_says_whose_rows_go() -> None:
    other = a_source(name="other", path="other.parquet")
    found = changes([a_view("v"), a_view("w", source=other)], [a_view("v", source=other), a_view("w")])
    for name, was in (("v", "w"), ("w", "v")):
        change = found["update", name]
        assert told(change) == [
            (
                "dropped",
                f"stored rows: this is what {was} was, those stored under this name are another view's; all of them go;"
                " NOT_FOUND until the view is materialized again",
            )
        ]
        assert change.next_step == f"feast materialize-incremental END -v {name}"


@pytest.mark.parametrize("move", ["bcd", "bb", "bbb", "bcc", "ccc"])
def test_views_that_move_on_to_other_sources_keep_their_rows(move: str) -> None:
    """As those of this month and the one before do. One may be what another was: it was not called so."""
    names = [f"v{number}" for number in range(len(move))]
    sources = {letter: a_source(name=letter, path=f"{letter}.parquet") for letter in "abcd"}
    old = [a_view(name, source=sources[letter]) for name, letter in zip(names, "abc", strict=False)]
    new = [a_view(name, source=sources[letter]) for name, letter in zip(names, move, strict=True)]
    assert diff(old, new, delete_missing=True).dropped == []


@pytest.mark.parametrize("move", ["bca", "bac", "cba"])
def test_views_that_change_their_names_among_each_other_lose_their_rows(move: str) -> None:
    sources = {letter: a_source(name=letter, path=f"{letter}.parquet") for letter in "abc"}
    old = [a_view(letter, source=sources[letter]) for letter in "abc"]
    new = [a_view(name, source=sources[letter]) for name, letter in zip("abc", move, strict=True)]
    moved = [a_view(name).place for name, letter in zip("abc", move, strict=True) if name != letter]
    assert diff(old, new, delete_missing=True).dropped == moved


def test_what_a_view_is_made_of_is_told_at_the_view() -> None:
    view = a_view(source=a_push())
    wider = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.STRING)
    moved = a_source(path="b.parquet")
    new = [wider, moved, a_push(source=moved), a_view(entities=[wider], source=a_push(source=moved))]
    found = changes([DRIVER, SOURCE, a_push(), view], new)
    for name in ("driver", "source", "push"):
        assert told(found["update", name]) == [("kept", "stored rows: see feature view v")]
    found = changes([DRIVER, SOURCE], [wider, a_source(path="b.parquet")])
    for name in ("driver", "source"):
        assert told(found["update", name]) == [("kept", "stored rows: no feature view has it")]


def test_a_service_that_changes_changes_answers_only() -> None:
    service = FeatureService(name="s", features=["v:rate"])
    found = changes([service], [FeatureService(name="s", features=["v:trips"])])
    assert told(found["update", "s"]) == [
        ("answers", "stored rows: none change; servers answer requests by this service with its new features")
    ]
    found = changes([service], [FeatureService(name="s", features=["v:rate"], description="x")])
    assert told(found["update", "s"]) == []


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (0, "there are none; "),
        (1, "the one there is goes; "),
        (1234, "all 1,234 go; "),
        (100_000, "all 100,000 go; "),
        (100_001, "all go, more than 100,000; "),
        (None, "all of them go; "),
    ],
)
def test_rows_that_go_are_counted(rows: int | None, told: str) -> None:
    counted = []

    def count(place: str) -> int | None:
        counted.append(place)
        return rows

    found = diff([a_view(), a_view("w")], [a_view(entities=[CAR])], delete_missing=True, count=count)
    for change in found.changes:
        assert told in change.consequences[0].text
        assert change.consequences[0].rows == rows
    assert counted == [a_view().place, a_view("w").place]


def test_every_consequence_is_one_line() -> None:
    every: list[Definition] = [
        a_view(schema=[Field(name="a", dtype=Float64)], ttl=timedelta(hours=1), source=a_source(path="b"))
    ]
    for change in changes([a_view()], every).values():
        assert change.consequences
        assert all("\n" not in str(consequence) for consequence in change.consequences)
