"""Writing rows that somebody sends: a plan per push source or view, which checks all of them before it writes any.

A push goes to every view that the push source feeds, and to the batch source behind it, once, however many views read
that. Rows are columns under the names of the batch source; `field_mapping` applies to them as to its files.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from feast_core.definitions import DataSource, Definition, FeastType, FeatureView, PushMode
from feast_core.errors import (
    FeastError,
    InvalidInput,
    NotFound,
    NotSupported,
    ObjectNotFound,
    PushSourceNotFound,
    Unavailable,
)
from feast_core.frames import first_of
from feast_core.interfaces import (
    Columns,
    EncodedRows,
    Guard,
    KeyedRow,
    Observer,
    OfflineReceipt,
    OfflineWriter,
    Receipt,
    User,
    batch_id,
)
from feast_core.keys import KEY_TYPES
from feast_core.security import ANYONE, fold_guards
from feast_core.snapshot import Snapshot, did_you_mean
from feast_core.view_rows import KeyCheck, ViewRows, in_frame

if TYPE_CHECKING:
    from feast_core.store import FeatureStore

#: A write that fails sooner has not waited for anybody.
_AT_ONCE_SECONDS = 1.0

_ONLINE = (PushMode.ONLINE, PushMode.ONLINE_AND_OFFLINE)
_OFFLINE = (PushMode.OFFLINE, PushMode.ONLINE_AND_OFFLINE)


@dataclass(frozen=True, slots=True)
class PushRequest:
    """What a plan is for: the push source of this name or, where `is_view`, the feature view; and which stores."""

    name: str
    mode: PushMode = PushMode.ONLINE
    is_view: bool = False

    @property
    def operation(self) -> str:
        """What observers know it as."""
        if not self.is_view:
            return "push"
        return "write-to-online-store" if self.mode in _ONLINE else "write-to-offline-store"


@dataclass(frozen=True, slots=True)
class ViewReceipt:
    """What became of the rows for one view: `online` are stored, `superseded` were older than what is stored; `offline`
    are in its batch source, or will be."""

    online: int = 0
    superseded: int = 0
    offline: int = 0


@dataclass(frozen=True, slots=True)
class PushReceipt:
    """What became of a push, view by view. `queued`: the offline part is on disk, and in the batch source later."""

    views: dict[str, ViewReceipt]
    queued: bool = False


@dataclass(frozen=True, slots=True)
class PreparedRows:
    """Rows that were checked, and are ready to be written by the plan that made them; parallel to its parts."""

    rows: int
    online: tuple[list[KeyedRow], ...]
    offline: tuple[EncodedRows, ...]


class IngestionPlan:
    """The plan of one PushRequest. Safe to use from several threads; blocks, and is not run on an event loop, but for
    `ingest_at_once`."""

    def __init__(self, store: "FeatureStore", snapshot: Snapshot, request: PushRequest) -> None:
        """Raises PushSourceNotFound, ObjectNotFound, NotSupported, InvalidInput; Unavailable, SourceError."""
        self.request = request
        self.views = _views(snapshot, request)
        mode = request.mode
        self.guard: Guard | None = fold_guards(
            [guard for action in _actions(mode) for guard in store.guards(action, self.views)]
        )
        labels = {"name": request.name, "mode": mode.name.lower()}
        self.observers: list[Observer] = store.observers(request.operation, labels)
        stored = [view for view in self.views if isinstance(view, FeatureView)]
        self._online: list[ViewRows] = []
        if mode in _ONLINE:
            store.drop_rows()  # before there are new ones in the same place, where an apply was interrupted
            self._online = [ViewRows(store, snapshot, view) for view in _served(request, stored)]
        self._offline: dict[str, OfflineWriter] = {}
        self._key_checks: list[KeyCheck] = []
        if mode in _OFFLINE:
            served = {part.view.name for part in self._online}
            self._key_checks = [
                KeyCheck(snapshot, view, source)
                for view in stored
                if view.name not in served and (source := _batch_source(view)) and _can_be_keyed(snapshot, view)
            ]
            for source in _batch_sources(store, request, stored):
                self._offline[source.name] = store.plugins.hook.feast_offline_writer(store=store, source=source)

    @cached_property
    def types(self) -> dict[str, FeastType]:
        """Columns that the views read, by the names of the source, and what they are declared as; where views disagree,
        the first one by name speaks."""
        found: dict[str, FeastType] = {}
        for view in self.views:
            if isinstance(view, FeatureView):
                source = view.batch_source or view.stream_source
                columns = {field: column for column, field in source.field_mapping.items()} if source else {}
                for field in (*view.entity_columns, *view.features):
                    found.setdefault(columns.get(field.name, field.name), field.dtype)
        return found

    def prepare(self, columns: Columns) -> PreparedRows:
        """Check columns of one length (see `frames.columns_of`), and make them ready for every store they go to. Writes
        nothing. Raises InvalidInput; SourceError and Unavailable of the batch source."""
        rows = len(next(iter(columns.values())))
        self._require(columns)
        online = tuple(part.encode(columns, rows) for part in self._online)
        try:
            offline = tuple(writer.encode(columns) for writer in self._offline.values())
        except InvalidInput as error:
            raise in_frame(error, {}) from error
        for keys in self._key_checks:
            keys.check(columns)
        return PreparedRows(rows, online, offline)

    def write_online(self, prepared: PreparedRows) -> dict[str, Receipt]:
        """Write the online part, each view in one transaction. Raises Unavailable; then all may be written again."""
        return {part.view.name: part.write(rows) for part, rows in zip(self._online, prepared.online, strict=True)}

    def write_offline(self, together: Sequence[PreparedRows]) -> list[dict[str, OfflineReceipt]]:
        """Append the offline parts of several pushes, all of them at once to each batch source. Raises Unavailable,
        SourceError."""
        receipts: list[dict[str, OfflineReceipt]] = [{} for _ in together]
        for at, (name, writer) in enumerate(self._offline.items()):
            parts = [prepared.offline[at] for prepared in together]
            queued = writer.write([part.body for part in parts], batch_id()).queued
            for receipt, part in zip(receipts, parts, strict=True):
                receipt[name] = OfflineReceipt(part.rows, queued)
        return receipts

    def ingest_at_once(self, columns: Columns) -> PushReceipt | None:
        """Check and write a few rows of one view on the event loop, if nothing has to be waited for. None where that
        cannot be: then nothing is written. Raises InvalidInput."""
        if len(self._online) != 1 or self._offline or (write := self._online[0].write_at_once) is None:
            return None
        (rows,) = self.prepare(columns).online
        receipt = write(rows)
        return None if receipt is None else self.receipt({self._online[0].view.name: receipt}, {})

    def write(self, prepared: PreparedRows) -> PushReceipt:
        """Write what was prepared, online first: where the offline part fails, all may be sent again, and the batch
        source has none of it. Raises Unavailable, SourceError."""
        return self.receipt(self.write_online(prepared), self.write_offline([prepared])[0])

    def receipt(self, online: Mapping[str, Receipt], offline: Mapping[str, OfflineReceipt]) -> PushReceipt:
        """What became of the rows, view by view."""
        views = {}
        for view in self.views:
            receipt = online.get(view.name)
            appended = offline.get(source.name) if (source := _batch_source(view)) else None
            views[view.name] = ViewReceipt(
                receipt.written if receipt else 0,
                receipt.superseded if receipt else 0,
                appended.rows if appended else 0,
            )
        return PushReceipt(views, any(receipt.queued for receipt in offline.values()))

    def _require(self, columns: Columns) -> None:
        problems: dict[str, str] = {}
        for part in self._online:
            for column in part.missing(columns):
                problems.setdefault(f"df.{column}", f"is missing; {part.view.label} needs it")
        if problems:
            listed = list(problems.items())
            raise InvalidInput(first_of(listed), listed)


class UnresolvedIngestion:
    """Stands in for a plan that cannot be made, where guards are in force: only who passes learns what is wrong."""

    def __init__(self, store: "FeatureStore", request: PushRequest, guard: Guard, error: FeastError) -> None:
        self.request = request
        self.guard = guard
        self.observers: list[Observer] = store.observers(request.operation, {"name": "", "mode": ""})
        self.types: dict[str, FeastType] = {}
        self._error = error

    def ingest_at_once(self, columns: Columns) -> None:
        """Never."""

    def prepare(self, columns: Columns) -> PreparedRows:
        """Raises the error that kept the plan from being made."""
        raise self._error

    def write(self, prepared: PreparedRows) -> PushReceipt:
        """The same."""
        raise self._error


def compile_ingestion(
    store: "FeatureStore", snapshot: Snapshot, request: PushRequest
) -> IngestionPlan | UnresolvedIngestion:
    """The plan of a request. Raises what `IngestionPlan` does, where there is no guard to answer first."""
    try:
        return IngestionPlan(store, snapshot, request)
    except FeastError as error:
        guard = fold_guards(
            [guard for action in _actions(request.mode) for guard in store.guards(action, [request.name])]
        )
        if guard is None:
            raise
        # A hint tells of other names, which the caller may not be allowed to know of.
        told = type(error)(error.message) if isinstance(error, NotFound) else error
        return UnresolvedIngestion(store, request, guard, told)


def ingest(
    store: "FeatureStore", plan: IngestionPlan | UnresolvedIngestion, columns: Columns, user: User = ANYONE
) -> PushReceipt:
    """Ask the plan's guard, check the columns, write them."""
    if plan.guard is not None:
        plan.guard(user)
    if isinstance(plan, UnresolvedIngestion):
        return plan.write(plan.prepare(columns))
    plan, prepared, online = _written_online(store, plan, columns, user)
    return plan.receipt(online, plan.write_offline([prepared])[0])


