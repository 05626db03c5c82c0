"""Feature services: named lists of features, which models ask for by one name."""

import re
from typing import Any

from feast_core.definitions.definition import Definition
from feast_core.definitions.feature_logging import LoggingConfig
from feast_core.definitions.projections import BaseFeatureView, FeatureViewProjection
from feast_core.errors import DefinitionError


class FeatureService(Definition):
    """What a model needs: views, parts of views (`view[["a", "b"]]`), or strings ("view", "view:a", "view@v2:a").

    `features` is what was given. `projections` is what it means, in order; one with no `desired_features` is the whole
    view. The registry keeps names only, so a change of a view is not a change of the services that use it.
    """

    kind = "feature service"

    def __init__(
        self,
        *,
        name: str,
        features: list[Any],
        tags: dict[str, str] | None = None,
        description: str = "",
        owner: str = "",
        logging_config: LoggingConfig | None = None,
        precompute_online: bool = False,
    ) -> None:
        super().__init__(name, description, tags, owner)
        if not isinstance(features, list | tuple):
            raise DefinitionError(f"{self.label}: features must be a list of views or features, not {features!r}")
        self.features = list(features)
        self.projections: list[FeatureViewProjection] = []
        for item in self.features:
            self._add(item)
        self.logging_config = logging_config
        self.precompute_online = bool(precompute_online)

    def _add(self, item: object) -> None:
        if isinstance(item, str):
            projection = _parse(self.label, item)
            # "view:a", "view:b" is one choice of two features, as view[["a", "b"]] is.
            last = self.projections.pop() if self._continues(projection) else None
            chosen = [*last.desired_features, *projection.desired_features] if last else projection.desired_features
            self.projections.append(projection.replace(desired_features=list(dict.fromkeys(chosen))))
        elif isinstance(item, BaseFeatureView):
            self.projections.append(item.projection)
        elif isinstance(item, FeatureViewProjection):
            self.projections.append(item)
        else:
            raise DefinitionError(
                f'{self.label}: features must hold feature views, view[["feature"]] or "view:feature", not {item!r}'
            )

    def _continues(self, projection: FeatureViewProjection) -> bool:
        last = self.projections[-1] if self.projections else None
        if last is None or not last.desired_features or not projection.desired_features:
            return False
        return last == projection.replace(desired_features=last.desired_features)

    def validate(self) -> None:
        """As Feast: a check that a program may call again. The constructor and `apply` have made it."""

    @property
    def feature_view_projections(self) -> list[FeatureViewProjection]:
        """As Feast: another name of `projections`."""
        return self.projections

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "features": [projection.reference() for projection in self.projections]}


def _parse(label: str, reference: str) -> FeatureViewProjection:
    view, colon, feature = reference.partition(":")
    name, at, tag = view.partition("@")
    version = re.fullmatch(r"[vV](\d+)", tag)
    # As Feast: an @ that is not followed by a version belongs to the name.
    if at and not version and tag not in ("", "latest"):
        name = view
    if not name or (colon and not feature):
        raise DefinitionError(f'{label}: features: {reference!r} is not "view" or "view:feature"')
    return FeatureViewProjection(
        name, None, [feature] if feature else [], [], version_tag=int(version[1]) if version else None
    )
