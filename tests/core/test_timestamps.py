"""Timestamps that people write are read as aware UTC times, or refused with the reason."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feast_core.errors import InvalidInput
from feast_core.timestamps import microseconds_of, parse_timestamp, to_microseconds


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22", datetime(2026, 11, 22)),
        ("2026-11-22T10:30", datetime(2026, 11, 22, 10, 30)),
        ("2026-11-22 10:30:05", datetime(2026, 11, 22, 10, 30, 5)),
        ("2026-11-22t10:30:05z", datetime(2026, 11, 22, 10, 30, 5)),
        ("2026-11-22T10:30:05.25Z", datetime(2026, 11, 22, 10, 30, 5, 250_000)),
        ("2026-11-22T10:30:05.123456789", datetime(2026, 11, 22, 10, 30, 5, 123_456)),
        ("2026-11-22T10:30:05+02:00", datetime(2026, 11, 22, 8, 30, 5)),
        ("2026-11-22T10:30:05-0930", datetime(2026, 11, 22, 20, 0, 5)),
        ("2026-11-22 10:30:05.5-09", datetime(2026, 11, 22, 19, 30, 5, 500_000)),
        ("2026-11-22 01:00:00 +14", datetime(2026, 11, 21, 11)),
        ("  2026-11-22  ", datetime(2026, 11, 22)),
    ],
)
def test_iso_8601_is_read_and_naive_times_are_utc(text: str, time: datetime) -> None:
    assert parse_timestamp(text) == time.replace(tzinfo=UTC)
    assert parse_timestamp(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["1763800000", "1763800000000", "1.7e9", "-5", "20261122", "0", ".5", "1763800000,5"])
def test_a_bare_number_is_refused_since_its_unit_is_anybodys_guess(text: str) -> None:
    with pytest.raises(InvalidInput, match="bare number, which could mean seconds, milliseconds or nanoseconds"):
        parse_timestamp(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-W47-7",
        "20261122T103000",
        "2026-11-22T10",
        "2026-11-22T24:00",
        "2026-11-22T10:30.5",
        "22.11.2026",
    ],
)
def test_other_forms_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput, match="ISO 8601, for example 2026-11-22T10:30:00Z"):
        parse_timestamp(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "2026-13-01",
        "2026-11-22T10:61",
        "2026-11-22T10:00:00+25:00",
        "0001-01-01T00:00+14:00",
        "0000-01-01",
    ],
)
def test_a_time_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a time that exists"):
        parse_timestamp(text)


@pytest.mark.parametrize(
    "texts",
    [
        ["2026-11-22T10:30:05Z", "1969-12-31 23:59:59.999999+02:00", "0001-01-01T00:00:00Z"],
        ["2026-11-22 10:30:05.1", "1970-01-01T00:00:00", "9999-12-31T23:59:59.999999"],
        ["2024-02-29T12:24:24.024024"],
        ["2026-11-22 10:30:05+00", "2026-11-22 10:30:05.25-09", "2026-11-22T10:30:05Z"],
        ["2026-11-22T10:30:05", "2026-11-22T10:30:05Z", "2026-11-22t10:30:05.25-0930"],
    ],
)
def test_a_column_of_common_forms_is_read_as_each_of_them(texts: list[str]) -> None:
    assert microseconds_of(texts) == [to_microseconds(parse_timestamp(text)) for text in texts]


@pytest.mark.parametrize(
    "odd",
    [
        "2026-11-22",
        "2026-11-22T10:30",
        "2026-11-22T10:30+02",
        "2026-11-22T24:00:00Z",
        "2026-11-22T10:30:60Z",
        "2026-11-22T10:30:05.1234569",
        "2026-11-22T10:30:05.1234567Z",
        "2026-13-22T10:30:05Z",
        "2026-11-22T10:30:05Z\n2026-11-22T10:30:05Z",
        "0001-01-01T00:00:00+05:00",
        "20261122",
        "",
        "2026-11-22T10:30:0\N{ARABIC-INDIC DIGIT FIVE}Z",
    ],
)
def test_a_column_with_another_form_is_left_to_the_slow_way(odd: str) -> None:
    assert microseconds_of(["2026-11-22T10:30:05Z", odd]) is None


@given(st.lists(st.text("0123456789-:.TZ+ \n", max_size=30) | st.datetimes().map(str), min_size=1, max_size=3))
def test_both_ways_agree(texts: list[str]) -> None:
    found = microseconds_of(texts)
    if found is not None:
        assert found == [to_microseconds(parse_timestamp(text)) for text in texts]
