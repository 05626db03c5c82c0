"""Rows in SQLite: tables per view, keyed by entity key; WAL, so that readers never wait for a materialization.

Readers run in place on the event loop: a read of one key takes about 7 microseconds, a thread hop would take 80.
"""

import json
import sqlite3
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from feast_core.definitions import parse_type
from feast_core.errors import Unavailable
from feast_core.interfaces import KeyedRow, OnlineStore, Reader, Receipt, RowSchema, StoredRow, ViewRead, Writer

#: How long a writer waits for another one. Readers never wait.
BUSY_SECONDS = 30.0
#: Keys per statement; statements for 1, 2, 4, ... keys are prepared once, a shorter list is filled up with its last
#: key.
MOST_KEYS = 512

#: Views that one statement reads; SQLite joins up to 64 tables.
MOST_VIEWS = 32
_INTEGER_KEY = 9

# AUTOINCREMENT: the number of a dropped view, and so its table, is never given to another one. A process that has not
# heard of the drop yet would read and write the other view's rows.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS feature_views (
    id INTEGER PRIMARY KEY AUTOINCREMENT, project TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (project, name));
CREATE TABLE IF NOT EXISTS row_schemas (
    project TEXT NOT NULL, fingerprint INTEGER NOT NULL, features TEXT NOT NULL, PRIMARY KEY (project, fingerprint));
