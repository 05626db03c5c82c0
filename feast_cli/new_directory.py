"""A directory that is filled with files and was not there before: nothing is overwritten, nothing half made stays."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feast_core.errors import ConfigurationError


@contextmanager
def new_directory(target: Path) -> Iterator[None]:
    """Fill a directory in the block, one that is not there yet or is empty.

    Raises ConfigurationError where something is in the way, and for what the system refuses; what was made until then,
    or until Ctrl-C, is removed.
    """
    try:
        was_there = target.exists()
        if was_there and (not target.is_dir() or any(target.iterdir())):
            raise ConfigurationError(
                f"{target} is there already and not empty; name another directory, nothing was changed"
            )
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot(target, error) from error
    try:
        yield
    except OSError as error:
        _remove(target, but_itself=was_there)
        raise _cannot(target, error) from error
    except BaseException:
        _remove(target, but_itself=was_there)
        raise


def _cannot(target: Path, error: OSError) -> ConfigurationError:
    place = f": {error.filename}" if error.filename else ""
    return ConfigurationError(f"cannot make {target}: {error.strerror or error}{place}")


def _remove(target: Path, but_itself: bool) -> None:
    """Remove what was made in a directory that was not there or was empty."""
    if but_itself:
        for path in target.iterdir():
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    else:
        shutil.rmtree(target, ignore_errors=True)
