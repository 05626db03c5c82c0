"""FeatureStore: the facade that every frontend calls; one short method per operation."""

import logging
import math
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Generator, Hashable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from feast_core import materialization, runs
from feast_core.applying import changes, count_rows, deletion, refuse_to_empty
from feast_core.components import Catalog, Role
from feast_core.config import Config, ResponseFormat, Section, decode, find_config, warn_of_ignored
from feast_core.definitions import DataSource, Definition, FeastType, FeatureService, PushMode
from feast_core.diff import Diff
from feast_core.driving import Driver
from feast_core.errors import (
    ConfigurationError,
    FeastError,
    InvalidInput,
    MaterializationError,
    NotSupported,
    Unavailable,
    shown,
)
from feast_core.explaining import explain
from feast_core.feast_api import FeastApi
from feast_core.frames import Frame, columns_of
from feast_core.ingestion import (
    IngestionPlan,
    PushReceipt,
    PushRequest,
    UnresolvedIngestion,
    compile_ingestion,
    ingest,
    ingest_together,
)
from feast_core.interfaces import (
    Columns,
    Compaction,
    Engine,
    Guard,
    Interval,
    Job,
    Observer,
    OfflineStore,
    OnlineStore,
    Outcome,
    Progress,
    Registry,
    RegistryContents,
    Run,
    User,
)
from feast_core.online_response import OnlineResponse
from feast_core.plans import Plans
from feast_core.plugins import PluginManager, load_plugins
from feast_core.processes import Process
from feast_core.push_flusher import Flusher, open_queue
from feast_core.push_queue import PushQueue
from feast_core.repo import RepoContents, load_repo
from feast_core.retrieval import RetrievalPlan, RetrievalRequest, UnresolvedPlan, compile_plan
from feast_core.runs import RunRequest
from feast_core.security import ANYONE
from feast_core.snapshot import Snapshot
from feast_core.timestamps import EPOCH
from feast_core.unsupported import VERSIONS, Unsupported

T = TypeVar("T")
logger = logging.getLogger("feast")


@dataclass(slots=True)
class State:
    """What the registry held, a snapshot of it and the plans compiled from that, replaced together when it changes."""

    contents: RegistryContents
    snapshot: Snapshot
    plans: Plans = field(default_factory=Plans)
    ingestion: dict[PushRequest, IngestionPlan] = field(default_factory=dict)


