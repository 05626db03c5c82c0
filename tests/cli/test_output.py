"""Tables, outlines and JSON: what a pipe gets can be read by a program, what a terminal gets fits."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from feast_cli import output
from feast_cli.describing import duration, readable

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
PLAIN = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`terminal(width)`: from then on, standard output is a terminal of this width."""

    def of_width(width: int) -> None:
        monkeypatch.setattr(output, "is_terminal", lambda stream: True)
        monkeypatch.setattr(
            output, "console", lambda stream: Console(width=width, markup=False, highlight=False, emoji=False)
        )

    return of_width


@given(st.dictionaries(TEXT, PLAIN, min_size=1, max_size=5))
def test_an_outline_in_a_pipe_is_yaml_of_the_same_data(value: dict[str, Any]) -> None:
    assert yaml.safe_load("\n".join(output.yaml_lines(value))) == value


@pytest.mark.parametrize(
    "text", ["yes", "null", "1e5", "2026-11-22", "a: b", "# a", "- a", "*a", "a #b", "a:", "~", "0x1", "="]
)
def test_text_that_yaml_would_read_as_something_else_is_quoted(text: str) -> None:
    assert yaml.safe_load("\n".join(output.yaml_lines({"key": text, text: [text]}))) == {"key": text, text: [text]}


def test_a_table_in_a_pipe_is_columns_without_decoration(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(["NAME", "FEATURES", "NOTE"], [["a", 3, None], ["a longer name", 12, "[red]x\ny"]])
    assert capsys.readouterr().out == (
        "NAME           FEATURES  NOTE\n"
        "a              3         -\n"
        "a longer name  12        [red]x y\n"
    )  # fmt: skip


def test_a_table_on_a_terminal_has_a_line_per_row(terminal: Any, capsys: pytest.CaptureFixture[str]) -> None:
    terminal(80)
    output.print_table(["driver_id", "[rate]"], [["1001", 0.5], ["1002", None]])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["driver_id", "[rate]"] in lines
    assert ["1001", "0.5"] in lines
    assert ["1002", "-"] in lines


def test_a_table_that_is_too_wide_is_turned(terminal: Any, capsys: pytest.CaptureFixture[str]) -> None:
    terminal(80)
    names = [f"feature_number_{number}" for number in range(20)]
    output.print_table(names, [list(range(20))])
    lines = capsys.readouterr().out.splitlines()
    assert ["feature_number_7", "7"] in [line.split() for line in lines]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [80, 160])
