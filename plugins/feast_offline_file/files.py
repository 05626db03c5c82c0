"""From the path of a file source to the parquet files it means."""

import contextlib
import glob
import os
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import TypeAlias

from feast_core.definitions import DataSource, FileSource, PushSource
from feast_core.errors import SourceError

State: TypeAlias = tuple[int, int, int, int]
"""Which file it is, its size in bytes and when it was written in ns."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SUFFIXES = (".parquet", ".parq", ".pq")

#: How files that pushes append begin (see `parts`), how those of merged ones end, and what the folder of those that
#: belong to a single file is called after it.
PART = "feast-push-"
MERGED = "-merged.parquet"
COMPANION = ".pushed"


def file_source(source: DataSource | None, label: str) -> FileSource:
    """The source itself, or the one behind a push source; `label` says who asks. SourceError for another kind."""
    if isinstance(source, PushSource):
        source = source.batch_source
    if source is None:
        raise SourceError(f"{label} has no batch source; give it a FileSource, or a PushSource with a batch_source")
    if not isinstance(source, FileSource):
        which = label if label == source.label else f"{label}: {source.label}"
        why = source.unsupported_reason or f"the file store does not read a {type(source).__name__}; use FileSource"
        raise SourceError(f"{which}: {why}")
    file_format = type(source.file_format).__name__
    if file_format not in ("NoneType", "ParquetFormat"):
        raise SourceError(f"{source.label}: files of {file_format} are not supported here; write parquet")
    return source


@dataclass(frozen=True, slots=True)
class Files:
    """Absolute paths of parquet files, in the order in which they are read. `partitioned` if folders of the source are
    named `column=value`, and so are columns. `parts` are those among them that pushes have appended, the last ones.
    `guards` are files and folders that readers hold a lock on, so that no part is removed meanwhile."""

    paths: tuple[str, ...]
    partitioned: bool
    parts: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()

    def without(self, gone: Collection[str]) -> "Files":
        """The same without some of the parts."""
        paths, parts = (tuple(path for path in paths if path not in gone) for paths in (self.paths, self.parts))
        return replace(self, paths=paths, parts=parts)

    def without_parts(self) -> "Files":
        """The files that were not pushed; all of them where there are no others."""
        own = self.paths[: len(self.paths) - len(self.parts)]
        return Files(own or self.paths, self.partitioned)

    def states(self) -> "dict[str, State]":
        """What would be different of each if it were written or replaced; those that are gone are absent."""
        found = {}
        for path in self.paths:
            with contextlib.suppress(OSError):
                found[path] = state_of(path)
        return found


def state_of(path: str | Path) -> State:
    """Raises OSError where there is nothing."""
    status = os.stat(path)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def file_or_folder(source: FileSource, repo_path: Path) -> Path | None:
    """The file or folder that a source names; None if there is none of this name, as for a glob.

    Raises SourceError if it is remote.
    """
    configured = _configured(source)
    if _SCHEME.match(configured):
        raise SourceError(
            f"{source.label}: {configured} is remote, and only local files can be read here;"
            " copy it to this machine and name the copy"
        )
    path = Path(repo_path, configured).absolute()
    return path if path.is_file() or path.is_dir() else None


def files_of(source: FileSource, repo_path: Path) -> Files:
    """The files of a source, sorted by name, and after them the parts that were pushed to them.

    A path that exists is taken literally, also one with `*`, `?` or `[` in its name; a folder stands for the parquet
    files in and below it, without hidden ones and those whose name begins with an underscore, as engines write for
    themselves.
    Raises SourceError if there is none.
    """
    configured = _configured(source)
    path = file_or_folder(source, repo_path)
    if path is not None and path.is_file():
        return _files([path], path.parent, path)
    if path is not None:
        found = _below(path)
        if not found:
            raise SourceError(f"{source.label}: the folder {configured!r} holds no parquet file (*.parquet)")
        return _files(found, path, path)
    if glob.has_magic(configured):
        found = _matching(configured, repo_path)
        if not found:
            raise SourceError(f"{source.label}: no file matches {configured!r} in {repo_path}")
        fixed = takewhile(lambda part: not glob.has_magic(part), Path(configured).parts)
        return _files(found, Path(repo_path, *fixed).absolute())
    where = "" if Path(configured).is_absolute() else f" in {repo_path}"
    raise SourceError(f"{source.label}: there is no {configured!r}{where}; write the file, or correct the path")


def parts_below(folder: Path) -> list[Path]:
    """The parts in a folder, in the order of their batches; none where there is no folder."""
    with contextlib.suppress(FileNotFoundError):
        return [folder / name for name in sorted(filter(_is_part, os.listdir(folder)))]
    return []


def _configured(source: FileSource) -> str:
    return source.path.removeprefix("file://")


def _is_part(name: str) -> bool:
    return name.startswith(PART) and name.endswith(".parquet")


def _files(found: list[Path], root: Path, *guards: Path) -> Files:
    own = [file for file in found if not _is_part(file.name)]
    companions = [file.with_name(file.name + COMPANION) for file in own]
    parts = {file for file in found if _is_part(file.name)}
    parts.update(part for folder in companions if folder.is_dir() for part in parts_below(folder))
    ordered = sorted(parts, key=lambda part: (part.name, part))
    partitioned = any("=" in part for file in own for part in file.relative_to(root).parts[:-1])
    held = {*guards, *(_guard(part.parent) for part in parts)}
    return Files(tuple(map(str, own + ordered)), partitioned, tuple(map(str, ordered)), tuple(sorted(map(str, held))))


def _guard(folder: Path) -> Path:
    """What is locked for the parts in a folder: the file that it is a companion of, or the folder."""
    main = folder.with_name(folder.name.removesuffix(COMPANION))
    return main if main.is_file() else folder


def _matching(configured: str, repo_path: Path) -> list[Path]:
    pattern = str(Path(glob.escape(str(repo_path)), configured))
    matches = [Path(match).absolute() for match in sorted(glob.glob(pattern, recursive=True))]
    found = [file for match in matches for file in (_below(match) if match.is_dir() else [match])]
    return list(dict.fromkeys(found))


def _below(folder: Path) -> list[Path]:
    def is_data(file: Path) -> bool:
        return file.suffix in _SUFFIXES and not any(part[0] in "._" for part in file.relative_to(folder).parts)

    return sorted(file for file in folder.rglob("*") if is_data(file) and file.is_file())
