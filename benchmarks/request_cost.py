"""What one request costs, in counts that do not depend on the machine's mood, and the values recorded of them.

The way of a request through a worker is run in a thread of this process: a socket, Sanic's protocol, the plan, SQLite,
the answer. Counted are Python instructions and calls (of Python's and of C's functions), per Python version, since each
compiles to other instructions, and the bytes that a request holds at its peak. `tests/test_request_cost.py` compares
them with `request_cost.json`; `python -m benchmarks.request_cost --record` writes those of the Python that runs it.
"""

import argparse
import asyncio
import json
import socket
import sys
import tempfile
import textwrap
import threading
import tracemalloc
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeVar

import uvloop

from feast_core.interfaces import ViewRead
from feast_core.keys import KeyEncoder
from feast_core.rows import RowEncoder, keyed_rows
from feast_core.store import FeatureStore
from feast_http.app import make_app, start_app
from feast_http.connections import Connections
from feast_http.settings import ServeSettings

RECORDED = Path(__file__).with_suffix(".json")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
#: Views of 50 features, entities, format of the answer.
SHAPES = [(1, 1, "rows"), (1, 1, "columns"), (1, 100, "rows"), (1, 100, "columns"), (5, 10, "rows"), (5, 10, "columns")]
_ENTITIES = 100
_VIEWS = 5
_FEATURES = 50
_WARM_UP = 3
_REPEATS = 3
_EVENT_US = 1_795_338_000_000_000

_YAML = "project: cost\nregistry: registry.db\nonline_store: {type: sqlite, path: online.db}\n"
_DEFINITIONS = """
    from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
    from feast.types import Float32, Int64

    item = Entity(name="item", join_keys=["item_id"], value_type=ValueType.INT64)
    views = []
    for number in range({views}):
        name = f"view_{{number}}"
        names = [f"feature_{{number * {features} + n:03d}}" for n in range({features})]
        views.append(
            FeatureView(
                name=name,
                entities=[item],
                schema=[Field(name=each, dtype=Float32 if n % 2 else Int64) for n, each in enumerate(names)],
                source=FileSource(name=f"source_{{number}}", path="none.parquet", timestamp_field="event_timestamp"),
            )
        )
        globals()[name] = views[-1]
    service_1 = FeatureService(name="service_1", features=views[:1])
    service_5 = FeatureService(name="service_5", features=views[:5])
"""

Counts = dict[str, int]
T = TypeVar("T")


def measure(views_in_all: int) -> dict[str, Counts]:
    """Counts by shape, written as `features x entities, format`, in a repository of so many views, five or more."""
    with tempfile.TemporaryDirectory() as folder:
        _write_repository(Path(folder), views_in_all)
        with FeatureStore(folder) as store, _Server(store) as server:
            return {
                f"{views * _FEATURES} x {entities}, {layout}": server.cost_of(_request(views, entities, layout))
                for views, entities, layout in SHAPES
            }


def recorded() -> dict[str, dict[str, Counts]]:
    """What was recorded: counts by Python version, then by shape."""
    found: dict[str, dict[str, Counts]] = json.loads(RECORDED.read_text())
    return found


class _Server:
    """The store's server in a thread of its own, so that nothing but a request is counted there, and one client."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._buffer = bytearray(1 << 22)

    def __enter__(self) -> "_Server":
        self._thread.start()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._client = socket.create_connection(self._listener.getsockname(), timeout=30)
        self._connections = self._in_loop(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._in_loop(self._connections.drain(0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._client.close()

    def cost_of(self, request: bytes) -> Counts:
        """The counts of one such request, once its plan is compiled and its statements are prepared."""
        for _ in range(_WARM_UP):
            self._exchange(request)
        counts = {}
        for name, counting in (("instructions", _instructions), ("calls", _calls), ("peak bytes", _peak_bytes)):
            repeated = []
            for _ in range(_REPEATS):
                with counting(self) as count:
                    self._exchange(request)
                repeated.append(count())
            counts[name] = min(repeated)
        return counts

    @property
    def thread_id(self) -> int | None:
        """As `threading.get_ident` says it there."""
        return self._thread.ident

    async def _open(self) -> Connections:
        app = make_app(self._store, ServeSettings(repo_path=str(self._store.repo_path)))
        await start_app(app)
        connections = Connections(app, self._listener, 1, None)
        connections.accept()
        return connections

    def _in_loop(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def in_thread(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function in the thread of the server, where what it sets holds."""

        async def call_soon() -> None:
            self._loop.call_soon(function, *arguments)

        self._in_loop(call_soon())

    def _exchange(self, request: bytes) -> None:
        """Send a request and read its answer, into memory that is there already."""
        self._client.sendall(request)
        read, size = 0, -1
        while read != size:
            arrived = self._client.recv_into(memoryview(self._buffer)[read:])
            assert arrived, "the server closed the connection"
            read += arrived
            if size < 0 and (end := self._buffer.find(b"\r\n\r\n", 0, read)) >= 0:
                head = bytes(self._buffer[:end])
                assert head.startswith(b"HTTP/1.1 200 "), bytes(self._buffer[:read])
                size = end + 4 + int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])


