"""`feast compact`: rows that were pushed to batch sources, brought to where the sources keep most of theirs."""

from typing import TYPE_CHECKING, Any

import click

from feast_cli import output
from feast_cli.completing import names_of_batch_sources
from feast_cli.invocation import invocation_of, tell_if_nothing_is_applied
from feast_core.errors import FeastError
from feast_core.interfaces import Compaction

if TYPE_CHECKING:
    from feast_core.store import FeatureStore


@click.command(
    help="Merge what was pushed to batch SOURCES, part by part, into their files, or into one part of a folder."
    " Default: all batch sources of feature views. What is read of them stays the same; reading it is faster."
)
@click.argument("sources", nargs=-1, shell_complete=names_of_batch_sources)
@output.json_option
@click.pass_context
def compact(ctx: click.Context, sources: tuple[str, ...], as_json: bool) -> None:
    """Compact one after the other, and report."""
    with invocation_of(ctx).store() as store:
        found = [_compact(store, name, as_json) for name in sources or store.snapshot.batch_sources]
        if not found and not as_json:
            output.say("There is nothing to compact: no feature view has a batch source")
        if as_json:
            output.print_json(found)
        else:
            tell_if_nothing_is_applied(store)
    if any(done["error"] for done in found):
        ctx.exit(1)


def _compact(store: "FeatureStore", name: str, as_json: bool) -> dict[str, Any]:
    done, reason = Compaction(0, 0), None
    try:
        done = store.compact(name)
    except FeastError as error:
        reason = str(error)
        output.error(f"{name}: {reason}")
    if not as_json and reason is None:
        output.say(f"{name}: {_told(done)}")
    return {"name": name, "parts": done.parts, "rows": done.rows, "error": reason}


def _told(done: Compaction) -> str:
    if not done.parts:
        return "nothing to compact"
    parts = "1 part" if done.parts == 1 else f"{done.parts} parts"
    return f"{parts} with {'1 row' if done.rows == 1 else f'{done.rows} rows'} merged"
