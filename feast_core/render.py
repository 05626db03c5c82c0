"""Rows and columns responses, from stored rows to bytes.

A layout is compiled once per plan; an answer is one response in the making: `add` it slices of rows, then take its
`parts`.
`rows`: results[i] is entity row i. `columns`: results[i] is the column metadata.feature_names[i].
"""

import datetime
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson

from feast_core.interfaces import RowSchema, StoredRow
from feast_core.rows import null_positions

PRESENT = b'"PRESENT"'
NULL_VALUE = b'"NULL_VALUE"'
NOT_FOUND = b'"NOT_FOUND"'
OUTSIDE_MAX_AGE = b'"OUTSIDE_MAX_AGE"'
NO_TIME = b'"1970-01-01T00:00:00Z"'
_COMMA = b","
_ROW = b'{"values":['
_END_OF_ROW = b"]},"

_EPOCH = datetime.date(1970, 1, 1)
_DAY_US = 86_400_000_000
_FIRST_US = (datetime.date.min - _EPOCH).days * _DAY_US
_LAST_US = ((datetime.date.max - _EPOCH).days + 1) * _DAY_US - 1
# Timestamps and null patterns repeat from row to row. Kept per run of features: as many bytes as this, so that a
# thousand plans hold no more than 100 MB of them.
_CACHED_BYTES = 50_000


class UnknownSchema(Exception):
    """Rows were written under schemas that the layout has not seen; fetch them, put them in `Layout.foreign`, add
    again."""

    def __init__(self, fingerprints: set[int]) -> None:
        super().__init__(fingerprints)
        self.fingerprints = fingerprints


def rfc3339(event_us: int) -> bytes:
    """Microseconds since 1970 UTC as JSON text in quotes, with 0, 3 or 6 digits of a second as needed (as Feast). Times
    outside the years 1 to 9999 are the first and the last of them."""
    event_us = min(max(event_us, _FIRST_US), _LAST_US)
    seconds, micros = divmod(event_us, 1_000_000)
    days, second = divmod(seconds, 86_400)
    minutes, second = divmod(second, 60)
    hour, minute = divmod(minutes, 60)
    if not micros:
        return b'"%bT%02d:%02d:%02dZ"' % (_date(days), hour, minute, second)
    millis, rest = divmod(micros, 1000)
    if not rest:
        return b'"%bT%02d:%02d:%02d.%03dZ"' % (_date(days), hour, minute, second, millis)
    return b'"%bT%02d:%02d:%02d.%06dZ"' % (_date(days), hour, minute, second, micros)


@lru_cache(4096)
def _date(days: int) -> bytes:
    return (_EPOCH + datetime.timedelta(days=days)).isoformat().encode()


@dataclass(frozen=True, slots=True)
class Run:
    """Features of one read that stand side by side in the answer, by their positions in the read's schema."""

    read: int
    positions: tuple[int, ...]


def runs_of(outputs: Sequence[tuple[int, int]]) -> list[Run]:
    """`(read, position)` per output, in order, to runs."""
    runs: list[Run] = []
    for read, position in outputs:
        if runs and runs[-1].read == read:
            runs[-1] = Run(read, (*runs[-1].positions, position))
        else:
            runs.append(Run(read, (position,)))
    return runs


