"""Label views: labels that people and programs give to entities. They load, apply and list."""

from datetime import timedelta
from enum import Enum
from typing import Any

from feast_core.definitions.definition import checked_duration, declared_enum
from feast_core.definitions.entities import Entity, Field
from feast_core.definitions.projections import BaseFeatureView
from feast_core.definitions.sources import DataSource, PushSource, checked_source


@declared_enum
class ConflictPolicy(Enum):
    """Which label counts where labelers disagree."""

    LAST_WRITE_WINS = "last_write_wins"
    LABELER_PRIORITY = "labeler_priority"
    MAJORITY_VOTE = "majority_vote"


class LabelView(BaseFeatureView):
    """Labels of entities, one row per labeler. `reference_feature_view` names the view that is labeled."""

    kind = "label view"
    view_type = "labelView"
    supported = False
    unsupported_reason = "label views are not served here; keep the labels in a FeatureView"

    def __init__(
        self,
        *,
        name: str,
        source: DataSource | None = None,
        schema: list[Field] | None = None,
        entities: list[Entity] | None = None,
        ttl: timedelta | None = timedelta(0),
        online: bool = True,
        description: str = "",
        tags: dict[str, str] | None = None,
        owner: str = "",
        labeler_field: str = "labeler",
        conflict_policy: ConflictPolicy = ConflictPolicy.LAST_WRITE_WINS,
        reference_feature_view: str | None = None,
    ) -> None:
        super().__init__(name=name, entities=entities, schema=schema, description=description, tags=tags, owner=owner)
        self.source = checked_source(self.label, "source", source)
        self.ttl = checked_duration(self.label, "ttl", ttl)
        self.online = bool(online)
        self.labeler_field = labeler_field
        self.conflict_policy = ConflictPolicy(conflict_policy)
        self.reference_feature_view: str | None = _name(reference_feature_view)

    @property
    def stream_source(self) -> DataSource | None:
        """The push source that brings labels."""
        return self.source if isinstance(self.source, PushSource) else None

    @property
    def batch_source(self) -> DataSource | None:
        """Where the history is: behind the push source, or the source itself."""
        return self.source.batch_source if isinstance(self.source, PushSource) else self.source


def _name(view: Any) -> str | None:
    return view.name if isinstance(view, BaseFeatureView) else view
