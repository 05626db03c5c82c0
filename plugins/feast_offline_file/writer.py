"""Appends pushed rows to a file source: each batch is a new file, which is there as a whole or not at all."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from feast_core.definitions import FileSource
from feast_core.errors import SourceError
from feast_core.interfaces import Columns, EncodedRows, OfflineReceipt, OfflineWriter
from feast_offline_file.blocks import Block, blocks_of
from feast_offline_file.columns import literal
from feast_offline_file.database import Database
from feast_offline_file.durable import make_directory, put, sync, temporary, writable
from feast_offline_file.files import State, files_of, parts_below, state_of
from feast_offline_file.locks import held
from feast_offline_file.parts import Place, folded_in, is_merged, place_of
from feast_offline_file.schema import Schema
from feast_offline_file.source import OpenSource


@dataclass(frozen=True, slots=True)
class _Known:
    """A source as it was when it was looked at. `token` changes whenever its file, or what is in its folder, does."""

    place: Place
    token: State
    states: dict[str, State]
    schema: Schema


class FileWriter(OfflineWriter):
    """Appends to one source. `written` is called after each batch, with the source and where its parts are."""

    def __init__(
        self,
        source: FileSource,
        repo_path: Path,
        database: Database,
        written: Callable[[FileSource, Path, Place], None],
    ) -> None:
        """Raises SourceError where nothing can be appended to the source."""
        self._source = source
        self._repo_path = repo_path
        self._database = database
        self._written = written
        self._lock = threading.Lock()
        self._folded: tuple[object, dict[str, None]] = (None, {})
        self._known = self._look(None)

    def encode(self, columns: Columns) -> EncodedRows:
        """See OfflineWriter."""
        return self._current().schema.encode(columns, self._database.connect)

    def write(self, encoded: Sequence[bytes], batch_id: str) -> OfflineReceipt:
        """See OfflineWriter."""
        blocks = list(blocks_of(encoded))
        rows = sum(block.rows for block in blocks)
        if not rows:
            return OfflineReceipt(0)
        known = self._current(thoroughly=True)
        with writable(self._source.label, self._source.path), self._database.connect() as connection:
            make_directory(known.place.directory)
            part = known.place.part(batch_id)
            if part.exists():
                sync(part.parent)  # its writer may have been killed before it did
            elif part.name not in self._folded_in(known.place, connection):
                with temporary(part) as found:
                    self._copy(known.schema, blocks, found, connection)
                    put(found, part)
        self._written(self._source, self._repo_path, known.place)
        return OfflineReceipt(rows)

    def _copy(self, schema: Schema, blocks: list[Block], path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        query = " UNION ALL ".join(schema.select(block, connection) for block in blocks)
        values = [line for block in blocks for line in block.lines.values()]
        copy = f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, USE_TMP_FILE false)"
        while True:
            try:
                connection.execute(copy, values)
                return
            except duckdb.OutOfMemoryException:
                if not self._database.grow():
                    raise

    def _folded_in(self, place: Place, connection: duckdb.DuckDBPyConnection) -> dict[str, None]:
        """As `folded_in`, remembered until another file holds others."""
        with held(place.guard):  # so that none of them is removed meanwhile
            parts = parts_below(place.directory)
            now = (state_of(place.main) if place.main else None, _states(parts))
            before, folded = self._folded
            if now != before:
                folded = folded_in(place, parts, connection)
                self._folded = (now, folded)
        return folded

    def _current(self, thoroughly: bool = False) -> _Known:
        """The source as it is now; a file in a folder that was written anew is seen where one looks `thoroughly`."""
        known = self._known
        if known.place.main is not None or not thoroughly:
            try:
                if state_of(known.place.guard) == known.token:
                    return known
            except OSError:
                pass  # looking at it again tells what is wrong
        with self._lock:
            self._known = self._look(self._known)
            return self._known

    def _look(self, before: _Known | None) -> _Known:
        place = place_of(self._source, self._repo_path)
        try:
            token = state_of(place.guard)
        except OSError as error:
            raise SourceError(
                f"{self._source.label}: {self._source.path!r} cannot be read: {error.strerror}"
            ) from error
        states = files_of(self._source, self._repo_path).without_parts().states()
        if before is not None and (before.place, before.states) == (place, states):
            return _Known(place, token, states, before.schema)
        with (
            self._database.connect() as connection,
            OpenSource(self._source, self._repo_path, connection, with_parts=False) as opened,
        ):
            return _Known(place, token, states, Schema(opened))


def _states(parts: Sequence[Path]) -> list[tuple[Path, State]]:
    """Of those that hold several batches."""
    return [(part, state_of(part)) for part in parts if is_merged(part)]
