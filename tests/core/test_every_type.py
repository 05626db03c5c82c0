"""Every type on the whole road: a parquet file, apply, materialize, the online store, both formats, Python.

A line of the table says how values of a type stand in the file, what the wire must hold and what `to_dict()` must.
"""

import asyncio
import base64
import json
import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal as Number
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feast_core.config import FILE_NAME, parse_config
from feast_core.definitions import (
    Array,
    Bool,
    Bytes,
    Decimal,
    Entity,
    FeastType,
    FeatureView,
    Field,
    FileSource,
    Float32,
    Float64,
    ImageBytes,
    Int32,
    Int64,
    Invalid,
    Json,
    Map,
    PdfBytes,
    ScalarMap,
    Set,
    String,
    Struct,
    TimeUuid,
    UnixTimestamp,
    Uuid,
    ValueType,
    ZonedTimestamp,
)
from feast_core.definitions.types import PRIMITIVES, ComplexFeastType
from feast_core.errors import DefinitionError, MaterializationError
from feast_core.keys import KEY_TYPES
from feast_core.store import FeatureStore

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
NAN, INFINITY = math.nan, math.inf

# The table.


@dataclass(frozen=True)
class Line:
    """Values of a type. `extremes` are tried each time, `values` are random ones; none of them is null.

    `written` is a value as JSON from which DuckDB makes one of the type `sql`.
    """

    sql: str
    values: st.SearchStrategy[Any]
    extremes: Sequence[Any]
    written: Callable[[Any], Any] = lambda value: value
    wire: Callable[[Any], Any] = lambda value: value
    python: Callable[[Any], Any] = lambda value: value


def seconds(moment: datetime) -> int:
    """Since 1970, without the part of a second, toward zero."""
    exact = moment - EPOCH
    return -(-exact // SECOND) if exact < timedelta(0) else exact // SECOND


def shown_float(number: float) -> Any:
    texts = {INFINITY: "Infinity", -INFINITY: "-Infinity"}
    return "NaN" if math.isnan(number) else texts.get(number, number)


def escaped(value: bytes) -> str:
    """Bytes as DuckDB reads them from a text."""
    return "".join(f"\\x{byte:02X}" for byte in value)


def base64_of(value: bytes) -> str:
    return base64.b64encode(value).decode()


def digits(number: Number) -> str:
    """As DECIMAL(38, 10) has it, which knows no negative zero."""
    return format(number if number else Number(0), ".10f")


TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=8)
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
DEEP = json.loads('{"a":[' * 50 + "1" + "]}" * 50)
TEXTS = ["", "\0", "a\0b", "é日本\U0001f600", "e\u0301", "\u202e\ufeff", "'\"\\/\n\t", "null", "NaN", " ", "x" * 70_000]
LONGEST = Number("9999999999999999999999999999.9999999999")
BYTES = Line("BLOB", st.binary(max_size=8), [b"", b"\0", b"\xff\xfe", bytes(range(256))], escaped, base64_of)
ZONES = st.timezones() | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ID = UUID("2f9b1ee4-0000-4000-8000-0123456789ab")

