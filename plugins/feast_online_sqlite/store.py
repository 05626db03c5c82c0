"""Rows in SQLite: tables per view, keyed by entity key; WAL, so that readers never wait for a materialization.

Readers run in place on the event loop: a read of one key takes about 7 microseconds, a thread hop would take 80.
"""

import itertools
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from feast_core import sqlite_files
from feast_core.definitions import parse_type
from feast_core.errors import Unavailable
from feast_core.interfaces import OnlineStore, Reader, RowSchema, StoredRow, ViewRead, Writer
from feast_core.sqlite_files import File
from feast_online_sqlite.connection import Held, connect, translated
from feast_online_sqlite.reader import MOST_VIEWS, TableReader
from feast_online_sqlite.writer import TableWriter


class SqliteOnlineStore(OnlineStore):
    """One file, any number of processes. Connections are per thread, and close with their thread or with the store.

    A file that was removed or replaced is noticed within `LOOK_SECONDS`, and the one at the path opened. A file that
    may not be written is read; writing raises Unavailable.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """`online_store`, with `type: sqlite`. The keys of Feast; there is no vector search yet."""

        path: Path = Path("data/online.db")
        """The file, relative to the repository."""
        vector_enabled: bool = False
        """Accepted, without effect until there is vector search."""
        similarity: str = "cosine"
        """Accepted, without effect until there is vector search."""
        text_search_enabled: bool = False
        """Accepted, without effect until there is vector search."""
        enable_openai_compatible_store: bool = False
        """Accepted, without effect."""

    def __init__(self, options: "SqliteOnlineStore.Options") -> None:
        self.path = options.path
        self._threads = threading.local()
        self._file: File | None = None
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self.writes_at_once = itertools.count(1)

    def update(self, project: str, keep: Sequence[str], drop: Sequence[str]) -> None:
        with self.writing() as held:
            connection = held.connection
            for place in keep:
                self._table(connection, project, place, make=True)
            for place in drop:
                table = self._table(connection, project, place)
                if table:
                    _drop(connection, table)
                    connection.execute("DELETE FROM feature_views WHERE project = ? AND name = ?", (project, place))

    def count(self, project: str, place: str, most: int) -> int:
        if not self.path.exists():
            return 0
        with translated(self.path):
            connection = self.hold().connection
            table = self._table(connection, project, place)
            if table is None:
                return 0
            every = f"SELECT 1 FROM {table}_int UNION ALL SELECT 1 FROM {table}_blob"
            return int(connection.execute(f"SELECT count(*) FROM ({every} LIMIT ?)", (most,)).fetchone()[0])

    def teardown(self, project: str) -> None:
        if not self.path.exists():
            return
        with self.writing() as held:
            connection = held.connection
            views = connection.execute("SELECT id FROM feature_views WHERE project = ?", (project,)).fetchall()
            for (number,) in views:
                _drop(connection, f"rows_{number}")
            connection.execute("DELETE FROM feature_views WHERE project = ?", (project,))
            connection.execute("DELETE FROM row_schemas WHERE project = ?", (project,))

    def reader(self, project: str, reads: Sequence[ViewRead]) -> Reader:
        places = [read.place for read in reads]
        together = TableReader(self, project, places).read if 0 < len(places) <= MOST_VIEWS else None
        alone = [TableReader(self, project, [place]).read for place in places]

        async def read_rows(keys: list[list[bytes]]) -> list[list[StoredRow | None]]:
            # Views of the same entities are given one and the same list.
            if together and all(wanted is keys[0] for wanted in keys):
                return together(keys[0])
            return [read(wanted)[0] for read, wanted in zip(alone, keys, strict=True)]

        return read_rows

    def writer(self, project: str, place: str, schema: RowSchema) -> Writer:
        with self.writing() as held:
            connection = held.connection
            table = self._table(connection, project, place, make=True)
            connection.execute(
                "INSERT OR IGNORE INTO row_schemas VALUES (?, ?, ?)", (project, schema.fingerprint, _features(schema))
            )

        return TableWriter(self, f"{table}_", held.file)

    async def schemas(self, project: str, fingerprints: Sequence[int]) -> dict[int, RowSchema]:
        marks = ", ".join("?" * len(fingerprints))
        with translated(self.path):
            held = self.hold()
            found = held.connection.execute(
                f"SELECT fingerprint, features FROM row_schemas WHERE project = ? AND fingerprint IN ({marks})",
                (project, *fingerprints),
            )
            return {fingerprint: _row_schema(fingerprint, text) for fingerprint, text in found}

    def check(self) -> None:
        with translated(self.path):
            held = self.hold(look=True)
            held.connection.execute("SELECT count(*) FROM feature_views").fetchone()

    def close(self) -> None:
        # What a thread is reading with is closed when it has done, see `Held`.
        self._threads = threading.local()

    def hold(self, look: bool = False, patient: bool = True) -> "Held":
        """This thread's connection, in autocommit mode, to be held while it is used; the file and its tables are made
        where they are not there. With `look` it surely is to the file that is at the path now. A thread has another
        one that is not `patient`, see `connect`."""
        name = "held" if patient else "impatient"
        held: Held | None = getattr(self._threads, name, None)
        if held is None or look or time.monotonic() > held.look_at:
            with translated(self.path):
                if held is not None and not held.is_at(self.path):
                    self._forget(held.file)
                    # Closed before the next one is opened, which by its name may find the same log.
                    held = None
                    setattr(self._threads, name, None)
                elif held is not None and held.reads_only and look:
                    held = None  # it may be written by now
                    setattr(self._threads, name, None)
                if held is None:
                    held = self._open(patient)
                    setattr(self._threads, name, held)
        return held

    def _open(self, patient: bool) -> "Held":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            seen = File.at(self.path)
            if seen is None:
                self.path.touch(mode=0o644)
                continue
            connection, content = connect(self.path, patient)
            held = Held(connection, self._known(seen), content)
            if held.is_at(self.path):
                return held
            # Replaced meanwhile, so that nobody knows which of the two was opened.
            self._forget(held.file)

    def _known(self, file: "File") -> "File":
        """One object for all connections to one file."""
        with self._lock:
            if self._file is None or self._file != file:
                self._file = file
            return self._file

    def _forget(self, file: "File") -> None:
        """A later file is another one, also where the system gives it the same number."""
        with self._lock:
            if self._file is file:
                self._file = None

    @contextmanager
    def writing(self, file: "File | None" = None, begin: bool = True, patient: bool = True) -> Iterator["Held"]:
        """One transaction that has the write lock from its start; without `begin`, the caller's only statement is one.
        Raises Unavailable where `file` is given and is no longer the one at the path: what was written before is lost;
        and, unless `patient`, where it would have to wait for another writer."""
        held = self.hold(look=True, patient=patient)
        if file is not None and held.file is not file:
            raise Unavailable(f"the online store {self.path.name} was removed or replaced while it was being written")
        connection = held.connection
        # One after the other: of two connections that want to write, SQLite has one sleep and look again later, which
        # takes ten times as long as waiting here.
        seconds = sqlite_files.BUSY_SECONDS if patient else 0.0
        if not self._turn.acquire(timeout=seconds):
            raise Unavailable(f"the online store {self.path.name} is busy; gave up after {seconds:g} s")
        try:
            with translated(self.path):
                if begin:
                    connection.execute("BEGIN IMMEDIATE")
                try:
                    yield held
                    connection.commit()
                except BaseException:
                    connection.rollback()
                    raise
        finally:
            self._turn.release()

    def table(self, held: "Held", project: str, view: str) -> str | None:
        """What the names of a view's tables begin with, None where nothing was applied yet."""
        with translated(self.path):
            return self._table(held.connection, project, view)

    def _table(self, connection: sqlite3.Connection, project: str, view: str, make: bool = False) -> str | None:
        query = "SELECT id FROM feature_views WHERE project = ? AND name = ?"
        found = connection.execute(query, (project, view)).fetchone()
        if found is None and not make:
            return None
        if found is None:
            connection.execute("INSERT INTO feature_views (project, name) VALUES (?, ?)", (project, view))
            found = connection.execute(query, (project, view)).fetchone()
        table = f"rows_{found[0]}"
        if make:
            # Without a rowid: a row is found by one descent of one tree. An integer key is the rowid.
            for kind, key, options in (("int", "INTEGER", ""), ("blob", "BLOB", "WITHOUT ROWID")):
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {table}_{kind} (key {key} PRIMARY KEY, event_us INTEGER NOT NULL,"
                    " created_us INTEGER NOT NULL, fingerprint INTEGER NOT NULL, nulls BLOB NOT NULL,"
                    f" vals BLOB NOT NULL) {options}"
                )
        return table


def _drop(connection: sqlite3.Connection, table: str) -> None:
    for kind in ("int", "blob"):
        connection.execute(f"DROP TABLE IF EXISTS {table}_{kind}")


def _features(schema: RowSchema) -> str:
    return json.dumps([[name, str(dtype)] for name, dtype in zip(schema.names, schema.types, strict=True)])


def _row_schema(fingerprint: int, text: str) -> RowSchema:
    features = json.loads(text)
    return RowSchema(
        fingerprint, tuple(name for name, _ in features), tuple(parse_type(dtype) for _, dtype in features)
    )
