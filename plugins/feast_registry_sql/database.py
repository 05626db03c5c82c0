"""Transactions on the database of a registry: made on the first write, no foreign file touched, errors in one line."""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from feast_core.errors import ConfigurationError, FeastError, PluginError, RegistryError, Unavailable
from feast_core.sqlite_files import File
from feast_registry_sql.location import Location
from feast_registry_sql.tables import LAYOUT, layouts, metadata

_SQLITE_MAGIC = b"SQLite format 3\0"
#: Any number will do that no other program takes on the same server: it stands for "the tables are being made".
_MAKING_TABLES = 0x6665617374


class Database:
    """The database at a location. Thread-safe; opens connections as they are needed."""

    def __init__(self, location: Location, engine_options: Mapping[str, Any], lock_timeout_seconds: float) -> None:
        self.location = location
        self._engine_options = engine_options
        self._lock_timeout_seconds = lock_timeout_seconds

    @contextmanager
    def read(self) -> Iterator[Connection | None]:
        """One transaction that sees one state; None where no registry was ever written, and nothing is left behind.

        Raises Unavailable, RegistryError.
        """
        if self.location.file and not self._is_sqlite(self.location.file):
            yield None
            return
        with self._plain_errors(), self._reading.connect() as connection, connection.begin():
            yield connection if self._is_known(connection) else None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that excludes other writers of the same SQLite file; makes the tables on the first write.

        Raises Unavailable, RegistryError.
        """
        if self.location.file:
            self._is_sqlite(self.location.file)
            _make_parent(self.location.file)
        with self._plain_errors(), self._writing.begin() as connection:
            if self.location.file:
                _remember(self.location.file)
            if self._engine.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = {int(self._lock_timeout_seconds * 1000)}"))
            # A table that a later version has added is made in registries of an earlier one.
            if not self._is_known(connection) or metadata.tables.keys() - set(inspect(connection).get_table_names()):
                self._make_tables(connection)
            yield connection

    def check(self) -> None:
        """Raise Unavailable or RegistryError if a read would."""
        with self.read():
            pass

    def close(self) -> None:
        """Close the connections that the pool holds."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    def set_aside(self) -> Path | None:
        """Rename a file that is not SQLite to a free name ending in .bak, and return that; None where there is none."""
        file = self.location.file
        if file is None or not _is_foreign(file):
            return None
        number = 0
        while (aside := file.with_name(f"{file.name}.bak{number or ''}")).exists():
            number += 1
        try:
            return file.rename(aside)
        except OSError as error:
            raise RegistryError(f"cannot rename {file} to {aside.name}: {error.strerror}") from error

    def _is_sqlite(self, file: Path) -> bool:
        """Whether there is a database; no file and an empty one are none. RegistryError for a file of another kind."""
        if _is_foreign(file):
            raise RegistryError(
                f"{file} looks like a registry written by Feast itself (or is not a registry); `feast apply"
                f" --replace-registry` keeps it as {file.name}.bak and makes a new one, or name another path"
            )
        return file.exists() and file.stat().st_size > 0

    @cached_property
    def _engine(self) -> Engine:
        options = dict(self._engine_options)
        if self.location.file:
            options["poolclass"] = NullPool
            options["connect_args"] = {"timeout": self._lock_timeout_seconds, **options.get("connect_args", {})}
        else:
            options = {"pool_size": 1, "pool_pre_ping": True, "pool_recycle": 1800, **options}
        try:
            engine = create_engine(self.location.url, **options)
        except NoSuchModuleError as error:
            raise ConfigurationError(f"registry.path: SQLAlchemy knows no {self.location.url.drivername}://") from error
        except ModuleNotFoundError as error:
            install = {"psycopg": "'feastkit[postgres]'"}.get(error.name or "", error.name)
            raise PluginError(
                f"the registry at {self.location} needs the package {error.name}: pip install {install}"
            ) from error
        except (ArgumentError, TypeError) as error:
            raise ConfigurationError(f"registry.sqlalchemy_config_kwargs: {_first_line(error)}") from error
        if self.location.file:
            _take_over_transactions(engine)
        return engine

    @cached_property
    def _reading(self) -> Engine:
        # Several statements must see one state; on SQLite a transaction always does.
        isolation = {"isolation_level": "REPEATABLE READ"} if self._engine.name in ("postgresql", "mysql") else {}
        return self._engine.execution_options(**isolation)

    @cached_property
    def _writing(self) -> Engine:
        return self._engine.execution_options(begin="BEGIN IMMEDIATE")

    def _is_known(self, connection: Connection) -> bool:
        """Whether the tables are there; RegistryError if a later version made them."""
        if not inspect(connection).has_table(layouts.name):
            return False
        version = connection.execute(select(layouts.c.version)).scalar()
        if version is not None and version > LAYOUT:
            raise RegistryError(
                f"the registry at {self.location} was made by a later version of feastkit"
                f" (layout {version}, this one knows {LAYOUT}); upgrade feastkit"
            )
        return version is not None

    def _make_tables(self, connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            # Two that make the same table at once would both see none, and one would fail.
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MAKING_TABLES})"))
        metadata.create_all(connection)
        if not self._is_known(connection):
            connection.execute(layouts.insert().values(version=LAYOUT))

    @contextmanager
    def _plain_errors(self) -> Iterator[None]:
        """What SQLAlchemy and the driver raise, as one line without SQL."""
        try:
            yield
        except PoolTimeout as error:
            raise Unavailable(f"the registry at {self.location} is busy: all connections are in use") from error
        except DBAPIError as error:
            raise self._plain(error) from error
        except SQLAlchemyError as error:
            raise RegistryError(f"the registry at {self.location}: {_first_line(error)}") from error

    def _plain(self, error: DBAPIError) -> FeastError:
        cause = _first_line(error.orig or error)
        if self.location.file:
            return self._plain_of_file(self.location.file, cause, _sqlite_code(error))
        if "lock timeout" in cause:
            return self._locked()
        if isinstance(error, (OperationalError, InterfaceError)):
            return Unavailable(f"the registry at {self.location} cannot be reached: {cause}")
        return RegistryError(f"the registry at {self.location} cannot be used: {cause}")

    def _plain_of_file(self, file: Path, cause: str, code: int) -> FeastError:
        match code:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return self._locked()
            case sqlite3.SQLITE_FULL:
                return Unavailable(
                    f"the registry {file} cannot be written: its disk is full; make room there and run it again"
                )
            case sqlite3.SQLITE_READONLY:
                return RegistryError(
                    f"the registry {file} cannot be written: it or its directory is read-only for this user"
                )
            case sqlite3.SQLITE_CANTOPEN:
                return RegistryError(
                    f"the registry {file} cannot be opened: this user may not read it, or not write to its directory"
                )
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                _known_files.clear()  # one of them may have become another file, or another file have its number
                return RegistryError(
                    f"the registry {file} is damaged ({cause});"
                    " restore it from a copy, or move it away and run `feast apply`"
                )
            case sqlite3.SQLITE_IOERR:
                hint = "see whether its disk is full, over a quota or failing"
                return Unavailable(f"the registry {file} cannot be used: {cause}; {hint}")
        return RegistryError(f"the registry at {file} cannot be used: {cause}")

    def _locked(self) -> FeastError:
        timeout = f"{self._lock_timeout_seconds:g} s"
        return Unavailable(f"the registry at {self.location} is locked by another process; gave up after {timeout}")


