"""`feast explain`: the plan of a request, as it is compiled: what is read, by whom, and what the answer holds."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import click

from feast_cli import output
from feast_cli.completing import names_of_features, names_of_services
from feast_cli.describing import duration
from feast_cli.invocation import invocation_of


@click.command(
    help="Show how a request for FEATURES, each as VIEW:FEATURE, or for a service is answered: views, keys, reader,"
    " who wraps and guards it, and the columns of the answer. Reads the registry, and no row."
)
@click.argument("features", nargs=-1, shell_complete=names_of_features)
@click.option(
    "--feature-service", metavar="NAME", shell_complete=names_of_services, help="Explain a request for this service."
)
@click.option("--full-feature-names", is_flag=True, help="Call features VIEW__FEATURE.")
@click.option(
    "--response-format",
    type=click.Choice(["rows", "columns"]),
    help="Format of the answer, instead of what feature_store.yaml says.",
)
@output.json_option
@click.pass_context
def explain(
    ctx: click.Context,
    features: tuple[str, ...],
    feature_service: str | None,
    full_feature_names: bool,
    response_format: Any,
    as_json: bool,
) -> None:
    """Print the plan."""
    if bool(features) == bool(feature_service):
        raise click.UsageError("name either features, as VIEW:FEATURE, or a --feature-service")
    with invocation_of(ctx).store() as store:
        plan = store.explain(feature_service or features, full_feature_names, response_format)
    if as_json:
        output.print_json(plan)
    else:
        output.print_outline(_title(plan["request"]), _drawn(plan))


def _title(request: Mapping[str, Any]) -> str:
    wanted = f"service {request['feature_service']}" if request["feature_service"] else ", ".join(request["features"])
    return f"plan of {wanted}"


def _drawn(plan: Mapping[str, Any]) -> dict[str, Any]:
    """The plan as people read it."""
    reader = plan["reader"]
    return {
        "project": f"{plan['project']} at generation {plan['registry_generation']} of the registry",
        "format": plan["request"]["response_format"],
        "views": [_view(view, plan["enforce_ttl"]) for view in plan["views"]],
        "reader": {
            "plugin": reader["plugin"],
            **({"online store": reader["online_store"]} if reader["online_store"] else {}),
            "function": reader["function"],
            "wrapped by": reader["wrapped_by"] or "nobody",
        },
        "guards": plan["guards"] or "none, everybody may read",
        "observers": plan["observers"] or "nobody",
        "answer": {column["name"]: f"{column['type']} from {column['from']}" for column in plan["columns"]},
    }


def _view(view: Mapping[str, Any], enforce_ttl: bool) -> dict[str, Any]:
    ttl = duration(timedelta(seconds=view["ttl_seconds"] or 0))
    taken = set(view["features"])
    return {
        "name": view["name"],
        "class": view["class"],
        "join keys": {key["name"]: f"{key['type']} from entities.{key['column']}" for key in view["join_keys"]}
        or "none, one row for all",
        "ttl": ttl if enforce_ttl or not view["ttl_seconds"] else f"{ttl}, not enforced",
        "schema": view["schema"]["fingerprint"],
        "row": {
            name: dtype if name in taken else f"{dtype}, not asked for"
            for name, dtype in view["schema"]["features"].items()
        },
    }