SCALARS: dict[FeastType, Line] = {
    Int32: Line("INTEGER", st.integers(-(2**31), 2**31 - 1), [-(2**31), -1, 0, 2**31 - 1]),
    Int64: Line("BIGINT", st.integers(-(2**63), 2**63 - 1), [-(2**63), -(2**53) - 1, 2**53 + 1, 2**63 - 1]),
    Float32: Line(
        "FLOAT",
        st.floats(width=32),
        [-0.0, 2.0**-149, -(2.0**-126), 3.4028234663852886e38, 0.10000000149011612, NAN, INFINITY, -INFINITY],
        lambda number: str(shown_float(number)),
        shown_float,
    ),
    Float64: Line(
        "DOUBLE",
        st.floats(),
        [-0.0, 5e-324, -2.2250738585072014e-308, 1.7976931348623157e308, 0.1, 2.0**53, NAN, INFINITY, -INFINITY],
        lambda number: str(shown_float(number)),
        shown_float,
    ),
    String: Line("VARCHAR", TEXT, TEXTS),
    Bool: Line("BOOLEAN", st.booleans(), [True, False]),
    Bytes: BYTES,
    ImageBytes: BYTES,
    PdfBytes: BYTES,
    UnixTimestamp: Line(
        "TIMESTAMPTZ",
        st.datetimes(timezones=st.just(UTC)),
        [FIRST, LAST, EPOCH, EPOCH - SECOND / 2, EPOCH - 1.5 * SECOND, NOON + SECOND / 2],
        datetime.isoformat,
        seconds,
        lambda moment: EPOCH + seconds(moment) * SECOND,
    ),
    Map: Line(
        "VARCHAR",
        st.dictionaries(TEXT, ANY_JSON, max_size=3),
        [{}, {"": None}, {"a": {"b": [None, {}]}, "é\0": [2**63 - 1, 2**64 - 1, -0.0]}, {"deep": DEEP}],
        json.dumps,
    ),
    Json: Line(
        "VARCHAR",
        ANY_JSON.map(json.dumps),
        ["null", '""', "[ ]", '{"b":1, "a":1.50}', '"\\ud800"', "1" + "0" * 30, "[NaN, -Infinity]", json.dumps(DEEP)],
        python=json.loads,
    ),
    Uuid: Line("UUID", st.uuids(), [UUID(int=0), UUID(int=2**128 - 1), ID], str, str),
    TimeUuid: Line("VARCHAR", st.uuids(version=1).map(str), [str(ID), str(ID).upper(), ID.hex], python=UUID),
    Decimal: Line(
        "DECIMAL(38, 10)",
        st.integers(-(10**38) + 1, 10**38 - 1).map(lambda number: Number(f"{number}E-10")),
        [LONGEST, LONGEST.copy_negate(), Number("0.0000000001"), Number("1.2300"), Number("-0")],
        digits,
        digits,
        lambda number: Number(digits(number)),
    ),
    ScalarMap: Line(
        "MAP(BIGINT, VARCHAR)",
        st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.none() | TEXT, max_size=3),
        [{}, {1: None, -(2**63): "é\0"}],
        wire=lambda value: {str(key): item for key, item in value.items()},
        python=lambda value: {str(key): item for key, item in value.items()},
    ),
    ZonedTimestamp: Line(
        "VARCHAR",
        st.datetimes(timezones=ZONES).map(lambda moment: moment.replace(tzinfo=timezone(moment.utcoffset()))),
        [FIRST, LAST, NOON.astimezone(timezone(timedelta(hours=-7))), NOON.replace(microsecond=1)],
        datetime.isoformat,
        datetime.isoformat,
    ),
}


def line_of(dtype: FeastType) -> Line:
    """The line of any type, from those of its parts."""
    if isinstance(dtype, Array | Set):
        inner = line_of(dtype.base_type)
        extremes = [[], [None], [*inner.extremes, None, *inner.extremes]]
        lists = st.lists(st.none() | inner.values, max_size=3)
        written, wire, python = each(inner.written), each(inner.wire), each(inner.python)
        if isinstance(dtype, Array):
            return Line(f"{inner.sql}[]", lists, extremes, written, wire, python)

        def distinct(values: list[Any]) -> list[Any]:
            return list(
                {json.dumps(inner.wire(value) if value is not None else None): value for value in values}.values()
            )

        return Line(
            f"{inner.sql}[]",
            lists,
            extremes,
            written,
            lambda v: wire(distinct(v)),
            lambda v: as_set(python(distinct(v))),
        )
    if isinstance(dtype, Struct):
        lines = {name: line_of(inner) for name, inner in dtype.fields.items()}
        quoted = ", ".join(f'"{name}" {line.sql}' for name, line in lines.items())
        parts = {name: st.none() | line.values for name, line in lines.items()}
        whole = {name: line.extremes[-1] for name, line in lines.items()}

        def in_each(part: str) -> Callable[[Any], Any]:
            functions = {name: getattr(line, part) for name, line in lines.items()}
            return lambda value: {
                name: f(value[name]) if value[name] is not None else None for name, f in functions.items()
            }

        return Line(
            f"STRUCT({quoted})",
            st.fixed_dictionaries(parts),
            [dict.fromkeys(lines), whole],
            in_each("written"),
            in_each("wire"),
            in_each("python"),
        )
    return SCALARS[dtype]


