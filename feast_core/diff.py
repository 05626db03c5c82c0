"""What `apply` would change, as data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from feast_core.definitions import Definition, FeatureView

Action = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Change:
    """One object that would be created, updated or deleted. `details` has a line per part that differs."""

    action: Action
    kind: str
    name: str
    old: Definition | None
    new: Definition | None
    details: tuple[str, ...] = ()
    #: Of an update of a view: the view whose definition it has taken over, whose rows are not its own.
    taken_from: str | None = None

    @property
    def loses_rows(self) -> bool:
        """Whether what is stored of the old one means nothing to the new one, or there is no new one."""
        return self.new is None or self.taken_from is not None or _keys_differ(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Diff:
    """Changes in the order in which objects depend on each other; deletions come last, in reverse."""

    changes: tuple[Change, ...]
    #: Places in the online store of all views after the change, also of those that do not change.
    places: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Nothing would change."""
        return not self.changes

    @property
    def saved(self) -> list[Definition]:
        """Objects to write."""
        return [change.new for change in self.changes if change.new is not None]

    @property
    def deleted(self) -> list[Definition]:
        """Objects to remove, and views whose intervals go, since their rows do."""
        return [change.old for change in self.changes if change.old is not None and change.loses_rows]

    @property
    def dropped(self) -> list[str]:
        """Places in the online store whose rows go: those of views that are deleted, get other join keys, or become
        what another view was."""
        return [
            change.old.place for change in self.changes if isinstance(change.old, FeatureView) and change.loses_rows
        ]


def diff(current: Iterable[Definition], wanted: Sequence[Definition], *, delete_missing: bool) -> Diff:
    """Compare what the registry holds with what is wanted; with `delete_missing`, what is not wanted goes."""
    old = {(found.kind, found.name): found for found in current}
    new = {(found.kind, found.name): found for found in wanted}
    gone = [definition for key, definition in old.items() if key not in new] if delete_missing else []
    after = new if delete_missing else {**old, **new}
    taken = _taken_over(_views(old.values()), _views(after.values()))
    changes = []
    for (kind, name), definition in new.items():
        before = old.get((kind, name))
        if before is None:
            changes.append(Change("create", kind, name, None, definition))
        elif before != definition:
            details = tuple(differences(before.spec(), definition.spec()))
            if _keys_differ(before, definition):
                details += ("other join keys: the rows in the online store go, materialize the view again",)
            taken_from = taken.get(name) if isinstance(definition, FeatureView) else None
            changes.append(Change("update", kind, name, before, definition, details, taken_from))
    changes += [Change("delete", found.kind, found.name, found, None) for found in reversed(gone)]
    return Diff(tuple(changes), tuple(found.place for found in after.values() if isinstance(found, FeatureView)))


def _views(objects: Iterable[Definition]) -> dict[str, FeatureView]:
    return {found.name: found for found in objects if isinstance(found, FeatureView)}


def _taken_over(old: Mapping[str, FeatureView], new: Mapping[str, FeatureView]) -> dict[str, str]:
    """Views that are now what another one was, which itself is gone or something else now; as where two of them swap
    their names, or one is renamed to a name that was taken. Views that only share a source are not meant."""
    taken = {}
    for name, view in new.items():
        before = old.get(name)
        if before is None or _source(before) == _source(view):
            continue
        content = _content(view)
        for other, was in old.items():
            still_there = other in new and _source(new[other]) == _source(was)
            if other != name and not still_there and _content(was) == content:
                taken[name] = other
    return taken


def _source(view: FeatureView) -> Any:
    return view.source_views or (view.source.spec() if isinstance(view.source, Definition) else None)


def _content(view: FeatureView) -> Any:
    """What rows of a view are made of, whatever it is called."""
    features = [(field.name, field.dtype) for field in view.features]
    return _source(view), view.place.removeprefix(view.name), features


def _keys_differ(old: Definition | None, new: Definition | None) -> bool:
    """Whether rows of the old view mean nothing to the new one: a key does not say of which entity it is."""
    return isinstance(old, FeatureView) and isinstance(new, FeatureView) and old.place != new.place


def differences(old: Any, new: Any, path: str = "") -> Iterable[str]:
    """Lines such as `ttl: 1 day, 0:00:00 -> 2 days, 0:00:00`, one per part of two specs that differs."""
    old, new = _plain(old), _plain(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}, key=str):
            if key not in old:
                yield f"{_join(path, key)}: added {_shown(new[key])}"
            elif key not in new:
                yield f"{_join(path, key)}: removed {_shown(old[key])}"
            else:
                yield from differences(old[key], new[key], _join(path, key))
    elif isinstance(old, list) and isinstance(new, list) and _all_named(old) and _all_named(new):
        before = {item["name"]: item for item in old}
        after = {item["name"]: item for item in new}
        yield from differences(before, after, path)
        if before == after and list(before) != list(after):
            yield f"{path}: order changed to {', '.join(after)}"
    elif old != new:
        yield f"{path}: {_shown(old)} -> {_shown(new)}"


def _all_named(items: list[Any]) -> bool:
    names = [item["name"] for item in items if isinstance(item, dict) and "name" in item]
    return bool(items) and len(names) == len(items) == len(set(names))


def _plain(spec: Any) -> Any:
    """What a spec says by an object with a "class" and people say in a word: types, durations, members of
    enumerations, and fields, which are their type where nothing else is said of them."""
    match spec:
        case {"class": "FeastType", "type": dtype}:
            return dtype
        case {"class": "timedelta", "microseconds": microseconds}:
            return str(timedelta(microseconds=microseconds))
        case {"class": _, "member": member}:
            return member
        case {"class": "Field", "name": _, "dtype": dtype, **rest} if not any(rest.values()):
            return _plain(dtype)
        case {"class": _, **rest}:
            return rest
    return spec


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _shown(value: Any) -> str:
    value = value["dtype"] if isinstance(value, dict) and value.get("class") == "Field" else value
    value = _in_words(value)
    text = repr(value) if not isinstance(value, str) else value or "''"
    return text if len(text) <= 100 else text[:97] + "..."


def _in_words(spec: Any) -> Any:
    """`_plain`, all the way down."""
    plain = _plain(spec)
    if isinstance(plain, dict):
        return {key: _in_words(item) for key, item in plain.items()}
    return [_in_words(item) for item in plain] if isinstance(plain, list) else plain
