"""Modules beside a repository's `feast_plugins.py`: importable by it, at once and later, and by no other repository.

A process has one repository as a rule. Where it has several, each finds its own `helpers.py`: what the plugin of one
has imported makes way for that of the next, and comes back with it.
"""

import importlib
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

# sys.path and sys.modules are shared by all threads.
_lock = threading.RLock()
#: What was imported for each repository.
_modules: defaultdict[Path, dict[str, ModuleType]] = defaultdict(dict)
_current: list[Path] = []


@contextmanager
def neighbours_of(root: Path) -> Iterator[None]:
    """Import something of this repository in the block. It stays importable, until it is another one's turn."""
    with _lock:
        _switch_to(root)
        before = set(sys.modules)
        try:
            yield
        finally:
            new = [(name, sys.modules[name]) for name in set(sys.modules) - before]
            _modules[root].update((name, module) for name, module in new if _is_beside(root, module))


def _switch_to(root: Path) -> None:
    if _current == [root] and str(root) in sys.path:
        return
    for other in _current:
        for name, module in _modules[other].items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
        if str(other) in sys.path:
            sys.path.remove(str(other))
    _current[:] = [root]
    # Last: for the rest of the process, a repository's `statistics.py` must not take the place of Python's.
    sys.path.append(str(root))
    for name, module in _modules[root].items():
        sys.modules.setdefault(name, module)
    importlib.invalidate_caches()


def _is_beside(root: Path, module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    # An environment may lie inside the repository.
    return file is not None and Path(file).is_relative_to(root) and "site-packages" not in Path(file).parts