class Layout:
    """What both formats share: schemas of the reads, how old a row may be, and schemas of rows written by other
    versions.

    `max_age_us[i]` is the time to live of read i in microseconds, None where it is not enforced.
    """

    def __init__(
        self,
        names: Sequence[str],
        echoed: int,
        outputs: Sequence[tuple[int, int]],
        schemas: Sequence[RowSchema],
        max_age_us: Sequence[int | None],
    ) -> None:
        self.names = tuple(names)
        self.echoed = echoed
        self.outputs = tuple(outputs)
        self.runs = runs_of(outputs)
        self.schemas = tuple(schemas)
        self.max_age_us = tuple(max_age_us)
        self.ages = any(age is not None for age in max_age_us)
        self.foreign: dict[int, RowSchema | None] = {}
        self.feature_names = orjson.dumps(list(names))
        self._maps: dict[tuple[int, int], list[int | None]] = {}

    def positions_in(self, read: int, fingerprint: int) -> list[int | None]:
        """For each feature of a read's schema, where a row of another schema holds it; None where it does not, or
        holds it as another type. Raises UnknownSchema."""
        found = self._maps.get((read, fingerprint))
        if found is None:
            if fingerprint not in self.foreign:
                raise UnknownSchema({fingerprint})
            foreign = self.foreign[fingerprint]
            there = (
                {}
                if foreign is None
                else {pair: at for at, pair in enumerate(zip(foreign.names, foreign.types, strict=True))}
            )
            own = self.schemas[read]
            found = [there.get(pair) for pair in zip(own.names, own.types, strict=True)]
            self._maps[read, fingerprint] = found
        return found

    def expired_before(self, read: int, now_us: int) -> int | None:
        """Event time before which a row of this read is too old, None where age does not matter."""
        age = self.max_age_us[read]
        return None if age is None else now_us - age


class RowsLayout(Layout):
    """Compiled pieces of the rows format."""

    def __init__(
        self,
        names: Sequence[str],
        echoed: int,
        outputs: Sequence[tuple[int, int]],
        schemas: Sequence[RowSchema],
        max_age_us: Sequence[int | None],
    ) -> None:
        super().__init__(names, echoed, outputs, schemas, max_age_us)
        self.segments = [_Segment(self, run) for run in self.runs]
        self.head = b'{"metadata":{"feature_names":' + self.feature_names + b'},"results":['
        comma = b"," if self.runs else b""
        self.statuses_head = b'],"statuses":[' + b",".join([PRESENT] * echoed) + (comma if echoed else b"")
        self.times_head = b'],"event_timestamps":[' + b",".join([NO_TIME] * echoed) + (comma if echoed else b"")

    def begin(self) -> "RowsAnswer":
        """A new answer."""
        return RowsAnswer(self)