class FeatureStore(FeastApi, Unsupported):
    """One project of one repository: its registry, stores, plugins and plans.

        with FeatureStore(repo_path=".") as store:
            store.apply()
            store.materialize_incremental(datetime.now(UTC))
            store.get_online_features(["driver_hourly_stats:conv_rate"], [{"driver_id": 1001}]).to_dict()

    Stores and registry are made when first used and closed with it. Safe to use from several threads.
    """

    def __init__(
        self,
        repo_path: str | Path | None = None,
        config: Config | None = None,
        fs_yaml_file: Path | None = None,
        embedding_provider: None = None,
        *,
        plugins: PluginManager | None = None,
    ) -> None:
        """As Feast: a directory with a feature_store.yaml (default: the current one), or a configuration, or the file.

        Raises ConfigurationError, PluginError, and NotSupported where an embedding provider is given.
        """
        if embedding_provider is not None:
            _ = self.embedding_provider
        self.config = config or find_config(Path(repo_path) if repo_path else None, fs_yaml_file)
        self.project = self.config.project
        self.repo_path = self.config.repo_path
        self.plugins = plugins or load_plugins(self.repo_path)
        self.catalog = Catalog.from_plugins(self.plugins)
        self._settings = self._decode_settings()
        warn_of_ignored(self.config, self._settings)
        self._state: State | None = None
        self._look_at = math.inf
        self._driver = Driver()
        self._closing = ExitStack()
        self._closing.callback(self._driver.close)
        self._shared: dict[Hashable, Any] = {}
        self._lock = threading.RLock()

    # What it is made of.

    @cached_property
    def registry(self) -> Registry:
        """Where definitions are kept."""
        registry: Registry = self._component("registry", self.config.registry)
        return registry

    @cached_property
    def online(self) -> OnlineStore:
        """Where rows are served from. Raises ConfigurationError where it is switched off."""
        if self.config.online_store is None:
            raise ConfigurationError(f"{self.config.place.of('online_store')}: the online store is switched off")
        online: OnlineStore = self._component("online_store", self.config.online_store)
        return online

    @cached_property
    def offline(self) -> OfflineStore:
        """Where batch sources are read. Raises ConfigurationError where it is switched off."""
        if self.config.offline_store is None:
            raise ConfigurationError(f"{self.config.place.of('offline_store')}: the offline store is switched off")
        offline: OfflineStore = self._component("offline_store", self.config.offline_store)
        return offline

    @cached_property
    def engine(self) -> Engine:
        """What runs materialization jobs."""
        engine: Engine = self._component("batch_engine", self.config.batch_engine)
        return engine

    def _component(self, role: Role, section: Section) -> Any:
        """Made once, also where several threads ask first: a cached property alone does not see to that."""

        def make() -> Any:
            component = self.catalog.create(role, section)
            self.closing(component.close)
            return component

        return self.shared(("component", role), make)

    def _decode_settings(self) -> dict[str, Any]:
        config = self.config
        return {
            setting.path: decode(
                setting.struct, _at(config.sections, setting.path), setting.path, config.repo_path, config.place
            )
            for setting in self.plugins.settings()
        }

    def setting(self, path: str) -> Any:
        """The section that a plugin declared with `feast_settings`, decoded."""
        return self._settings[path]

    def shared(self, key: Hashable, make: Callable[[], T]) -> T:
        """What outlives a plan (a pool, a thread): made once per store and key. Pass what ends it to `closing`."""
        with self._lock:
            if key not in self._shared:
                self._shared[key] = make()
            found: T = self._shared[key]
            return found

    def closing(self, callback: Callable[[], None]) -> None:
        """Call this when the store is closed; the last one first, and all of them, whatever one raises."""
        self._closing.callback(callback)

    def close(self) -> Awaitable[None]:
        """End everything the store has started. Once is enough, twice does no harm. What it returns need not be
        awaited; as Feast, it may be."""
        self._closing.close()
        return _Done()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def guards(self, action: str, resources: Sequence[Any]) -> list[Guard]:
        """Every plugin's opinion on an action, as callables; none where nobody is asked."""
        found = self.plugins.hook.feast_guard(store=self, action=action, resources=resources)
        return [guard for guard in found if guard is not None]

    def observers(self, operation: str, labels: Mapping[str, str]) -> list[Observer]:
        """Everybody who wants to be told of an operation."""
        found = self.plugins.hook.feast_observer(store=self, operation=operation, labels=dict(labels))
        return [observer for observer in found if observer is not None]

    # Definitions.

    @property
    def snapshot(self) -> Snapshot:
        """The registry as it was when it was loaded last."""
        return self._loaded().snapshot

    def _loaded(self) -> State:
        state = self._state
        if state is None:
            with self._lock:
                if self._state is None:
                    self._looked()
                    self._state = self._state_of(self.registry.load(self.project))
                state = self._state
        return state

    def _state_of(self, contents: RegistryContents) -> State:
        return State(contents, Snapshot(self.project, contents.generation, contents.objects))

    def refresh(self) -> bool:
        """Look whether the registry has changed; if so, load it, compile the plans in use anew and swap. True if it
        had.

        Blocking. Requests in flight finish on the old snapshot. Raises Unavailable, RegistryError; the old one stays,
        as it does while there is no registry where one was: it is about to be made anew, or was removed by mistake.
        """
        old = self._loaded()
        self._looked()
        if self.registry.generation(self.project) == old.snapshot.generation:
            return False
        new = self._state_of(self.registry.reload(self.project, old.contents))
        if new.snapshot.generation == 0:
            logger.warning("the registry of project %s is gone; what was read before is served on", self.project)
            return False
        for request in old.plans.in_use():
            try:
                new.plans.put(request, RetrievalPlan(self, new.snapshot, request))
            except FeastError:
                continue  # the next such request is told what is wrong
            except Exception:  # boundary: a plugin; one shape does not keep the others on the old snapshot
                logger.exception("a plan cannot be compiled for the new snapshot: %s", request)
        with self._lock:
            # Another thread may have been faster, and have seen more.
            if self._state is old or self._state is None or self._state.snapshot.generation < new.snapshot.generation:
                self._state = new
        return True

    def _looked(self) -> None:
        ttl = self.registry.cache_ttl_seconds
        self._look_at = time.monotonic() + ttl if ttl > 0 else math.inf

    def _look_now_and_then(self) -> None:
        """As Feast: code in Python sees a later apply after `registry.cache_ttl_seconds`. A server looks by itself."""
        if time.monotonic() > self._look_at:
            try:
                self.refresh()
            except FeastError as error:
                logger.warning("what was read of the registry before is served on: %s", error)

    def objects(self, kind: str) -> list[Definition]:
        """All objects of a kind ("entity", "feature view", ...), by name."""
        return self.snapshot.of_kind(kind)

    def get_object(self, kind: str, name: str) -> Definition:
        """One object. Raises ObjectNotFound."""
        return self.snapshot.get(kind, name)

    def intervals(self, view: str) -> tuple[Interval, ...]:
        """Materialized windows of a view, as the registry has them now, oldest first."""
        return self.registry.load(self.project).intervals.get(view, ())

    def plan(
        self,
        desired_repo_contents: RepoContents | None = None,
        skip_feature_view_validation: bool = False,
        progress_ctx: None = None,
    ) -> Diff:
        """What `apply` would change. Touches nothing."""
        return changes(self, desired_repo_contents or load_repo(self.repo_path, self.project))

    def apply(
        self,
        objects: Definition | Sequence[Definition] | RepoContents | None = None,
        objects_to_delete: Sequence[Definition] | None = None,
        partial: bool = True,
        skip_feature_view_validation: bool = False,
        no_promote: bool = False,
    ) -> Diff:
        """Store definitions: of the repository's files (what is gone from them is deleted), or the given objects only.

        As Feast: `objects_to_delete` go where `partial` is False. The two last parameters are accepted and mean
        nothing: views are always validated, and there are no versions to promote.
        All or nothing. Raises DefinitionError, SourceError (where a schema must be read), RegistryError, Unavailable.
        """
        if objects is None:
            objects = load_repo(self.repo_path, self.project)
            refuse_to_empty(self, objects)
        gone = [] if partial else objects_to_delete or []
        change = changes(self, [objects] if isinstance(objects, Definition) else objects, gone)
        if change.empty:
            self.drop_rows()  # an apply before this one may have been interrupted
            if self.config.online_store is not None:
                _ = self.online  # a wrong section is told of also where nothing else is to do
        else:
            self.plugins.hook.feast_apply(store=self, diff=change)
            # A command that only applies need not read what it wrote.
            if self._state is not None:
                self.refresh()
        return change

    def drop_rows(self) -> None:
        """Drop the stored rows of views that were deleted or got other join keys: the last part of an apply, and what
        an interrupted one has left."""

        def drop(places: Sequence[str]) -> None:
            if self.config.online_store is not None:
                self.online.update(self.project, [], places)

        self.registry.drop_rows(self.project, drop)

    def source_columns(self, source: DataSource) -> dict[str, FeastType]:
        """Columns of a batch source and the type each is best served as. Raises SourceError."""
        return self.offline.columns(source, self.repo_path)

    def projects(self) -> list[Definition]:
        """The projects of the whole registry, by name."""
        found = [item for name in self.registry.projects() for item in self.registry.load(name).objects]
        return sorted((item for item in found if item.kind == "project"), key=lambda item: item.name)

    def delete(self, kind: str, name: str) -> Diff:
        """Forget one object, and the rows of a view. The next `apply` of a repository that defines it makes it again.

        Raises ObjectNotFound, DefinitionError where another object needs it.
        """
        change = deletion(self, kind, name)
        self.plugins.hook.feast_apply(store=self, diff=change)
        self.refresh()
        return change

    def teardown(self, *, project: str | None = None) -> None:
        """Forget the project, or another one of the registry: its definitions, intervals and online rows. Batch sources
        are left alone."""
        forgotten = project or self.project
        # Rows last: where this is interrupted, nothing says that views are materialized whose rows are gone.
        self.registry.teardown(forgotten)
        if self.config.online_store is not None:
            self.online.teardown(forgotten)
        self._state = None

    # Materializing.

    def materialize(
        self,
        start_date: datetime,
        end_date: datetime,
        feature_views: Sequence[str] | None = None,
        disable_event_timestamp: bool = False,
        full_feature_names: bool = False,
        version: str | None = None,
        force: bool = False,
        run_async: bool = False,
        *,
        progress: Progress | None = None,
    ) -> list[Outcome]:
        """Bring source rows of a window, both ends inclusive, to the online store; naive times are UTC.

        With `disable_event_timestamp` every row takes part and is stored with the time of the run. As Feast:
        `full_feature_names`, `force` and `run_async` mean nothing where the store is not a remote one. Raises
        FeatureViewNotFound, InvalidInput and NotSupported (a `version`) before anything is done, MaterializationError
        after the others are done where some views failed.
        """
        _refuse_version(version)
        jobs = self.window_jobs(start_date, end_date, feature_views, disable_event_timestamp)
        return _all_done(self.run_jobs(jobs, progress))

    def materialize_incremental(
        self,
        end_date: datetime,
        feature_views: Sequence[str] | None = None,
        full_feature_names: bool = False,
        version: str | None = None,
        force: bool = False,
        run_async: bool = False,
        *,
        progress: Progress | None = None,
    ) -> list[Outcome]:
        """From where each view ended to `end_date`. Views with nothing new are not among the outcomes. Parameters and
        errors are those of `materialize`."""
        _refuse_version(version)
        jobs, _ = self.incremental_jobs(end_date, feature_views)
        return _all_done(self.run_jobs(jobs, progress))

    def window_jobs(
        self,
        start_date: datetime,
        end_date: datetime,
        feature_views: Sequence[str] | None = None,
        disable_event_timestamp: bool = False,
    ) -> list[Job]:
        """What `materialize` would run."""
        self.refresh()
        if disable_event_timestamp:
            start_date, end_date = EPOCH, datetime.now(UTC)
        return materialization.window_jobs(self.snapshot, start_date, end_date, feature_views, disable_event_timestamp)

    def incremental_jobs(
        self, end_date: datetime, feature_views: Sequence[str] | None = None
    ) -> tuple[list[Job], list[materialization.UpToDate]]:
        """What `materialize_incremental` would run, and the views that are up to date already."""
        self.refresh()
        intervals = self.registry.load(self.project).intervals
        jobs, current = materialization.incremental_jobs(
            self.snapshot, intervals, end_date, feature_views, datetime.now(UTC)
        )
        for name in (*(job.view.name for job in jobs), *(found.view for found in current)):
            self._warn_of_lost_rows(name, intervals.get(name, ()))
        return jobs, current

    def _warn_of_lost_rows(self, view: str, done: Sequence[Interval]) -> None:
        """Where an online store is removed, or another one configured, the registry still has what was done."""
        if done and count_rows(self, self.snapshot.view(view).place, 1) == 0:
            logger.warning(
                "%s was materialized up to %s, and the online store has no row of it; if the store was lost or is"
                " another one, bring its rows back with `feast materialize START END -v %s`",
                view,
                materialization.last_end(done).isoformat(),
                view,
            )

    def run_jobs(self, jobs: Sequence[Job], progress: Progress | None = None) -> list[Outcome]:
        """Run jobs through `feast_materialize`. A view that failed is an outcome with its error."""
        if not jobs:
            return []
        self.drop_rows()  # before there are new ones in the same place, where an apply was interrupted
        self.flush_pushes([job.view.batch_source.name for job in jobs if job.view.batch_source])
        outcomes: list[Outcome] = self.plugins.hook.feast_materialize(
            store=self, jobs=jobs, progress=progress or (lambda job, done, total: None)
        )
        return outcomes

    # Materializing in another process.

    def add_run(self, request: RunRequest, user: User, holder: Process, force: bool = False) -> Run:
        """Keep a run in the registry, for a process to do (see `runs.add_run`)."""
        return runs.add_run(self, request, user, holder, force)

    def find_run(self, id: str) -> Run:
        """A run as it is now. Raises NotFound."""
        return runs.find_run(self, id)

    def give_up_run(self, id: str, reason: str) -> None:
        """Record that a run failed whose process has ended; one that is over stays as it is."""
        runs.give_up(self, id, reason)

    def perform_run(self, id: str, server: Process, stopped: threading.Event) -> None:
        """Do a run that was kept, in this process (see `runs.perform_run`)."""
        runs.perform_run(self, id, server, stopped)

    # Writing.

    def push(
        self,
        push_source_name: str,
        df: Frame,
        allow_registry_cache: bool = True,
        to: PushMode = PushMode.ONLINE,
        transform_on_write: bool = True,
    ) -> PushReceipt:
        """Write rows to the views that a push source feeds, to its batch source, or to both; `df` is a data frame or a
        dict of lists (see `frames.columns_of`). All of it is checked before any is written.

        As Feast: without `allow_registry_cache` the registry is asked first whether it has changed.
        `transform_on_write` is for on-demand views, which are not computed yet. Raises PushSourceNotFound,
        NotSupported, InvalidInput, SourceError, Unavailable.
        """
        if not isinstance(to, PushMode):  # compared with a mode, as Feast does, it would be none of them
            raise InvalidInput.at("to", f"expected a PushMode such as PushMode.ONLINE, got {shown(to)}")
        return self.write(PushRequest(push_source_name, to), df, allow_registry_cache)

    def compact(self, name: str) -> Compaction:
        """Bring the rows that were pushed to a batch source to where it keeps most of them; the name may be that of its
        push source. Rows that are queued are brought there first. Raises ObjectNotFound, SourceError, Unavailable,
        Conflict."""
        source = self.snapshot.get("data source", name)
        assert isinstance(source, DataSource)
        self.flush_pushes()
        return self.offline.compact(source, self.repo_path)

    @property
    def push_queue(self) -> PushQueue:
        """Rows that were pushed and are not in their batch sources yet."""
        return self._push_queue_and_flusher()[0]

    @property
    def flusher(self) -> Flusher:
        """What brings queued rows to their batch sources. A worker of the server starts it, nobody else does."""
        return self._push_queue_and_flusher()[1]

    def _push_queue_and_flusher(self) -> tuple[PushQueue, Flusher]:
        return self.shared("push queue", lambda: open_queue(self))

    def flush_pushes(self, sources: Collection[str] | None = None) -> None:
        """Bring what is queued for these batch sources, or for all, and no other process has in hand, to them: before
        they are read. What cannot be written is warned of, and stays in the queue."""
        try:
            self.flusher.flush(sources)
        except Unavailable as error:
            logger.warning("rows that are queued are not in their batch sources yet: %s", error)

    def write(self, request: PushRequest, frame: Frame, allow_registry_cache: bool = True) -> PushReceipt:
        """Write the rows of a frame where the request says. See `push`."""
        if allow_registry_cache:
            self._look_now_and_then()
        else:
            self.refresh()
        columns = columns_of(frame)
        return self.ingest(self.ingestion_plan(request), columns)

    def known_ingestion_plan(self, request: PushRequest) -> IngestionPlan | None:
        """The plan of a request, if it was made already: a look into a dictionary."""
        return self._loaded().ingestion.get(request)

    def ingestion_plan(self, request: PushRequest) -> IngestionPlan | UnresolvedIngestion:
        """The plan of a request, made when it comes first, which may block. Raises what `compile_ingestion` does."""
        state = self._loaded()
        plan: IngestionPlan | UnresolvedIngestion | None = state.ingestion.get(request)
        if plan is None:
            plan = compile_ingestion(self, state.snapshot, request)
            if isinstance(plan, IngestionPlan):
                state.ingestion[request] = plan
        return plan

    def ingest(self, plan: IngestionPlan | UnresolvedIngestion, columns: Columns, user: User = ANYONE) -> PushReceipt:
        """Ask the plan's guard, check the columns, write them; see `ingestion.ingest`. Blocks."""
        return ingest(self, plan, columns, user)

    def ingest_together(
        self, plan: IngestionPlan, pushes: Sequence[tuple[Columns, User]]
    ) -> list[PushReceipt | Exception]:
        """Several pushes of one plan; see `ingestion.ingest_together`. Blocks."""
        return ingest_together(self, plan, pushes)

    def forget_ingestion_plan(self, request: PushRequest) -> None:
        """The next such request has a new plan made."""
        self._loaded().ingestion.pop(request, None)

    # Reading.

    def retrieval_plan(
        self,
        features: Sequence[str] | None,
        feature_service: str | None,
        full_feature_names: bool,
        columns: tuple[str, ...],
        response_format: ResponseFormat,
    ) -> RetrievalPlan | UnresolvedPlan:
        """The plan for a shape of request, compiled when it comes first. `columns` are the names in `entities`, in
        order.

        Raises FeatureViewNotFound, FeatureNotFound, FeatureServiceNotFound, NotSupported, InvalidInput. Where guards
        are in force, an unknown name is guarded as if it existed: the plan's guard answers first, then `run` raises.
        """
        request = RetrievalRequest(
            () if feature_service else tuple(features or ()),
            feature_service or None,
            full_feature_names,
            columns,
            response_format,
        )
        state = self._loaded()
        return state.plans.get(request) or self._compile(state, request)

    def explain(
        self,
        features: Sequence[str] | str,
        full_feature_names: bool = False,
        response_format: ResponseFormat | None = None,
    ) -> dict[str, Any]:
        """The compiled plan of a request as plain data (see `explaining.explain`), for a list of "view:feature" or the
        name of a service; in the configured format where none is named."""
        service = features if isinstance(features, str) else None
        references = () if isinstance(features, str) else features
        form = response_format or self.config.feature_server.response_format
        return explain(self, references, service, full_feature_names, form)

    def _compile(self, state: State, request: RetrievalRequest) -> RetrievalPlan | UnresolvedPlan:
        plan = compile_plan(self, state.snapshot, request)
        if isinstance(plan, RetrievalPlan):
            state.plans.put(request, plan)
        return plan

    def get_online_features(
        self,
        features: Sequence[str] | FeatureService | str,
        entity_rows: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]],
        full_feature_names: bool = False,
        include_feature_view_version_metadata: bool = False,
    ) -> OnlineResponse:
        """Feature values of entity rows (a list of dicts, or a dict of lists), of a list of "view:feature" or a
        service."""
        plan, columns = self._python_plan(features, entity_rows, full_feature_names)
        return OnlineResponse(self._driver.run(lambda: plan.run(columns)), plan.types)

    async def get_online_features_async(
        self,
        features: Sequence[str] | FeatureService | str,
        entity_rows: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]],
        full_feature_names: bool = False,
        include_feature_view_version_metadata: bool = False,
    ) -> OnlineResponse:
        """The same, awaited."""
        plan, columns = self._python_plan(features, entity_rows, full_feature_names)
        return OnlineResponse(await plan.run(columns), plan.types)

    def _python_plan(
        self,
        features: Sequence[str] | FeatureService | str,
        entity_rows: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]],
        full_feature_names: bool,
    ) -> tuple[RetrievalPlan | UnresolvedPlan, dict[str, list[Any]]]:
        columns = _columns(entity_rows)
        self._look_now_and_then()
        if not isinstance(features, FeatureService | str) and not _all_text(features):
            raise InvalidInput.at("features", 'expected a list of "view:feature", a feature service or its name')
        # As Feast: the registry's version of a service counts, not the caller's object. A lone text is a service's
        # name.
        service = (
            features.name if isinstance(features, FeatureService) else features if isinstance(features, str) else None
        )
        references = None if isinstance(features, FeatureService | str) else features
        return self.retrieval_plan(references, service, full_feature_names, tuple(columns), "columns"), columns


