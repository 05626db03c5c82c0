"""Where a registry is: a SQLite file or the URL of a database, from what the configuration says."""

import re
import warnings
from pathlib import Path
from typing import Self

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

_SCHEME = re.compile(r"[A-Za-z][\w.+-]*://")


class Location:
    """The URL of a database and, where that is a SQLite file, the file. `str(location)` has no password in it."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.file = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """A SQLite file; `path` is absolute."""
        return cls(URL.create("sqlite", database=str(path)))

    @classmethod
    def of_sqlite(cls, url: URL, repo_path: Path) -> Self:
        """A `sqlite:///` URL, its file meant against the repository. Raises ValueError for one in memory."""
        if not url.database or url.database == ":memory:":
            raise ValueError(
                "a registry in memory would be empty in every process; name a file, as sqlite:///data/registry.db"
            )
        return cls(url.set(database=str(repo_path / Path(url.database).expanduser())))

    def __str__(self) -> str:
        return str(self.file) if self.file else self.url.render_as_string(hide_password=True)

    __repr__ = __str__


class FileLocation(Location):
    """`path` of `registry_type: file`: a file, relative to the repository, or a `file://` or `sqlite:///` URL."""

    @classmethod
    def from_option(cls, value: object, repo_path: Path) -> Self:
        """Raises ValueError for what is not a local file."""
        text = _text(value)
        if not _SCHEME.match(text):
            return cls.of_file(repo_path / Path(text).expanduser())
        if text.startswith("sqlite"):
            return cls.of_sqlite(_parsed(text), repo_path)
        if text.startswith("file://"):
            return cls.of_file(repo_path / text.removeprefix("file://"))
        raise ValueError(
            f"a registry of type file is a local file, not {_masked(text)!r};"
            " for a database, add `registry_type: sql`; object stores such as s3:// are not supported"
        )


class UrlLocation(Location):
    """`path` of `registry_type: sql`: a URL as SQLAlchemy reads it; a relative SQLite file is one of the repository."""

    @classmethod
    def from_option(cls, value: object, repo_path: Path) -> Self:
        """Raises ValueError for what is not a URL."""
        text = _text(value)
        if not _SCHEME.match(text):
            raise ValueError(
                f"a registry of type sql is named by a URL, not {text!r};"
                f" write sqlite:///{text}, or remove `registry_type: sql` to keep it in that file"
            )
        url = _parsed(text)
        if url.drivername in ("postgresql", "postgres"):
            if url.drivername == "postgresql":
                # As Feast: psycopg 3 is the driver that is installed with the extra.
                warnings.warn(
                    "registry.path: postgresql:// is read as postgresql+psycopg://; write that instead", stacklevel=2
                )
            url = url.set(drivername="postgresql+psycopg")
        return cls.of_sqlite(url, repo_path) if url.get_backend_name() == "sqlite" else cls(url)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected a path or a URL, got {value!r}")
    return value


def _parsed(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"{_masked(text)!r} is not a URL of a database") from error


def _masked(text: str) -> str:
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", text)
