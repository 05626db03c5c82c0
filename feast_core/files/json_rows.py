"""Rows of JSON lines, as a stream, and of JSON documents, which are read whole."""

import io
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from feast_core.errors import InvalidInput, shown
from feast_core.files.table import Row, Table, WrongRow, bounded_lines
from feast_core.frames import columns_of

_decode = msgspec.json.Decoder().decode


def read_json_lines(lines: Iterable[bytes]) -> Table:
    """An object in each line; empty ones do not count."""
    objects = ((line, _decoded(text)) for line, text in enumerate(lines, 1) if not text.isspace())
    return _objects(objects)


def read_json(stream: io.BufferedReader, name: str) -> Table:
    """A document: a list of objects, an object of lists, or of objects as pandas writes a frame, or one object. What
    turns out to be JSON lines is read as such."""
    begin = _until_the_first_line_with_text(stream)
    first = _decoded(b"".join(begin))
    if isinstance(first, dict) and not _is_columns(first):
        return read_json_lines(itertools.chain(begin, bounded_lines(stream, name)))
    text = b"".join([*begin, stream.read()])
    if not text.strip():
        return Table([], iter(()))
    document = _decoded(text)
    if isinstance(document, _NotJson):
        raise InvalidInput(f"{name}: {document.reason}")
    if isinstance(document, list):
        return _objects((None, item) for item in document)
    if not isinstance(document, dict):
        raise InvalidInput(f"{name}: expected a list of objects or an object of lists, got {shown(document)}")
    if not _is_columns(document):
        return _objects(iter([(None, document)]))
    return _json_columns(document, name)


def _until_the_first_line_with_text(stream: io.BufferedReader) -> list[bytes]:
    lines = []
    for line in stream:
        lines.append(line)
        if not line.isspace():
            break
    return lines


def _is_columns(found: dict[str, Any]) -> bool:
    """Whether each value of an object is a column. A row has a key or a time, which is none."""
    return all(isinstance(value, list) for value in found.values()) or all(
        isinstance(value, dict) for value in found.values()
    )


def _json_columns(document: dict[str, Any], name: str) -> Table:
    if not any(document.values()):
        return Table([], iter(()))
    try:
        columns = columns_of(document)
    except InvalidInput as error:
        raise InvalidInput(f"{name}: {error}") from error
    rows = ((number, None, values) for number, values in enumerate(zip(*columns.values(), strict=True), 1))
    return Table(list(columns), rows)


@dataclass(frozen=True, slots=True)
class _NotJson:
    """Why a text is not JSON, and the text."""

    reason: str
    text: str


def _decoded(text: bytes) -> Any:
    try:
        return _decode(text)
    except (ValueError, RecursionError):
        pass
    # The slower parser takes NaN, as Python writes it, and says better what is wrong.
    try:
        return json.loads(text.decode())
    except UnicodeDecodeError:
        reason = "is not UTF-8"
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, " if error.lineno > 1 else ""
        reason = f"is no JSON: {error.msg} ({where}character {error.colno})"
    except RecursionError:
        reason = "is nested too deeply"
    return _NotJson(reason, text.decode(errors="backslashreplace").strip())


def _objects(found: Iterable[tuple[int | None, Any]]) -> Table:
    """Rows that are objects with the keys of the first one."""
    names: list[str] = []  # filled by the first row
    return Table(names, _object_rows(found, names))


def _object_rows(found: Iterable[tuple[int | None, Any]], names: list[str]) -> Iterator[Row | WrongRow]:
    known: dict[str, Any] = {}
    for number, (line, item) in enumerate(found, 1):
        if isinstance(item, _NotJson):
            yield WrongRow(number, line, item.reason, item.text)
        elif not isinstance(item, dict) or not item:
            yield WrongRow(number, line, f"expected an object with values, got {shown(item)}", item)
        elif known and item.keys() != known.keys():
            yield WrongRow(number, line, _difference(item, known), item)
        else:
            if not known:
                known = dict.fromkeys(item)
                names.extend(known)
            yield number, line, [item[name] for name in names]


def _difference(item: dict[str, Any], known: dict[str, Any]) -> str:
    missing = [name for name in known if name not in item]
    if missing:
        return f"{missing[0]}: is missing; write null where there is no value"
    extra = next(name for name in item if name not in known)
    return f"{extra}: is not in the rows before it; all rows need the same columns"
