"""What the server answers to rows that are sent: POST /push and POST /write-to-online-store.

Bodies are read on the event loop; rows are checked and written in threads, so that the loop stays free, or by the loop
where they are few and the store is embedded.
"""

import asyncio
import functools
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, TypeVar

import orjson
from sanic import HTTPResponse, Request

from feast_core.definitions import PushMode
from feast_core.frames import columns_of
from feast_core.ingestion import IngestionPlan, PushReceipt, PushRequest, UnresolvedIngestion
from feast_core.interfaces import Authenticator, Columns, Observer, User
from feast_core.security import ANYONE
from feast_core.store import FeatureStore
from feast_http.handlers import Handler, check_rows, report
from feast_http.responses import JsonBytes
from feast_http.wire import PushBody, WriteBody, push_body, write_body

PUSH = "/push"
WRITE_TO_ONLINE_STORE = "/write-to-online-store"

#: Pushes that a worker writes at once: so many that are online only, and so many others. A store that takes one writer
#: at a time has the others wait in turn.
_THREADS = 8

#: So many values are checked in less than half a millisecond. The loop writes them itself, where the store can without
#: waiting: a hop to a thread and back costs more than writing one row, and the reads between them wait for both.
_FEW_VALUES = 500

#: Where pushes have so many rows, no further one is written together with them.
_ROWS_TOGETHER = 10_000

T = TypeVar("T")


class Writing:
    """The handlers of one worker."""

    def __init__(self, store: FeatureStore, authenticate: Authenticator | None) -> None:
        self._store = store
        self._authenticate = authenticate
        # A batch source may hang, as one on a network does: who pushes online only does not wait behind those it holds.
        self._online = ThreadPoolExecutor(_THREADS, "feast-write-online")
        self._offline = ThreadPoolExecutor(_THREADS, "feast-write-offline")
        for threads in (self._online, self._offline):
            store.closing(threads.shutdown)
        self._lanes: dict[PushRequest, _Lane] = {}

    def push(self) -> Handler:
        """POST /push."""

        def asked(body: bytes) -> tuple[PushBody, PushRequest]:
            sent = push_body(body)
            return sent, PushRequest(sent.push_source_name, PushMode[sent.to.upper()])

        return self._handler("push", asked)

    def write_to_online_store(self) -> Handler:
        """POST /write-to-online-store."""

        def asked(body: bytes) -> tuple[WriteBody, PushRequest]:
            sent = write_body(body)
            return sent, PushRequest(sent.feature_view_name, is_view=True)

        return self._handler("write-to-online-store", asked)

    def _lane(self, wanted: PushRequest) -> "_Lane":
        """One for each request of which there is a plan."""
        return self._lanes.setdefault(wanted, _Lane(self._store, self._offline))

    def _handler(self, operation: str, asked: Callable[[bytes], tuple[PushBody | WriteBody, PushRequest]]) -> Handler:
        store = self._store
        most_rows = store.config.feature_server.limits.max_entity_rows
        early_observers: Sequence[Observer] = store.observers(operation, {})

        async def answer(request: Request) -> HTTPResponse:
            started = perf_counter()
            observers, user, rows = early_observers, ANYONE, 0
            try:
                if self._authenticate is not None:
                    user = await self._authenticate(request.headers)
                sent, wanted = asked(request.body)
                threads = self._online if wanted.mode is PushMode.ONLINE else self._offline
                if not sent.allow_registry_cache:
                    await _in_thread(threads, store.refresh)
                plan: IngestionPlan | UnresolvedIngestion | None = store.known_ingestion_plan(wanted)
                if plan is None:
                    plan = await _in_thread(threads, store.ingestion_plan, wanted)
                observers = plan.observers
                if plan.guard is not None:
                    plan.guard(user)
                columns = columns_of(sent.df)
                rows = len(next(iter(columns.values())))
                check_rows(rows, most_rows)
                if rows * len(columns) <= _FEW_VALUES and (receipt := plan.ingest_at_once(columns)) is not None:
                    return _receipt(receipt)
                if isinstance(plan, IngestionPlan) and wanted.mode is not PushMode.ONLINE:
                    return _receipt(await self._lane(wanted).write(_Push(plan, columns, user, rows)))
                return _receipt(await _in_thread(threads, store.ingest, plan, columns, user))
            finally:
                if observers:
                    report(observers, operation, started, user, request, rows)

        return answer


@dataclass(frozen=True, slots=True)
class _Push:
    """One that waits for its turn in a lane, and who waits for it."""

    plan: IngestionPlan
    columns: Columns
    user: User
    rows: int
    receipt: "asyncio.Future[PushReceipt]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class _Lane:
    """Pushes to one batch source. While some are written in a thread, others gather, to be written together next: so
    they share the hop to the thread, and the wait for the disk."""

    def __init__(self, store: FeatureStore, threads: ThreadPoolExecutor) -> None:
        self._store = store
        self._threads = threads
        self._waiting: deque[_Push] = deque()
        self._is_writing = False

    async def write(self, push: _Push) -> PushReceipt:
        """What became of it. Raises what `ingest` does."""
        self._waiting.append(push)
        if not self._is_writing:
            self._begin()
        return await push.receipt

    def _begin(self) -> None:
        group: list[_Push] = []
        rows = 0
        while self._waiting and rows < _ROWS_TOGETHER and (not group or self._waiting[0].plan is group[0].plan):
            push = self._waiting.popleft()
            if push.receipt.cancelled():
                continue  # its client has gone, or was told that this takes too long, and may send it again
            group.append(push)
            rows += push.rows
        if not group:
            return
        self._is_writing = True
        pushes = [(push.columns, push.user) for push in group]
        written = asyncio.get_running_loop().run_in_executor(
            self._threads, self._store.ingest_together, group[0].plan, pushes
        )
        written.add_done_callback(functools.partial(self._end, group))

    def _end(self, group: list[_Push], written: "asyncio.Future[list[PushReceipt | Exception]]") -> None:
        self._is_writing = False
        if self._waiting:
            self._begin()
        error = written.exception()
        found = [error] * len(group) if error is not None else written.result()
        for push, result in zip(group, found, strict=True):
            if push.receipt.done():
                continue  # its client has gone
            if isinstance(result, PushReceipt):
                push.receipt.set_result(result)
            else:
                push.receipt.set_exception(result)


async def _in_thread(threads: ThreadPoolExecutor, function: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, functools.partial(function, *arguments))


def _receipt(receipt: PushReceipt) -> HTTPResponse:
    views = {
        name: {"online": view.online, "superseded": view.superseded, "offline": view.offline}
        for name, view in receipt.views.items()
    }
    body = orjson.dumps({"feature_views": views})
    return HTTPResponse(body, 202, content_type="application/json") if receipt.queued else JsonBytes(body)
