"""Compaction in the background, by who writes: now and then, where parts have become many or as large as their file."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from feast_core.definitions import FileSource
from feast_core.errors import FeastError
from feast_offline_file.compaction import compact, what_is_due
from feast_offline_file.database import Database
from feast_offline_file.files import parts_below
from feast_offline_file.locks import Patience
from feast_offline_file.parts import Place

logger = logging.getLogger("feast")

# To look at all parts after each batch would take as long as to write a small one.
_EVERY = 16
_PATIENCE_SECONDS = 5.0


class Housekeeping:
    """One thread, which is there when something is to be done. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._writes: dict[Place, int] = {}
        self._told: set[str] = set()
        self._is_closed = False

    def written(self, source: FileSource, repo_path: Path, place: Place) -> None:
        """A batch was written; returns at once."""
        with self._lock:
            count = self._writes[place] = self._writes.get(place, 0) + 1
            if count % _EVERY or self._is_closed or not what_is_due(place, parts_below(place.directory)).parts:
                return
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "feast-compaction")
            self._thread.submit(self._compact, source, repo_path)

    def close(self) -> None:
        """Wait for what is being done."""
        with self._lock:
            self._is_closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(cancel_futures=True)

    def _compact(self, source: FileSource, repo_path: Path) -> None:
        patience = Patience(_PATIENCE_SECONDS, lambda: self._is_closed)
        try:
            done = compact(source, repo_path, self._database, what_is_due, patience)
            logger.debug("%s: %d parts with %d rows were merged", source.label, done.parts, done.rows)
        except FeastError as error:
            # Rows are read all the same; and it is tried again after further batches.
            tell = logger.debug if str(error) in self._told else logger.warning
            self._told.add(str(error))
            tell("not compacted: %s", error)
        except Exception:  # boundary: a thread whose end nobody waits for; batches are written all the same
            logger.exception("%s could not be compacted", source.label)
