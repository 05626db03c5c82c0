"""Rows of parquet, CSV, JSON and JSON lines, in batches: read as a stream, with the number of every row.

What has no plain Python value comes as the text that a client would send. Memory is bounded by a batch, except for a
JSON document, which is read whole.
"""

import gzip
import io
import os
import shutil
import tempfile
import zlib
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias, cast, get_args

from feast_core.definitions import FeastType
from feast_core.errors import InvalidInput
from feast_core.files.csv_rows import read_csv, typed
from feast_core.files.json_rows import read_json, read_json_lines
from feast_core.files.parquet_rows import read_parquet
from feast_core.files.table import FileRows, Share, WrongRow, batches, bounded_lines

__all__ = ["FORMATS", "STANDARD_INPUT", "FileRows", "Format", "WrongRow", "format_of", "read_rows"]

Format: TypeAlias = Literal["parquet", "csv", "json", "jsonl"]
FORMATS: tuple[Format, ...] = get_args(Format)
#: The end of a file's name, without `.gz`, to its format.
SUFFIXES: dict[str, Format] = {
    ".parquet": "parquet",
    ".parq": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
STANDARD_INPUT = "standard input"

_PARQUET_MAGIC = b"PAR1"
_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def format_of(path: Path) -> Format:
    """The format that the end of a file's name means. Raises InvalidInput."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    found = SUFFIXES.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise InvalidInput(
            f"{path}: its name does not say what it holds; name the format, one of {', '.join(FORMATS)},"
            f" or let it end with {', '.join(SUFFIXES)}"
        )
    return found


def read_rows(
    source: Path | BinaryIO,
    chosen: Format | None = None,
    rows: int = 5000,
    types: Mapping[str, FeastType] | None = None,
) -> Generator[FileRows, None, None]:
    """The rows of a file or of a stream of bytes, such as standard input, so many at a time; nothing where it is empty.

    The format is `chosen`, or the one that the name of the file means; of a stream it is seen from what comes first.
    What is compressed with gzip is decompressed. `types` are what columns of CSV are to be, which holds nothing but
    texts; those of other columns stay texts. Raises InvalidInput, in one line that names the file, where it cannot
    be read.
    """
    name = str(source) if isinstance(source, Path) else STANDARD_INPUT
    with ExitStack() as opened:
        try:
            if isinstance(source, Path):
                # What is no file, such as /dev/stdin or a named pipe, has no name that says something.
                chosen = chosen or (None if source.is_fifo() or source.is_char_device() else format_of(source))
                stream: BinaryIO = opened.enter_context(source.open("rb"))
            else:
                stream = source
            yield from _rows_of(stream, chosen, name, rows, types or {}, opened)
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidInput(f"{name}: {_reason(error)}") from error


def _rows_of(
    raw: BinaryIO, chosen: Format | None, name: str, rows: int, types: Mapping[str, FeastType], opened: ExitStack
) -> Generator[FileRows, None, None]:
    stream = _peekable(raw)
    share = _share_of(raw)
    if _begins_with(stream, _GZIP_MAGIC):
        stream = _peekable(cast(BinaryIO, opened.enter_context(gzip.GzipFile(fileobj=stream))))
    if _begins_with(stream, _UTF16_MARKS):
        raise InvalidInput(f"{name}: is UTF-16; write it as UTF-8")
    if chosen == "parquet" or (chosen is None and _begins_with(stream, _PARQUET_MAGIC)):
        yield from read_parquet(_on_disk(stream, raw, opened), name, rows)
        return
    if _begins_with(stream, _BYTE_ORDER_MARK):
        stream.read(len(_BYTE_ORDER_MARK))
    if chosen == "csv" or (chosen is None and not _begins_with_json(stream)):
        for part in batches(read_csv(bounded_lines(stream, name), name), rows, share):
            yield replace(part, columns=typed(part.columns, types))
        return
    table = read_json_lines(bounded_lines(stream, name)) if chosen == "jsonl" else read_json(stream, name)
    yield from batches(table, rows, share)


# Streams.


def _peekable(stream: BinaryIO) -> io.BufferedReader:
    if isinstance(stream, io.BufferedReader):
        return stream
    return io.BufferedReader(cast(io.RawIOBase, stream))


def _begins_with(stream: io.BufferedReader, marks: bytes | tuple[bytes, ...]) -> bool:
    return stream.peek(8).startswith(marks)


def _begins_with_json(stream: io.BufferedReader) -> bool:
    return stream.peek(8).lstrip()[:1] in (b"[", b"{")


def _share_of(raw: BinaryIO) -> Share:
    """By the position in the file on disk, also where it is compressed; a pipe has none."""
    try:
        size = os.fstat(raw.fileno()).st_size
        raw.tell()
    except (OSError, io.UnsupportedOperation):
        return lambda: None
    return (lambda: min(raw.tell() / size, 1.0)) if size else lambda: None


def _on_disk(stream: io.BufferedReader, raw: BinaryIO, opened: ExitStack) -> str:
    """The path of a file with what the stream holds: parquet is read from its end."""
    named = getattr(raw, "name", None)
    if stream is raw and isinstance(named, str | Path) and os.path.isfile(named):
        return str(named)
    spooled = opened.enter_context(tempfile.NamedTemporaryFile(suffix=".parquet"))  # noqa: SIM115  (as `opened` is)
    shutil.copyfileobj(stream, spooled, 2**20)
    spooled.flush()
    return spooled.name


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    return f"is damaged: {error}"
