"""Which windows of which views to materialize, and how one of them is done."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from feast_core.consequences import rows_content
from feast_core.definitions import FeastType, FeatureView
from feast_core.errors import Conflict, DefinitionError, InvalidInput, SourceError, shown
from feast_core.interfaces import Batch, Interval, Job, KeyedRow, Outcome, Progress, ViewRead, Writer
from feast_core.keys import KeyEncoder, stored_keys
from feast_core.leases import HeldLease
from feast_core.rows import RowEncoder, keyed_rows, schema_of
from feast_core.snapshot import Snapshot
from feast_core.timestamps import EPOCH

if TYPE_CHECKING:
    from feast_core.store import FeatureStore

logger = logging.getLogger("feast")

#: As Feast: how far the first incremental run of a view without a ttl goes back.
FIRST_WINDOW = timedelta(weeks=52)


@dataclass(frozen=True, slots=True)
class UpToDate:
    """A view with nothing to do: its last interval ends at or after the end that was asked for."""

    view: str
    end: datetime


def utc(moment: datetime) -> datetime:
    """Naive times are UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def choose_views(snapshot: Snapshot, names: Sequence[str] | None) -> list[FeatureView]:
    """The named views, or all that are served online and have a batch source, by name.

    Raises FeatureViewNotFound, NotSupported, and InvalidInput for a named view that cannot be materialized.
    """
    if names is None:
        for view in snapshot.views.values():
            if view.online and view.enabled and not view.supported:
                logger.warning("%s is left out: %s", view.label, view.unsupported_reason)
        found = [view for view in snapshot.views.values() if not view.not_materialized]
        return sorted(found, key=lambda view: view.name)
    views = [snapshot.view(name) for name in dict.fromkeys(names)]
    for view in views:
        if view.not_materialized:
            raise InvalidInput(f"feature view {view.name} cannot be materialized: {view.not_materialized}")
    return views


def window_jobs(
    snapshot: Snapshot, start: datetime, end: datetime, names: Sequence[str] | None, ignore_event_time: bool
) -> list[Job]:
    """One job per view for the same window; with `ignore_event_time`, all rows, stored with the time `end`."""
    start, end = utc(start), utc(end)
    if start > end:
        raise InvalidInput(f"the start ({start.isoformat()}) must not be after the end ({end.isoformat()})")
    return [Job(snapshot.project, view, start, end, ignore_event_time) for view in choose_views(snapshot, names)]


def incremental_jobs(
    snapshot: Snapshot,
    intervals: Mapping[str, Sequence[Interval]],
    end: datetime,
    names: Sequence[str] | None,
    now: datetime,
) -> tuple[list[Job], list[UpToDate]]:
    """From where each view ended to `end`; a view's first run starts its ttl before the earlier of now and `end`.

    An end that was still to come when it was recorded does not count further than that moment: rows may have arrived
    since.
    """
    end = utc(end)
    jobs = []
    current = []
    for view in choose_views(snapshot, names):
        done = intervals.get(view.name, ())
        if not done:
            start = _before(min(now, end), view.ttl or FIRST_WINDOW)
            jobs.append(Job(snapshot.project, view, min(start, end), end))
            continue
        seen = max(min(interval.end, interval.recorded or interval.end) for interval in done)
        if end <= seen:
            current.append(UpToDate(view.name, last_end(done)))
        else:
            jobs.append(Job(snapshot.project, view, seen, end))
    return jobs, current


def last_end(intervals: Sequence[Interval]) -> datetime:
    """Where the latest interval ends."""
    return max(interval.end for interval in intervals)


def check_storable(snapshot: Snapshot, view: FeatureView) -> None:
    """Raise DefinitionError where a view could not be stored: a join key of a type that makes no key, too many
    features, a feature of a type that has no wire form."""
    try:
        KeyEncoder(snapshot.key_types(view))
        RowEncoder(snapshot.schema(view))
    except DefinitionError as error:
        raise DefinitionError(f"{view.label}: {error}") from error


def _before(moment: datetime, span: timedelta) -> datetime:
    """`moment - span`, not before 1970."""
    return max(EPOCH, moment - span) if span < moment - EPOCH else EPOCH


def run_job(store: "FeatureStore", job: Job, progress: Progress) -> Outcome:
    """Newest source rows of the window, to the online store, in batches; then the interval, to the registry, so that
    a view that is done stays done when a later one is interrupted. What goes wrong is in the outcome, as is that
    another run is materializing the view."""
    started = time.perf_counter()
    # Rows that arrive while it runs may be missed, also where the end of the window is still to come.
    began = datetime.now(UTC)
    written = superseded = 0
    try:
        with HeldLease(store.registry, job.project, job.view.name) as lease:
            _refuse_changed(store, job.view)
            read = ViewRead(job.view, schema_of(job.view.features))
            write: Writer = store.plugins.hook.feast_writer(store=store, view=read)
            latest = store.offline.latest(job, store.repo_path)
            progress(job, 0, latest.total)
            with closing(latest.batches):
                for rows in keyed_batches(read, store.snapshot.key_types(job.view), latest.batches):
                    lease.check()
                    receipt = write(rows)
                    written += receipt.written
                    superseded += receipt.superseded
                    progress(job, written + superseded, latest.total)
            lease.record(Interval(job.start, job.end, recorded=began))
        progress(job, written + superseded, written + superseded)
    except Exception as error:  # boundary: one view of a materialization, the others go on
        logger.debug("materializing %s failed", job.view.name, exc_info=True)
        return Outcome(job, written, superseded, time.perf_counter() - started, error)
    return Outcome(job, written, superseded, time.perf_counter() - started)


def _refuse_changed(store: "FeatureStore", view: FeatureView) -> None:
    """Raise Conflict where an apply has changed what rows of the view are made of since the job was made: the views
    before it may have taken hours. Called when the lease is held, which an apply after that would take away."""
    store.refresh()
    now = store.snapshot.views.get(view.name)
    if now is None or rows_content(now) != rows_content(view):
        raise Conflict(f"{view.label} was changed by an apply after this run began; run it again")


def keyed_batches(
    read: ViewRead, key_types: Mapping[str, FeastType], batches: Iterator[Batch]
) -> Iterator[list[KeyedRow]]:
    """Batches of source rows to batches of stored rows. Raises SourceError naming column and row of what does not
    fit."""
    encoder = KeyEncoder(key_types)
    rows = RowEncoder(read.schema)
    for batch in batches:
        try:
            keys = encoder.encode(stored_keys(encoder, batch.columns), len(batch))
            encoded = rows.encode(batch.columns, len(batch))
        except InvalidInput as error:
            raise SourceError(f"feature view {read.view.name}: {_told(error, encoder, batch)}") from error
        yield keyed_rows(keys, batch.event_us, batch.created_us, read.schema.fingerprint, encoded)


def _told(error: InvalidInput, encoder: KeyEncoder, batch: Batch) -> str:
    """The problem by column and entity: the position that encoders know is one in a batch, which nobody else does."""
    path, reason = error.problems[0] if error.problems else ("", str(error))
    column, bracket, position = path.rpartition("[")
    if not bracket or not encoder.join_keys:
        return str(error)
    row = int(position.rstrip("]"))
    entity = ", ".join(f"{name}={shown(batch.columns[name][row])}" for name in encoder.join_keys)
    return f"column {column}, row of {entity}: {reason}"