@contextmanager
def _instructions(server: _Server) -> Iterator[Callable[[], int]]:
    """Instructions of the interpreter."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        count += event == "opcode"
        return trace

    def instruction(code: CodeType, offset: int) -> None:
        nonlocal count
        count += threading.get_ident() == server.thread_id

    if sys.version_info < (3, 12):
        server.in_thread(sys.settrace, trace)
        yield lambda: count
        server.in_thread(sys.settrace, None)
    else:  # where tracing misses instructions of code that ran before
        monitoring = sys.monitoring
        monitoring.use_tool_id(monitoring.PROFILER_ID, __name__)
        monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.INSTRUCTION, instruction)
        monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.INSTRUCTION)
        yield lambda: count
        monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.NO_EVENTS)
        monitoring.free_tool_id(monitoring.PROFILER_ID)


@contextmanager
def _calls(server: _Server) -> Iterator[Callable[[], int]]:
    """Calls of functions, Python's and C's."""
    count = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    server.in_thread(sys.setprofile, profile)
    yield lambda: count
    server.in_thread(sys.setprofile, None)


@contextmanager
def _peak_bytes(server: _Server) -> Iterator[Callable[[], int]]:
    """The most that was held at once, above what was held before."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    peak = 0
    yield lambda: peak - before
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()


def _request(views: int, entities: int, layout: str) -> bytes:
    ids = list(range(1, entities + 1))
    body = json.dumps({"feature_service": f"service_{views}", "entities": {"item_id": ids}}).encode()
    path = "/get-online-features" + ("?response_format=columns" if layout == "columns" else "")
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _write_repository(folder: Path, views: int) -> None:
    """Views of 50 features, applied; those that are asked for have a row for each of the entities."""
    (folder / "feature_store.yaml").write_text(_YAML)
    (folder / "definitions.py").write_text(textwrap.dedent(_DEFINITIONS).format(views=views, features=_FEATURES))
    with FeatureStore(folder) as store:
        store.apply()
        ids = list(range(1, _ENTITIES + 1))
        for view in [store.snapshot.view(f"view_{number}") for number in range(_VIEWS)]:
            read = ViewRead(view, store.snapshot.schema(view))
            columns = {
                name: [each / 3 if n % 2 else each * 1_000 for each in ids] for n, name in enumerate(read.schema.names)
            }
            keys = KeyEncoder(store.snapshot.key_types(view)).encode([ids], _ENTITIES)
            values = RowEncoder(read.schema).encode(columns, _ENTITIES)
            write = store.plugins.hook.feast_writer(store=store, view=read)
            write(keyed_rows(keys, [_EVENT_US] * _ENTITIES, [0] * _ENTITIES, read.schema.fingerprint, values))


def main() -> None:
    """Print the counts; with --record, keep them as those of this Python."""
    parser = argparse.ArgumentParser("python -m benchmarks.request_cost", description="Counts what one request costs.")
    parser.add_argument("--record", action="store_true", help=f"write them to {RECORDED.name}")
    parser.add_argument("--views", type=int, default=_VIEWS, help="in a repository of so many views (5)")
    given = parser.parse_args()
    measured = measure(given.views)
    if given.record:
        kept = {**(recorded() if RECORDED.exists() else {}), PYTHON: measured}
        RECORDED.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")
    print(json.dumps({PYTHON: measured}, indent=1))


if __name__ == "__main__":
    main()
