"""Newest rows of parquet files by way of DuckDB, in batches and in bounded memory."""

import logging
from collections.abc import Generator
from pathlib import Path

import duckdb
import msgspec

from feast_core.definitions import DataSource, FeastType
from feast_core.interfaces import Batch, Compaction, Job, Latest, OfflineStore, OfflineWriter
from feast_offline_file.columns import feast_type
from feast_offline_file.compaction import compact, everything
from feast_offline_file.database import Database
from feast_offline_file.files import file_source
from feast_offline_file.housekeeping import Housekeeping
from feast_offline_file.locks import Patience
from feast_offline_file.newest import Newest
from feast_offline_file.source import OpenSource
from feast_offline_file.writer import FileWriter

logger = logging.getLogger("feast")

#: Small enough that a batch of 50 columns stays in the processor's cache: turning rows to columns takes half the time.
BATCH_ROWS = 512
_TABLE = "feast_places"
#: How long a compaction that was asked for waits for readers, and for another one.
COMPACTION_SECONDS = 60.0


class FileOfflineStore(OfflineStore):
    """Reads `FileSource`s of parquet. Thread-safe: every call has a connection of its own to one database in memory."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """`offline_store`, with `type: file`. The keys of Feast's duckdb store; there is nothing to stage here."""

        staging_location: str | None = None
        """Accepted, without effect."""
        staging_location_endpoint_override: str | None = None
        """Accepted, without effect."""

    def __init__(self, options: Options) -> None:
        self._database = Database()
        self._writing = Database(in_order=True)
        self._housekeeping = Housekeeping(self._writing)

    def columns(self, source: DataSource, repo_path: Path) -> dict[str, FeastType]:
        """See OfflineStore: all columns, the event and created times among them."""
        with (
            self._database.connect() as connection,
            OpenSource(file_source(source, source.label), Path(repo_path), connection) as opened,
        ):
            return {name: feast_type(column_type) for name, column_type in opened.types.items()}

    def latest(self, job: Job, repo_path: Path) -> Latest:
        """See OfflineStore. Rows with a null in a join key are left out, and counted in a warning."""
        declared = file_source(job.view.batch_source, job.view.label)
        connection = self._database.connect()
        try:
            source = OpenSource(declared, Path(repo_path), connection)
        except BaseException:
            connection.close()
            raise
        try:
            newest = Newest(job, source)
            with source.readable():
                self._warn_of_skipped(job, newest, connection)
                (total,) = connection.execute(newest.places(_TABLE)).fetchone() or (0,)
                source.check_unchanged()
        except BaseException:
            source.close()
            connection.close()
            raise
        return Latest(self._batches(connection, newest, source), total)

    def writer(self, source: DataSource, repo_path: Path) -> OfflineWriter:
        """See OfflineStore. Each batch becomes a file of its own, see `parts`."""
        files = file_source(source, source.label)
        return FileWriter(files, Path(repo_path), self._writing, self._housekeeping.written)

    def compact(self, source: DataSource, repo_path: Path) -> Compaction:
        """See OfflineStore. Sources that nothing can be appended to have nothing to compact."""
        files = file_source(source, source.label)
        return compact(files, Path(repo_path), self._writing, everything, Patience(COMPACTION_SECONDS))

    def close(self) -> None:
        self._housekeeping.close()
        self._database.close()
        self._writing.close()

    def _warn_of_skipped(self, job: Job, newest: Newest, connection: duckdb.DuckDBPyConnection) -> None:
        counting = newest.skipped()
        if counting is None:
            return
        (skipped,) = connection.execute(counting).fetchone() or (0,)
        if skipped:
            keys = ", ".join(job.view.join_keys)
            logger.warning(
                "%s: %d rows of the source have no value for %s and are left out", job.view.label, skipped, keys
            )

    def _batches(
        self, connection: duckdb.DuckDBPyConnection, newest: Newest, source: OpenSource
    ) -> Generator[Batch, None, None]:
        given = 0
        with connection, source, source.readable():
            while True:
                try:
                    result = connection.execute(f"{newest.rows(_TABLE)} OFFSET {given}")
                    rows = result.fetchmany(BATCH_ROWS)
                    source.check_unchanged()  # They are sorted: with the first one all are read, and none is given yet.
                    while rows:
                        *columns, event_us, created_us = map(list, zip(*rows, strict=True))
                        yield Batch(dict(zip(newest.names, columns, strict=True)), event_us, created_us)
                        given += len(rows)
                        rows = result.fetchmany(BATCH_ROWS)
                    return
                except duckdb.OutOfMemoryException:
                    # The order is the same each time, so that it can go on where it stopped.
                    if not self._database.grow():
                        raise