def ingest_together(
    store: "FeatureStore", plan: IngestionPlan, pushes: Sequence[tuple[Columns, User]]
) -> list[PushReceipt | Exception]:
    """As `ingest`, of several pushes that wait for the same: what they bring to a batch source is appended at once, so
    that they share what takes long. The guard was asked. What became of each, in order: one that is refused does not
    touch the others, and what keeps the batch source from being written is told to all."""
    found: dict[int, PushReceipt | Exception] = {}
    written: list[tuple[int, PreparedRows, dict[str, Receipt]]] = []
    for position, (columns, user) in enumerate(pushes):
        try:
            used, prepared, online = _written_online(store, plan, columns, user)
            if used is plan:
                written.append((position, prepared, online))
            else:
                found[position] = used.receipt(online, used.write_offline([prepared])[0])
        except Exception as error:  # boundary: one push of several
            found[position] = error
    try:
        receipts = plan.write_offline([prepared for _, prepared, _ in written]) if written else []
        for (position, _, online), offline in zip(written, receipts, strict=True):
            found[position] = plan.receipt(online, offline)
    except Exception as error:  # boundary: the others of them were refused for reasons of their own
        found.update(dict.fromkeys((position for position, _, _ in written), error))
    return [found[position] for position in range(len(pushes))]


