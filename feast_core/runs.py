"""Runs: materializations that are asked for in one process and done in another, with their state in the registry.

Who asks calls `add_run`, has a process call `perform_run`, and anybody may call `find_run`.
"""

import logging
import re
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from feast_core.errors import Conflict, FeastError, FeatureViewNotFound, InvalidInput, NotFound, shown
from feast_core.interfaces import Job, Outcome, Registry, Run, RunState, RunView, User
from feast_core.materialization import UpToDate, choose_views
from feast_core.processes import Process
from feast_core.security import fold_guards

if TYPE_CHECKING:
    from feast_core.store import FeatureStore

logger = logging.getLogger("feast")

#: For how long nobody may tell of a run that is queued, or whose process is on another machine, until it is lost.
SILENCE_SECONDS = 60.0
#: What `uuid4().hex` is like.
_ID = re.compile("[0-9a-f]{32}", re.ASCII)
#: How often a run tells how far it is.
_REPORT_SECONDS = 1.0

_STOPPED = "the server was stopped; the views that are done stay done, ask again for the others"
_TAKEN = (
    "another run was given the views of this one by force, or an apply has changed the project; nothing is recorded"
)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to materialize: these views, all where that is None; from `start` to `end`, both aware, or from where each
    view ended where `start` is None. With `ignore_event_time` all rows, and there is neither start nor end."""

    views: tuple[str, ...] | None = None
    start: datetime | None = None
    end: datetime | None = None
    ignore_event_time: bool = False


def add_run(store: "FeatureStore", request: RunRequest, user: User, holder: Process, force: bool) -> Run:
    """Keep a new run in the registry: queued, or over at once where there is nothing to do. Blocks.

    Raises PermissionDenied before it tells anything of views, then FeatureViewNotFound, InvalidInput and NotSupported
    for a view that cannot be materialized, and Conflict naming the views that another run has, unless forced.
    """
    jobs, current = _guarded_jobs(store, request, user)
    views = [RunView(job.view.name, job.start, job.end) for job in jobs]
    views += [RunView(found.view, found.end, found.end, seconds=0.0) for found in current]
    views.sort(key=lambda view: view.name)
    state: RunState = "queued" if jobs else "succeeded"
    run = Run(store.project, uuid.uuid4().hex, tuple(views), holder, request.ignore_event_time, state)
    taken = store.registry.add_run(run, force, SILENCE_SECONDS)
    if taken:
        noun = "feature view" if len(taken) == 1 else "feature views"
        verb = "is" if len(taken) == 1 else "are"
        raise Conflict(
            f"{noun} {', '.join(taken)} {verb} being materialized by another run;"
            " wait until it has ended, or take over with force=true",
            taken,
        )
    return run


def _guarded_jobs(store: "FeatureStore", request: RunRequest, user: User) -> tuple[list[Job], list[UpToDate]]:
    try:
        jobs, current = _jobs(store, request)
    except FeastError as error:
        guarded = _guard(store, _named(store, request), user)
        if guarded and isinstance(error, NotFound):
            # A hint tells of other names, which the caller may not be allowed to know of.
            raise type(error)(error.message) from error
        raise
    names = [*(job.view.name for job in jobs), *(found.view for found in current)]
    _guard(store, [store.snapshot.views.get(name, name) for name in names], user)
    return jobs, current


def _jobs(store: "FeatureStore", request: RunRequest) -> tuple[list[Job], list[UpToDate]]:
    views = None if request.views is None else list(request.views)
    now = datetime.now(UTC)
    if request.ignore_event_time or request.start is not None:
        return store.window_jobs(request.start or now, request.end or now, views, request.ignore_event_time), []
    return store.incremental_jobs(request.end or now, views)


def _named(store: "FeatureStore", request: RunRequest) -> list[Any]:
    """The views that a request is about; the bare name of one that is not there."""
    if request.views is None:
        return list(choose_views(store.snapshot, None))
    return [store.snapshot.views.get(name, name) for name in request.views]


def _guard(store: "FeatureStore", views: Sequence[Any], user: User) -> bool:
    """Raise PermissionDenied where somebody objects; whether anybody was asked."""
    guard = fold_guards(store.guards("write_online", views))
    if guard is not None:
        guard(user)
    return guard is not None


def find_run(store: "FeatureStore", id: str) -> Run:
    """A run by its id, as it is now. Raises NotFound."""
    # A client may send anything as an id, also what a database takes for no text.
    run = store.registry.find_run(store.project, id, SILENCE_SECONDS) if _ID.fullmatch(id) else None
    if run is None:
        raise NotFound(f"there is no materialization job {shown(id)}; the latest 1,000 are kept")
    return run


def give_up(store: "FeatureStore", id: str, reason: str) -> None:
    """Record that a run failed whose process has ended; one that is over stays as it is."""
    run = store.registry.find_run(store.project, id, SILENCE_SECONDS)
    if run is not None and not run.is_over:
        store.registry.end_run(replace(run, state="failed", error=reason))


def perform_run(store: "FeatureStore", id: str, server: Process, stopped: threading.Event) -> None:
    """Do a queued run, in this process, and record what becomes of it. `server` is where runs are queued.

    To stop it, set `stopped` and raise KeyboardInterrupt: what is under way may take that for an error of its own.
    """
    begun = store.registry.begin_run(store.project, id, Process.current())
    if begun is None:
        logger.warning("run %s is not queued any more: it was given up, or taken over", id)
        return
    logger.info("run %s: %d feature views to materialize", id, len(begun.to_do))
    work = _Work(store.registry, begun, server, stopped)
    error: str | None = None
    try:
        with work.reported():
            _perform(store, work)
    except KeyboardInterrupt:
        stopped.set()
    except FeastError as failure:  # such as a store that cannot be reached
        logger.exception("run %s failed", id)
        error = told(failure)
    if stopped.is_set() and not work.is_done:
        logger.warning("run %s was stopped", id)
        error = _STOPPED
    work.end(error)


def _perform(store: "FeatureStore", work: "_Work") -> None:
    jobs = []
    for view in work.run.views:
        if view.seconds is not None:
            continue
        found = store.snapshot.views.get(view.name)
        if found is None:
            work.done(
                replace(view, seconds=0.0, error=f"feature view {view.name} was deleted after the run was asked for")
            )
        else:
            jobs.append(Job(work.run.project, found, view.start, view.end, work.run.ignore_event_time))
    for outcome in store.run_jobs(jobs, work.progress):
        work.finished(outcome)


class _Work:
    """A run that is being done: how far its views are, and a thread that tells the registry of it."""

    def __init__(self, registry: Registry, run: Run, server: Process, stopped: threading.Event) -> None:
        self._registry = registry
        self._stopped = stopped
        self._server = server
        self._lock = threading.Lock()
        self._views = {view.name: view for view in run.views}
        self._begun: set[str] = set()
        self._over = threading.Event()
        self._lost = False
        self.run = run

    @contextmanager
    def reported(self) -> Iterator[None]:
        """Tell the registry of it, at once and every second."""
        telling = threading.Thread(target=self._report, name=f"reports of run {self.run.id}", daemon=True)
        telling.start()
        try:
            yield
        finally:
            self._over.set()
            telling.join(_REPORT_SECONDS)  # A registry that is locked may keep it for longer; it does no harm then.

    def progress(self, job: Job, done: int, total: int | None) -> None:
        """A `Progress`. Raises Conflict where the run is over for all others, so that the view is not gone on with, and
        KeyboardInterrupt where it was stopped."""
        if self._stopped.is_set():
            raise KeyboardInterrupt
        if self._lost:
            raise Conflict(_TAKEN)
        view = self._views[job.view.name]
        if view.name not in self._begun:
            self._begun.add(view.name)
            self._tell()  # so that none is begun for a run that is over, whenever it was told last
            if self._lost:
                raise Conflict(_TAKEN)
            logger.info("run %s: materializing %s, %s rows", self.run.id, view.name, "some" if total is None else total)
        self.done(replace(view, rows=done))

    def finished(self, outcome: Outcome) -> None:
        """A view is done, or failed."""
        job, error = outcome.job, outcome.error
        if error is None:
            logger.info("run %s: %s, %d rows in %.1f s", self.run.id, job.view.name, outcome.rows, outcome.seconds)
        else:
            logger.error("run %s: %s failed: %s", self.run.id, job.view.name, error, exc_info=_trace(error))
        self.done(
            replace(
                self._views[job.view.name],
                rows=outcome.rows,
                superseded=outcome.superseded,
                seconds=outcome.seconds,
                error=None if error is None else told(error),
            )
        )

    def done(self, view: RunView) -> None:
        """This is how far a view is."""
        with self._lock:
            self._views[view.name] = view

    @property
    def is_done(self) -> bool:
        """Whether all views are done, and none failed."""
        return all(view.seconds is not None and view.error is None for view in self._views.values())

    def end(self, error: str | None) -> None:
        """Record that the run is over."""
        state: RunState = "succeeded" if self.is_done and error is None else "failed"
        if not self._registry.end_run(replace(self._now(), state=state, error=error)):
            logger.warning("run %s was given up or taken over before it ended", self.run.id)

    def _report(self) -> None:
        while not self._lost:
            self._tell()
            if self._over.wait(_REPORT_SECONDS):
                return

    def _tell(self) -> None:
        try:
            if not self._registry.report_run(self._now(), self._server):
                self._lost = True
        except FeastError:  # The registry cannot be reached just now.
            logger.debug("run %s could not tell how far it is", self.run.id, exc_info=True)

    def _now(self) -> Run:
        with self._lock:
            return replace(self.run, views=tuple(self._views.values()))


def told(error: BaseException) -> str:
    """What a client may know of an error: all of what it can act on, the kind of everything else. The log has it."""
    if isinstance(error, (Conflict, InvalidInput, FeatureViewNotFound)):
        return str(error)
    return error.title if isinstance(error, FeastError) else FeastError.title


def _trace(error: BaseException) -> BaseException | None:
    """The traceback says more only of what is not ours."""
    return None if isinstance(error, FeastError) else error
