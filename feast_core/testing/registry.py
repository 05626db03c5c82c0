"""The contract of a registry: what apply, snapshots and incremental materialization rely on, as tests to inherit."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, TypeAlias
from uuid import uuid4

import pytest

from feast_core.definitions import (
    Array,
    AuthzedAction,
    Definition,
    Entity,
    FeatureService,
    FeatureView,
    Field,
    FileSource,
    Float32,
    Int64,
    Permission,
    Project,
    PushSource,
    RoleBasedPolicy,
    String,
    Struct,
    ValueType,
)
from feast_core.errors import DefinitionError
from feast_core.interfaces import Interval, Lease, Registry, Run, RunView
from feast_core.processes import Process

MakeRegistry: TypeAlias = Callable[[], Registry]

PROJECT = "contract"
OTHER_PROJECT = "contract_2"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_entity(name: str = "driver", **changes: Any) -> Entity:
    """An entity with an integer key of the same name."""
    return Entity(name=name, value_type=ValueType.INT64, **changes)


def a_view(name: str = "stats", **changes: Any) -> FeatureView:
    """A feature view of one entity over a file."""
    schema = [Field(name="rate", dtype=Float32), Field(name="trips", dtype=Array(Int64))]
    source = FileSource(path=f"{name}.parquet", timestamp_field="event_timestamp")
    return FeatureView(
        **{"name": name, "entities": [an_entity()], "schema": schema, "source": source, "ttl": HOUR, **changes}
    )


def one_of_each() -> list[Definition]:
    """Definitions that depend on each other, what is needed first."""
    batch = FileSource(name="a batch", path="batch.parquet", timestamp_field="t", field_mapping={"class": "kind"})
    push = PushSource(name="b push", batch_source=batch)
    nested = Field(name="place", dtype=Struct({'a "quoted" é': Array(String)}), tags={"class": "none", "π": "日本"})
    view = a_view("zones", schema=[nested], source=push, description="line 1\nline 2 \u0000 'quoted' %s :name ;--")
    grant = Permission(name="read", actions=[AuthzedAction.READ_ONLINE], policy=RoleBasedPolicy(roles=["reader"]))
    return [
        Project(name=PROJECT),
        an_entity(tags={"a": "1", "b": ""}),
        batch,
        push,
        view,
        FeatureService(name="a service", features=[view.with_name("other")[["place"]]]),
        grant,
    ]


class RegistryContract:
    """Inherit, and say how a registry is made:

        class TestMysql(RegistryContract):
            @pytest.fixture
            def make_registry(self, mysql_url):
                return lambda: MysqlRegistry(MysqlRegistry.Options(url=mysql_url))

    Every call of `make_registry` gives a new registry over the same place, and a test starts with an empty place. Each
    docstring is a promise of the interface and begins with its number.
    """

    #: Two registries made from the same options see the same objects, as those of a server and of `feast apply` must.
    is_shared: ClassVar[bool] = True

    @pytest.fixture
    def make_registry(self) -> MakeRegistry:
        """Makes a registry; override it."""
        raise NotImplementedError("define the fixture make_registry, see RegistryContract")

    @pytest.fixture
    def open_registry(self, make_registry: MakeRegistry) -> Iterator[MakeRegistry]:
        """Makes registries that are closed after the test."""
        opened: list[Registry] = []

        def open_one() -> Registry:
            opened.append(make_registry())
            return opened[-1]

        yield open_one
        for registry in reversed(opened):
            registry.close()

    @pytest.fixture
    def registry(self, open_registry: MakeRegistry) -> Registry:
        """A registry that nothing was ever written to."""
        return open_registry()

    # What is kept.

    def test_what_was_never_applied_is_empty(self, registry: Registry) -> None:
        """1. Before the first apply a project is empty, its generation 0, and nothing of it is an error."""
        assert registry.generation(PROJECT) == 0
        contents = registry.load(PROJECT)
        assert (contents.generation, contents.objects, dict(contents.intervals)) == (0, (), {})
        assert registry.projects() == []
        registry.check()
        registry.teardown(PROJECT)
        assert registry.generation(PROJECT) == 0

    def test_definitions_come_back_equal(self, registry: Registry) -> None:
        """2. Every definition comes back as it was, with any text in it."""
        registry.apply(PROJECT, one_of_each(), [])
        assert {(found.kind, found.name): found for found in registry.load(PROJECT).objects} == {
            (saved.kind, saved.name): saved for saved in one_of_each()
        }

    def test_definitions_come_in_the_order_in_which_they_depend_on_each_other(self, registry: Registry) -> None:
        """3. Whatever the order in which they were saved; those of one kind by name."""
        registry.apply(PROJECT, [a_view("b"), *reversed(one_of_each()), an_entity("car"), a_view("a")], [])
        assert [(found.kind, found.name) for found in registry.load(PROJECT).objects] == [
            ("project", PROJECT),
            ("entity", "car"),
            ("entity", "driver"),
            ("data source", "a batch"),
            ("data source", "b push"),
            ("feature view", "a"),
            ("feature view", "b"),
            ("feature view", "zones"),
            ("feature service", "a service"),
            ("permission", "read"),
        ]

    def test_a_definition_is_replaced_by_one_of_the_same_kind_and_name(self, registry: Registry) -> None:
        """4. Names belong to a kind: an entity and a view may share one."""
        registry.apply(PROJECT, [an_entity("same"), a_view("same")], [])
        registry.apply(PROJECT, [an_entity("same", description="new")], [])
        assert registry.load(PROJECT).objects == (an_entity("same", description="new"), a_view("same"))

    def test_apply_saves_and_deletes_in_one(self, registry: Registry) -> None:
        """5. One apply may add, change and remove; what it does not name stays."""
        registry.apply(PROJECT, [an_entity("kept"), an_entity("gone"), an_entity("changed")], [])
        registry.apply(PROJECT, [an_entity("changed", owner="me"), an_entity("new")], [an_entity("gone")])
        assert registry.load(PROJECT).objects == (
            an_entity("changed", owner="me"),
            an_entity("kept"),
            an_entity("new"),
        )

    def test_apply_is_all_or_nothing(self, registry: Registry) -> None:
        """6. If one definition cannot be stored, none is, and nothing is removed."""
        before = registry.apply(PROJECT, [an_entity("first")], [])
        unstorable = an_entity("third")
        unstorable.tags = {"key": object()}  # type: ignore[dict-item]
        with pytest.raises(DefinitionError):
            registry.apply(PROJECT, [an_entity("second"), unstorable], [an_entity("first")])
        assert registry.generation(PROJECT) == before
        assert registry.load(PROJECT).objects == (an_entity("first"),)

    # Generations.

    def test_generation_grows_with_every_change(self, registry: Registry) -> None:
        """7. Every apply that changes something raises the generation, and returns it; `load` tells the same one."""
        generations = [
            registry.apply(PROJECT, [an_entity()], []),
            registry.apply(PROJECT, [an_entity(description="changed")], []),
            registry.apply(PROJECT, [one_of_each()[-1]], []),
            registry.apply(PROJECT, [], [an_entity()]),
        ]
        assert 0 < generations[0] < generations[1] < generations[2] < generations[3]
        assert registry.generation(PROJECT) == registry.load(PROJECT).generation == generations[3]

    def test_generation_stays_where_nothing_changes(self, registry: Registry) -> None:
        """8. The same again, nothing at all, and removing what is not there change nothing."""
        generation = registry.apply(PROJECT, one_of_each(), [])
        assert registry.apply(PROJECT, one_of_each(), []) == generation
        assert registry.apply(PROJECT, [], []) == generation
        assert registry.apply(PROJECT, [], [an_entity("never there")]) == generation
        assert registry.generation(PROJECT) == generation

    # Intervals.

    def test_intervals_come_back(self, registry: Registry) -> None:
        """9. Per view, to the microsecond, in UTC, with the time at which they were recorded."""
        registry.apply(PROJECT, [a_view("a"), a_view("b")], [])
        microsecond = timedelta(microseconds=1)
        before = datetime.now(UTC) - HOUR
        registry.record_interval(PROJECT, "a", Interval(NOON + microsecond, NOON + HOUR - microsecond))
        assert list(registry.load(PROJECT).intervals) == ["a"]
        (interval,) = registry.load(PROJECT).intervals["a"]
        assert (interval.start, interval.end) == (NOON + microsecond, NOON + HOUR - microsecond)
        assert interval.start.tzinfo is not None
        assert interval.recorded is not None
        assert before < interval.recorded < datetime.now(UTC) + HOUR

    def test_when_an_interval_was_recorded_may_be_told(self, registry: Registry) -> None:
        """10. As a run does that took a while: what arrived after it began to read is not in its window."""
        registry.apply(PROJECT, [a_view()], [])
        registry.record_interval(PROJECT, "stats", Interval(NOON, NOON + 2 * HOUR, recorded=NOON + HOUR))
        assert registry.load(PROJECT).intervals["stats"] == (Interval(NOON, NOON + 2 * HOUR, NOON + HOUR),)

    def test_intervals_do_not_change_the_generation(self, registry: Registry) -> None:
        """11. A materialization is no reason for servers to load the registry again."""
        generation = registry.apply(PROJECT, [a_view()], [])
        registry.record_interval(PROJECT, "stats", Interval(NOON, NOON + HOUR))
        assert registry.generation(PROJECT) == generation

    @pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (0, 1, 2, 3, 0, 1)])
    def test_intervals_cover_what_was_recorded(self, registry: Registry, order: Sequence[int]) -> None:
        """12. In whatever order windows are recorded, and whether they are kept apart or joined: a moment is covered if
        one of them covers it."""
        windows = [(0, 2), (2, 4), (1, 3), (6, 8)]
        registry.apply(PROJECT, [a_view()], [])
        for at in order:
            start, end = windows[at]
            registry.record_interval(PROJECT, "stats", Interval(NOON + start * HOUR, NOON + end * HOUR))
        found = registry.load(PROJECT).intervals["stats"]
        moments = [NOON + half * HOUR / 2 for half in range(-2, 20)]
        covered = [any(interval.start <= moment <= interval.end for interval in found) for moment in moments]
        assert covered == [NOON <= m <= NOON + 4 * HOUR or NOON + 6 * HOUR <= m <= NOON + 8 * HOUR for m in moments]

    def test_an_end_to_come_is_known_only_as_far_as_it_was_recorded(self, registry: Registry) -> None:
        """13. A window into the future, then an earlier one again: what came in between is not taken for done."""
        registry.apply(PROJECT, [a_view()], [])
        now = datetime.now(UTC)
        registry.record_interval(PROJECT, "stats", Interval(now - 3 * HOUR, now + 2 * HOUR))
        first = done_until(registry)
        registry.record_interval(PROJECT, "stats", Interval(now - 5 * HOUR, now - 4 * HOUR))
        registry.record_interval(PROJECT, "stats", Interval(now - 2 * HOUR, now - HOUR))
        assert now <= first <= datetime.now(UTC)
        assert done_until(registry) == first

    def test_intervals_go_with_their_view(self, registry: Registry) -> None:
        """14. A view that is deleted takes its intervals along; one of its name starts anew. Others keep theirs."""
        registry.apply(PROJECT, [a_view("a"), a_view("b")], [])
        for view in ("a", "b"):
            registry.record_interval(PROJECT, view, Interval(NOON, NOON + HOUR))
        registry.apply(PROJECT, [a_view("b", description="changed")], [a_view("a")])
        assert list(registry.load(PROJECT).intervals) == ["b"]
        registry.apply(PROJECT, [a_view("a")], [])
        assert list(registry.load(PROJECT).intervals) == ["b"]

    def test_no_interval_is_recorded_for_a_view_that_is_not_there(self, registry: Registry) -> None:
        """15. Such as one that was deleted while it was materialized: there is no error, and nothing to come back."""
        registry.apply(PROJECT, [an_entity()], [])
        registry.record_interval(PROJECT, "stats", Interval(NOON, NOON + HOUR))
        registry.record_interval(PROJECT, "driver", Interval(NOON, NOON + HOUR))
        registry.apply(PROJECT, [a_view(), a_view("driver")], [])
        assert dict(registry.load(PROJECT).intervals) == {}

    # Projects.

    def test_projects_do_not_see_each_others_objects(self, registry: Registry) -> None:
        """16. Objects, intervals and generations belong to one project."""
        generation = registry.apply(PROJECT, [a_view()], [])
        registry.record_interval(PROJECT, "stats", Interval(NOON, NOON + HOUR))
        registry.apply(OTHER_PROJECT, [a_view(description="other")], [])
        other = registry.apply(OTHER_PROJECT, [a_view()], [])
        assert (registry.generation(PROJECT), registry.generation(OTHER_PROJECT)) == (generation, other)
        assert dict(registry.load(OTHER_PROJECT).intervals) == {}
        registry.apply(OTHER_PROJECT, [], [a_view()])
        assert (registry.load(PROJECT).objects, registry.load(OTHER_PROJECT).objects) == ((a_view(),), ())
        assert list(registry.load(PROJECT).intervals) == ["stats"]

    def test_projects_are_listed(self, registry: Registry) -> None:
        """17. By name, those that hold something."""
        for project in ("b", "a", "c"):
            registry.apply(project, [an_entity()], [])
        registry.teardown("c")
        assert registry.projects() == ["a", "b"]

    def test_teardown_forgets_the_project_only(self, registry: Registry) -> None:
        """18. Afterwards it is empty, can be used again, and others are as they were."""
        for project in (PROJECT, OTHER_PROJECT):
            registry.apply(project, [a_view()], [])
            registry.record_interval(project, "stats", Interval(NOON, NOON + HOUR))
        for _ in range(2):
            registry.teardown(PROJECT)
        assert (registry.load(PROJECT).objects, dict(registry.load(PROJECT).intervals)) == ((), {})
        assert registry.load(OTHER_PROJECT).objects == (a_view(),)
        registry.apply(PROJECT, [a_view()], [])
        assert (registry.load(PROJECT).objects, dict(registry.load(PROJECT).intervals)) == ((a_view(),), {})

    def test_generation_never_goes_back(self, registry: Registry) -> None:
        """19. After a teardown and a new apply it is one that no server has seen yet: it grows."""
        seen = {registry.apply(PROJECT, [an_entity()], []), registry.apply(PROJECT, [an_entity(owner="me")], [])}
        registry.teardown(PROJECT)
        after = registry.generation(PROJECT)
        assert max(seen) < after < registry.apply(PROJECT, [an_entity()], [])

    def test_a_reload_tells_what_a_load_tells(self, registry: Registry) -> None:
        """33. Whatever was changed, added and deleted since, and by whom; what was made of the old contents
        stays."""
        registry.apply(PROJECT, one_of_each(), [])
        old = registry.load(PROJECT)
        objects = old.objects
        registry.apply(PROJECT, [an_entity(owner="me"), a_view("new")], [a_view("zones")])
        new, fresh = registry.reload(PROJECT, old), registry.load(PROJECT)
        assert (new.generation, new.objects, dict(new.intervals)) == (
            fresh.generation,
            fresh.objects,
            dict(fresh.intervals),
        )
        assert old.objects == objects
        again = registry.reload(PROJECT, new)
        assert (again.generation, again.objects) == (fresh.generation, fresh.objects)
        registry.teardown(PROJECT)
        assert registry.reload(PROJECT, again).objects == ()

    # Rows that are to go.

    def test_rows_that_are_to_go_are_remembered_until_they_are_gone(
        self, open_registry: MakeRegistry, registry: Registry
    ) -> None:
        """30. Places that an apply says are to be dropped are given to the next `drop_rows`, once; if it fails, to the
        one after."""
        registry.apply(PROJECT, [a_view("a"), a_view("b"), a_view("c")], [])
        registry.apply(PROJECT, [], [a_view("a"), a_view("b")], ["place of a", "place of b"])
        registry.apply(PROJECT, [], [a_view("c")], ["place of c", "place of a"])
        reader = open_registry() if self.is_shared else registry

        def fail(places: Sequence[str]) -> None:
            raise OSError("no")

        for _ in range(2):
            with pytest.raises(OSError, match="no"):
                reader.drop_rows(PROJECT, fail)
        dropped: list[str] = []
        for _ in range(2):
            reader.drop_rows(PROJECT, dropped.extend)
        assert sorted(dropped) == ["place of a", "place of b", "place of c"]

    def test_nothing_is_to_go_where_nothing_was_said(self, registry: Registry) -> None:
        """31. Before the first apply, for another project, after a teardown, and where an apply changed nothing."""
        dropped: list[str] = []
        registry.drop_rows(PROJECT, dropped.extend)
        registry.apply(PROJECT, [a_view()], [])
        registry.apply(PROJECT, [a_view()], [], ["place of nobody"])
        registry.apply(OTHER_PROJECT, [a_view()], [])
        registry.apply(OTHER_PROJECT, [], [a_view()], ["place of stats"])
        registry.drop_rows(PROJECT, dropped.extend)
        registry.teardown(OTHER_PROJECT)
        registry.drop_rows(OTHER_PROJECT, dropped.extend)
        assert dropped == []

    # Several at once.

    def test_registries_over_one_place_see_each_others_changes(
        self, open_registry: MakeRegistry, registry: Registry
    ) -> None:
        """20. As a server sees what `feast apply` does, also if it was there first."""
        if not self.is_shared:
            pytest.skip("every registry of this kind has a place of its own")
        other = open_registry()
        assert other.generation(PROJECT) == 0
        generation = registry.apply(PROJECT, [an_entity()], [])
        assert (other.generation(PROJECT), other.load(PROJECT).objects) == (generation, (an_entity(),))
        later = other.apply(PROJECT, [], [an_entity()])
        assert later > generation
        assert (registry.generation(PROJECT), registry.load(PROJECT).objects) == (later, ())

    def test_applies_at_once_all_take_effect(self, open_registry: MakeRegistry, registry: Registry) -> None:
        """21. Also the very first ones: each has a generation of its own, and none is lost."""
        registries = [open_registry() if self.is_shared else registry for _ in range(4)]
        together = threading.Barrier(len(registries))
        generations: list[int] = []

        def apply(at: int) -> None:
            together.wait()
            for number in range(5):
                saved = [an_entity(f"e{at}_{number}"), a_view(f"v{at}")]
                generations.append(registries[at].apply(PROJECT, saved, []))
                registries[at].record_interval(PROJECT, f"v{at}", Interval(NOON, NOON + number * HOUR))

        run_all([lambda at=at: apply(at) for at in range(len(registries))])  # type: ignore[misc]
        contents = registry.load(PROJECT)
        assert (contents.generation, len(contents.objects)) == (max(generations), 24)
        assert len(set(generations)) == 20
        assert {view: found[-1].end for view, found in contents.intervals.items()} == {
            f"v{at}": NOON + 4 * HOUR for at in range(4)
        }

    def test_nobody_sees_half_of_an_apply(self, open_registry: MakeRegistry, registry: Registry) -> None:
        """22. What is loaded is the state after some apply, with the generation that belongs to it."""
        reader = open_registry() if self.is_shared else registry
        sets = [[an_entity(f"{letter}{number}") for number in range(30)] for letter in "ab"]
        applied = {registry.apply(PROJECT, sets[0], []): "a"}
        seen: set[tuple[int, str]] = set()
        done = threading.Event()

        def write() -> None:
            try:
                for turn in range(1, 31):
                    applied[registry.apply(PROJECT, sets[turn % 2], sets[1 - turn % 2])] = "ab"[turn % 2]
            finally:
                done.set()

        def read() -> None:
            while not done.is_set():
                contents = reader.load(PROJECT)
                (letter,) = {found.name[0] for found in contents.objects}
                assert len(contents.objects) == 30
                seen.add((contents.generation, letter))

        run_all([write, read])
        assert seen <= applied.items()

    # Leases.

    def test_a_view_is_given_to_one_run(self, open_registry: MakeRegistry, registry: Registry) -> None:
        """23. A second one is told who has it, since when and until when; other views and projects are free."""
        lease, other = a_lease(), open_registry() if self.is_shared else registry
        before = datetime.now(UTC)
        assert registry.take_lease(lease, 60) is None
        found = other.take_lease(a_lease(), 60)
        assert found is not None
        assert found.until is not None
        assert (found.token, found.holder) == (lease.token, lease.holder)
        assert abs(found.since - before) < timedelta(seconds=30)
        assert found.until - found.since == timedelta(seconds=60)
        assert other.take_lease(a_lease("b"), 60) is None
        assert other.take_lease(a_lease(project=OTHER_PROJECT), 60) is None

    def test_a_lease_ends_when_it_is_given_back(self, registry: Registry) -> None:
        """24. By who has it; nobody else ends it."""
        first, second = a_lease(), a_lease()
        registry.end_lease(first)
        assert registry.take_lease(first, 60) is None
        registry.end_lease(second)
        assert registry.take_lease(second, 60) is not None
        registry.end_lease(first)
        assert registry.take_lease(second, 60) is None

    def test_a_lease_ends_when_its_time_is_over(self, registry: Registry) -> None:
        """25. Who lost it to another run can neither renew nor record, and does not end that run's."""
        registry.apply(PROJECT, [a_view()], [])
        late, later = a_lease(), a_lease()
        assert registry.take_lease(late, 0) is None
        assert registry.take_lease(later, 60) is None
        assert not registry.renew_lease(late, 60)
        registry.end_lease(late)
        assert not registry.record_interval(PROJECT, "stats", Interval(NOON, NOON + HOUR), late)
        assert dict(registry.load(PROJECT).intervals) == {}
        assert registry.renew_lease(later, 60)

    def test_a_lease_may_be_renewed(self, registry: Registry) -> None:
        """26. Also one whose time is over, as long as nobody has taken the view."""
        lease = a_lease()
        assert not registry.renew_lease(lease, 60)
        assert registry.take_lease(lease, 0) is None
        assert registry.renew_lease(lease, 60)
        assert registry.take_lease(a_lease(), 60) is not None

    def test_a_lease_of_a_process_that_is_gone_holds_nothing(self, registry: Registry) -> None:
        """27. Where it ran on this machine; of one on another machine nobody can tell."""
        me = Process.current()
        for gone in (replace(me, started=me.started - 1), replace(me, pid=2**22 + 1)):
            assert registry.take_lease(a_lease(holder=gone), 60) is None
        elsewhere = replace(me, machine="another", pid=2**22 + 1)
        assert registry.take_lease(a_lease(holder=elsewhere), 60) is None
        assert registry.take_lease(a_lease(), 60) is not None

    def test_what_is_recorded_with_a_lease_ends_it(self, registry: Registry) -> None:
        """28. In one: who comes next finds the view free and what was done recorded."""
        registry.apply(PROJECT, [a_view()], [])
        lease = a_lease()
        registry.take_lease(lease, 60)
        assert registry.record_interval(PROJECT, "stats", Interval(NOON, NOON + HOUR), lease)
        assert len(registry.load(PROJECT).intervals["stats"]) == 1
        assert registry.take_lease(a_lease(), 60) is None

    def test_a_lease_goes_with_the_rows_of_its_view(self, registry: Registry) -> None:
        """32. A run of a view that is deleted, or saved anew because its rows go, or forgotten with its project, cannot
        say that it is done."""
        registry.apply(PROJECT, [a_view("a"), a_view("b")], [])
        runs = [a_lease("a"), a_lease("b")]
        for lease in runs:
            assert registry.take_lease(lease, 60) is None
        registry.apply(PROJECT, [a_view("a", entities=[an_entity("car")])], [a_view("a")])
        recorded = [registry.record_interval(PROJECT, run.view, Interval(NOON, NOON + HOUR), run) for run in runs]
        assert recorded == [False, True]
        assert list(registry.load(PROJECT).intervals) == ["b"]
        forgotten = a_lease("b")
        assert registry.take_lease(forgotten, 60) is None
        registry.teardown(PROJECT)
        registry.apply(PROJECT, [a_view("b")], [])
        assert not registry.record_interval(PROJECT, "b", Interval(NOON, NOON + HOUR), forgotten)

    def test_one_of_many_gets_a_view(self, open_registry: MakeRegistry, registry: Registry) -> None:
        """29. However many ask at once, also of a registry that nothing was written to."""
        registries = [open_registry() if self.is_shared else registry for _ in range(4)]
        leases = [a_lease() for _ in registries]
        together = threading.Barrier(len(registries))
        answers: list[Lease | None] = []

        def take(at: int) -> None:
            together.wait()
            answers.append(registries[at].take_lease(leases[at], 60))

        run_all([lambda at=at: take(at) for at in range(len(registries))])  # type: ignore[misc]
        assert answers.count(None) == 1
        assert len({answer.token for answer in answers if answer}) == 1

    # Runs.

    def test_a_run_comes_back(self, registry: Registry) -> None:
        """34. Whole, with any text in it, under its own project and id only, and with the time at which it was kept."""
        run = a_run("stats", "日本 %s :name ;-- 'quoted'")
        run = replace(
            run, ignore_event_time=True, views=(*run.views, RunView("done", NOON, NOON, 3, 1, 0.25, "bad %s"))
        )
        assert registry.find_run(PROJECT, run.id, 60) is None
        before = datetime.now(UTC)
        assert registry.add_run(run, False, 60) == ()
        found = registry.find_run(PROJECT, run.id, 60)
        assert found is not None
        assert found.created is not None
        assert abs(found.created - before) < timedelta(seconds=30)
        assert found == replace(run, created=found.created)
        assert registry.find_run(OTHER_PROJECT, run.id, 60) is None
        assert registry.find_run(PROJECT, uuid4().hex, 60) is None
        assert registry.generation(PROJECT) == 0

    def test_a_run_is_begun_once_told_of_and_ended_once(self, open_registry: MakeRegistry, registry: Registry) -> None:
        """35. By whichever process; what is told of a run that is over changes nothing."""
        other = open_registry() if self.is_shared else registry
        run, me = a_run("stats"), Process.current()
        registry.add_run(run, False, 60)
        assert not registry.report_run(run, me)
        begun = other.begin_run(PROJECT, run.id, replace(me, host="another name"))
        assert begun is not None
        assert (begun.state, begun.holder.host, begun.ended) == ("running", "another name", None)
        assert begun.started is not None
        assert registry.begin_run(PROJECT, run.id, me) is None
        assert registry.begin_run(PROJECT, uuid4().hex, me) is None
        halfway = replace(begun, views=(replace(begun.views[0], rows=500),))
        assert other.report_run(halfway, me)
        assert registry.find_run(PROJECT, run.id, 60) == halfway
        done = replace(
            halfway, state="succeeded", views=(replace(begun.views[0], rows=999, superseded=1, seconds=0.5),)
        )
        assert other.end_run(done)
        ended = registry.find_run(PROJECT, run.id, 60)
        assert ended is not None
        assert ended.ended is not None
        assert ended == replace(done, ended=ended.ended)
        assert not registry.report_run(halfway, me)
        assert not registry.end_run(replace(halfway, state="failed", error="too late"))
        assert registry.find_run(PROJECT, run.id, 60) == ended

    def test_a_view_that_a_run_or_a_lease_has_is_not_free(self, registry: Registry) -> None:
        """36. Where one view of a new run is not free, nothing is kept, and those that are not are named; views that
        are done, and other projects, are no matter."""
        first = a_run("a", "b")
        first = replace(first, views=(*first.views, RunView("up to date", NOON, NOON, seconds=0)))
        assert registry.add_run(first, False, 60) == ()
        registry.take_lease(a_lease("c"), 60)
        refused = a_run("z", "c", "b", "up to date")
        assert registry.add_run(refused, False, 60) == ("b", "c")
        assert registry.find_run(PROJECT, refused.id, 60) is None
        registry.begin_run(PROJECT, first.id, Process.current())
        assert registry.add_run(a_run("a"), False, 60) == ("a",)
        assert registry.add_run(a_run("z", "up to date"), False, 60) == ()
        assert registry.add_run(replace(a_run("a", "c"), project=OTHER_PROJECT), False, 60) == ()
        registry.end_run(replace(first, state="failed"))
        assert registry.add_run(a_run("a", "b"), False, 60) == ()

    def test_what_is_over_as_it_is_kept_takes_nothing(self, registry: Registry) -> None:
        """37. A run with nothing to do has ended when it was kept."""
        idle = replace(a_run(), views=(RunView("stats", NOON, NOON, seconds=0),), state="succeeded")
        assert registry.add_run(idle, False, 60) == ()
        found = registry.find_run(PROJECT, idle.id, 60)
        assert found is not None
        assert (found.is_over, found.ended) == (True, found.created)
        assert registry.add_run(a_run("stats"), False, 60) == ()

    def test_a_run_may_take_its_views_by_force(self, registry: Registry) -> None:
        """38. The run that has one of them fails, with its other views, and leases of them are lost."""
        registry.apply(PROJECT, [a_view("a"), a_view("c")], [])
        first, apart, leases = a_run("a", "b"), a_run("apart"), [a_lease("c"), a_lease("d")]
        registry.add_run(first, False, 60)
        registry.add_run(apart, False, 60)
        assert [registry.take_lease(lease, 60) for lease in leases] == [None, None]
        second = a_run("a", "c")
        assert registry.add_run(second, True, 60) == ()
        lost = registry.find_run(PROJECT, first.id, 60)
        assert lost is not None
        assert (lost.state, second.id in (lost.error or "")) == ("failed", True)
        assert registry.begin_run(PROJECT, first.id, Process.current()) is None
        assert [registry.renew_lease(lease, 60) for lease in leases] == [False, True]
        assert not registry.record_interval(PROJECT, "c", Interval(NOON, NOON + HOUR), leases[0])
        assert registry.add_run(a_run("b", "apart"), False, 60) == ("apart",)
        assert registry.begin_run(PROJECT, second.id, Process.current()) is not None

    def test_a_run_whose_process_is_gone_has_failed(self, registry: Registry) -> None:
        """39. Whether it was queued or running; its views are free, and who asks is told."""
        me = Process.current()
        gone = replace(me, started=me.started - 1)
        queued, running = replace(a_run("a"), holder=gone), a_run("b")
        for run in (queued, running):
            assert registry.add_run(run, False, 60) == ()
        registry.begin_run(PROJECT, running.id, gone)
        for run in (queued, running):
            found = registry.find_run(PROJECT, run.id, 60)
            assert found is not None
            assert found.error
            assert (found.state, found.ended is None) == ("failed", False)
        last = replace(a_run("a"), holder=gone)
        assert registry.add_run(last, False, 60) == ()
        assert registry.add_run(a_run("a", "b"), False, 60) == ()

    def test_a_run_that_nobody_tells_of_has_failed(self, registry: Registry) -> None:
        """40. One that is queued, and one of a process on another machine; a process that is here may be silent. A run
        tells of those that are queued at its server."""
        me = Process.current()
        elsewhere = replace(me, machine="another")
        here, away, queued, other = a_run("a"), a_run("b"), a_run("c"), replace(a_run("d"), holder=elsewhere)
        for run in (here, away, queued, other):
            assert registry.add_run(run, False, 60) == ()
        begun = registry.begin_run(PROJECT, here.id, me)
        assert begun is not None
        assert registry.begin_run(PROJECT, away.id, elsewhere) is not None
        hour = 3600.0
        assert [state_of(registry, run, hour) for run in (here, away, queued, other)] == [
            "running",
            "running",
            "queued",
            "queued",
        ]
        # A silence below nothing: whatever was told in the past is too old, however fast the machine.
        assert state_of(registry, here, -1) == "running"
        assert [state_of(registry, run, -1) for run in (away, queued, other)] == ["failed"] * 3

    def test_a_run_tells_of_what_is_queued_at_its_server(self, registry: Registry) -> None:
        """41. And of nothing else."""
        me, silence = Process.current(), 0.1
        server, elsewhere = replace(me, machine="another"), replace(me, machine="a third")
        running = a_run("running")
        registry.add_run(running, False, 60)
        begun = registry.begin_run(PROJECT, running.id, me)
        assert begun is not None
        # Once is enough: the machine may stand still after a report, for longer than the silence.
        for attempt in range(20):
            queued = replace(a_run(f"queued {attempt}"), holder=server)
            other = replace(a_run(f"other {attempt}"), holder=elsewhere)
            for run in (queued, other):
                registry.add_run(run, False, 60)
            time.sleep(2 * silence)
            assert registry.report_run(begun, server)
            states = [state_of(registry, run, silence) for run in (queued, other)]
            assert states[1] == "failed"
            if states[0] == "queued":
                return
        pytest.fail("a report does not tell of what is queued")

    def test_one_of_many_runs_gets_a_view(self, open_registry: MakeRegistry, registry: Registry) -> None:
        """42. However many ask at once, also of a registry that nothing was written to."""
        registries = [open_registry() if self.is_shared else registry for _ in range(4)]
        together = threading.Barrier(len(registries))
        answers: list[tuple[str, ...]] = []

        def add(at: int) -> None:
            together.wait()
            answers.append(registries[at].add_run(a_run(f"of {at}", "stats"), False, 60))

        run_all([lambda at=at: add(at) for at in range(len(registries))])  # type: ignore[misc]
        assert sorted(answers) == [(), ("stats",), ("stats",), ("stats",)]

    def test_runs_go_with_their_project(self, registry: Registry) -> None:
        """43. With all that is known of it; those of another project stay."""
        registry.apply(PROJECT, [a_view("a")], [])
        run, other = a_run("a"), replace(a_run("a"), project=OTHER_PROJECT)
        registry.add_run(run, False, 60)
        registry.add_run(other, False, 60)
        registry.teardown(PROJECT)
        assert registry.find_run(PROJECT, run.id, 60) is None
        assert not registry.end_run(replace(run, state="succeeded"))
        assert registry.find_run(OTHER_PROJECT, other.id, 60) is not None


def a_run(*views: str) -> Run:
    """A run of these views that was not kept yet, at this process."""
    window = (NOON - HOUR, NOON)
    return Run(PROJECT, uuid4().hex, tuple(RunView(name, *window) for name in views), Process.current())


def state_of(registry: Registry, run: Run, silence: float) -> str:
    """The state of a run that is there."""
    found = registry.find_run(run.project, run.id, silence)
    assert found is not None
    return found.state


def a_lease(view: str = "stats", project: str = PROJECT, holder: Process | None = None) -> Lease:
    """A lease that nobody has taken yet, of this process."""
    return Lease(project, view, uuid4().hex, holder or Process.current(), NOON)


def done_until(registry: Registry, view: str = "stats") -> datetime:
    """The moment up to which an incremental materialization takes a view for done."""
    intervals = registry.load(PROJECT).intervals[view]
    return max(min(interval.end, interval.recorded or interval.end) for interval in intervals)


def run_all(functions: Sequence[Callable[[], None]]) -> None:
    """Run functions at the same time; raise the first of their errors."""
    errors: list[BaseException] = []

    def guarded(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:  # boundary: a thread of a test, whose error the test shall see
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=[function]) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