def _written_online(
    store: "FeatureStore", plan: IngestionPlan, columns: Columns, user: User
) -> tuple[IngestionPlan, PreparedRows, dict[str, Receipt]]:
    """Check a push and write its online part: the plan that did it, and what is left to be written offline.

    An online writer is of a place that may be gone, such as a file that was removed or a table that an apply has
    dropped: where it fails at once, the registry is asked again, and a new plan tried. What was waited for is not.
    """
    prepared = plan.prepare(columns)
    started = time.monotonic()
    try:
        return plan, prepared, plan.write_online(prepared)
    except Unavailable:
        store.forget_ingestion_plan(plan.request)
        if time.monotonic() - started > _AT_ONCE_SECONDS:
            raise
    store.refresh()
    again = store.ingestion_plan(plan.request)
    if again.guard is not None:
        again.guard(user)
    prepared = again.prepare(columns)
    assert isinstance(again, IngestionPlan)  # the other kind has raised
    return again, prepared, again.write_online(prepared)


def _actions(mode: PushMode) -> list[str]:
    return [action for action, modes in (("write_online", _ONLINE), ("write_offline", _OFFLINE)) if mode in modes]


def _views(snapshot: Snapshot, request: PushRequest) -> Sequence[Definition]:
    """The named view, or all that the push source feeds, by name."""
    if not request.is_view:
        views = snapshot.fed_by.get(request.name)
        if not views:
            # Clients of Feast look for these words.
            what = ", which feeds no feature view" if request.name in snapshot.data_sources else ""
            hint = "" if what else did_you_mean(request.name, snapshot.fed_by)
            raise PushSourceNotFound(f"Unable to find push source '{request.name}'{what}", hint)
        if not any(isinstance(view, FeatureView) for view in views):
            raise NotSupported(f"push source {request.name} feeds label views only; label views are not served here")
        return views
    try:
        return (snapshot.view(request.name),)
    except NotFound as error:
        hint = did_you_mean(request.name, snapshot.views)
        raise ObjectNotFound(
            f"Feature view {request.name} does not exist in project {snapshot.project}", hint
        ) from error


def _served(request: PushRequest, views: Sequence[FeatureView]) -> list[FeatureView]:
    served = [view for view in views if view.online and view.enabled]
    if not served:
        why = "is declared with online=False" if not views[0].online else "is declared with enabled=False"
        raise InvalidInput(f"{views[0].label} {why}: its rows are not kept online")
    return served


def _batch_sources(store: "FeatureStore", request: PushRequest, views: Sequence[FeatureView]) -> list[DataSource]:
    if store.config.offline_store is None:
        raise NotSupported("the offline store is switched off, so that rows cannot be kept offline; push them online")
    sources = {source.name: source for view in views if (source := _batch_source(view))}
    if not sources:
        what = f"{views[0].label} has" if request.is_view else f"push source {request.name} has"
        raise InvalidInput(f"{what} no batch source, so that rows cannot be kept offline")
    return list(sources.values())


def _batch_source(view: Definition) -> DataSource | None:
    return view.batch_source if isinstance(view, FeatureView) else None


def _can_be_keyed(snapshot: Snapshot, view: FeatureView) -> bool:
    """Whether its join keys are of types that keys may have; a view that is read offline alone may have others."""
    return all(dtype in KEY_TYPES for dtype in snapshot.key_types(view).values())
