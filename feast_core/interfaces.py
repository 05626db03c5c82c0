"""What a store, registry, engine or authenticator must be, and the shapes of the callables that plans are made of.

Definitions are declared by the user, rows are what the online store holds. Between the two stands the schema of a row:
the names and types of a view's features, in order, and a fingerprint of them.
"""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import msgspec

from feast_core.definitions import DataSource, Definition, FeastType, FeatureView
from feast_core.errors import NotSupported
from feast_core.processes import Process

if TYPE_CHECKING:
    from feast_core.store import FeatureStore

Columns: TypeAlias = dict[str, list[Any]]
"""Plain columns: name -> values, all lists of one length."""

StoredRow: TypeAlias = tuple[Any, ...]
"""One row of a view as the online store gives it back; plain, since a request makes thousands of them.

`(event_us, fingerprint, nulls, values)`: event time in microseconds since 1970 UTC (int), fingerprint of the schema
it was written under (int), positions of its nulls (bytes, see `rows.nulls_of`), JSON array of its values in schema
order (bytes). A store may append further items; nobody reads them.
"""

KeyedRow: TypeAlias = tuple[bytes, int, int, int, bytes, bytes]
"""One row on its way into a store: `(key, event_us, created_us, fingerprint, nulls, values)`; created_us is 0 where the
source has no created time."""

Reader: TypeAlias = Callable[[list[list[bytes]]], Awaitable[list[list[StoredRow | None]]]]
"""Keys per view -> rows per view, in the same order, in one trip. Keys of one view may repeat, and are all
of one shape, since one encoder made them (see `keys`). An embedded store's coroutine never suspends."""


