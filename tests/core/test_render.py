"""Responses from stored rows: what a plan's own tests do not reach."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feast_core.definitions import Field, Int64, String
from feast_core.interfaces import RowSchema, StoredRow
from feast_core.render import ColumnsLayout, RowsLayout, Run, UnknownSchema, rfc3339, runs_of
from feast_core.rows import nulls_of, schema_of

LAYOUTS: list[Any] = [RowsLayout, ColumnsLayout]


def schema(**types: Any) -> RowSchema:
    return schema_of([Field(name=name, dtype=dtype) for name, dtype in types.items()])


AB = schema(a=Int64, b=String)


def answer(layout: Any, *slices: list[StoredRow | None]) -> list[tuple[list[Any], list[str], list[str]]]:
    """(values, statuses, times) per row, whatever the format."""
    made = layout.begin()
    for rows in slices:
        made.add([], [rows], len(rows))
    body = json.loads(b"".join(made.parts()))
    results = [(result["values"], result["statuses"], result["event_timestamps"]) for result in body["results"]]
    if isinstance(layout, RowsLayout):
        return results
    rows = range(sum(map(len, slices)))
    return [tuple([column[part][at] for column in results] for part in range(3)) for at in rows]  # type: ignore[misc]


def layout_of(kind: Any, names: str = "ab", age_us: int | None = None) -> Any:
    return kind(list(names), 0, [(0, "ab".index(name)) for name in names], [AB], [age_us])


def row(event_us: int, values: bytes, *, of: RowSchema = AB, nulls: bytes = b"") -> StoredRow:
    return (event_us, of.fingerprint, nulls, values)


@pytest.mark.parametrize(
    ("event_us", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (1_500_000, "1970-01-01T00:00:01.500Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (2**63 - 1, "9999-12-31T23:59:59.999999Z"),
        (-(2**63), "0001-01-01T00:00:00Z"),
    ],
)
def test_every_time_has_a_text(event_us: int, text: str) -> None:
    """A store may hold any 64-bit number; the answer stays an answer."""
    assert rfc3339(event_us) == f'"{text}"'.encode()


def test_features_of_one_view_side_by_side_are_one_run() -> None:
    assert runs_of([]) == []
    assert runs_of([(0, 1), (0, 0), (1, 0), (0, 1)]) == [Run(0, (1, 0)), Run(1, (0,)), Run(0, (1,))]


@pytest.mark.parametrize("kind", LAYOUTS)
def test_more_times_and_nulls_than_are_remembered(kind: Any) -> None:
    """Fragments are kept for what repeats; that there are too many changes nothing but the time it takes."""
    rows: list[StoredRow | None] = []
    for number in range(3000):
        values = f'[{"null" if number % 2 else number},"x"]'.encode()
        rows.append(row(number * 1_000_000, values, nulls=nulls_of([0]) if number % 2 else b""))
    for names in ("ab", "ba", "a"):
        found = answer(layout_of(kind, names), rows[:1500], rows[1500:])
        at = names.index("a")
        assert [values[at] for values, _, _ in found] == [None if number % 2 else number for number in range(3000)]
        assert [statuses[at] for _, statuses, _ in found] == ["NULL_VALUE" if n % 2 else "PRESENT" for n in range(3000)]
        assert [times[0] for _, _, times in found] == [json.loads(rfc3339(n * 1_000_000)) for n in range(3000)]


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_slice_with_an_unknown_schema_adds_nothing_until_it_is_known(kind: Any) -> None:
    other = schema(b=String, c=Int64)
    layout = layout_of(kind)
    made = layout.begin()
    rows = [row(0, b'[1,"x"]'), row(0, b'["y",2]', of=other), None]
    for _ in range(2):
        with pytest.raises(UnknownSchema) as raised:
            made.add([], [rows], 3)
        assert raised.value.fingerprints == {other.fingerprint}
    layout.foreign[other.fingerprint] = other
    made.add([], [rows], 3)
    body = json.loads(b"".join(made.parts()))
    values = [result["values"] for result in body["results"]]
    expected = [[1, "x"], [None, "y"], [None, None]]
    assert values == (expected if kind is RowsLayout else [list(column) for column in zip(*expected, strict=True)])


@pytest.mark.parametrize("kind", LAYOUTS)
@pytest.mark.parametrize("sizes", [(), (0,), (1,), (0, 2), (2, 0, 1), (500, 1)])
def test_slices_are_put_together(kind: Any, sizes: tuple[int, ...]) -> None:
    slices: list[list[StoredRow | None]] = []
    count = 0
    for size in sizes:
        slices.append([row(0, b'[%d,"x"]' % number) for number in range(count, count + size)])
        count += size
    assert [values for values, _, _ in answer(layout_of(kind), *slices)] == [[number, "x"] for number in range(count)]


ROWS = st.none() | st.tuples(
    st.integers(-(2**40), 2**50),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.text(alphabet=st.characters(codec="utf-8")),
)


@given(st.lists(ROWS, max_size=8), st.sampled_from(["a", "b", "ab", "ba"]))
def test_both_formats_show_the_same(drawn: list[Any], names: str) -> None:
    rows: list[StoredRow | None] = []
    for item in drawn:
        if item is None:
            rows.append(None)
            continue
        event_us, a, b = item
        nulls = nulls_of(at for at, value in enumerate((a, b)) if value is None)
        rows.append(row(event_us, json.dumps([a, b]).encode(), nulls=nulls))
    by_row = answer(layout_of(RowsLayout, names), rows)
    assert by_row == answer(layout_of(ColumnsLayout, names), rows)
    for found, item in zip(by_row, drawn, strict=True):
        wanted = [None if item is None else item[1 + "ab".index(name)] for name in names]
        assert found[0] == wanted
        assert found[1] == [
            "NOT_FOUND" if item is None else "NULL_VALUE" if value is None else "PRESENT" for value in wanted
        ]