def each(function: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
    return lambda values: [None if value is None else function(value) for value in values]


def as_set(values: list[Any]) -> Any:
    """A set, where its members can be in one."""
    return values if any(isinstance(value, list | dict | set) for value in values) else set(values)


PERSON = Struct(
    {"name": String, "a b": Int64, "born": UnixTimestamp, "price": Decimal, "tags": Array(String), "id": Uuid}
)
NESTED: list[FeastType] = [
    Array(Array(Int64)),
    Array(Array(Array(String))),
    Array(Array(Array(Array(Float32)))),
    Array(Array(UnixTimestamp)),
    Array(Array(Decimal)),
    Array(Array(Map)),
    Array(Set(String)),
    Set(Array(Int64)),
    Set(Set(Int64)),
    PERSON,
    Struct({"inner": Struct({"x": Float64, "y": Struct({"z": Bytes})}), "json": Json, "on": Bool}),
    Array(PERSON),
    Array(Array(Struct({"x": Float32, "m": Map}))),
]


def flat_containers() -> Iterator[FeastType]:
    for primitive in SCALARS:
        for container in (Array, Set):
            try:
                yield container(primitive)
            except DefinitionError:
                continue


TYPES: list[FeastType] = [*SCALARS, *flat_containers(), *NESTED]
FEATURES = {f"f{number}": dtype for number, dtype in enumerate(TYPES)}
LINES = {name: line_of(dtype) for name, dtype in FEATURES.items()}


def test_every_type_has_a_line() -> None:
    assert set(SCALARS) == set(PRIMITIVES.values()) - {Invalid}
    assert {type(dtype) for dtype in TYPES if isinstance(dtype, ComplexFeastType)} == set(
        ComplexFeastType.__subclasses__()
    )
    assert {dtype.to_value_type() for dtype in TYPES} == set(ValueType) - {ValueType.UNKNOWN, ValueType.NULL}


# The road.


def write(path: Path, columns: Mapping[str, list[Any]], lines: Mapping[str, Line]) -> None:
    """A parquet file of these values."""
    selected, texts = [], []
    for name, values in columns.items():
        line = lines[name]
        # DuckDB reads bytes from JSON as the text they are written in.
        read_as = line.sql.replace("BLOB", "VARCHAR")
        selected.append(f'unnest(?::JSON::{read_as}[]::{line.sql}[]) AS "{name}"')
        texts.append(json.dumps([None if value is None else line.written(value) for value in values]))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY (SELECT {', '.join(selected)}) TO '{path}' (FORMAT parquet)", texts)


ROW = Entity(name="row", join_keys=["k"])
AT = {"k": SCALARS[Int64], "t": SCALARS[UnixTimestamp]}


def a_view(name: str, features: Mapping[str, FeastType], key: FeastType = Int64, time: str = "t") -> FeatureView:
    """A view of the file of its name, with the join key `k`."""
    schema = [Field(name="k", dtype=key), *(Field(name=feature, dtype=dtype) for feature, dtype in features.items())]
    source = FileSource(name=name, path=f"{name}.parquet", timestamp_field=time)
    return FeatureView(name=name, entities=[ROW], schema=schema, source=source)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeatureStore]:
    """A store with nothing in it."""
    root = tmp_path_factory.mktemp("every_type")
    text = "project: types\nregistry: registry.db\nonline_store: {type: sqlite, path: online.db}\noffline_store: file\n"
    (root / FILE_NAME).write_text(text)
    with FeatureStore(config=parse_config(text, root)) as opened:
        yield opened


