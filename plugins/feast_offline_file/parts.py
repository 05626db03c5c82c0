"""Parts: the files that pushes append to a source, where they are, and which of them another file holds already.

The parts of a folder are in it; those of a single file `stats.parquet` are in its companion, the folder
`stats.parquet.pushed` beside it. A part is named by the batch that it holds, and these names sort by time. Compaction
merges parts into one, or into the single file: the new file lists, in its metadata, the batches that were merged into
it, so that a part that is still there after a crash is not read again, and a batch that comes again is known.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from feast_core.definitions import FileSource
from feast_core.errors import SourceError
from feast_offline_file.columns import file_list
from feast_offline_file.files import COMPANION, MERGED, PART, Files, file_or_folder, files_of

#: The key of a file's metadata under which the batches are listed that were merged into it.
FOLDED = "feast_folded"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rows that are pushed to a source go: into parts in `directory`, and from there into the file `main`, if
    there is one (else the source is the folder)."""

    directory: Path
    main: Path | None

    @property
    def guard(self) -> Path:
        """What readers hold a shared lock on, and who removes parts an exclusive one."""
        return self.main or self.directory

    def part(self, batch: str) -> Path:
        """The file of a batch."""
        return self.directory / f"{PART}{batch}.parquet"

    def merged(self, last_batch: str) -> Path:
        """The file of merged batches; its name stands where that of the last of them stood."""
        return self.directory / f"{PART}{last_batch}{MERGED}"


def place_of(source: FileSource, repo_path: Path) -> Place:
    """Raises SourceError for a source that nothing can be appended to."""
    place = place_if_any(source, repo_path)
    if place is None:
        raise SourceError(
            f"{source.label}: {source.path!r} stands for several files, or for folders that are named column=value, and"
            " does not say where pushed rows go; name one file or a plain folder"
        )
    return place


def place_if_any(source: FileSource, repo_path: Path) -> Place | None:
    """None for a glob, and for folders that are named `column=value`. Raises SourceError where there is no file."""
    files = files_of(source, repo_path)
    path = file_or_folder(source, repo_path)
    if path is None or files.partitioned:
        return None
    return Place(path.with_name(path.name + COMPANION), path) if path.is_file() else Place(path, None)


def batch_of(part: Path) -> str:
    """The batch that a part is named by."""
    return part.name.removeprefix(PART).removesuffix(MERGED).removesuffix(".parquet")


def is_merged(part: Path) -> bool:
    """Whether a part holds several batches."""
    return part.name.endswith(MERGED)


def place_of_part(part: Path) -> Place:
    """Where a part is."""
    directory = part.parent
    main = directory.with_name(directory.name.removesuffix(COMPANION))
    is_companion = main != directory and main.is_file()
    return Place(directory, main if is_companion else None)


def unfolded(files: Files, connection: duckdb.DuckDBPyConnection) -> Files:
    """The files without the parts whose rows others of them hold."""
    if not files.parts:
        return files
    parts = list(map(Path, files.parts))
    folded = {place: folded_in(place, parts, connection) for place in set(map(place_of_part, parts))}
    gone = {str(part) for part in parts if part.name in folded[place_of_part(part)]}
    return files.without(gone)


def folded_in(place: Place, parts: Iterable[Path], connection: duckdb.DuckDBPyConnection) -> dict[str, None]:
    """Names of parts whose rows are in the main file or in one of the merged parts, the latest last."""
    holders = [part for part in parts if part.parent == place.directory and is_merged(part)]
    listed = [str(path) for path in (place.main, *holders) if path is not None]
    if not listed:
        return {}
    query = f"SELECT value FROM parquet_kv_metadata([{file_list(listed)}]) WHERE key = '{FOLDED}'"
    names = [name for (value,) in connection.execute(query).fetchall() for name in json.loads(value)]
    return dict.fromkeys(sorted(names))
