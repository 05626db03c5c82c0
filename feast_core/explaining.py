"""A compiled plan as plain data: what a request reads, and which plugins have their hands in it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from feast_core.config import ResponseFormat
from feast_core.refs import Resolved, resolve
from feast_core.retrieval import RetrievalPlan, RetrievalRequest

if TYPE_CHECKING:
    from feast_core.store import FeatureStore


def explain(
    store: "FeatureStore",
    features: Sequence[str],
    feature_service: str | None,
    full_feature_names: bool,
    response_format: ResponseFormat,
) -> dict[str, Any]:
    """The plan of a request that brings all join keys it needs and nothing else, compiled for this and not kept.

    What pluggy joins is asked plugin by plugin, once more than serving would. Raises what `retrieval_plan` does where
    everybody may read: names are not hidden from who has the repository.
    """
    snapshot = store.snapshot
    resolved = resolve(snapshot, features, feature_service, full_feature_names)
    columns = tuple(_columns(resolved))
    references = () if feature_service else tuple(features)
    request = RetrievalRequest(references, feature_service or None, full_feature_names, columns, response_format)
    plan = RetrievalPlan(store, snapshot, request)
    resources = [*([snapshot.service(feature_service)] if feature_service else []), *(r.view for r in plan.reads)]
    labels = {"feature_service": feature_service or "", "response_format": response_format}
    return {
        "project": store.project,
        "registry_generation": snapshot.generation,
        "request": {
            "features": list(references),
            "feature_service": feature_service or None,
            "full_feature_names": full_feature_names,
            "response_format": response_format,
            "entities": list(columns),
        },
        "enforce_ttl": store.config.feature_server.enforce_ttl,
        **plan.describe(),
        "reader": _reader(store, plan),
        "guards": _named(store, "feast_guard", action="read_online", resources=resources),
        "observers": _named(store, "feast_observer", operation="get-online-features", labels=labels),
    }


def _columns(resolved: Resolved) -> list[str]:
    """Request columns of all join keys, each once, in the order of the views."""
    wanted = (
        projection.column_of(join_key) for projection in resolved.projections for join_key in projection.view.join_keys
    )
    return list(dict.fromkeys(wanted))


def _reader(store: "FeatureStore", plan: RetrievalPlan) -> dict[str, Any]:
    """Whose reader it is, and who wraps it, the outermost first."""
    hook = store.plugins.hook.feast_reader
    answers = store.plugins.answers(hook, store=store, reads=plan.reads)
    plugin, innermost = next((plugin, found) for plugin, found in answers if found is not None)
    section = store.config.online_store
    offered_by = store.catalog.plugins_for("online_store", section.type) if section else []
    return {
        "function": _name_of(innermost),
        # The default of the core asks the store that the configuration names.
        "plugin": offered_by[0] if plugin == "defaults" and offered_by else plugin,
        "online_store": section.type if section else None,
        "wrapped_by": store.plugins.wrappers(hook),
    }


def _named(store: "FeatureStore", name: str, **arguments: Any) -> list[str]:
    """Plugins whose answer to a hook takes part."""
    hook = getattr(store.plugins.hook, name)
    return [plugin for plugin, found in store.plugins.answers(hook, store=store, **arguments) if found is not None]


def _name_of(found: Any) -> str:
    """Module and name of a function, or of the class of another callable."""
    named = found if hasattr(found, "__qualname__") else type(found)
    return f"{named.__module__}.{named.__qualname__}"
