"""Modules beside a repository's `feast_plugins.py`: importable by it, at once and later, and by no other repository.

A process has one repository as a rule. Where it has several, each finds its own `helpers.py`: what the plugin of one
has imported makes way for that of the next, and comes back with it.
"""

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

# sys.path, sys.modules and, while definitions are imported, the working directory are shared by all threads.
_lock = threading.RLock()
_current: Path | None = None
#: What was imported before, by the program itself; it stays.
_of_program: set[str] = set()
#: What was imported for each repository whose turn it is not.
_away: dict[Path, dict[str, ModuleType]] = {}


@contextmanager
def neighbours_of(root: Path) -> Iterator[None]:
    """Import something of this repository in the block. It stays importable, until it is another one's turn."""
    with _lock:
        _switch_to(root.resolve())
        yield


@contextmanager
def others_away(root: Path) -> Iterator[None]:
    """In the block there are no neighbours but those of this repository; after it, all is as before."""
    with _lock:
        before = _current
        if before != root.resolve():
            _switch_to(None)
        try:
            yield
        finally:
            _switch_to(before)


def _switch_to(root: Path | None) -> None:
    global _current
    if _current == root and (root is None or str(root) in sys.path):
        return
    if _current is not None:
        _away[_current] = _neighbours(_current)
        for name in _away[_current]:
            del sys.modules[name]
        if str(_current) in sys.path:
            sys.path.remove(str(_current))
    _current = root
    if root is not None:
        _of_program.clear()
        _of_program.update(sys.modules)
        # Last: for the rest of the process, a repository's `statistics.py` must not take the place of Python's.
        sys.path.append(str(root))
        for name, module in _away.pop(root, {}).items():
            sys.modules.setdefault(name, module)
    importlib.invalidate_caches()


def _neighbours(root: Path) -> dict[str, ModuleType]:
    """What was imported since it is the repository's turn, in a block or later, and was found in its folder."""
    own = {path.name.partition(".")[0] for path in root.iterdir()} if root.is_dir() else set()
    names = [name for name in sys.modules if name.partition(".")[0] in own and name not in _of_program]
    return {name: sys.modules[name] for name in names if _is_found_in(root, name, sys.modules[name])}


def _is_found_in(root: Path, name: str, module: ModuleType) -> bool:
    """Whether that is where Python finds the module by its name: the file of a plugin has another one, and an
    environment that lies inside the repository is not beside it."""
    place = root.joinpath(*name.split("."))
    file = getattr(module, "__file__", None)
    if file is None:
        return str(place) in getattr(module, "__path__", ())
    found = Path(file)
    return found.parent == place or (found.parent == place.parent and found.name.partition(".")[0] == place.name)
