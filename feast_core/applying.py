"""What `apply` and `delete` would change: from a repository's files or from single objects to a checked Diff."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from feast_core.consequences import MOST_COUNTED
from feast_core.definitions import DataSource, Definition
from feast_core.diff import Diff, diff
from feast_core.errors import DefinitionError, Unavailable
from feast_core.inference import infer
from feast_core.materialization import check_storable
from feast_core.refs import check_service
from feast_core.repo import RepoContents, collect
from feast_core.snapshot import Snapshot

if TYPE_CHECKING:
    from feast_core.store import FeatureStore


def refuse_to_empty(store: "FeatureStore", contents: RepoContents) -> None:
    """Raise DefinitionError for a directory without a definition, which is hardly ever meant: as a rule it is the wrong
    one."""
    if any(found.kind != "project" for found in contents.objects):
        return
    there = [found for found in store.registry.load(store.project).objects if found.kind != "project"]
    if there:
        raise DefinitionError(
            f"{store.repo_path} defines nothing, and the registry holds {len(there)} objects of project "
            f"{store.project}, which would all be deleted; name the repository with `feast -c DIR`, "
            "or use `feast teardown`"
        )


def changes(
    store: "FeatureStore", wanted: RepoContents | Sequence[Definition], gone: Sequence[Definition] = ()
) -> Diff:
    """From what the registry holds to what is wanted. What a repository does not define goes; of single objects the
    rest stays, but for those in `gone`.

    Raises DefinitionError, SourceError where a schema must be read, RegistryError, Unavailable.
    """
    current = store.registry.load(store.project).objects
    whole = isinstance(wanted, RepoContents)
    objects = wanted.objects if isinstance(wanted, RepoContents) else _with_what_they_need(store, wanted, current)
    if gone and not whole:
        whole, objects = True, _without(gone, current, objects)
        for found in gone:
            _refuse_needed(found, Snapshot(store.project, 0, objects))
    objects = infer(objects, store.source_columns)
    snapshot = Snapshot(store.project, 0, objects)
    for view in snapshot.views.values():
        check_storable(snapshot, view)
    # Services may use what is there already, where the rest of it stays.
    merged = {(found.kind, found.name): found for found in ([] if whole else current)}
    after = Snapshot(store.project, 0, {**merged, **{(o.kind, o.name): o for o in objects}}.values())
    for service in after.services.values():
        if service.name in snapshot.services or any(used.name in snapshot.views for used in service.projections):
            check_service(after, service)
    return diff(current, objects, delete_missing=whole, count=lambda place: count_rows(store, place))


def deletion(store: "FeatureStore", kind: str, name: str) -> Diff:
    """That one object goes. Raises ObjectNotFound, DefinitionError where another object needs it."""
    current = store.registry.load(store.project).objects
    gone = Snapshot(store.project, 0, current).get(kind, name)
    rest = [found for found in current if found != gone]
    _refuse_needed(gone, Snapshot(store.project, 0, rest))
    return diff(current, rest, delete_missing=True, count=lambda place: count_rows(store, place))


def count_rows(store: "FeatureStore", place: str, most: int = MOST_COUNTED + 1) -> int | None:
    """Stored rows, for what is said of a change; a store that cannot be reached is told of when it is needed."""
    if store.config.online_store is None:
        return 0
    try:
        return store.online.count(store.project, place, most)
    except Unavailable:
        return None


def _with_what_they_need(
    store: "FeatureStore", objects: Sequence[Definition], current: Sequence[Definition]
) -> list[Definition]:
    """The objects, the entities and sources that come along with them, and the project where there is none yet."""
    has_project = any(found.kind == "project" for found in (*objects, *current))
    found = collect(objects, store.project).objects
    return [item for item in found if item.kind != "project" or not has_project or item in objects]


def _refuse_needed(gone: Definition, rest: Snapshot) -> None:
    """Raise DefinitionError where one of the other objects uses what shall go."""
    is_view = gone.kind.endswith("view")
    for service in rest.services.values():
        if is_view and gone.name in [part.name for part in service.projections]:
            raise DefinitionError(f"{gone.label} is used by {service.label}; delete that first")
    for on_demand in rest.on_demand_views.values():
        if is_view and gone.name in [source.name for source in on_demand.sources]:
            raise DefinitionError(f"{gone.label} is used by {on_demand.label}; delete that first")
    for view in rest.views.values():
        used = {"entity": view.entities, "data source": _names(view.source, view.batch_source)}.get(gone.kind, [])
        if gone.name in used or (is_view and gone.name in view.source_views):
            raise DefinitionError(f"{gone.label} is used by {view.label}; delete that first")


def _names(*sources: object) -> list[str]:
    return [source.name for source in sources if isinstance(source, DataSource)]


def _without(
    gone: Sequence[Definition], current: Sequence[Definition], wanted: Sequence[Definition]
) -> list[Definition]:
    """What there is then: of the current objects those that stay, and the wanted ones."""
    away = {(found.kind, found.name) for found in gone}
    kept = {(found.kind, found.name): found for found in current if (found.kind, found.name) not in away}
    return list({**kept, **{(found.kind, found.name): found for found in wanted}}.values())
