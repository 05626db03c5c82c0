"""The DuckDB that reads the files: in memory, within limits, going to disk beyond them."""

import logging
import os
import re
import tempfile
import threading

import duckdb

logger = logging.getLogger("feast")

MIB = 2**20
# What DuckDB may hold before it goes to disk, in all connections together. Each thread wants about 125 MB of it, so
# that more than two of them would starve each other; and one thread writes what they read, which takes four times as
# long. Ten million rows of 10 features, each of another key, take a tenth more time than within 512 MiB.
MEMORY_LIMIT = 256 * MIB
MOST_THREADS = 2
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


class Database:
    """Made on the first connection. Thread-safe."""

    def __init__(self, in_order: bool = False) -> None:
        """`in_order`: rows are written in the order in which they are read, by one thread."""
        self._lock = threading.Lock()
        self._root: duckdb.DuckDBPyConnection | None = None
        self._in_order = in_order
        self._limit = MEMORY_LIMIT
        self._threads = 1 if in_order else min(os.cpu_count() or 1, MOST_THREADS)
        self._most = 0

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection with temporary tables of its own, to be closed by who asked for it."""
        with self._lock:
            if self._root is None:
                self._root = self._open()
            return self._root.cursor()

    def grow(self) -> bool:
        """Make more room after a statement ran out of memory; False if there is no more to give.

        A reader of parquet holds a page of every column, and all of a column's row group where that is one page: files
        with many columns in large row groups need more than usual. First fewer threads, then a higher limit.
        """
        with self._lock:
            if self._root is None:
                return False
            if self._threads > 1:
                self._threads = 1
            elif self._limit * 2 <= self._most:
                self._limit *= 2
            else:
                return False
            self._limit_memory(self._root)
            logger.debug("DuckDB is given %d MB and %d threads", self._limit // MIB, self._threads)
            return True

    def close(self) -> None:
        """Close the database; connections that are still open keep it alive until they are closed."""
        with self._lock:
            if self._root is not None:
                self._root.close()
                self._root = None

    def _open(self) -> duckdb.DuckDBPyConnection:
        # Nothing is ever fetched from the network. Results are sorted, so the order of reading need not be kept for
        # them.
        root = duckdb.connect(
            ":memory:",
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "preserve_insertion_order": self._in_order,
                "temp_directory": _new_directory(),
            },
        )
        # Prefetching would hold a whole row group of compressed data, which for pandas is a million rows.
        root.execute("SET GLOBAL disable_parquet_prefetching = true")
        # Where some files of a source have naive times and others aware ones, DuckDB makes all of them aware, and would
        # take the naive ones for times of the machine's zone. The setting is of the ICU extension, which is built in.
        root.execute("SET GLOBAL TimeZone = 'UTC'")
        self._most = _size(root.execute("SELECT current_setting('memory_limit')").fetchone())
        self._limit_memory(root)
        return root

    def _limit_memory(self, root: duckdb.DuckDBPyConnection) -> None:
        root.execute(f"SET memory_limit = '{self._limit // MIB}MiB'")
        root.execute(f"SET threads = {self._threads}")


def spill_directory(connection: duckdb.DuckDBPyConnection) -> str:
    """Where a database writes what does not fit into its memory; empty where it cannot."""
    (found,) = connection.execute("SELECT current_setting('temp_directory')").fetchone() or ("",)
    return str(found)


def _new_directory() -> str:
    """A name for it: the folder is made when something is spilled, and removed with the database. Empty where there is
    no place to write to, as in a container with nothing but read-only file systems: memory is enough for most."""
    try:
        return os.path.join(tempfile.gettempdir(), f"feast-{os.getpid()}-{os.urandom(4).hex()}")
    except FileNotFoundError:
        return ""


def _size(row: tuple[str, ...] | None) -> int:
    """Bytes of a size as DuckDB writes it, `18.8 GiB`. What it allows by default is most of what the machine, or the
    container, has."""
    found = re.fullmatch(r"([\d.]+) ?(\w+)", row[0]) if row else None
    return int(float(found[1]) * _UNITS.get(found[2], 1)) if found else 0
