"""A file source, opened: where its rows are in SQL, and what columns they have under the names that views use."""

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from feast_core.definitions import FileSource
from feast_core.errors import SourceError
from feast_offline_file.columns import DuckType, literal, quoted
from feast_offline_file.files import Files, files_of

#: The alias of the files in every statement.
ROWS = "source_rows"
_ROW_NUMBER = "file_row_number"
_FILE_NAME = "feast file name"
# A character in brackets stands for itself: these paths are literal already, and DuckDB would look for matches.
_MAGIC = re.compile(r"[*?\[]")


class OpenSource:
    """The files of a source as one table.

    `table` is what stands after FROM, under the alias ROWS; `position` is SQL for the place of a row in the order of
    reading, 62 bits. `types` maps names as views use them (`field_mapping` applied) to types of DuckDB.
    """

    def __init__(self, source: FileSource, repo_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        """Reads the footers of the files. Raises SourceError."""
        self.source = source
        self._repo_path = repo_path
        self.table, self.position = _table(files_of(source, repo_path))
        with self.readable():
            relation = connection.sql(f"SELECT * FROM {self.table}")
            found = dict(zip(relation.columns, relation.types, strict=True))
        found.pop(_FILE_NAME, None)
        del found[_ROW_NUMBER]
        mapped = {name for column, name in source.field_mapping.items() if column in found}
        # A mapped column takes the place of one that has its new name already.
        self._columns = {
            source.field_mapping.get(column, column): column
            for column in found
            if column in source.field_mapping or column not in mapped
        }
        self.types: dict[str, DuckType] = {name: found[column] for name, column in self._columns.items()}
        self._source_columns = found

    def column(self, name: str) -> str:
        """SQL of a column, by the name that views use."""
        return f"{ROWS}.{quoted(self._columns[name])}"

    def own_name(self, column: str) -> str | None:
        """The name that views use for a column of the files; None if there is no such column.

        As Feast: `timestamp_field` and `created_timestamp_column` may be given before or after `field_mapping`.
        """
        if column in self._source_columns:
            return self.source.field_mapping.get(column, column)
        return column if column in self.types else None

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

    @contextmanager
    def readable(self) -> Iterator[None]:
        """What DuckDB raises becomes a SourceError of one line, with paths as they are configured."""
        try:
            yield
        except duckdb.Error as error:
            raise SourceError(f"{self.source.label}: {self.source.path} {self._reason(error)}") from error

    def _reason(self, error: duckdb.Error) -> str:
        first_line = str(error).partition("\n")[0].replace(f"{self._repo_path}/", "")
        reason = first_line.partition("Error: ")[2] or first_line
        if isinstance(error, duckdb.OutOfMemoryException):
            return f"needs more memory than there is, to sort one row per key: {reason}"
        if isinstance(error, duckdb.InvalidInputException):
            return f"is not parquet, or is damaged: {reason}"
        return f"cannot be read: {reason}"


def _table(files: Files) -> tuple[str, str]:
    """SQL of the table of the files, and of the place of a row in it."""
    listed = ", ".join(literal(_MAGIC.sub(r"[\g<0>]", path)) for path in files.paths)
    row_number = f"{ROWS}.{_ROW_NUMBER}"
    options = f"file_row_number = true, hive_partitioning = {str(files.partitioned).lower()}"
    if len(files.paths) == 1:
        return f"read_parquet([{listed}], {options}) AS {ROWS}", row_number
    options += f", filename = {literal(_FILE_NAME)}, union_by_name = true"
    # As an enumeration a name becomes its place in the list by one look-up, in every version of DuckDB.
    names = ", ".join(map(literal, files.paths))
    file_number = f"enum_code({ROWS}.{quoted(_FILE_NAME)}::ENUM({names}))"
    return f"read_parquet([{listed}], {options}) AS {ROWS}", f"({file_number}::BIGINT * {2**40} + {row_number})"
