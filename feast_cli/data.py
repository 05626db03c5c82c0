"""`feast materialize`, `materialize-incremental`, `get-online-features`: data into the online store and out of it."""

import functools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from feast_cli import output
from feast_cli.completing import join_keys, names_of_features, names_of_services, names_of_views
from feast_cli.invocation import invocation_of, tell_if_nothing_is_applied
from feast_cli.progress import shown_progress
from feast_core.errors import FeastError, InvalidInput, NotSupported
from feast_core.timestamps import EPOCH, parse_timestamp

if TYPE_CHECKING:
    from feast_core.interfaces import Outcome
    from feast_core.store import FeatureStore


def _timestamp(ctx: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    try:
        return None if value is None else parse_timestamp(value)
    except InvalidInput as error:
        raise click.BadParameter(str(error), ctx, parameter) from error


_views_option = click.option(
    "-v",
    "--views",
    multiple=True,
    metavar="VIEW",
    shell_complete=names_of_views,
    help="Feature view to materialize; may be given again. Default: all.",
)


def _refuse_version(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise NotSupported("--version: versions of feature views are not kept here; leave it out")


_version_option = click.option(
    "--version", callback=_refuse_version, expose_value=False, metavar="VERSION", help="Of Feast; refused here."
)


@click.command(
    help="Load the newest row per entity with START_TS <= event time <= END_TS into the online store."
    " Times are ISO 8601, in UTC unless they say otherwise."
)
@click.argument("start_ts", required=False, callback=_timestamp)
@click.argument("end_ts", required=False, callback=_timestamp)
@_views_option
@_version_option
@click.option(
    "--disable-event-timestamp",
    is_flag=True,
    help="Load the newest row per entity of all there is, stored with the current time; without START_TS and END_TS.",
)
@output.json_option
@click.pass_context
def materialize(
    ctx: click.Context,
    start_ts: datetime | None,
    end_ts: datetime | None,
    views: tuple[str, ...],
    disable_event_timestamp: bool,
    as_json: bool,
) -> None:
    """Run, show progress, report."""
    if disable_event_timestamp:
        if start_ts or end_ts:
            raise click.UsageError("--disable-event-timestamp takes all there is: leave START_TS and END_TS out")
        start_ts, end_ts = EPOCH, datetime.now(UTC)
    elif start_ts is None or end_ts is None:
        raise click.UsageError("START_TS and END_TS are needed, or --disable-event-timestamp")
    with invocation_of(ctx).store() as store:
        jobs = store.window_jobs(start_ts, end_ts, list(views) or None, disable_event_timestamp)
        run = functools.partial(store.run_jobs, jobs)
        outcomes = _run(run, as_json)
        _report(outcomes, as_json)
        if not as_json:
            tell_if_nothing_is_applied(store)
    if any(outcome.error for outcome in outcomes):
        ctx.exit(1)


@click.command(
    help="Load what is new in each feature view since it was last materialized, up to END_TS, into the online store."
    " The first time goes back by the view's ttl."
)
@click.argument("end_ts", callback=_timestamp)
@_views_option
@_version_option
@output.json_option
@click.pass_context
def materialize_incremental(ctx: click.Context, end_ts: datetime, views: tuple[str, ...], as_json: bool) -> None:
    """Run, show progress, report."""
    with invocation_of(ctx).store() as store:
        failed = materialize_new(store, end_ts, views, as_json)
    if failed:
        ctx.exit(1)


def materialize_new(store: "FeatureStore", end: datetime, views: Sequence[str] = (), as_json: bool = False) -> bool:
    """Materialize incrementally and report; whether a view failed."""
    jobs, up_to_date = store.incremental_jobs(end, list(views) or None)
    outcomes = _run(functools.partial(store.run_jobs, jobs), as_json)
    if not as_json:
        for view in up_to_date:
            output.say(f"{view.view}: nothing new since {output.moment(view.end)}")
    if outcomes or as_json or not up_to_date:
        _report(outcomes, as_json)
    if not as_json:
        tell_if_nothing_is_applied(store)
    return any(outcome.error for outcome in outcomes)


@click.command(help="Read features of some entities from the online store, as a model would.")
@click.option(
    "-e",
    "--entities",
    multiple=True,
    required=True,
    metavar="KEY=VALUE",
    shell_complete=join_keys,
    help="Join key and value; the same key given again is a further row.",
)
@click.option(
    "-f",
    "--features",
    multiple=True,
    metavar="VIEW:FEATURE",
    shell_complete=names_of_features,
    help="Feature to read; may be given again.",
)
@click.option(
    "--feature-service", metavar="NAME", shell_complete=names_of_services, help="Read the features of this service."
)
@click.option("--full-feature-names", is_flag=True, help="Call features VIEW__FEATURE.")
@output.json_option
@click.pass_context
def get_online_features(
    ctx: click.Context,
    entities: tuple[str, ...],
    features: tuple[str, ...],
    feature_service: str | None,
    full_feature_names: bool,
    as_json: bool,
) -> None:
    """Print one line per entity row."""
    if bool(features) == bool(feature_service):
        raise click.UsageError("name either features, as -f VIEW:FEATURE, or a --feature-service")
    columns = entity_columns(entities)
    with invocation_of(ctx).store() as store:
        found = store.get_online_features(feature_service or features, columns, full_feature_names).to_dict()
    if as_json:
        output.print_json(found)
    else:
        output.print_table(list(found), list(zip(*found.values(), strict=True)))


def entity_columns(pairs: Sequence[str]) -> dict[str, list[Any]]:
    """`["k=1", "k=2"]` to `{"k": ["1", "2"]}`. Raises a usage error for a missing `=` and for ragged columns."""
    columns: dict[str, list[Any]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE, for example driver_id=1001", param_hint="--entities")
        columns.setdefault(key, []).append(value)
    if len({len(values) for values in columns.values()}) > 1:
        counts = ", ".join(f"{key} {len(values)}" for key, values in columns.items())
        raise click.BadParameter(f"each row needs a value of every key; there are: {counts}", param_hint="--entities")
    return columns


def _run(run: "Callable[..., list[Outcome]]", as_json: bool) -> "list[Outcome]":
    with shown_progress(quiet=as_json) as progress:
        try:
            return run(progress=progress)
        except KeyboardInterrupt:
            output.note("feature views that were finished stay done; the same command again does the others")
            raise


def _report(outcomes: "Sequence[Outcome]", as_json: bool) -> None:
    if as_json:
        output.print_json([_as_plain(outcome) for outcome in outcomes])
    elif not outcomes:
        output.say("There is nothing to materialize: no feature view that is served online and has a batch source")
    # What failed comes last, so that it is what one sees of many.
    for outcome in sorted(outcomes, key=lambda outcome: outcome.error is not None):
        name = outcome.job.view.name
        if outcome.error is not None:
            output.error(f"{name}: {_reason(outcome.error)}")
            continue
        if as_json:
            continue
        late = f"; {outcome.superseded} superseded: what is stored is newer" if outcome.superseded else ""
        output.say(f"{name}: {_rows(outcome.rows)} in {outcome.seconds:.2f} s{late}")


def _as_plain(outcome: "Outcome") -> dict[str, Any]:
    return {
        "name": outcome.job.view.name,
        "rows": outcome.rows,
        "superseded": outcome.superseded,
        "start": output.moment(outcome.job.start),
        "end": output.moment(outcome.job.end),
        "seconds": round(outcome.seconds, 6),
        "error": None if outcome.error is None else _reason(outcome.error),
    }


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, FeastError) else f"unexpected {type(error).__name__}: {error}"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