class _Segment:
    """Fragments of one run of features: bytes without the outer brackets."""

    def __init__(self, layout: Layout, run: Run) -> None:
        schema = layout.schemas[run.read]
        count = len(run.positions)
        self.layout = layout
        self.read = run.read
        self.positions = run.positions
        self.count = count
        self.fingerprint = schema.fingerprint
        self.whole = run.positions == tuple(range(len(schema.names)))
        self.no_values = b",".join([b"null"] * count)
        self.no_times = b",".join([NO_TIME] * count)
        self.present = b",".join([PRESENT] * count)
        self.not_found = b",".join([NOT_FOUND] * count)
        self.outside = b",".join([OUTSIDE_MAX_AGE] * count)
        self.most_cached = max(2, _CACHED_BYTES // len(self.no_times))
        self.known_times: dict[int, bytes] = {}
        self._statuses: dict[bytes, bytes] = {}

    def times(self, event_us: int) -> bytes:
        """The event time, once per feature."""
        if len(self.known_times) >= self.most_cached:
            self.known_times.clear()
        text = rfc3339(event_us)
        found = self.known_times[event_us] = (text + _COMMA) * (self.count - 1) + text
        return found

    def statuses(self, nulls: bytes) -> bytes:
        """Statuses of a row with nulls."""
        found = self._statuses.get(nulls)
        if found is None:
            if len(self._statuses) >= self.most_cached:
                self._statuses.clear()
            empty = set(null_positions(nulls))
            found = b",".join(NULL_VALUE if position in empty else PRESENT for position in self.positions)
            self._statuses[nulls] = found
        return found

    def selected(self, values: bytes) -> bytes:
        """Values of a row of the plan's own schema, where the run is not the whole of it."""
        row = orjson.loads(values)
        return orjson.dumps([row[position] for position in self.positions])[1:-1]

    def adapted(self, row: StoredRow) -> tuple[bytes, bytes]:
        """Values and statuses of a row of another schema. Raises UnknownSchema."""
        places = self.layout.positions_in(self.read, row[1])
        values = orjson.loads(row[3])
        empty = set(null_positions(row[2]))
        wanted = [places[position] for position in self.positions]
        statuses = [NOT_FOUND if at is None else NULL_VALUE if at in empty else PRESENT for at in wanted]
        return orjson.dumps([None if at is None else values[at] for at in wanted])[1:-1], b",".join(statuses)


class RowsAnswer:
    """One response in the rows format: per slice a flat list of fragments, joined once at the end."""

    __slots__ = ("_layout", "_slices")

    def __init__(self, layout: RowsLayout) -> None:
        self._layout = layout
        self._slices: list[list[bytes]] = []

    def add(self, echo: Sequence[Sequence[bytes]], stored: Sequence[Sequence[StoredRow | None]], rows: int) -> None:
        """A slice: JSON of the echoed columns' values, stored rows per read. Raises UnknownSchema, having added
        nothing."""
        layout = self._layout
        now_us = time.time_ns() // 1000 if layout.ages else 0
        pairs = [
            (segment, segment.known_times, stored[segment.read], layout.expired_before(segment.read, now_us))
            for segment in layout.segments
        ]
        fragments: list[bytes] = []
        put = fragments.append
        for i in range(rows):
            put(_ROW)
            for column in echo:
                put(column[i])
                put(_COMMA)
            statuses = [layout.statuses_head]
            times = [layout.times_head]
            for segment, known_times, found, oldest in pairs:
                row = found[i]
                if row is None:
                    put(segment.no_values)
                    statuses += segment.not_found, _COMMA
                    times += segment.no_times, _COMMA
                else:
                    event_us = row[0]
                    times += known_times.get(event_us) or segment.times(event_us), _COMMA
                    if oldest is not None and event_us < oldest:
                        put(segment.no_values)
                        statuses += segment.outside, _COMMA
                    elif row[1] == segment.fingerprint:
                        put(row[3][1:-1] if segment.whole else segment.selected(row[3]))
                        statuses += segment.statuses(row[2]) if row[2] else segment.present, _COMMA
                    else:
                        value, status = segment.adapted(row)
                        put(value)
                        statuses += status, _COMMA
                put(_COMMA)
            # The last comma of each array, and of the rows, makes place for what closes it.
            fragments[-1:] = statuses
            fragments[-1:] = times
            fragments[-1] = _END_OF_ROW
        if fragments:
            self._slices.append(fragments)

    def parts(self) -> Iterator[bytes]:
        """The body, in pieces: one per slice."""
        if not self._slices:
            yield self._layout.head + b"]}"
            return
        first, last = self._slices[0], self._slices[-1]
        first.insert(0, self._layout.head)
        last[-1] = b"]}]}"
        for fragments in self._slices:
            yield b"".join(fragments)


class ColumnsLayout(Layout):
    """Compiled pieces of the columns format."""

    def begin(self) -> "ColumnsAnswer":
        """A new answer."""
        return ColumnsAnswer(self)


class ColumnsAnswer:
    """One response in the columns format."""

    __slots__ = ("_echo", "_layout", "_reads", "_rows")

    def __init__(self, layout: ColumnsLayout) -> None:
        self._layout = layout
        self._echo: list[list[bytes]] = [[] for _ in range(layout.echoed)]
        self._reads = [_ReadColumns(layout, read) for read in range(len(layout.schemas))]
        self._rows = 0

    def add(self, echo: Sequence[Sequence[bytes]], stored: Sequence[Sequence[StoredRow | None]], rows: int) -> None:
        """As RowsAnswer.add."""
        layout = self._layout
        now_us = time.time_ns() // 1000 if layout.ages else 0
        decoded = [
            columns.decode(found, layout.expired_before(read, now_us))
            for read, (columns, found) in enumerate(zip(self._reads, stored, strict=True))
        ]
        for columns, slice_ in zip(self._reads, decoded, strict=True):
            columns.extend(*slice_)
        for mine, more in zip(self._echo, echo, strict=True):
            mine.extend(more)
        self._rows += rows

    def parts(self) -> Iterator[bytes]:
        """The body, in pieces: one per column."""
        yield b'{"results":['
        constant = (
            b'],"statuses":['
            + b",".join([PRESENT] * self._rows)
            + b'],"event_timestamps":['
            + b",".join([NO_TIME] * self._rows)
            + b"]}"
        )
        comma = b""
        for column in self._echo:
            yield comma + b'{"values":[' + b",".join(column) + constant
            comma = b","
        for read, position in self._layout.outputs:
            values, rest = self._reads[read].column(position)
            yield comma + b'{"values":' + values + rest
            comma = b","
        yield b'],"metadata":{"feature_names":' + self._layout.feature_names + b"}}"


class _ReadColumns:
    """Decoded rows of one read, turned to columns when the first of them is asked for."""

    __slots__ = ("_blank", "_columns", "_holes", "_layout", "_missing", "_read", "_rest", "_rows", "_states", "_times")

    def __init__(self, layout: Layout, read: int) -> None:
        self._layout = layout
        self._read = read
        self._blank: list[object] = [None] * len(layout.schemas[read].names)
        self._rows: list[list[object]] = []
        self._states: list[bytes] = []
        self._times: list[bytes] = []
        #: (row, position) of features that a row of another schema does not have
        self._missing: set[tuple[int, int]] = set()
        #: Whether there is a null among the values, or may be one: to look for it costs more than to write the column.
        self._holes = False
        self._columns: list[tuple[object, ...]] | None = None
        self._rest = b""

    def decode(
        self, found: Sequence[StoredRow | None], oldest: int | None
    ) -> tuple[list[list[object]], list[bytes], list[bytes], set[tuple[int, int]]]:
        """Values, state and event time per row of a slice, and what is missing in rows of other schemas."""
        fingerprint = self._layout.schemas[self._read].fingerprint
        loads = orjson.loads
        rows: list[list[object]] = []
        states = []
        times = []
        missing: set[tuple[int, int]] = set()
        cached: dict[int, bytes] = {}
        for row in found:
            if row is None:
                self._holes = True
                rows.append(self._blank)
                states.append(NOT_FOUND)
                times.append(NO_TIME)
                continue
            event_us = row[0]
            text = cached.get(event_us)
            if text is None:
                text = cached[event_us] = rfc3339(event_us)
            times.append(text)
            if oldest is not None and event_us < oldest:
                self._holes = True
                rows.append(self._blank)
                states.append(OUTSIDE_MAX_AGE)
                continue
            states.append(PRESENT)
            if row[1] == fingerprint:
                rows.append(loads(row[3]))
                if row[2]:
                    self._holes = True
                continue
            self._holes = True
            places = self._layout.positions_in(self._read, row[1])
            values = loads(row[3])
            missing.update((len(self._rows) + len(rows), at) for at, place in enumerate(places) if place is None)
            rows.append([None if place is None else values[place] for place in places])
        return rows, states, times, missing

    def extend(
        self, rows: list[list[object]], states: list[bytes], times: list[bytes], missing: set[tuple[int, int]]
    ) -> None:
        """Keep a decoded slice."""
        self._rows += rows
        self._states += states
        self._times += times
        self._missing |= missing

    def column(self, position: int) -> tuple[bytes, bytes]:
        """One feature: the JSON array of its values, and what follows it, with statuses and event times."""
        if self._columns is None:
            self._columns = list(zip(*self._rows, strict=True)) if self._rows else [()] * len(self._blank)
            self._rest = self._after_values(self._states)
        values = self._columns[position]
        if self._holes and None in values:
            return orjson.dumps(values), self._after_values(self._statuses(position, values))
        return orjson.dumps(values), self._rest

    def _statuses(self, position: int, values: Sequence[object]) -> list[bytes]:
        """Status per row of a feature that has no value in some of them."""
        return [
            state
            if state is not PRESENT or value is not None
            else NOT_FOUND
            if (row, position) in self._missing
            else NULL_VALUE
            for row, (state, value) in enumerate(zip(self._states, values, strict=True))
        ]

    def _after_values(self, statuses: Sequence[bytes]) -> bytes:
        return b',"statuses":[' + b",".join(statuses) + b'],"event_timestamps":[' + b",".join(self._times) + b"]}"
