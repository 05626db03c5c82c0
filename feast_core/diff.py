"""What `apply` would change, as data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from feast_core.consequences import Consequence, Count, Meaning
from feast_core.definitions import Definition, FeatureView

Action = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Change:
    """One object that would be created, updated or deleted. `details` has a line per part that differs, `consequences`
    what that means for stored rows and answers, `next_step` the command that brings them up to date ("": none)."""

    action: Action
    kind: str
    name: str
    old: Definition | None
    new: Definition | None
    details: tuple[str, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    next_step: str = ""

    @property
    def loses_rows(self) -> bool:
        """Whether stored rows of the old one go."""
        return any(found.effect == "dropped" for found in self.consequences)


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
        return [
            change.old
            for change in self.changes
            if change.old is not None and (change.new is None or change.loses_rows)
        ]

    @property
    def dropped(self) -> list[str]:
        """Places in the online store whose rows go: those of views that are deleted, get other join keys, or become
        what another view was; and those that views come to with other join keys, where rows are of an earlier version,
        or of somebody who did not know yet that it was over."""
        views = [view for change in self.changes if change.loses_rows for view in (change.old, change.new)]
        return list(dict.fromkeys(view.place for view in views if isinstance(view, FeatureView)))


def diff(
    current: Iterable[Definition],
    wanted: Sequence[Definition],
    *,
    delete_missing: bool,
    count: Count = lambda place: None,
) -> Diff:
    """Compare what the registry holds with what is wanted; with `delete_missing`, what is not wanted goes. `count` is
    asked for the rows of places that are dropped, see `Meaning`."""
    old = {(found.kind, found.name): found for found in current}
    new = {(found.kind, found.name): found for found in wanted}
    after = new if delete_missing else {**old, **new}
    meaning = Meaning(old.values(), after.values(), count)
    changes = []
    for (kind, name), definition in new.items():
        before = old.get((kind, name))
        if before is None:
            changes.append(Change("create", kind, name, None, definition, (), *meaning.of_creation(definition)))
        elif before != definition:
            details = tuple(differences(before.spec(), definition.spec()))
            found = meaning.of_update(before, definition)
            changes.append(Change("update", kind, name, before, definition, details, *found))
    gone = [definition for key, definition in old.items() if key not in new] if delete_missing else []
    changes += [
        Change("delete", found.kind, found.name, found, None, (), meaning.of_deletion(found))
        for found in reversed(gone)
    ]
    return Diff(tuple(changes), tuple(found.place for found in after.values() if isinstance(found, FeatureView)))


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