@dataclass(frozen=True, slots=True)
class RowSchema:
    """Names and types of a view's features, in the order in which a stored row holds them.

    `fingerprint` is a signed 64-bit number made of names and types, the same in every process and on every machine
    (`rows.schema_of` makes it).
    """

    fingerprint: int
    names: tuple[str, ...]
    types: tuple[FeastType, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the rows that a writer was given: `written` are stored, `superseded` were older than what is
    there."""

    written: int
    superseded: int


Writer: TypeAlias = Callable[[Sequence[KeyedRow]], Receipt]
"""Stores rows of one view; newest event wins, then newest created time, then the later write. A plain function that may
block, always called off the event loop, atomic for the rows it is given, whose keys are all of one shape.

A writer of an embedded store may be an object that also has `at_once`, a `WriterAtOnce`."""

WriterAtOnce: TypeAlias = Callable[[Sequence[KeyedRow]], Receipt | None]
"""A writer that waits for nobody, called on the event loop with a few rows: None where it would have to wait, or where
anything is wrong; then nothing is written, and the writer itself is called off the loop."""


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Rows for a batch source, checked: `rows` of them, as `body` in a form of the writer that encoded them, which any
    later version of it reads."""

    rows: int
    body: bytes


@dataclass(frozen=True, slots=True)
class OfflineReceipt:
    """What became of the rows that an offline writer was given: `rows` are in the source, on disk; or, where `queued`,
    are on disk and will be in the source later."""

    rows: int
    queued: bool = False


def batch_id() -> str:
    """A name of a batch of rows that no other batch has, in any process: 16 hexadecimal digits of the time in ns, a
    dash and 16 random ones, so that they sort by time."""
    return f"{time.time_ns():016x}-{os.urandom(8).hex()}"


class OfflineWriter(ABC):
    """Appends rows to one batch source. Safe to use from several threads; may block, and is never called on the event
    loop."""

    @abstractmethod
    def encode(self, columns: Columns) -> EncodedRows:
        """Check rows against the source and make them ready to be stored. Columns are those of the source, all of them
        and no other, in any order, before `field_mapping`. Writes nothing.

        Raises InvalidInput naming columns, or column and row as `name[row]`; SourceError where the source cannot be
        read or takes no rows; Unavailable.
        """

    @abstractmethod
    def write(self, encoded: Sequence[bytes], batch_id: str) -> OfflineReceipt:
        """Append the bodies of encoded rows, in their order: all of them or none, and on disk when it returns. Nothing
        is appended where a batch of this id was before. Ids are `batch_id()`s, which sort by time.

        Raises SourceError, Unavailable.
        """


@dataclass(frozen=True, slots=True)
class Compaction:
    """What `OfflineStore.compact` did to one source: parts that pushes had written, and rows in them, are now in its
    main file."""

    parts: int
    rows: int


@dataclass(frozen=True, slots=True)
class ViewRead:
    """One view that a plan reads: the view, the schema its rows should have."""

    view: FeatureView
    schema: RowSchema

    @property
    def place(self) -> str:
        """What the online store calls the place of the view's rows."""
        return self.view.place


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of a batch source, newest one per entity key: `columns` holds the join keys and the features by the names
    the view uses; `event_us` and `created_us` (0: none) are parallel to them, microseconds since 1970 UTC."""

    columns: Columns
    event_us: list[int]
    created_us: list[int]

    def __len__(self) -> int:
        return len(self.event_us)


@dataclass(frozen=True, slots=True)
class Job:
    """One view to materialize: source rows with `start <= event time <= end`, both aware and in UTC.

    With `ignore_event_time` every source row takes part, and rows are stored with `end` as their event time.
    Picklable, so that a distributed engine can ship it.
    """

    project: str
    view: FeatureView
    start: datetime
    end: datetime
    ignore_event_time: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one job did. `error` is None where it succeeded, and the interval is recorded."""

    job: Job
    rows: int
    superseded: int
    seconds: float
    error: BaseException | None = None


Progress: TypeAlias = Callable[[Job, int, int | None], None]
"""Called while a job runs: the job, rows done, rows in all (None: not known yet). The last call has done == all."""


@dataclass(frozen=True, slots=True)
class User:
    """Who is calling. `name` is for logs and policies; the rest is what the token says."""

    name: str
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()

    # As Feast, for policies that a repository brings.

    @property
    def username(self) -> str:
        """`name`."""
        return self.name

    def has_matching_role(self, requested_roles: Iterable[str]) -> bool:
        """Whether the user has one of the roles."""
        return not self.roles.isdisjoint(requested_roles)

    def has_matching_group(self, requested_groups: Iterable[str]) -> bool:
        """Whether the user is in one of the groups."""
        return not self.groups.isdisjoint(requested_groups)

    def has_matching_namespace(self, requested_namespaces: Iterable[str]) -> bool:
        """Whether the user is in one of the namespaces."""
        return not self.namespaces.isdisjoint(requested_namespaces)


Guard: TypeAlias = Callable[[User], None]
"""Raises PermissionDenied, or returns."""

Authenticator: TypeAlias = Callable[[Mapping[str, str]], Awaitable[User]]
"""Request headers (lower-case names) -> who is calling; raises Unauthenticated."""


@dataclass(frozen=True, slots=True)
class Call:
    """One finished operation, as observers see it. `outcome` is "success" or the name of the error's class."""

    operation: str
    seconds: float
    user: User
    request_id: str
    rows: int
    outcome: str
    error: BaseException | None = None


Observer: TypeAlias = Callable[[Call], None]


class OnlineStore(ABC):
    """Keeps the newest row of each entity key and view. Made once per process; readers and writers come from it.

    Rows of a view have a place of their own, which a text names (`FeatureView.place`): the view and its join keys.

    `Options` is the msgspec struct that the store's section of feature_store.yaml is decoded into. Fields of type
    `pathlib.Path` are made absolute against the repository.
    """

    Options: ClassVar[type[msgspec.Struct]]

    @abstractmethod
    def __init__(self, options: Any) -> None:
        """Light: connections are opened by what needs them."""

    @abstractmethod
    def update(self, project: str, keep: Sequence[str], drop: Sequence[str]) -> None:
        """Make the places in `keep`, forget those in `drop` and their rows. Idempotent; called by apply."""

    @abstractmethod
    def reader(self, project: str, reads: Sequence[ViewRead]) -> Reader:
        """A reader of these views. Rows of other schemas than `read.schema` are given back as they are stored."""

    @abstractmethod
    def writer(self, project: str, place: str, schema: RowSchema) -> Writer:
        """A writer of rows of one schema; the schema itself is stored before the first row that uses it."""

    @abstractmethod
    async def schemas(self, project: str, fingerprints: Sequence[int]) -> dict[int, RowSchema]:
        """Schemas stored by writers, for rows written by a newer or older version of a view. Unknown ones are
        absent."""

    def count(self, project: str, place: str, most: int) -> int | None:
        """Rows of a place, counted up to `most`; None where the store cannot tell. Raises Unavailable."""
        return None

    @abstractmethod
    def check(self) -> None:
        """Raise Unavailable if the store cannot be reached."""

    @abstractmethod
    def teardown(self, project: str) -> None:
        """Forget all rows of the project."""

    def close(self) -> None:
        """Give back what is held. Called once."""
        return


class OfflineStore(ABC):
    """Reads batch sources: what columns they have, and the newest row per key in a window of time."""

    Options: ClassVar[type[msgspec.Struct]]

    @abstractmethod
    def __init__(self, options: Any) -> None:
        """Light, as in OnlineStore."""

    @abstractmethod
    def columns(self, source: DataSource, repo_path: Path) -> dict[str, FeastType]:
        """Columns of the source under the names the view uses (`field_mapping` applied), with the type each is best
        served as. Raises SourceError when there is no such file or table."""

    @abstractmethod
    def latest(self, job: Job, repo_path: Path) -> "Latest":
        """Newest row per entity key with `job.start <= event time <= job.end`, ties by created time, then the row that
        is read last; rows in key order. Memory is bounded by a batch, not by the data. Raises SourceError."""

    def writer(self, source: DataSource, repo_path: Path) -> OfflineWriter:
        """A writer to a batch source. Raises NotSupported where this store writes none, as by default."""
        raise NotSupported(f"{source.label}: this offline store only reads; write to the source by its own means")

    def compact(self, source: DataSource, repo_path: Path) -> Compaction:
        """Bring the rows that writers appended to where the source keeps most of them, if that is another place. Rows
        are neither lost nor read twice, whenever it is interrupted. Raises SourceError, Unavailable, Conflict."""
        return Compaction(0, 0)

    def close(self) -> None:
        """Give back what is held. Called once."""
        return


@dataclass(frozen=True, slots=True)
class Latest:
    """The answer of `OfflineStore.latest`: batches to iterate once, and to close where one stops before their end,
    and how many rows they hold in all, if known."""

    batches: Generator[Batch, None, None]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A materialized window of a view, aware UTC times, both ends inclusive. `recorded` is when it was: rows that
    arrive later may belong to a window whose end was still to come then. The registry sets it where the
    caller does not."""

    start: datetime
    end: datetime
    recorded: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one run to materialize a view. `token` is unlike that of any other run; `since` is when it was taken
    and `until` when it ends if nobody renews it, both aware UTC times by the registry's clock (None: not taken yet)."""

    project: str
    view: str
    token: str
    holder: Process
    since: datetime
    until: datetime | None = None


RunState: TypeAlias = Literal["queued", "running", "succeeded", "failed"]


@dataclass(frozen=True, slots=True)
class RunView:
    """One view of a run: its window, aware UTC times, and what became of it.

    `rows` were written and `superseded` were not, since what is stored is newer; until the view is done `rows` counts
    both. `seconds` is None until then. `error` is for clients, None where nothing is wrong.
    """

    name: str
    start: datetime
    end: datetime
    rows: int = 0
    superseded: int = 0
    seconds: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A materialization that a process of its own does, as the registry keeps it so that every process can tell of it.

    `holder` sees to it: the server while it is queued, then the process that does it. `error` says, to clients, why it
    failed as a whole. `created`, `started` and `ended` are aware UTC times by the registry's clock, None: not yet.
    """

    project: str
    id: str
    views: tuple[RunView, ...]
    holder: Process
    ignore_event_time: bool = False
    state: RunState = "queued"
    error: str | None = None
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in ("succeeded", "failed")

    @property
    def to_do(self) -> frozenset[str]:
        """Names of the views that are not done."""
        return frozenset(view.name for view in self.views if view.seconds is None)


@dataclass(frozen=True, slots=True)
class RegistryContents:
    """All that a registry holds of one project at one generation. `objects` are in the order in which they depend on
    each other (see `repo.RepoContents.objects`). `stamps`, by kind and name, change with what is stored of an object;
    they are for the registry's own `reload`."""

    generation: int
    objects: tuple[Definition, ...]
    intervals: Mapping[str, tuple[Interval, ...]] = field(default_factory=dict)
    stamps: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Registry(ABC):
    """Keeps definitions, materialized intervals, leases of views, runs and a generation number per project.

    A run that is not over is lost where its holder is gone (see `Process.is_gone`); where it is queued, or its holder
    is on another machine, also when nobody has told of it for `silence` seconds. Who meets a lost run records that it
    failed.
    """

    Options: ClassVar[type[msgspec.Struct]]
    #: As Feast: seconds after which code in Python that reads features looks for a later apply; 0: never.
    cache_ttl_seconds: float = 600

    @abstractmethod
    def __init__(self, options: Any) -> None:
        """Light, as in OnlineStore."""

    @abstractmethod
    def generation(self, project: str) -> int:
        """Grows with every applied change of definitions and permissions, not with materializations; 0 before the
        first apply. A registry that was removed and made anew is at another one, as a clock is. One cheap query."""

    @abstractmethod
    def load(self, project: str) -> RegistryContents:
        """Everything of the project, read in one transaction. An unknown project is empty at generation 0."""

    def reload(self, project: str, old: RegistryContents) -> RegistryContents:
        """As `load`, where objects that are stored as they were in `old` may be those of `old`: a server of a thousand
        views takes over a change of one of them without making all of them anew. By default all are made anew."""
        return self.load(project)

    @abstractmethod
    def apply(
        self, project: str, save: Sequence[Definition], delete: Sequence[Definition], drop: Sequence[str] = ()
    ) -> int:
        """Store and remove definitions in one transaction: all or nothing. Intervals and leases of views in `delete`
        go, also of those that are in `save` too; places of the online store in `drop` are remembered for `drop_rows`.
        Returns the new generation."""

    @abstractmethod
    def drop_rows(self, project: str, drop: Callable[[Sequence[str]], None]) -> None:
        """Call `drop` with the places whose rows are to go, and forget them when it returns; not where there are none.
        Other writes of the project wait meanwhile, so that none gives such a place to a view."""

    @abstractmethod
    def record_interval(self, project: str, view: str, interval: Interval, lease: Lease | None = None) -> bool:
        """Remember that a window of a view is materialized. With a lease, end that in the same transaction, or record
        nothing where another run has the view: False then."""

    @abstractmethod
    def take_lease(self, lease: Lease, seconds: float) -> Lease | None:
        """Give a view to a run for so many seconds. Where another run holds it, nothing is changed and that run's
        lease is the answer; one that has ended, or whose holder is gone, holds nothing (see `Process.is_gone`)."""

    @abstractmethod
    def renew_lease(self, lease: Lease, seconds: float) -> bool:
        """Let the lease end so many seconds from now, also where it had ended and nobody took the view; False where
        another run has it, or nobody does."""

    @abstractmethod
    def end_lease(self, lease: Lease) -> None:
        """Give the view back; nothing happens where another run has it."""

    @abstractmethod
    def add_run(self, run: Run, force: bool, silence: float) -> tuple[str, ...]:
        """Keep a new run, in one transaction that finds out whether its views are free: those in a lease that holds,
        or in another run that is not over and not lost. Where some are not, nothing is kept and their names are the
        answer, sorted. With `force` those leases end and those runs fail instead. The latest 1,000 runs are kept."""

    @abstractmethod
    def begin_run(self, project: str, id: str, holder: Process) -> Run | None:
        """Take a queued run to do it: it is running from now on. None where it is not queued any more."""

    @abstractmethod
    def report_run(self, run: Run, waiting: Process) -> bool:
        """Keep how far the views of a running run are; False where it is over, and nothing is changed. Tells also of
        the runs that are queued at the server `waiting`, which cannot tell of themselves."""

    @abstractmethod
    def end_run(self, run: Run) -> bool:
        """Keep state, error and views of a run that is over now; False where it was over before, and nothing is
        changed."""

    @abstractmethod
    def find_run(self, project: str, id: str, silence: float) -> Run | None:
        """The run of this id, None where there is none."""

    @abstractmethod
    def projects(self) -> list[str]:
        """Names of the projects that something was applied to, sorted."""

    @abstractmethod
    def teardown(self, project: str) -> None:
        """Forget the project, with its intervals, leases and runs."""

    @abstractmethod
    def check(self) -> None:
        """Raise Unavailable if the registry cannot be reached."""

    def set_aside(self) -> Path | None:
        """Move what is not a registry of ours out of the way, so that one can be made; where to, or None where there is
        nothing of that kind. What was there is never overwritten."""
        return None

    def close(self) -> None:
        """Give back what is held. Called once."""
        return


class Engine(ABC):
    """Runs materialization jobs: here, or on a cluster."""

    Options: ClassVar[type[msgspec.Struct]]

    @abstractmethod
    def __init__(self, options: Any) -> None:
        """Light, as in OnlineStore."""

    @abstractmethod
    def materialize(self, store: "FeatureStore", jobs: Sequence[Job], progress: Progress) -> list[Outcome]:
        """Run all jobs; one that fails is an Outcome with its error and does not stop the others."""

    def close(self) -> None:
        """Give back what is held. Called once; nothing to do by default."""