def _take_over_transactions(engine: Engine) -> None:
    """Make a read of SQLite one transaction, and take a write's lock at its beginning.

    The driver on its own begins a transaction only before a change, and as a reader: two applies at once would then
    read the same state, and one would fail.
    """

    @event.listens_for(engine, "connect")
    def leave_it_to_us(connection: Any, record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


def _sqlite_code(error: DBAPIError) -> int:
    """The primary result code of SQLite, 0 where it is another database."""
    return int(getattr(error.orig, "sqlite_errorcode", 0)) & 0xFF


#: Files that were found to be SQLite's. POSIX lets go of all locks of a process on a file when the process closes it,
#: whoever opened it: a look at one that a transaction of another thread has locked would end that lock, and another
#: process could write into the midst of it. So a file is looked into once, and then left to SQLite, which knows.
_known_files: set[File] = set()


def _remember(file: Path) -> None:
    found = File.at(file)
    if found is not None:
        _known_files.add(found)


def _is_foreign(file: Path) -> bool:
    """Whether there is a file, neither empty nor SQLite."""
    if File.at(file) in _known_files:
        return False
    try:
        with file.open("rb") as content:
            start = content.read(len(_SQLITE_MAGIC))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise RegistryError(f"cannot read the registry {file}: {error.strerror}") from error
    if start == _SQLITE_MAGIC:
        _remember(file)
    return bool(start) and start != _SQLITE_MAGIC


def _make_parent(file: Path) -> None:
    try:
        os.makedirs(file.parent, exist_ok=True)
    except OSError as error:
        raise RegistryError(f"cannot make the directory of the registry {file}: {error.strerror}") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
