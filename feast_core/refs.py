"""Feature references ("view:feature") and services, resolved against a snapshot."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from feast_core.definitions import FeatureService, FeatureView
from feast_core.errors import DefinitionError, FeatureNotFound, InvalidInput, NameCollision, NotSupported, shown
from feast_core.snapshot import Snapshot, did_you_mean


@dataclass(frozen=True, slots=True)
class Projection:
    """One view as a request uses it: under which name, and which request column stands for which join key.

    `join_key_map` maps a join key of the view to the column of the request (only where they differ).
    """

    view: FeatureView
    alias: str
    join_key_map: Mapping[str, str]

    def column_of(self, join_key: str) -> str:
        """The request column that holds a join key."""
        return self.join_key_map.get(join_key, join_key)


@dataclass(frozen=True, slots=True)
class Output:
    """One feature of the answer: its projection's index, the feature, the name it has in the answer."""

    projection: int
    feature: str
    name: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a request wants: projections without repeats, and outputs in the order of the request."""

    projections: tuple[Projection, ...]
    outputs: tuple[Output, ...]


def resolve(snapshot: Snapshot, features: Sequence[str], feature_service: str | None, full_names: bool) -> Resolved:
    """References, or a service (which wins, as in Feast), to projections and outputs.

    Raises FeatureViewNotFound, FeatureNotFound, FeatureServiceNotFound, NotSupported, NameCollision, InvalidInput.
    """
    if feature_service:
        resolved = _of_service(snapshot, feature_service, full_names)
    elif features:
        resolved = _of_references(snapshot, features, full_names)
    else:
        raise InvalidInput.at("features", 'name features ("view:feature") or a feature_service')
    if not resolved.outputs:
        raise InvalidInput(f"feature service {feature_service} has no features")
    _refuse_collisions(resolved.outputs, full_names)
    for projection in resolved.projections:
        _refuse_offline(projection.view)
    return resolved


def _of_references(snapshot: Snapshot, features: Sequence[str], full_names: bool) -> Resolved:
    projections: dict[str, tuple[int, Projection]] = {}
    outputs: dict[str, Output] = {}
    repeated: dict[str, Output] = {}
    for position, reference in enumerate(features):
        if reference in outputs:  # looked up once only: a client may send one a million times
            repeated[reference] = outputs[reference]
            continue
        view_name, feature = split(reference, f"features[{position}]")
        if view_name not in projections:
            projections[view_name] = len(projections), Projection(snapshot.view(view_name), view_name, {})
        index, projection = projections[view_name]
        _require(snapshot, projection.view, feature)
        outputs[reference] = Output(index, feature, f"{view_name}__{feature}" if full_names else feature)
    return Resolved(
        tuple(projection for _, projection in projections.values()), (*outputs.values(), *repeated.values())
    )


def split(reference: str, path: str) -> tuple[str, str]:
    """`view:feature`, at the first colon; `@latest` after the view is dropped. Raises InvalidInput."""
    view, _, feature = reference.partition(":")
    base, at, version = view.rpartition("@")
    pinned = version[:1] in ("v", "V") and version[1:].isdigit()
    if at and (pinned or version.lower() in ("latest", "")):
        view = base
    if not view or not feature:
        raise InvalidInput.at(
            path, f"invalid feature reference {shown(reference)}, expected '<feature view>:<feature>'"
        )
    if at and pinned:
        raise InvalidInput.at(
            path,
            f"{shown(reference)} pins a version of the feature view; versions are not kept here, "
            f"use '{view}:{feature}'",
        )
    return view, feature


def _of_service(snapshot: Snapshot, name: str, full_names: bool) -> Resolved:
    projections = []
    outputs = []
    for index, declared in enumerate(snapshot.service(name).projections):
        if declared.version_tag is not None:
            raise NotSupported(
                f"feature service {name} pins version {declared.version_tag} of feature view {declared.name}; "
                "versions are not kept here, name the view without one"
            )
        view = snapshot.view(declared.name)
        alias = declared.name_to_use()
        projections.append(Projection(view, alias, dict(declared.join_key_map)))
        for feature in declared.desired_features or [field.name for field in view.features]:
            _require(snapshot, view, feature)
            outputs.append(Output(index, feature, f"{alias}__{feature}" if full_names else feature))
    return Resolved(tuple(projections), tuple(outputs))


def check_service(snapshot: Snapshot, service: FeatureService) -> None:
    """Raise DefinitionError where a service names a view or a feature that is not there. Features of views that are
    not served here (on demand, label views) are not looked at."""
    others = {found.name for found in snapshot.objects if found.kind in ("on demand feature view", "label view")}
    for declared in service.projections:
        view = snapshot.views.get(declared.name)
        if view is None:
            if declared.name in others:
                continue
            hint = did_you_mean(declared.name, [*snapshot.views, *others])
            raise DefinitionError(f"{service.label} uses feature view {declared.name!r}, which does not exist{hint}")
        for feature in declared.desired_features:
            known = snapshot.positions(view)
            if feature not in known:
                hint = did_you_mean(feature, known)
                raise DefinitionError(f"{service.label} uses {view.name}:{feature}, which does not exist{hint}")


def _require(snapshot: Snapshot, view: FeatureView, feature: str) -> None:
    known = snapshot.positions(view)
    if feature not in known:
        raise FeatureNotFound(
            f"Feature {feature} does not exist in feature view {view.name}", did_you_mean(feature, known)
        )


def _refuse_offline(view: FeatureView) -> None:
    if not view.online:
        raise InvalidInput(f"feature view {view.name} is not served online (it is declared with online=False)")
    if not view.enabled:
        raise InvalidInput(f"feature view {view.name} is disabled (it is declared with enabled=False)")


def _refuse_collisions(outputs: Sequence[Output], full_names: bool) -> None:
    repeated = [name for name, count in Counter(output.name for output in outputs).items() if count > 1]
    if repeated:
        advice = (
            "request each feature once, and give a view that a service uses twice two names with .with_name()"
            if full_names
            else "set full_feature_names to true, or request each feature once"
        )
        raise NameCollision(f"duplicate feature names in the answer: {_some(repeated)}; {advice}")


def _some(names: Sequence[str]) -> str:
    """The first ten, and how many more there are."""
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more