@dataclass
class Answer:
    """What is found for the keys, by feature: the wire in both formats, `to_dict()` and `to_df()`."""

    wire: dict[str, list[Any]]
    statuses: dict[str, list[str]]
    times: dict[str, list[str]]
    python: dict[str, list[Any]]
    frame: dict[str, list[Any]]


def ask(store: FeatureStore, view: str, keys: list[Any], features: Sequence[str]) -> Answer:
    """Raises AssertionError where rows and columns do not show the same."""
    references = [f"{view}:{feature}" for feature in features]
    formats: list[list[list[Any]]] = []
    for form in ("rows", "columns"):
        plan = store.retrieval_plan(references, None, False, ("k",), form)
        body = json.loads(asyncio.run(plan.run({"k": keys})), parse_constant=pytest.fail)
        assert body["metadata"]["feature_names"] == ["k", *features]
        parts = [[result[part] for result in body["results"]] for part in ("values", "statuses", "event_timestamps")]
        formats.append(
            parts if form == "columns" else [[list(column) for column in zip(*part, strict=True)] for part in parts]
        )
    assert exact(formats[0]) == exact(formats[1])
    response = store.get_online_features(references, [{"k": key} for key in keys])
    python = response.to_dict(include_event_timestamps=True)
    frame = response.to_df()
    assert list(frame.columns) == ["k", *features]
    names = ["k", *features]
    wire, statuses, times = (dict(zip(names, part, strict=True)) for part in formats[1])
    return Answer(wire, statuses, times, python, {name: list(frame[name]) for name in names})


