"""What each hook does when no plugin says otherwise. Every implementation is `trylast`, so that any plugin comes
first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from feast_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from feast_core.definitions import DataSource
    from feast_core.diff import Diff
    from feast_core.interfaces import Authenticator, Job, OfflineWriter, Outcome, Progress, Reader, ViewRead, Writer
    from feast_core.store import FeatureStore


@hookimpl(trylast=True)
def feast_reader(store: "FeatureStore", reads: "Sequence[ViewRead]") -> "Reader":
    """The configured online store."""
    return store.online.reader(store.project, reads)


@hookimpl(trylast=True)
def feast_writer(store: "FeatureStore", view: "ViewRead") -> "Writer":
    """The configured online store."""
    return store.online.writer(store.project, view.place, view.schema)


@hookimpl(trylast=True)
def feast_offline_writer(store: "FeatureStore", source: "DataSource") -> "OfflineWriter":
    """The configured offline store."""
    return store.offline.writer(source, store.repo_path)


@hookimpl(trylast=True)
def feast_materialize(store: "FeatureStore", jobs: "Sequence[Job]", progress: "Progress") -> "list[Outcome]":
    """The configured engine."""
    return store.engine.materialize(store, jobs, progress)


@hookimpl(trylast=True)
def feast_apply(store: "FeatureStore", diff: "Diff") -> bool:
    """The online store first: making place is idempotent and harmless, so a failure there leaves the registry as it
    was. Rows that go are dropped after the registry has forgotten their view, and remembers that they are to go: where
    that is interrupted, the next apply begins with it, before a view may get the same place again."""
    store.drop_rows()
    if store.config.online_store is not None:
        store.online.update(store.project, diff.places, [])
    store.registry.apply(store.project, diff.saved, diff.deleted, diff.dropped)
    store.drop_rows()
    emptied = set(diff.places).intersection(diff.dropped)
    if store.config.online_store is not None and emptied:
        store.online.update(store.project, sorted(emptied), [])
    return True


@hookimpl(trylast=True)
def feast_authenticator(store: "FeatureStore") -> "Authenticator | None":
    """The component that `auth.type` names; for `no_auth` nobody is asked."""
    if store.config.auth.type == "no_auth":
        return None
    authenticator: Authenticator = store.catalog.create("auth", store.config.auth)
    return authenticator
