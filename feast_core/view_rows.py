"""Pushed columns as rows of one view: which columns it takes, and the stored rows that they make."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from feast_core.definitions import DataSource, FeatureView
from feast_core.errors import InvalidInput
from feast_core.frames import first_of
from feast_core.interfaces import Columns, KeyedRow, ViewRead, Writer, WriterAtOnce
from feast_core.keys import KeyEncoder, stored_keys
from feast_core.rows import RowEncoder, keyed_rows
from feast_core.snapshot import Snapshot
from feast_core.timestamps import EXAMPLE
from feast_core.values import BadValue, microseconds

if TYPE_CHECKING:
    from feast_core.store import FeatureStore


class ViewRows:
    """How pushed columns become stored rows of one view, and who stores them."""

    def __init__(self, store: "FeatureStore", snapshot: Snapshot, view: FeatureView) -> None:
        self.view = view
        self._read = ViewRead(view, snapshot.schema(view))
        self._keys = KeyEncoder(snapshot.key_types(view))
        self._rows = RowEncoder(self._read.schema)
        self._source = view.batch_source or view.stream_source
        mapping = self._source.field_mapping if self._source else {}
        self._columns = {field: column for column, field in mapping.items()}
        self._event = self._source.timestamp_field if self._source else ""
        self._created = self._source.created_timestamp_column if self._source else ""
        times = [name for name in (self._event, self._created) if name]
        self._needed = (*self._keys.join_keys, *self._read.schema.names, *times)
        self._last: tuple[tuple[str, ...], Mapping[str, str]] = (), {}
        self.write: Writer = store.plugins.hook.feast_writer(store=store, view=self._read)
        self.write_at_once: WriterAtOnce | None = getattr(self.write, "at_once", None)

    def missing(self, columns: Columns) -> list[str]:
        """Columns that the view needs and that are not there, by the names of the source."""
        given = self._given(columns)
        return [self._columns.get(name, name) for name in self._needed if name not in given]

    def encode(self, columns: Columns, rows: int) -> list[KeyedRow]:
        """Stored rows. Nothing is missing. Raises InvalidInput, with paths `df.<column>[<row>]`."""
        given = self._given(columns)
        fields = {name: columns[column] for name, column in given.items()}
        try:
            keys = self._keys.encode(stored_keys(self._keys, fields), rows)
            encoded = self._rows.encode(fields, rows)
        except InvalidInput as error:
            raise in_frame(error, given) from error
        event_us = self._times(self._event, given, columns, rows, needed=True)
        if self._event and self._created and columns[given[self._created]] == columns[given[self._event]]:
            created_us = event_us  # many programs have one time, and send it as both
        else:
            created_us = self._times(self._created, given, columns, rows, needed=False)
        return keyed_rows(keys, event_us, created_us, self._read.schema.fingerprint, encoded)

    def _given(self, columns: Columns) -> Mapping[str, str]:
        """Under which name each needed field was sent: that of the source or, as in a file, that of the view. Clients
        send the same columns again and again: the last answer is kept."""
        names, given = self._last
        sent = tuple(columns)
        if sent != names:
            found = {name: self._columns.get(name, name) for name in self._needed}
            given = {name: column if column in columns else name for name, column in found.items()}
            given = {name: column for name, column in given.items() if column in columns}
            self._last = sent, given
        return given

    def _times(self, name: str, given: Mapping[str, str], columns: Columns, rows: int, needed: bool) -> list[int]:
        if not name:
            return [time.time_ns() // 1000 if needed else 0] * rows
        column = given[name]
        try:
            found = microseconds(columns[column])
        except BadValue as error:
            raise InvalidInput.at(f"df.{column}[{error.position}]", error.reason) from error
        if needed and None in found:
            position = found.index(None)
            raise InvalidInput.at(f"df.{column}[{position}]", f"the time of the event is needed, such as {EXAMPLE}")
        return [0 if at is None else at for at in found]


class KeyCheck:
    """That rows of one view have keys, where none of its stored rows is made of them: a row of the batch source without
    one, or with another one than was meant, would become a row of some entity when it is materialized."""

    def __init__(self, snapshot: Snapshot, view: FeatureView, source: DataSource) -> None:
        self._keys = KeyEncoder(snapshot.key_types(view))
        columns = {field: column for column, field in source.field_mapping.items()}
        self._given = {name: columns.get(name, name) for name in self._keys.join_keys}

    def check(self, columns: Columns) -> None:
        """Raises InvalidInput, with paths `df.<column>[<row>]`."""
        fields = {name: columns[column] for name, column in self._given.items() if column in columns}
        if len(fields) < len(self._given):
            return  # the source lacks what the view names as a key, as no row of it can be blamed for
        try:
            stored_keys(self._keys, fields)
        except InvalidInput as error:
            raise in_frame(error, self._given) from error


def in_frame(error: InvalidInput, given: Mapping[str, str]) -> InvalidInput:
    """The same with paths `df.<column>`, under the names that were sent."""
    problems = []
    for path, message in error.problems:
        name, bracket, rest = path.partition("[")
        problems.append((f"df.{given.get(name, name)}{bracket}{rest}", message))
    return InvalidInput(first_of(problems) if problems else f"df: {error}", problems)
