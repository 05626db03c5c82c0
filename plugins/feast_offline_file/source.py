"""A file source, opened: where its rows are in SQL, and what columns they have under the names that views use."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from feast_core.definitions import FeastType, FileSource, Float32, Float64
from feast_core.errors import SourceError
from feast_offline_file.columns import DuckType, file_list, holds_doubles_for_decimals, is_instant, literal, quoted
from feast_offline_file.database import spill_directory
from feast_offline_file.files import Files, files_of
from feast_offline_file.locks import Locks
from feast_offline_file.parts import unfolded

#: The alias of the files in every statement.
ROWS = "source_rows"
_ROW_NUMBER = "file_row_number"
_FILE_NAME = "feast file name"
#: The most that DuckDB's decimals have; parquet allows more.
_DECIMAL_DIGITS = 38
#: Any decimal of so many is the shortest text of its DOUBLE.
_DOUBLE_DIGITS = 15
#: From where on some integers are no FLOAT, or DOUBLE; and how parquet stores integers that get there.
_ROUNDED = {"float": (2**24, ("INT32", "INT64")), "double": (2**53, ("INT64",))}
_PLACE = "feast place"
# What DuckDB says of values, as it says other things of damage; and what we let it say.
_VALUES = ("Map keys", "column ")
# How DuckDB names a column whose name, in any case, another one has already.
_RENAMED = re.compile(r"(.+)_\d+", re.DOTALL)


class OpenSource:
    """The files of a source as one table. To be closed: until then no part of it is removed.

    `table` is what stands after FROM, under the alias ROWS; `position` is SQL for the place of a row in the order of
    reading, 62 bits. `types` maps names as views use them (`field_mapping` applied) to types of DuckDB.
    """

    def __init__(
        self, source: FileSource, repo_path: Path, connection: duckdb.DuckDBPyConnection, with_parts: bool = True
    ) -> None:
        """Reads the footers of the files; without the parts that were pushed, where there are other files. Raises
        SourceError."""
        self.source = source
        self._repo_path = repo_path
        self._connection = connection
        self._files, self._locks = _held(source, repo_path)
        if not with_parts:
            self._files = self._files.without_parts()
        self._states = self._files.states()
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        source, connection = self.source, self._connection
        with self.readable():
            self._files = files = unfolded(self._files, connection)
            self._states = files.states()
            relation = connection.sql(f"SELECT * FROM {read_sql(files)}")
            names = self._names(files, relation.columns, connection)
        self.table, self.position = _table(files, relation.columns)
        found = dict(zip(names, relation.types, strict=True))
        in_sql = dict(zip(names, relation.columns, strict=True))
        mapped = {name for column, name in source.field_mapping.items() if column in found}
        # A mapped column takes the place of one that has its new name already.
        columns = {
            source.field_mapping.get(column, column): column
            for column in found
            if column in source.field_mapping or column not in mapped
        }
        self.types: dict[str, DuckType] = {name: found[column] for name, column in columns.items()}
        self._columns = {name: in_sql[column] for name, column in columns.items()}
        self._written_names = columns
        #: The columns of the files, before `field_mapping`.
        self.source_columns: dict[str, DuckType] = found

    def close(self) -> None:
        """Parts may be removed again."""
        self._locks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def column(self, name: str) -> str:
        """SQL of a column, by the name that views use."""
        return f"{ROWS}.{quoted(self._columns[name])}"

    def written_name(self, name: str) -> str:
        """The name that the files have for a column, by the name that views use."""
        return self._written_names[name]

    def own_name(self, column: str) -> str | None:
        """The name that views use for a column of the files; None if there is no such column.

        As Feast: `timestamp_field` and `created_timestamp_column` may be given before or after `field_mapping`.
        """
        if column in self.source_columns:
            return self.source.field_mapping.get(column, column)
        return column if column in self.types else None

    def written_time(self, parameter: str, column: str) -> str:
        """The name that the files have for a declared column of times. Raises SourceError if there is none, or if it
        holds no times."""
        name = self.own_name(column)
        if name is None:
            self.require([column], f"{parameter} of {self.source.label}")
            return column
        self.require_instant(parameter, column, self.types[name])
        return self.written_name(name)

    def require_instant(self, parameter: str, column: str, found: DuckType) -> None:
        """Raise SourceError for a declared column of times whose type is another one."""
        if not is_instant(found):
            raise SourceError(
                f"{self.source.label}: {parameter} {column!r} is {found}, and must be a timestamp or a date"
            )

    def require_writable(self) -> None:
        """Raise SourceError where DuckDB would give the columns of a new file other names or other types."""
        clash = _differ_in_case(self.source_columns)
        if clash:
            raise SourceError(
                f"{self.source.label}: {self.source.path} has columns {clash[0]!r} and {clash[1]!r}, which differ only"
                " in case, so that no further rows can be written; rename one of the two"
            )
        with self.readable():
            columns = [column for path in self._files.paths for column in _roots(path, self._connection)]
        for name, digits in columns:
            if digits > _DECIMAL_DIGITS:
                raise SourceError(
                    f"{self.source.label}: column {name!r} of {self.source.path} holds decimals of more than"
                    f" {_DECIMAL_DIGITS} digits, which cannot be written here; write it as text"
                )

    def require(self, names: Iterable[str], asker: str) -> None:
        """Raise SourceError naming the columns that are missing, with the ones there are."""
        missing = [name for name in names if name not in self.types]
        if not missing:
            return
        close = difflib.get_close_matches(missing[0], self.types, 1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        listed = ", ".join(repr(name) for name in missing)
        raise SourceError(
            f"{asker}: {self.source.label} ({self.source.path}) has no column {listed}{hint};"
            f" it has {', '.join(self.types)}"
        )

    def require_exact(self, fields: Mapping[str, FeastType], asker: str) -> None:
        """Raise SourceError for decimals that DuckDB gives as DOUBLE, where a view declares them as Decimal: since they
        have so many digits, or since other files of the source hold floating-point numbers."""
        doubtful = [name for name, dtype in fields.items() if holds_doubles_for_decimals(self.types[name], dtype)]
        if not doubtful:
            return
        with self.readable():
            columns = [column for path in self._files.paths for column in _roots(path, self._connection)]
        for name in doubtful:
            most = max(digits for column, digits in columns if column == self._written_names[name])
            if most > _DOUBLE_DIGITS:
                more = most > _DECIMAL_DIGITS
                what = f"of more than {_DECIMAL_DIGITS} digits" if more else "in some files and floats in others"
                raise SourceError(
                    f"{asker}: column {name!r} of {self.source.label} ({self.source.path}) holds decimals {what},"
                    " which cannot be read exactly; write it as text, or declare Float64"
                )

    def rounded(self, fields: Mapping[str, FeastType]) -> dict[str, int]:
        """Columns that some files hold as integers and others as floating-point numbers, as pandas does where a value
        is missing, and that are not declared as such numbers; and from where on their integers are rounded, since
        DuckDB gives them all as floating-point numbers."""
        kinds = {name: self.types[name].id for name, dtype in fields.items() if dtype not in (Float32, Float64)}
        doubtful = [name for name, kind in kinds.items() if kind in _ROUNDED]
        if not doubtful or len(self._files.paths) == 1:
            return {}
        with self.readable():
            listed = f"parquet_schema([{file_list(self._files.paths)}])"
            stored = self._connection.execute(f"SELECT DISTINCT lower(name), type FROM {listed}").fetchall()
        found = {}
        for name in doubtful:
            limit, integers = _ROUNDED[kinds[name]]
            if any((self._written_names[name].lower(), stored_as) in stored for stored_as in integers):
                found[name] = limit
        return found

    @contextmanager
    def readable(self) -> Iterator[None]:
        """What DuckDB raises becomes a SourceError of one line that says what to do, with paths as they are
        configured."""
        try:
            yield
        except duckdb.Error as error:
            self.check_unchanged()
            raise SourceError(f"{self.source.label}: {self._reason(error)}") from error
        except (UnicodeDecodeError, RuntimeError) as error:
            if "interrupted" in str(error):  # what DuckDB makes of what a signal raised, such as Ctrl-C
                raise KeyboardInterrupt from error
            # A name in the footer that is no text.
            raise SourceError(f"{self.source.label}: {self._damaged(str(error))}") from error

    def check_unchanged(self) -> None:
        """Raise SourceError naming a file that was written, replaced or removed since the source was opened. Rows are
        found by their places in the files, which are those of other rows then."""
        now = self._files.states()
        for path, state in self._states.items():
            if now.get(path) != state:
                what = "changed" if path in now else "removed"
                raise SourceError(
                    f"{self.source.label}: {self._short(path)} was {what} while it was read; nothing of this is"
                    " recorded, run it again"
                )

    def _names(self, files: Files, columns: list[str], connection: duckdb.DuckDBPyConnection) -> list[str]:
        """The names of the columns as the files have them. DuckDB calls `x` after `X` `x_1`, and puts together what it
        then calls the same in several files, which is right only where all of them have the same columns."""
        known = {column.lower() for column in columns}
        renamed = (_RENAMED.fullmatch(column.lower()) for column in columns)
        if not any(match and match[1] in known for match in renamed):
            return columns
        written = _written(files, connection)
        for names in written:
            clash = _differ_in_case(names)
            if clash and written.count(names) < len(written):
                raise SourceError(
                    f"{self.source.label}: {self.source.path} has columns {clash[0]!r} and {clash[1]!r}, which"
                    " differ only in case, and not all of its files have the same columns; rename one of the two"
                )
        if not _differ_in_case(written[0]):
            return columns
        # The columns of folders come last. Of two that are called exactly the same the second keeps DuckDB's name.
        names = [*written[0], *columns[len(written[0]) :]]
        pairs = enumerate(zip(names, columns, strict=True))
        return [column if name in names[:place] else name for place, (name, column) in pairs]

    def _reason(self, error: duckdb.Error) -> str:
        first_line = self._short(str(error).partition("\n")[0])
        reason = first_line.partition("Error: ")[2] or first_line
        if "max_temp_directory_size" in str(error) or "offload" in reason:
            return (
                f"{self.source.path} does not fit into memory, and there is no room for the rest in the directory for"
                f" temporary files ({reason.rstrip('.')}); make room there, or set TMPDIR to another one"
            )
        if isinstance(error, duckdb.OutOfMemoryException):
            return f"{self.source.path} needs more memory than there is, to sort one row per key: {reason}"
        if spill_directory(self._connection) in str(error):
            return f"the directory for temporary files cannot be used: {reason}; set TMPDIR to another one"
        if isinstance(error, duckdb.ConversionException) or reason.startswith(_VALUES):
            return f"{self.source.path} holds a value that does not fit: {reason}"
        return self._damaged(reason)

    def _damaged(self, reason: str) -> str:
        name = self.source.path
        # DuckDB says which file it is for some kinds of damage. For the others they are all read once more.
        if len(self._files.paths) > 1 and not any(self._short(path) in reason for path in self._files.paths):
            name = next((self._short(path) for path in self._files.paths if not self._is_whole(path)), name)
        return f"{name} is not parquet, or is damaged: {reason}; write it anew"

    def _is_whole(self, path: str) -> bool:
        """Whether all of a file can be read."""
        try:
            self._connection.execute(
                f"SELECT max(hash(part)) FROM {read_sql(Files((path,), partitioned=False))} AS part"
            )
        except (duckdb.Error, UnicodeDecodeError, RuntimeError):
            return False
        return True

    def _short(self, text: str) -> str:
        return text.replace(f"{self._repo_path}/", "")


def _held(source: FileSource, repo_path: Path) -> tuple[Files, Locks]:
    """The files, and locks that keep parts from being removed."""
    while True:
        guards = files_of(source, repo_path).guards
        locks = Locks.shared(guards)
        if locks is not None:
            # From here on nothing but new parts can come.
            files = files_of(source, repo_path)
            if files.guards == guards:
                return files, locks
            locks.close()


def read_sql(files: Files, options: str = "") -> str:
    """SQL of files as one table; `options` are further ones, each after a comma."""
    by_name = ", union_by_name = true" if len(files.paths) > 1 else ""
    partitioned = f"hive_partitioning = {str(files.partitioned).lower()}"
    return f"read_parquet([{file_list(files.paths)}], {partitioned}{by_name}{options})"


def _table(files: Files, columns: list[str]) -> tuple[str, str]:
    """SQL of the table of the files, which have these columns, and of the place of a row in it."""
    if not {_ROW_NUMBER, _FILE_NAME}.isdisjoint(column.lower() for column in columns):
        # DuckDB cannot give a column of its own another name. To count the rows it reads them one by one in their
        # order, whatever the number of threads: slower, and needed for no other files.
        counted = f"SELECT *, row_number() OVER () AS {quoted(_PLACE)} FROM {read_sql(files)}"
        return f"({counted}) AS {ROWS}", f"{ROWS}.{quoted(_PLACE)}"
    row_number = f"{ROWS}.{_ROW_NUMBER}"
    options = ", file_row_number = true"
    if len(files.paths) == 1:
        return f"{read_sql(files, options)} AS {ROWS}", row_number
    options += f", filename = {literal(_FILE_NAME)}"
    # As an enumeration a name becomes its place in the list by one look-up, in every version of DuckDB.
    names = ", ".join(map(literal, files.paths))
    file_number = f"enum_code({ROWS}.{quoted(_FILE_NAME)}::ENUM({names}))"
    return f"{read_sql(files, options)} AS {ROWS}", f"({file_number}::BIGINT * {2**40} + {row_number})"


def _written(files: Files, connection: duckdb.DuckDBPyConnection) -> list[list[str]]:
    """The names of the columns of each file, as they are written in it."""
    return [[name for name, _ in _roots(path, connection)] for path in files.paths]


def _roots(path: str, connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    """The columns of a file as they are written in it: name, and the most digits that a decimal in it can have."""
    parts = "name, coalesce(num_children, 0), coalesce(precision, 0)"
    roots: list[tuple[str, int]] = []
    inner = 0  # The parts of a nested column follow it.
    for name, children, digits in connection.execute(
        f"SELECT {parts} FROM parquet_schema({file_list([path])})"
    ).fetchall()[1:]:
        if inner == 0:
            roots.append((name, digits))
        else:
            inner -= 1
            roots[-1] = (roots[-1][0], max(roots[-1][1], digits))
        inner += children
    return roots


def _differ_in_case(names: Iterable[str]) -> tuple[str, str] | None:
    """The first two names that are the same but for the case of their letters."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.lower(), name)
        if first != name:
            return first, name
    return None