class _Done:
    """An awaitable of what is done already."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


def _refuse_version(version: str | None) -> None:
    if version is not None:
        raise NotSupported(f"version {version!r}: {VERSIONS}")


def _all_done(outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes, if all of them are good."""
    failed = [f"{outcome.job.view.name}: {outcome.error}" for outcome in outcomes if outcome.error is not None]
    if failed:
        raise MaterializationError("; ".join(failed), outcomes)
    return outcomes


def _columns(rows: Sequence[Mapping[str, Any]] | Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    """Entity rows to columns. Raises InvalidInput where rows have different keys."""
    if isinstance(rows, Mapping):
        return {name: [_plain(value) for value in values] for name, values in rows.items()}
    if not rows:
        raise InvalidInput("entity_rows is empty; give at least one row")
    names = list(rows[0])
    for position, row in enumerate(rows):
        if set(row) != set(names):
            raise InvalidInput.at(
                f"entity_rows[{position}]", f"has the keys {sorted(row)}, the first row has {sorted(names)}"
            )
    return {name: [_plain(row[name]) for row in rows] for name in names}


def _all_text(features: object) -> bool:
    return isinstance(features, Sequence) and all(isinstance(reference, str) for reference in features)


def _plain(value: Any) -> Any:
    """Scalars of numpy and pandas as Python's own."""
    return value.item() if hasattr(value, "item") and not isinstance(value, (str, bytes)) else value


def _at(data: Mapping[str, Any], path: str) -> Any:
    """The part of nested mappings that a dotted path names, {} where there is none."""
    found: Any = data
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return {} if found is None else found
