"""Compaction: parts are merged into the file that they belong to, or into one part.

The new file is written while the others are read, and takes its place at once. It lists the batches that it holds, so
that parts that are still there, where the process was killed, are not read again. Readers hold a shared lock; only who
exchanges the files keeps them waiting, for as long as that takes.
"""

import json
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from feast_core.definitions import FileSource
from feast_core.errors import Conflict, SourceError, Unavailable
from feast_core.interfaces import Compaction
from feast_offline_file.columns import file_list, literal, quoted
from feast_offline_file.database import Database
from feast_offline_file.durable import leftovers, put, sync, temporary, writable
from feast_offline_file.files import Files, parts_below, state_of
from feast_offline_file.locks import Locks, Patience
from feast_offline_file.parts import FOLDED, Place, batch_of, folded_in, place_if_any
from feast_offline_file.source import read_sql

#: So many batches that were merged are remembered, besides those of the last time.
REMEMBERED = 10_000
#: More parts than these are merged without being asked for.
MOST_PARTS = 256
#: Parts up to this size are merged again and again; and for less than this, a file is not written anew.
SMALL_BYTES = 16 * 2**20

_LOCK = ".feast-compacting"
# A process that was killed wrote no later than this long ago to what it left behind.
_LEFTOVER_SECONDS = 3600
# Of pandas and Arrow, about rows and types of the file as it was written: not true of another one.
_NOT_KEPT = (FOLDED, "pandas", "ARROW:schema")


@dataclass(frozen=True, slots=True)
class Choice:
    """Parts that are to be merged, which follow each other; into the main file, where they are all there are."""

    parts: Sequence[Path]
    into_main: bool


def everything(place: Place, parts: Sequence[Path]) -> Choice:
    """All parts, for who asks for it; a folder's only part is merged already."""
    return Choice(parts if place.main or len(parts) > 1 else (), place.main is not None)


