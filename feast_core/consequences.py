"""What a change of definitions means for the rows that are stored already, and for who asks for them."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal

from feast_core.definitions import (
    DataSource,
    Definition,
    Entity,
    FeatureService,
    FeatureView,
    Field,
    PushSource,
)

Effect = Literal["kept", "missing", "unread", "stale", "dropped", "refused", "answers"]


@dataclass(frozen=True, slots=True)
class Consequence:
    """One thing that a change means, for one subject ("feature trips", "ttl", "stored rows"), as a sentence of one
    line. `rows` is how many go: None where they were not counted, MOST_COUNTED and one for more.

    `effect` is the same for programs:

        kept       stored rows are read as before
        missing    what is asked for is NOT_FOUND in rows that were stored before
        unread     it stays in stored rows, and nobody can ask for it
        stale      stored rows stay, with the values of before, until new ones are written
        dropped    stored rows go
        refused    requests for it are refused
        answers    nothing stored changes, answers do
    """

    effect: Effect
    subject: str
    text: str
    rows: int | None = None

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}"


#: Counting takes time: no more rows than these are counted of a place.
MOST_COUNTED = 100_000

Count = Callable[[str], int | None]
Meant = tuple[tuple[Consequence, ...], str]
"""Consequences, and the command that brings stored rows up to date, "" where there is nothing to do."""

_ROWS = "stored rows"
_ANEW = "NOT_FOUND until the view is materialized again"


class Meaning:
    """What changes from one set of definitions to another mean. `count` counts the rows of a place in the online store,
    up to MOST_COUNTED and one more; None where it cannot."""

    def __init__(self, old: Iterable[Definition], new: Iterable[Definition], count: Count) -> None:
        self._count = count
        self._old = {found.name: found for found in old if isinstance(found, FeatureView)}
        new = list(new)
        self._new = {found.name: found for found in new if isinstance(found, FeatureView)}
        self._services = [found for found in new if isinstance(found, FeatureService)]

    def of_creation(self, new: Definition) -> Meant:
        """Nothing is stored of a new object; but a new view may be an old one under another name."""
        before = self._renamed_from.get(new.name)
        if not isinstance(new, FeatureView) or before is None:
            return (), ""
        text = (
            f"it looks like {before} renamed, whose rows do not come along: NOT_FOUND until it is materialized; "
            f"to serve on meanwhile, keep both, materialize this one, then delete {before}"
        )
        return (Consequence("missing", _ROWS, text),), _materialize_anew(new)

    def of_deletion(self, old: Definition) -> tuple[Consequence, ...]:
        """Of an object that goes; nothing for those that have nothing to do with rows."""
        if isinstance(old, FeatureView):
            renamed = f"; it looks renamed to {self._renamed[old.name]}" if old.name in self._renamed else ""
            return (self._dropped(old, "", f"requests for the view are answered 404{renamed}"),)
        if isinstance(old, FeatureService):
            return (Consequence("refused", _ROWS, "none go; requests by this service are answered 404"),)
        if isinstance(old, PushSource):
            return (Consequence("refused", _ROWS, "none go; pushes to this source are refused"),)
        if isinstance(old, DataSource):
            return (Consequence("kept", _ROWS, "none go, and the data stays where it is"),)
        return (Consequence("kept", _ROWS, "none go"),) if isinstance(old, Entity) else ()

    def of_update(self, old: Definition, new: Definition) -> Meant:
        """Of an object that changes; nothing where only what is told of it does."""
        if isinstance(old, FeatureView) and isinstance(new, FeatureView):
            return self._of_view(old, new)
        if _content(old) == _content(new):
            return (), ""
        if isinstance(new, FeatureService):
            text = "none change; servers answer requests by this service with its new features"
            return (Consequence("answers", _ROWS, text),), ""
        if isinstance(new, DataSource):
            return (_told_at(self._having["source", new.name]),), ""
        return ((_told_at(self._having["entity", new.name]),), "") if isinstance(new, Entity) else ((), "")

    def _dropped(self, view: FeatureView, why: str, then: str) -> Consequence:
        rows = self._count(view.place)
        return Consequence("dropped", _ROWS, f"{why}{_going(rows)}; {then}", rows)

    @cached_property
    def _having(self) -> dict[tuple[str, str], list[str]]:
        """Names of the views that have a source or an entity, and of the services that have the whole of a view."""
        having = defaultdict(list)
        for view in self._new.values():
            for source in {found.name for found in (view.stream_source, view.batch_source) if found is not None}:
                having["source", source].append(view.name)
            for entity in view.entities:
                having["entity", entity].append(view.name)
        for service in self._services:
            for name in {used.name for used in service.projections if not used.desired_features}:
                having["view", name].append(service.name)
        return having

    def _of_view(self, old: FeatureView, new: FeatureView) -> Meant:
        if old.place != new.place:
            return (self._dropped(old, f"{_keys_told(old, new)}; ", _ANEW),), _materialize_anew(new)
        before = self._taken_from(new)
        if before is not None:
            why = f"this is what {before} was, those stored under this name are another view's; "
            return (self._dropped(old, why, _ANEW),), _materialize_anew(new)
        found = [*_of_features(old.features, new.features), *_of_serving(old, new), *_of_sources(old, new)]
        if old.ttl != new.ttl:
            found.append(Consequence("kept", "ttl", _ttl_told(new.ttl)))
        if [field.name for field in old.features] != [field.name for field in new.features]:
            text = "it has the whole view, so its answers change"
            found += [
                Consequence("answers", f"feature service {name}", text) for name in self._having["view", new.name]
            ]
        behind = any(consequence.effect in ("missing", "stale") for consequence in found)
        return tuple(found), f"feast materialize START END -v {new.name}" if behind and not new.not_materialized else ""

    def _taken_from(self, new: FeatureView) -> str | None:
        """The view whose name this one had: two views swap their names, or one is renamed to a name that was taken.
        Views that all move on to the source of the next one are not meant: the last of them is what none was."""
        first = self._was_called(new)
        seen = {new.name}
        name = first
        while name is not None and name not in seen and name in self._new:
            seen.add(name)
            name = self._was_called(self._new[name])
        return None if name is None else first

    def _was_called(self, new: FeatureView) -> str | None:
        """The old view of which this one has the features, keys and source, where its own were others."""
        before = self._old.get(new.name)
        if before is None or _origin(before) == _origin(new):
            return None
        return next((name for name in self._by_content[rows_content(new)] if name != new.name), None)

    @cached_property
    def _by_content(self) -> dict[str, list[str]]:
        """Names of old views by what their rows are made of."""
        found = defaultdict(list)
        for view in self._old.values():
            found[rows_content(view)].append(view.name)
        return found

    @cached_property
    def _renamed(self) -> dict[str, str]:
        """Old views that are gone, and new ones with the same features and join keys: those of the same source first,
        and each only once."""
        gone = [view for name, view in self._old.items() if name not in self._new]
        added = [view for name, view in self._new.items() if name not in self._old]
        renamed: dict[str, str] = {}
        for describe in (rows_content, _shape) if gone else ():
            free = defaultdict(list)
            for view in added:
                if view.name not in renamed.values():
                    free[describe(view)].append(view.name)
            for view in gone:
                if view.name not in renamed and free[describe(view)]:
                    renamed[view.name] = free[describe(view)].pop(0)
        return renamed

    @cached_property
    def _renamed_from(self) -> dict[str, str]:
        return {new: old for old, new in self._renamed.items()}


def _materialize_anew(view: FeatureView) -> str:
    return "" if view.not_materialized else f"feast materialize-incremental END -v {view.name}"


def _content(found: Definition | None) -> dict[str, Any]:
    """All of an object but what is told of it."""
    spec = {} if found is None else found.spec()
    return {key: value for key, value in spec.items() if key not in ("description", "tags", "owner")}


def _source(view: FeatureView) -> Any:
    """What a materialization reads, whatever it is called."""
    if view.source_views:
        return view.source_views
    return {key: value for key, value in _content(view.batch_source).items() if key != "name"}


def _origin(view: FeatureView) -> Any:
    """Where its rows come from."""
    return _source(view), view.stream_source and view.stream_source.name


def _shape(view: FeatureView) -> str:
    """What a row of the view is: its key and its features."""
    features = [[field.name, str(field.dtype)] for field in view.features]
    return json.dumps([view.place.removeprefix(view.name), features])


def rows_content(view: FeatureView) -> str:
    """What its rows are made of: key, features and source, whatever it is called."""
    return json.dumps([_shape(view), _origin(view)], sort_keys=True)


def _told_at(views: Sequence[str]) -> Consequence:
    return Consequence("kept", _ROWS, f"see feature view {', '.join(views)}" if views else "no feature view has it")


def _going(rows: int | None) -> str:
    few = {None: "all of them go", 0: "there are none", 1: "the one there is goes"}
    if rows in few:
        return few[rows]
    return f"all {rows:,} go" if rows is not None and rows <= MOST_COUNTED else f"all go, more than {MOST_COUNTED:,}"


def _keys_told(old: FeatureView, new: FeatureView) -> str:
    if sorted(old.join_keys) != sorted(new.join_keys):
        return f"the join key was {', '.join(old.join_keys) or 'none'} and is {', '.join(new.join_keys) or 'none'}"
    before = {field.name: field.dtype for field in old.entity_columns}
    told = [
        f"{field.name} was {before[field.name]} and is {field.dtype}"
        for field in new.entity_columns
        if field.dtype != before[field.name]
    ]
    return f"the join key {', '.join(told)}, so that stored keys no longer match"


def _of_features(old: Sequence[Field], new: Sequence[Field]) -> Iterator[Consequence]:
    before = {field.name: field.dtype for field in old}
    after = {field.name: field.dtype for field in new}
    added = {name: dtype for name, dtype in after.items() if name not in before}
    removed = {name: dtype for name, dtype in before.items() if name not in after}
    again = "NOT_FOUND until materialized again"
    for name, dtype in added.items():
        alike = [gone for gone, was in removed.items() if was == dtype]
        alone = len(alike) == 1 and list(added.values()).count(dtype) == 1
        renamed = f"; if it is {alike[0]} renamed, those values do not come along" if alone else ""
        yield Consequence("missing", f"feature {name}", f"rows stored before have none: {again}{renamed}")
    for name in removed:
        yield Consequence(
            "unread", f"feature {name}", "no longer served; stays in stored rows until they are written anew"
        )
    for name, dtype in after.items():
        if before.get(name, dtype) != dtype:
            text = f"values stored as {before[name]} are not read as {dtype}: {again}"
            yield Consequence("missing", f"feature {name}", text)
    if [name for name in before if name in after] != [name for name in after if name in before]:
        yield Consequence("kept", "order of features", "means nothing, stored rows are read by name")


def _of_serving(old: FeatureView, new: FeatureView) -> Iterator[Consequence]:
    for part in ("online", "enabled"):
        if getattr(old, part) and not getattr(new, part):
            text = "requests are refused, and it is no longer materialized; stored rows stay until the view is deleted"
            yield Consequence("refused", f"{part}=False", text)
        elif getattr(new, part) and not getattr(old, part):
            yield Consequence("stale", f"{part}=True", "what is stored is served again, as old as it is")
    if old.supported and not new.supported:
        yield Consequence("stale", _ROWS, f"they stay, and no new ones are materialized: {new.unsupported_reason}")


def _of_sources(old: FeatureView, new: FeatureView) -> Iterator[Consequence]:
    if _source(old) != _source(new):
        text = (
            "stored rows stay; materialize-incremental goes on where it ended, so that what the new source has from "
            "before needs a START"
        )
        yield Consequence("stale", "source", text)
    before, after = old.stream_source, new.stream_source
    if (before and before.name) != (after and after.name):
        text = f"stored rows stay; {f'pushes come through {after.name}' if after else 'nothing is pushed'} from now on"
        yield Consequence("kept", "push source", text)


def _ttl_told(ttl: timedelta) -> str:
    if not ttl:
        return "stored rows stay; a first materialize-incremental goes back 52 weeks, and no row is ever too old"
    span = str(ttl).removesuffix(", 0:00:00")
    return (
        f"stored rows stay; a first materialize-incremental goes back {span}, "
        "and with enforce_ttl what is older is OUTSIDE_MAX_AGE"
    )
