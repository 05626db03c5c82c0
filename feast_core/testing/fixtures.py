"""Fixtures for tests of plugins and repositories: a repository from a dict, a store that is closed, a fresh manager.

In the conftest.py of a plugin:

    pytest_plugins = ["feast_core.testing.fixtures"]
"""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from feast_core import defaults, hookspecs
from feast_core.config import FILE_NAME
from feast_core.plugins import PluginManager
from feast_core.store import FeatureStore

#: What a repository's feature_store.yaml says where a test does not.
DEFAULT_YAML: Mapping[str, Any] = {
    "project": "test_project",
    "registry": "data/registry.db",
    "provider": "local",
    "online_store": {"type": "sqlite", "path": "data/online.db"},
    "offline_store": {"type": "file"},
}
#: Environment variables that would change which configuration or plugins a test gets.
_LEAKING = (
    "FEATURE_STORE_YAML_BASE64",
    "FEAST_FS_YAML_FILE_PATH",
    "FEATURE_REPO_DIR_ENV_VAR",
    "FEAST_BLOCK_PLUGINS",
    "FEAST_TRACE_PLUGINS",
    "FEAST_RESPONSE_FORMAT",
)

MakeRepository = Callable[[Mapping[str, str | bytes]], Path]
OnlyPlugins = Callable[..., PluginManager]


class MakeStore(Protocol):
    """The type of the fixture `make_store`."""

    def __call__(self, *, plugins: PluginManager | None = None, **sections: Any) -> FeatureStore:
        """A store of the test's repository."""
        ...


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the developer's shell decides what is tested."""
    for name in _LEAKING:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def feature_repo(tmp_path: Path, clean_environment: None) -> MakeRepository:
    """`feature_repo(files)` writes a repository from a dict of path -> text or bytes, and gives its directory.

    Texts are dedented. A feature_store.yaml is added where there is none. Called again, it adds and replaces files.
    """
    root = tmp_path / "feature_repo"

    def write(files: Mapping[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(textwrap.dedent(content), encoding="utf-8")
        root.mkdir(exist_ok=True)
        if not (root / FILE_NAME).exists():
            (root / FILE_NAME).write_text(yaml.safe_dump(dict(DEFAULT_YAML)), encoding="utf-8")
        return root

    return write


@pytest.fixture
def make_store(feature_repo: MakeRepository) -> Iterator[MakeStore]:
    """`make_store(online_store="memory")` gives a FeatureStore of the test's repository, closed after the test.

    Keywords are sections of feature_store.yaml, written into the file over what is there; `plugins` is a manager, such
    as `only_plugins` makes (default: everything that is installed).
    """
    opened: list[FeatureStore] = []

    def make(*, plugins: PluginManager | None = None, **sections: Any) -> FeatureStore:
        root = feature_repo({})
        path = root / FILE_NAME
        if sections:
            path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **sections}), encoding="utf-8")
        store = FeatureStore(root, plugins=plugins)
        opened.append(store)
        return store

    yield make
    for store in reversed(opened):
        store.close()


@pytest.fixture
def only_plugins(clean_environment: None) -> OnlyPlugins:
    """`only_plugins(module, object, ...)` gives a fresh manager with the defaults and only these plugins."""

    def make(*plugins: object) -> PluginManager:
        manager = PluginManager()
        manager.add_hookspecs(hookspecs)
        manager.register(defaults, name="defaults")
        for plugin in plugins:
            manager.register(plugin)
        return manager

    return make