def what_is_due(place: Place, parts: Sequence[Path]) -> Choice:
    """What makes the source slow to read, and costs little for each batch that was written: a file is written anew
    when as much was pushed as is in it; small parts are merged when they are many."""
    sizes = [_size(part) for part in parts]
    if place.main and sum(sizes) >= max(SMALL_BYTES, _size(place.main)):
        return Choice(parts, into_main=True)
    if len(parts) <= MOST_PARTS:
        return Choice((), into_main=False)
    # From the last one back, as long as a part is not large beside those after it.
    count, total = 0, 0
    for size in reversed(sizes):
        if size > max(SMALL_BYTES, total):
            break
        count, total = count + 1, total + size
    return Choice(parts[-count:] if count > MOST_PARTS // 4 else (), into_main=False)


def compact(
    source: FileSource,
    repo_path: Path,
    database: Database,
    choose: Callable[[Place, Sequence[Path]], Choice],
    patience: Patience,
) -> Compaction:
    """Merge parts of a source. Raises SourceError, Unavailable where others do not let go of it, and Conflict where the
    file is written by somebody else meanwhile."""
    place = place_if_any(source, repo_path)
    if place is None or not parts_below(place.directory):
        return Compaction(0, 0)
    with writable(source.label, source.path):
        lock = place.directory / _LOCK
        lock.touch()
        locks = Locks.exclusive(lock, patience)
        if locks is None:
            raise Unavailable(f"{source.label} is being compacted by another process; wait until that is done")
        with locks, database.connect() as connection:
            return _Compacting(source, place, connection, database.grow).run(choose, patience)


class _Compacting:
    """One compaction; of a source there is one at a time."""

    def __init__(
        self, source: FileSource, place: Place, connection: duckdb.DuckDBPyConnection, grow: Callable[[], bool]
    ) -> None:
        self._source = source
        self._place = place
        self._connection = connection
        self._grow = grow
        # Where the path is a link, the file that it leads to is exchanged.
        self._main = place.main.resolve() if place.main else None
        self._state = state_of(self._main) if self._main else None

    def run(self, choose: Callable[[Place, Sequence[Path]], Choice], patience: Patience) -> Compaction:
        parts = parts_below(self._place.directory)
        folded = folded_in(self._place, parts, self._connection)
        gone = [part for part in parts if part.name in folded]
        choice = choose(self._place, [part for part in parts if part.name not in folded])
        if not choice.parts:
            if gone:
                self._exchange(None, None, gone, patience)
            return Compaction(0, 0)
        self._alone(patience).close()  # before the work: a reader that takes long would make it useless
        main = self._main if choice.into_main else None
        target = main or self._place.merged(batch_of(choice.parts[-1]))
        for directory in {target.parent, self._place.directory}:
            _remove(leftovers(directory, time.time() - _LEFTOVER_SECONDS))
        rows = self._rows(choice.parts)
        with temporary(target) as found:
            self._copy(main, choice.parts, found, _remembered(folded, choice.parts, target))
            if self._rows([found]) != rows + (self._rows([main]) if main else 0):
                raise SourceError(f"{self._label}: rows of {self._source.path!r} were changed while they were merged")
            self._exchange(found, target, [part for part in [*gone, *choice.parts] if part != target], patience)
        return Compaction(len(choice.parts), rows)

    @property
    def _label(self) -> str:
        return self._source.label

    def _exchange(self, found: Path | None, target: Path | None, gone: Sequence[Path], patience: Patience) -> None:
        """Put the new file in its place, and remove the parts that it holds, while nobody reads."""
        if found is not None:
            sync(found)  # what takes long, before others have to wait
        with self._alone(patience):
            if found is not None and target is not None:
                if target == self._main:
                    found.chmod(stat.S_IMODE(target.stat().st_mode))
                put(found, target)
            _remove(gone)
        sync(self._place.directory)

    def _alone(self, patience: Patience) -> Locks:
        """A lock that keeps readers waiting."""
        locks = Locks.exclusive(self._place.guard, patience)
        if locks is None and self._is_unchanged():
            raise Unavailable(f"{self._label} is being read; compact it when that is done")
        if locks is None or not self._is_unchanged():
            raise Conflict(f"{self._label}: {self._source.path!r} was written while it was compacted; do it again")
        return locks

    def _is_unchanged(self) -> bool:
        return self._main is None or (self._main.is_file() and state_of(self._main) == self._state)

    def _copy(self, main: Path | None, parts: Sequence[Path], found: Path, folded: Iterable[str]) -> None:
        files = [str(path) for path in ([main] if main else []) + list(parts)]
        columns = self._columns(main, parts)
        metadata = {**(self._metadata(main) if main else {}), FOLDED: json.dumps(list(folded))}
        pairs = ", ".join(f"{literal(key)}: {literal(value)}" for key, value in metadata.items())
        options = f"FORMAT parquet, USE_TMP_FILE false, KV_METADATA {{{pairs}}}"
        if main:
            options += f", COMPRESSION {self._compression(main)}"
        selected = ", ".join(map(quoted, columns))
        query = f"SELECT {selected} FROM {read_sql(Files(tuple(files), partitioned=False))}"
        while True:
            try:
                self._connection.execute(f"COPY ({query}) TO {literal(str(found))} ({options})")
                return
            except duckdb.OutOfMemoryException:
                if not self._grow():
                    raise

    def _columns(self, main: Path | None, parts: Sequence[Path]) -> dict[str, str]:
        """Names and types of the columns of the new file. Raises SourceError where a part has others, as where the main
        file was replaced: merged, its values would become those of another type, or be lost."""
        columns = self._types(main) if main else {}
        for part in parts:
            for name, kind in self._types(part).items():
                expected = columns.get(name) if main else columns.setdefault(name, kind)
                if expected != kind:
                    has = f"is {expected} in {self._source.path!r}" if expected else f"is not in {self._source.path!r}"
                    raise SourceError(
                        f"{self._label}: column {name!r} of rows that were pushed is {kind}, and {has}; they are read"
                        " as they are, and can be merged when the file has the column as it was"
                    )
        return columns

    def _types(self, path: Path) -> dict[str, str]:
        relation = self._connection.sql(f"SELECT * FROM {read_sql(Files((str(path),), partitioned=False))}")
        return dict(zip(relation.columns, map(str, relation.types), strict=True))

    def _rows(self, paths: Iterable[Path]) -> int:
        listed = file_list(map(str, paths))
        query = f"SELECT sum(num_rows) FROM parquet_file_metadata([{listed}])"
        (rows,) = self._connection.execute(query).fetchone() or (0,)
        return int(rows)

    def _metadata(self, main: Path) -> dict[str, str]:
        """What people wrote into the file besides rows, where it is text."""
        found = self._connection.execute(
            f"SELECT decode(key), decode(value) FROM parquet_kv_metadata({file_list([str(main)])})"
        ).fetchall()
        return {key: value for key, value in found if key not in _NOT_KEPT}

    def _compression(self, main: Path) -> str:
        """That of the file as it is."""
        query = f"SELECT any_value(compression) FROM parquet_metadata({file_list([str(main)])})"
        (found,) = self._connection.execute(query).fetchone() or (None,)
        return found if found in ("UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "BROTLI", "LZ4_RAW") else "SNAPPY"


def _remembered(folded: Iterable[str], parts: Sequence[Path], target: Path) -> list[str]:
    """Names of the parts that the new file holds: all that are still there, and the latest of those before."""
    names = [*sorted(folded)[-REMEMBERED:], *(part.name for part in parts)]
    return [name for name in dict.fromkeys(names) if name != target.name]


def _size(path: Path) -> int:
    """In bytes; 0 where another process has removed it."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
