"""Writing rows of one view: in its turn, or at once and only if nobody has to be waited for."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from feast_core.errors import Unavailable
from feast_core.interfaces import KeyedRow, Receipt
from feast_core.sqlite_files import File
from feast_online_sqlite.reader import keys_of_kind

if TYPE_CHECKING:
    from feast_online_sqlite.store import SqliteOnlineStore

#: Of so many writes of a store that could be done at once, one is not: who does it in its turn also brings SQLite's log
#: into the file, as often as it has grown by 8 MB.
_ONE_IN = 256
#: Rows of one statement, where there are that many: they take two thirds of the time of as many statements of one row.
#: SQLite also lets go of the interpreter's lock for all of them once, and not for each.
_TOGETHER = 100


class TableWriter:
    """Writes rows of the view whose tables begin with `prefix`; a `Writer`."""

    def __init__(self, store: "SqliteOnlineStore", prefix: str, file: File) -> None:
        self._store = store
        self._file = file
        self._upserts = {kind: _upsert(f"{prefix}{kind}", 1) for kind in ("int", "blob")}
        self._together = {kind: _upsert(f"{prefix}{kind}", _TOGETHER) for kind in ("int", "blob")}

    def __call__(self, rows: Sequence[KeyedRow]) -> Receipt:
        return self._write(rows, patient=True)

    def at_once(self, rows: Sequence[KeyedRow]) -> Receipt | None:
        """The same within 30 microseconds for one row, which a hop to a thread would take three times over. None where
        another writer is at work, where it is time to tidy up, or where anything is wrong: then nothing is written."""
        if next(self._store.writes_at_once) % _ONE_IN == 0:
            return None
        try:
            return self._write(rows, patient=False)
        except Unavailable:
            return None

    def _write(self, rows: Sequence[KeyedRow], patient: bool) -> Receipt:
        kind, bound = _bound(rows)
        # A statement alone is a transaction by itself.
        with self._store.writing(self._file, begin=len(rows) > 1, patient=patient) as held:
            connection = held.connection
            before = connection.total_changes
            for _ in range(len(rows) // _TOGETHER):
                together = itertools.chain.from_iterable(itertools.islice(bound, _TOGETHER))
                connection.execute(self._together[kind], list(together))
            connection.executemany(self._upserts[kind], bound)
            written = connection.total_changes - before
        return Receipt(written, len(rows) - written)


def _bound(rows: Sequence[KeyedRow]) -> tuple[str, Iterator[tuple[Any, ...]]]:
    """Which of a view's two tables holds the rows, and what they are there."""
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True)) if rows else [()] * 6
    kind, columns[0] = keys_of_kind(list(columns[0]))
    # The sqlite3 module looks whether somebody adapts bytes, at each value, which takes half as long as all the rest of
    # writing a row. It does not at bytearrays.
    for at in (4, 5) if kind == "int" else (0, 4, 5):
        columns[at] = map(bytearray, columns[at])
    return kind, zip(*columns, strict=True)


def _upsert(table: str, rows: int) -> str:
    """Newest event wins, then newest created time, then the later write and, in one of them, the later row."""
    values = ", ".join(["(?, ?, ?, ?, ?, ?)"] * rows)
    return (
        f"INSERT INTO {table} (key, event_us, created_us, fingerprint, nulls, vals) VALUES {values}"
        " ON CONFLICT (key) DO UPDATE SET event_us = excluded.event_us, created_us = excluded.created_us,"
        " fingerprint = excluded.fingerprint, nulls = excluded.nulls, vals = excluded.vals"
        " WHERE (excluded.event_us, excluded.created_us) >= (event_us, created_us)"
    )
