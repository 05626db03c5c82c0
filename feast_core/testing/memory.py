"""An online store in memory whose readers really wait: the smallest whole example, and the second kind of reader in
tests.

An embedded store's reader never suspends, that of a store behind a network always does. To run a test with both, give
this module to `only_plugins` and write `online_store: memory`:

    @pytest.fixture(params=["sqlite", "memory"])
    def store(request, only_plugins, make_store):
        plugins = only_plugins(feast_registry_sql, feast_online_sqlite, memory)
        return make_store(plugins=plugins, online_store=request.param)
"""

import asyncio
import threading
from collections.abc import Iterable, Sequence

import msgspec

from feast_core.components import Component
from feast_core.errors import Unavailable
from feast_core.hookspecs import hookimpl
from feast_core.interfaces import KeyedRow, OnlineStore, Reader, Receipt, RowSchema, StoredRow, ViewRead, Writer


class MemoryOnlineStore(OnlineStore):
    """Rows in dictionaries of one object: gone with it, and never seen by another process."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """`turns` is how many turns of the event loop a read waits."""

        turns: int = 1

    def __init__(self, options: "MemoryOnlineStore.Options") -> None:
        self._turns = options.turns
        self._rows: dict[tuple[str, str], dict[bytes, KeyedRow]] = {}
        self._schemas: dict[tuple[str, int], RowSchema] = {}
        self._lock = threading.Lock()
        self._closed = False

    def update(self, project: str, keep: Sequence[str], drop: Sequence[str]) -> None:
        with self._lock:
            for place in keep:
                self._rows.setdefault((project, place), {})
            for place in drop:
                self._rows.pop((project, place), None)

    def count(self, project: str, place: str, most: int) -> int:
        return min(len(self._rows.get((project, place), {})), most)

    def teardown(self, project: str) -> None:
        with self._lock:
            for known in [known for known in self._rows if known[0] == project]:
                del self._rows[known]
            for schema in [schema for schema in self._schemas if schema[0] == project]:
                del self._schemas[schema]

    def reader(self, project: str, reads: Sequence[ViewRead]) -> Reader:
        places = [read.place for read in reads]

        async def read(keys: list[list[bytes]]) -> list[list[StoredRow | None]]:
            await self._trip()
            found = []
            for place, wanted in zip(places, keys, strict=True):
                rows = self._rows.get((project, place), {})
                found.append([_stored(rows.get(key)) for key in wanted])
            return found

        return read

    def writer(self, project: str, place: str, schema: RowSchema) -> Writer:
        self._schemas[project, schema.fingerprint] = schema

        def write(rows: Sequence[KeyedRow]) -> Receipt:
            written = 0
            with self._lock:
                there = self._rows.setdefault((project, place), {})
                for row in rows:
                    key, event_us, created_us = row[:3]
                    before = there.get(key)
                    if before is None or (event_us, created_us) >= before[1:3]:
                        there[key] = row
                        written += 1
            return Receipt(written, len(rows) - written)

        return write

    async def schemas(self, project: str, fingerprints: Sequence[int]) -> dict[int, RowSchema]:
        await self._trip()
        known = ((fingerprint, self._schemas.get((project, fingerprint))) for fingerprint in fingerprints)
        return {fingerprint: schema for fingerprint, schema in known if schema is not None}

    def check(self) -> None:
        if self._closed:
            raise Unavailable("the online store in memory is closed")

    def close(self) -> None:
        self._closed = True

    async def _trip(self) -> None:
        """What a network would do: the coroutine waits for a future that the loop completes later."""
        self.check()
        loop = asyncio.get_running_loop()
        for _ in range(self._turns):
            answered = loop.create_future()
            loop.call_soon(answered.set_result, None)
            await answered


def _stored(row: KeyedRow | None) -> StoredRow | None:
    return None if row is None else (row[1], *row[3:])


@hookimpl
def feast_components() -> Iterable[Component]:
    """`online_store: memory`."""
    return [
        Component("online_store", "memory", "feast_core.testing.memory:MemoryOnlineStore", help="for tests only"),
    ]
