"""Rows as they wait to be written.

A body is lines of JSON: first its header, `{"columns": [[name, type], ...], "blocks": [rows, ...]}`, then for each
block of rows one line per column, the list of its values in the form that `conversion` describes. The types are there
for rows that are written after the source got others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

#: DuckDB holds all columns of a block in memory.
BLOCK_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of bodies that follow each other: names and types of the columns that they had when they were encoded, and
    the JSON list of each column's values."""

    types: dict[str, str]
    rows: int
    lines: dict[str, str]


def body_of(types: Mapping[str, str], rows: int, lines: Mapping[str, Sequence[bytes]]) -> bytes:
    """The body of rows whose columns are lists of lines, one per block."""
    blocks = [min(BLOCK_ROWS, rows - at) for at in range(0, rows, BLOCK_ROWS)]
    header = orjson.dumps({"columns": list(types.items()), "blocks": blocks})
    return b"\n".join([header, *(lines[name][number] for number in range(len(blocks)) for name in types)])


def blocks_of(bodies: Iterable[bytes]) -> Iterator[Block]:
    """Their rows in their order; small ones that follow each other become one block."""
    types: dict[str, str] = {}
    rows = 0
    lines: list[list[bytes]] = []
    for body in bodies:
        header, *values = body.split(b"\n")
        described = orjson.loads(header)
        found = dict(described["columns"])
        for number, count in enumerate(described["blocks"]):
            if lines and (found != types or rows + count > BLOCK_ROWS):
                yield _block(types, rows, lines)
                rows, lines = 0, []
            types = found
            rows += count
            lines.append(values[number * len(types) :][: len(types)])
    if lines:
        yield _block(types, rows, lines)


def _block(types: dict[str, str], rows: int, lines: Sequence[Sequence[bytes]]) -> Block:
    joined = (b"[" + b",".join(line[1:-1] for line in column) + b"]" for column in zip(*lines, strict=True))
    return Block(types, rows, {name: line.decode() for name, line in zip(types, joined, strict=True)})
