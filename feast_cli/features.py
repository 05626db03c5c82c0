"""`feast features list` and `describe`: single features across all views."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from feast_cli import output
from feast_cli.completing import names_of_fields
from feast_cli.describing import readable
from feast_cli.groups import HelpfulGroup
from feast_cli.invocation import invocation_of, tell_if_nothing_is_applied
from feast_cli.objects import tags_option, wanted_tags
from feast_core.errors import ObjectNotFound

if TYPE_CHECKING:
    from feast_core.definitions import BaseFeatureView, Field
    from feast_core.store import FeatureStore


@dataclass(frozen=True, slots=True)
class Feature:
    """A field of a view."""

    view: "BaseFeatureView"
    field: "Field"

    @property
    def reference(self) -> str:
        """As requests name it."""
        return f"{self.view.name}:{self.field.name}"


@click.group(cls=HelpfulGroup, help="List and describe features.")
def features() -> None:
    """Nothing is done before the command."""


@features.command("list", help="List all features of all views.")
@click.option(
    "--output", "form", type=click.Choice(["table", "json"]), default="table", help="As in Feast; see --json."
)
@tags_option
@output.json_option
@click.pass_context
def list_features(ctx: click.Context, form: str, tags: tuple[str, ...], as_json: bool) -> None:
    """A line per feature and view; `--tags` looks at the tags of the feature itself."""
    wanted = wanted_tags(tags)
    if form == "json":
        output.only_json(ctx)
    with invocation_of(ctx).store() as store:
        found = [feature for feature in _features_of(store) if wanted.items() <= feature.field.tags.items()]
        if not (as_json or form == "json"):
            tell_if_nothing_is_applied(store)
    if as_json or form == "json":
        output.print_json(
            [{"name": f.field.name, "feature_view": f.view.name, "dtype": str(f.field.dtype)} for f in found]
        )
    else:
        rows = [[f.field.name, f.view.name, f.field.dtype, f.field.description] for f in found]
        output.print_table(["FEATURE", "FEATURE VIEW", "TYPE", "DESCRIPTION"], rows)


@features.command("describe", help="Show a feature, by its name or as VIEW:FEATURE, in every view that has it.")
@click.argument("name", shell_complete=names_of_fields)
@output.json_option
@click.pass_context
def describe_feature(ctx: click.Context, name: str, as_json: bool) -> None:
    """What is known of the field, once for each view."""
    with invocation_of(ctx).store() as store:
        every = _features_of(store)
        project = store.project
    found = [feature for feature in every if name in (feature.field.name, feature.reference)]
    if not found:
        raise ObjectNotFound(
            f"feature {name} does not exist in project {project}; `feast features list` shows them all"
        )
    if as_json:
        output.print_json([{"feature_view": feature.view.name, **feature.field.spec()} for feature in found])
        return
    views = {feature.view.name: _described(feature) for feature in found}
    output.print_outline(f"feature {found[0].field.name!r}", views)


def _features_of(store: "FeatureStore") -> list[Feature]:
    views: list[BaseFeatureView] = [*store.snapshot.views.values(), *store.snapshot.on_demand_views.values()]
    return [Feature(view, field) for view in sorted(views, key=lambda view: view.name) for field in view.features]


def _described(feature: Feature) -> dict[str, object]:
    spec = readable({**feature.field.spec(), "entities": feature.view.entities})
    return {key: value for key, value in spec.items() if key not in ("type", "name") and value}