def exact(value: Any) -> Any:
    """A value as something that is equal to the same value only: NaN to itself, 0.0 not to -0.0, 1 not to 1.0."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack(">d", value)
    if isinstance(value, list | tuple):
        return [type(value).__name__, *(exact(item) for item in value)]
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, set):
        return ["set", *sorted((exact(item) for item in value), key=repr)]
    return (type(value).__name__, str(value))


def expected(line: Line, values: list[Any], part: Callable[[Any], Any]) -> list[Any]:
    """Null for null; a NaN that is not within something stands for a missing value, as Feast and pandas have it."""
    return [None if value is None or exact(value) == "nan" else part(value) for value in values]


def of_frame(cell: Any, like: Any) -> Any:
    """A cell of a DataFrame as the value that it should be, if it is."""
    if like is None:
        return None if str(cell) in ("None", "nan", "NaT", "<NA>") else cell
    if isinstance(like, datetime):
        return datetime.fromisoformat(cell.isoformat())
    return type(like)(cell) if isinstance(like, bool | int | float | str) else cell


def check(store: FeatureStore, view: str, columns: Mapping[str, list[Any]]) -> None:
    """Write, materialize, ask, compare. The n-th values belong to key n."""
    rows = len(next(iter(columns.values())))
    whole = {"k": list(range(rows)), "t": [NOON] * rows, **columns}
    write(store.repo_path / f"{view}.parquet", whole, {**LINES, **AT})
    store.materialize(NOON, NOON, [view])
    found = ask(store, view, [*range(rows), rows], list(columns))
    for name, values in columns.items():
        told = f"{name}: {FEATURES[name]}"
        wire = expected(LINES[name], values, LINES[name].wire)
        python = expected(LINES[name], values, LINES[name].python)
        assert exact(found.wire[name]) == exact([*wire, None]), told
        assert found.statuses[name] == [*("NULL_VALUE" if value is None else "PRESENT" for value in wire), "NOT_FOUND"]
        assert exact(found.python[name]) == exact([*python, None]), told
        assert found.python[f"{name}__ts"] == [*[seconds(NOON)] * rows, 0]
        cells = [of_frame(*pair) for pair in zip(found.frame[name], [*python, None], strict=True)]
        assert exact(cells) == exact([*python, None]), told


# The tests.

GROUPS = 6


def group(number: int) -> dict[str, FeastType]:
    return dict(list(FEATURES.items())[number::GROUPS])


@pytest.fixture(scope="module")
def applied(store: FeatureStore) -> FeatureStore:
    """With a view of all types, and one of each group of them."""
    store.apply(
        [ROW, a_view("every", FEATURES), *(a_view(f"group{number}", group(number)) for number in range(GROUPS))]
    )
    return store


def test_extremes_of_every_type_come_back(applied: FeatureStore) -> None:
    longest = max(len(line.extremes) for line in LINES.values()) + 1
    columns = {name: [*line.extremes, *[None] * (longest - len(line.extremes))] for name, line in LINES.items()}
    check(applied, "every", columns)
    # A row that is not asked for as a whole, in its order, is read and written again.
    keys, names = list(range(longest)), list(columns)
    whole, again = ask(applied, "every", keys, names), ask(applied, "every", keys, names[::-1])
    for name in names:
        assert exact(again.wire[name]) == exact(whole.wire[name]), FEATURES[name]
        assert again.statuses[name] == whole.statuses[name]


@pytest.mark.parametrize("number", range(GROUPS))
def test_values_of_every_type_come_back(applied: FeatureStore, number: int) -> None:
    rows = 4
    columns = st.fixed_dictionaries(
        {name: st.lists(st.none() | LINES[name].values, min_size=rows, max_size=rows) for name in group(number)}
    )

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(columns)
    def come_back(drawn: dict[str, list[Any]]) -> None:
        check(applied, f"group{number}", drawn)

    come_back()


# What a view does not declare.


def inferred(dtype: FeastType) -> FeastType:
    """The type of a column of the file, where the view does not say: what parquet does not know is its nearest."""
    if isinstance(dtype, Array | Set):
        return Array(inferred(dtype.base_type))
    if isinstance(dtype, Struct):
        return Struct({name: inferred(inner) for name, inner in dtype.fields.items()})
    nearest: dict[str, FeastType] = {"BLOB": Bytes, "VARCHAR": String, "MAP(BIGINT, VARCHAR)": Map}
    return nearest.get(SCALARS[dtype].sql, dtype)


def test_types_that_are_not_declared_are_read_from_the_file(store: FeatureStore) -> None:
    columns = {name: [line.extremes[0]] for name, line in LINES.items()}
    write(store.repo_path / "undeclared.parquet", {"k": [0], "t": [NOON], **columns}, {**LINES, **AT})
    source = FileSource(name="undeclared", path="undeclared.parquet", timestamp_field="t")
    store.apply([ROW, FeatureView(name="undeclared", entities=[ROW], source=source)])
    found = store.snapshot.view("undeclared")
    assert {field.name: field.dtype for field in found.features} == {n: inferred(d) for n, d in FEATURES.items()}
    assert found.entity_columns[0].dtype == Int64
    store.materialize(NOON, NOON, ["undeclared"])
    answer = ask(store, "undeclared", [0], list(FEATURES))
    same = [name for name, dtype in FEATURES.items() if inferred(dtype) == dtype]
    assert len(same) > 20
    for name in same:
        wanted = expected(LINES[name], columns[name], LINES[name].wire)
        assert exact(answer.wire[name]) == exact(wanted), FEATURES[name]


# Keys.

#: Spellings of a key that a request may send, from the value in the file.
SPELLINGS: dict[FeastType, list[Callable[[Any], Any]]] = {
    Int32: [int, str],
    Int64: [int, str],
    String: [str],
    Bytes: [base64_of, bytes],
    Bool: [bool, int],
    UnixTimestamp: [seconds, datetime.isoformat, lambda moment: moment.isoformat(" ").replace("+00:00", "Z")],
    Uuid: [str, lambda key: str(key).upper(), lambda key: UUID(str(key)).hex, lambda key: UUID(str(key))],
    TimeUuid: [str, lambda key: str(key).upper(), lambda key: UUID(str(key)).hex],
}
KEYS = {dtype: f"by_{str(dtype).lower()}" for dtype in KEY_TYPES}


def test_every_type_of_key_has_its_spellings() -> None:
    assert set(SPELLINGS) == set(KEY_TYPES)


@pytest.fixture(scope="module")
def keyed(store: FeatureStore) -> FeatureStore:
    """With a view for each type of key."""
    store.apply([ROW, *(a_view(name, {"x": Int64}, dtype) for dtype, name in KEYS.items())])
    return store


def as_echoed(dtype: FeastType, key: Any) -> Any:
    """A key as the answer repeats it."""
    return str(UUID(str(key))) if dtype in (Uuid, TimeUuid) else SCALARS[dtype].wire(key)


@pytest.mark.parametrize("dtype", KEY_TYPES, ids=str)
def test_every_key_finds_its_row(keyed: FeatureStore, dtype: FeastType) -> None:
    line = SCALARS[dtype]

    @settings(max_examples=4, deadline=None)
    @given(st.lists(line.values, max_size=12))
    def finds(drawn: list[Any]) -> None:
        # Instants of one second are one key, as are spellings of a UUID.
        keys = list({as_echoed(dtype, key): key for key in [*line.extremes, *drawn]}.values())
        numbers = list(range(len(keys)))
        columns = {"k": keys, "t": [NOON] * len(keys), "x": numbers}
        view = KEYS[dtype]
        write(keyed.repo_path / f"{view}.parquet", columns, {"k": line, "t": AT["t"], "x": SCALARS[Int64]})
        keyed.materialize(NOON, NOON, [view])
        for spell in SPELLINGS[dtype]:
            found = ask(keyed, view, [spell(key) for key in keys], ["x"])
            assert found.wire == {"k": [as_echoed(dtype, key) for key in keys], "x": numbers}
            python = line.python if dtype not in (Uuid, TimeUuid) else lambda key: UUID(str(key))
            assert exact(found.python["k"]) == exact([python(key) for key in keys])

    finds()


# Times of events.

MOMENTS = [FIRST, EPOCH - SECOND / 2, EPOCH, NOON, NOON + timedelta(microseconds=123_456), LAST]
TIMES = {
    "TIMESTAMP": 1,
    "TIMESTAMPTZ": 1,
    "TIMESTAMP_MS": 1000,
    "TIMESTAMP_S": 1_000_000,
    "TIMESTAMP_NS": 1,
    "DATE": 86_400_000_000,
}


@pytest.mark.parametrize("sql", TIMES)
def test_every_time_of_an_event_is_shown_as_it_is(store: FeatureStore, sql: str) -> None:
    """As finely as the column and the answer have it. A row without a time is in no window, as in Feast."""
    unit = timedelta(microseconds=TIMES[sql])
    # Nanoseconds reach from 1677 to 2262 only.
    first, last = (NOON.replace(1700), NOON.replace(2200)) if sql == "TIMESTAMP_NS" else (FIRST, LAST)
    shown = [EPOCH + (max(first, min(moment, last)) - EPOCH) // unit * unit for moment in MOMENTS]
    written = [*shown, None]
    view = f"at_{sql.lower()}"
    columns = {"k": list(range(len(written))), "t": written, "x": list(range(len(written)))}
    line = Line(sql, st.nothing(), [], lambda moment: moment.replace(tzinfo=None).isoformat())
    write(store.repo_path / f"{view}.parquet", columns, {"k": AT["k"], "t": line, "x": SCALARS[Int64]})
    store.apply([ROW, a_view(view, {"x": Int64})])
    store.materialize(FIRST, LAST, [view])
    found = ask(store, view, columns["k"], ["x"])
    assert found.wire["x"] == [0, 1, 2, 3, 4, 5, None]
    assert found.statuses["x"][-1] == "NOT_FOUND"
    assert [datetime.fromisoformat(text) for text in found.times["x"]] == [*shown, EPOCH]
    assert found.python["x__ts"] == [*((moment - EPOCH) // SECOND for moment in shown), 0]


# What does not fit.


@pytest.mark.parametrize(
    ("dtype", "sql", "value", "message"),
    [
        (Int32, "BIGINT", 2**31, "2147483648 does not fit a 32-bit integer"),
        (Int32, "UINTEGER", 2**32 - 1, "4294967295 does not fit a 32-bit integer"),
        (Int64, "UBIGINT", 2**64 - 1, "18446744073709551615 does not fit a 64-bit integer"),
        (Int64, "DOUBLE", 1e19, "10000000000000000000 does not fit a 64-bit integer"),
        (Int64, "DOUBLE", "Infinity", "infinity"),
        (Int64, "DECIMAL(38, 0)", "9" * 38, "does not fit a 64-bit integer"),
        (Array(Int32), "BIGINT[]", [0, 2**31], "does not fit a 32-bit integer"),
        (Struct({"a": Int32}), 'STRUCT("a" BIGINT)', {"a": 2**31}, "does not fit a 32-bit integer"),
        (UnixTimestamp, "UBIGINT", 2**63, "is not an instant"),
        (UnixTimestamp, "VARCHAR", "10000-01-01", "is not a timestamp"),
        (ZonedTimestamp, "VARCHAR", "10000-01-01T00:00:00Z", "isoformat"),
        (Bool, "INTEGER", 2, "expected true or false, got 2"),
        (Bytes, "VARCHAR", "not base64", "base64"),
        (Uuid, "VARCHAR", "2f9b1ee4", "expected a UUID"),
        (Decimal, "VARCHAR", "1,5", "expected a decimal number"),
        (Json, "VARCHAR", "{", "not JSON"),
        (Json, "VARCHAR", "[" * 100_000, "nested too deeply"),
        (Map, "VARCHAR", '{"a":"\\ud800"}', "surrogates not allowed"),
        (Map, "VARCHAR", '{"a":' * 300 + "1" + "}" * 300, "Recursion limit"),
        (Map, "VARCHAR", '{"a":' * 100_000, "nested too deeply"),
        (Map, "VARCHAR", '{"a":18446744073709551616}', "64-bit"),
        (PERSON, "VARCHAR", "[]", "expected an object"),
        (Array(String), "VARCHAR", "[]", "expected a list"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_value_that_does_not_fit_is_refused_by_column_and_entity(
    store: FeatureStore, dtype: FeastType, sql: str, value: Any, message: str
) -> None:
    lines = {"x": Line(sql, st.nothing(), []), **AT}
    write(store.repo_path / "narrow.parquet", {"k": [7, 8], "t": [NOON] * 2, "x": [None, value]}, lines)
    store.apply([ROW, a_view("narrow", {"x": dtype})])
    with pytest.raises(
        MaterializationError, match=rf"feature view narrow: column x, row of k=8: .*{message}"
    ) as caught:
        store.materialize(NOON, NOON, ["narrow"])
    assert len(str(caught.value)) < 300


def test_a_value_may_be_long(store: FeatureStore) -> None:
    text = "é\0" * 2_000_000
    values = {"x": [text], "y": [list(range(200_000))], "z": [{"deep": DEEP, text[:100_000]: text}]}
    types = {"x": String, "y": Array(Int64), "z": Map}
    lines = {name: line_of(dtype) for name, dtype in types.items()}
    write(store.repo_path / "long.parquet", {"k": [0], "t": [NOON], **values}, {**lines, **AT})
    store.apply([ROW, a_view("long", types)])
    store.materialize(NOON, NOON, ["long"])
    found = ask(store, "long", [0], list(types))
    assert {name: found.wire[name] for name in types} == values
    assert {name: found.python[name] for name in types} == values
