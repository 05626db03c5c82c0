"""Fixtures of all tests: those of the shipped test kit, and what keeps tests apart."""

import sys
from collections.abc import Iterator

import pytest

pytest_plugins = ["feast_core.testing.fixtures"]


@pytest.fixture(autouse=True)
def modules_of_temporary_directories_leave() -> Iterator[None]:
    """A repository's `feast_plugins.py`, and what it imports, stay for as long as the process runs. The next test is
    another process."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if "/pytest-of-" in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