"""


class SqliteOnlineStore(OnlineStore):
    """One file, any number of processes. Connections are per thread, and close with their thread or with the store."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """`path` is relative to the repository. The others are Feast's, for vector search."""

        path: Path = Path("data/online.db")
        vector_enabled: bool = False
        similarity: str = "cosine"
        text_search_enabled: bool = False
        enable_openai_compatible_store: bool = False

    def __init__(self, options: "SqliteOnlineStore.Options") -> None:
        self.path = options.path
        self._threads = threading.local()

    def update(self, project: str, keep: Sequence[str], drop: Sequence[str]) -> None:
        with self._writing() as connection:
            for view in keep:
                self._table(connection, project, view, make=True)
            for view in drop:
                table = self._table(connection, project, view)
                if table:
                    _drop(connection, table)
                    connection.execute("DELETE FROM feature_views WHERE project = ? AND name = ?", (project, view))

    def teardown(self, project: str) -> None:
        if not self.path.exists():
            return
        with self._writing() as connection:
            views = connection.execute("SELECT id FROM feature_views WHERE project = ?", (project,)).fetchall()
            for (number,) in views:
                _drop(connection, f"rows_{number}")
            connection.execute("DELETE FROM feature_views WHERE project = ?", (project,))
            connection.execute("DELETE FROM row_schemas WHERE project = ?", (project,))

    def reader(self, project: str, reads: Sequence[ViewRead]) -> Reader:
        names = [read.view.name for read in reads]
        together = _TableReader(self, project, names).read if 0 < len(names) <= MOST_VIEWS else None
        alone = [_TableReader(self, project, [name]).read for name in names]

        async def read_rows(keys: list[list[bytes]]) -> list[list[StoredRow | None]]:
            # Views of the same entities are given one and the same list.
            if together and all(wanted is keys[0] for wanted in keys):
                return together(keys[0])
            return [read(wanted)[0] for read, wanted in zip(alone, keys, strict=True)]

        return read_rows

    def writer(self, project: str, view: str, schema: RowSchema) -> Writer:
        with self._writing() as connection:
            table = self._table(connection, project, view, make=True)
            connection.execute(
                "INSERT OR IGNORE INTO row_schemas VALUES (?, ?, ?)", (project, schema.fingerprint, _features(schema))
            )

        def write(rows: Sequence[KeyedRow]) -> Receipt:
            kind, keys = keys_of_kind([row[0] for row in rows])
            with self._writing() as connection:
                before = connection.total_changes
                connection.executemany(
                    _upsert(f"{table}_{kind}"), ((key, *row[1:]) for key, row in zip(keys, rows, strict=True))
                )
                written = connection.total_changes - before
            return Receipt(written, len(rows) - written)

        return write

    async def schemas(self, project: str, fingerprints: Sequence[int]) -> dict[int, RowSchema]:
        marks = ", ".join("?" * len(fingerprints))
        with _translated(self.path):
            held = self.hold()
            found = held.connection.execute(
                f"SELECT fingerprint, features FROM row_schemas WHERE project = ? AND fingerprint IN ({marks})",
                (project, *fingerprints),
            )
            return {fingerprint: _row_schema(fingerprint, text) for fingerprint, text in found}

    def check(self) -> None:
        with _translated(self.path):
            held = self.hold()
            held.connection.execute("SELECT count(*) FROM feature_views").fetchone()

    def close(self) -> None:
        # What a thread is reading with is closed when it has done, see `_Held`.
        self._threads = threading.local()

    def hold(self) -> "_Held":
        """This thread's connection, in autocommit mode, to be held while it is used; the file and its tables are made
        where they are not there."""
        held: _Held | None = getattr(self._threads, "held", None)
        if held is None:
            held = self._threads.held = _Held(self._connect())
        return held

    def _connect(self) -> sqlite3.Connection:
        with _translated(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=512, check_same_thread=False
            )
            try:
                _prepare(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that has the write lock from its start."""
        held = self.hold()
        connection = held.connection
        with _translated(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def table(self, project: str, view: str) -> str | None:
        """What the names of a view's tables begin with, None where nothing was applied yet."""
        with _translated(self.path):
            held = self.hold()
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


class _Held:
    """A connection that closes when the last one who holds it lets go: its thread, by ending, or the store, by closing,
    and a read under way. Closing one that another thread is reading with would take the whole process down."""

    __slots__ = ("connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __del__(self) -> None:
        self.connection.close()


def _drop(connection: sqlite3.Connection, table: str) -> None:
    for kind in ("int", "blob"):
        connection.execute(f"DROP TABLE IF EXISTS {table}_{kind}")


def _prepare(connection: sqlite3.Connection) -> None:
    """Settings of a new connection; the tables that are not there yet."""
    # Pages hold a whole row of 50 features or more; set before the file is made, without effect after.
    connection.execute("PRAGMA page_size = 8192")
    _switch_to_wal(connection)
    # In WAL mode NORMAL loses nothing when the process dies, only when the machine does; and features come again.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA mmap_size = 268435456")
    connection.execute("PRAGMA cache_size = -16384")
    if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'row_schemas'").fetchone() == (0,):
        connection.executescript(_SCHEMA)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Where several processes open a new file at once, SQLite fails here without waiting, whatever the timeout is."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.002)


class _TableReader:
    """Reads rows of views by the same keys, in one statement, and so from one moment. Which tables those are is asked
    when first needed, and again when one is gone."""

    def __init__(self, store: SqliteOnlineStore, project: str, views: Sequence[str]) -> None:
        self._store = store
        self._project = project
        self._views = views
        self._tables: list[str] | None = None
        self._statements: dict[tuple[str, int], str] = {}

    def read(self, keys: list[bytes]) -> list[list[StoredRow | None]]:
        """Rows per view, in the order of the keys. All keys are of one shape, since one encoder made them."""
        try:
            if self._tables is not None or self._find():
                try:
                    return self._rows(keys)
                except sqlite3.OperationalError as error:
                    if "no such table" not in str(error):
                        raise
                # A view was dropped, and perhaps made again, by an apply in another process.
                if self._find():
                    return self._rows(keys)
        except sqlite3.Error as error:  # `_translated` would cost a microsecond here
            raise _unavailable(self._store.path, error) from error
        if len(self._views) == 1:
            return [[None] * len(keys)]
        # Some of them have no table: each for itself.
        return [_TableReader(self._store, self._project, [view]).read(keys)[0] for view in self._views]

    def _find(self) -> bool:
        self._statements.clear()
        found = [self._store.table(self._project, view) for view in self._views]
        self._tables = None if None in found else [table for table in found if table]
        return self._tables is not None

    def _rows(self, keys: list[bytes]) -> list[list[StoredRow | None]]:
        held = self._store.hold()
        execute = held.connection.execute
        kind, values = keys_of_kind(keys)
        if len(values) == 1 and len(self._views) == 1:
            return [[execute(self._statement(kind, 0), values).fetchone()]]
        found: list[StoredRow] = []
        for start in range(0, len(values), MOST_KEYS):
            wanted = values[start : start + MOST_KEYS]
            size = 1 << (len(wanted) - 1).bit_length()
            padded = wanted if size == len(wanted) else [*wanted, *[wanted[-1]] * (size - len(wanted))]
            found += execute(self._statement(kind, size), padded).fetchall()[: len(wanted)]
        if len(self._views) == 1:
            return [[None if row[1] is None else row for row in found]]
        return [
            [None if row[at + 1] is None else row[at : at + 4] for row in found]
            for at in range(0, 4 * len(self._views), 4)
        ]

    def _statement(self, kind: str, size: int) -> str:
        """The query for so many keys; 0 for the plain query of one key of one view."""
        statement = self._statements.get((kind, size))
        if statement is None:
            statement = self._statements[kind, size] = self._query(
                [f"{table}_{kind}" for table in self._tables or ()], size
            )
        return statement

    @staticmethod
    def _query(tables: Sequence[str], size: int) -> str:
        if size == 0:
            return f"SELECT event_us, fingerprint, nulls, vals FROM {tables[0]} WHERE key = ?"
        # A left join from a list of values gives rows in the order of the list, also for keys that are not there, with
        # no sorting and no dictionary: it takes a third less time than IN (...), and a fifth of a query per key.
        columns = ", ".join(f"t{n}.event_us, t{n}.fingerprint, t{n}.nulls, t{n}.vals" for n in range(len(tables)))
        joins = " ".join(f"LEFT JOIN {table} AS t{n} ON t{n}.key = wanted.column1" for n, table in enumerate(tables))
        marks = ", ".join(["(?)"] * size)
        return f"SELECT {columns} FROM (VALUES {marks}) AS wanted {joins}"


def _upsert(table: str) -> str:
    """Newest event wins, then newest created time, then the later write."""
    return (
        f"INSERT INTO {table} (key, event_us, created_us, fingerprint, nulls, vals) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET event_us = excluded.event_us, created_us = excluded.created_us,"
        " fingerprint = excluded.fingerprint, nulls = excluded.nulls, vals = excluded.vals"
        " WHERE (excluded.event_us, excluded.created_us) >= (event_us, created_us)"
    )


def keys_of_kind(keys: Sequence[bytes]) -> tuple[str, Sequence[bytes | int]]:
    """Which of a view's two tables holds these keys, and their values there.

    Keys of one integer (`i` and 8 bytes, see `feast_core.keys`) are row numbers of a table, which halves the time of
    a read; all others are blobs.
    """
    joined = b"".join(keys)
    if len(joined) == _INTEGER_KEY * len(keys) and joined[:1] == b"i":
        return "int", struct.unpack(">" + "xq" * len(keys), joined)
    return "blob", keys


def _features(schema: RowSchema) -> str:
    return json.dumps([[name, str(dtype)] for name, dtype in zip(schema.names, schema.types, strict=True)])


def _row_schema(fingerprint: int, text: str) -> RowSchema:
    features = json.loads(text)
    return RowSchema(
        fingerprint, tuple(name for name, _ in features), tuple(parse_type(dtype) for _, dtype in features)
    )


def _unavailable(path: Path, error: Exception) -> Unavailable:
    # Without the path that the system's own message ends with: it may reach a client.
    reason = error.strerror if isinstance(error, OSError) else None
    return Unavailable(f"the online store {path.name} cannot be used: {reason or error}")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _unavailable(path, error) from error