def test_no_column_is_lost_where_neither_way_fits(
    width: int, terminal: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(width)
    headers = [f"COLUMN {number}" for number in range(8)]
    rows = [[f"row_{row}_{number}_" + "x" * width for number in range(8)] for row in range(30)]
    output.print_table(headers, rows)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    text = "".join(line.strip() for line in lines)
    for row in range(30):
        for number in range(8):
            assert f"COLUMN {number}" in text
            assert f"row_{row}_{number}_" in text


def test_columns_in_a_pipe_stand_under_each_other_also_with_wide_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output.print_table(["NAME", "N"], [["日本", 1], ["e\u0301a", 2], ["abcde", 3]])
    assert capsys.readouterr().out.splitlines() == ["NAME   N", "日本   1", "e\u0301a     2", "abcde  3"]


def test_a_terminal_obeys_nothing_that_is_in_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = "a\x1b[2Jb\x07c\u202ed\ttab"
    output.print_table(["TEXT"], [[wrong]])
    output.error(wrong)
    printed = capsys.readouterr()
    assert r"a\x1b[2Jb\x07c\u202ed" in printed.out
    assert r"a\x1b[2Jb\x07c\u202ed" in printed.err
    assert "\x1b" not in printed.out + printed.err


@pytest.mark.parametrize("width", [80, 160])
def test_a_tree_fits_the_terminal(width: int, terminal: Any, capsys: pytest.CaptureFixture[str]) -> None:
    terminal(width)
    value = {
        "text": "word " * 60,
        "fields": {"a": "Int64", "b": "Float32"},
        "list": [{"name": "x", "n": 1}, "y"],
        "no": [],
    }
    output.print_outline("feature view 'v'", value)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "feature view 'v'"
    assert max(map(len, lines)) <= width
    assert any("a: Int64" in line for line in lines)
    assert any("name: x" in line for line in lines)


def test_json_has_no_value_that_json_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    value = {
        "floats": [1.5, float("nan"), float("inf"), float("-inf")],
        "time": datetime(2026, 11, 22, tzinfo=UTC),
        "bytes": b"\xff\x00",
        "set": {1},
        "decimal": Decimal("1.10"),
        "text": "grüße",
    }
    output.print_json(value)
    printed = capsys.readouterr().out
    assert json.loads(printed, parse_constant=pytest.fail) == {
        "floats": [1.5, "NaN", "Infinity", "-Infinity"],
        "time": "2026-11-22T00:00:00Z",
        "bytes": "/wA=",
        "set": [1],
        "decimal": "1.10",
        "text": "grüße",
    }
    assert "grüße" in printed


def test_an_error_of_several_lines_is_printed_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    output.error("first\n  second\n\nthird", "do this")
    assert capsys.readouterr().err == "error: first second third\ndo this\n"


def test_times_are_shown_in_utc() -> None:
    assert output.moment(datetime(2026, 11, 22, 1, tzinfo=timezone(timedelta(hours=2)))) == "2026-11-21T23:00:00Z"


def test_a_spec_is_shown_without_what_is_empty_and_types_by_name() -> None:
    spec = {
        "class": "FeatureView",
        "name": "v",
        "ttl": {"class": "timedelta", "microseconds": 2 * 3_600_000_000},
        "online": False,
        "tags": {},
        "owner": "",
        "schema": [
            {"class": "Field", "name": "a", "dtype": {"class": "FeastType", "type": "Int64"}, "tags": {}},
            {
                "class": "Field",
                "name": "b",
                "dtype": {"class": "FeastType", "type": "Array(String)"},
                "vector_length": 0,
            },
        ],
        "source": {"class": "PushSource", "name": "s", "mode": {"class": "PushMode", "member": "ONLINE"}},
        "labels": {"class": "dict", "items": {"class": "x"}},
    }
    assert readable(spec) == {
        "type": "FeatureView",
        "name": "v",
        "ttl": "2:00:00",
        "online": False,
        "schema": {"a": "Int64", "b": "Array(String)"},
        "source": {"type": "PushSource", "name": "s", "mode": "ONLINE"},
        "labels": {"class": "x"},
    }


def test_a_described_field_keeps_what_is_known_of_it() -> None:
    dtype = {"class": "FeastType", "type": "Int64"}
    field = {"class": "Field", "name": "a", "dtype": dtype, "description": "Why", "vector_index": False}
    assert readable({"class": "FeatureView", "schema": [field]})["schema"] == {
        "a": {"type": "Int64", "description": "Why"}
    }


def test_what_a_service_uses_is_named() -> None:
    whole: dict[str, Any] = {
        "class": "FeatureViewProjection",
        "name": "v",
        "name_alias": None,
        "desired_features": [],
        "view_type": "x",
    }
    part = {**whole, "name_alias": "origin", "desired_features": ["a"], "join_key_map": {"driver_id": "origin_id"}}
    assert readable({"class": "FeatureService", "features": [whole, part]})["features"] == [
        "v",
        {"name": "v", "name_alias": "origin", "desired_features": ["a"], "join_key_map": {"driver_id": "origin_id"}},
    ]


@pytest.mark.parametrize(
    ("span", "text"),
    [(timedelta(0), "for ever"), (timedelta(days=3650), "3650 days"), (timedelta(days=1, hours=2), "1 day, 2:00:00")],
)
def test_durations_read_as_people_say_them(span: timedelta, text: str) -> None:
    assert duration(span) == text
