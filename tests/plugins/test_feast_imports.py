"""The import surface: the same objects on all of Feast's paths, and nothing heavy. Which names there are, and how they
are called, is in test_feast_signatures.py."""

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import feast
import pytest

from feast_core import definitions
from feast_core.config import Config

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
PATHS = ["feast", *(found.name for found in pkgutil.walk_packages(feast.__path__, "feast."))]
#: Paths of what is no definition: each is tested by itself.
OTHERS = {
    "feast.errors",
    "feast.feature_store",
    "feast.infra.offline_stores.dask",
    "feast.infra.offline_stores.duckdb",
    "feast.infra.offline_stores.file",
    "feast.infra.online_stores.sqlite",
    "feast.online_response",
    "feast.permissions.user",
    "feast.repo_config",
    "feast.repo_contents",
    "feast.version",
}
#: Names that mean two things in Feast.
CALLED_HERE = {
    "feast.table_format DeltaFormat": "DeltaTableFormat",
    "feast.feast_object FeastObject": "Definition",
}


@pytest.mark.parametrize("path", sorted(set(PATHS) - OTHERS))
def test_a_path_of_feast_gives_the_objects_of_the_core(path: str) -> None:
    module = importlib.import_module(path)
    assert module.__doc__
    for name in getattr(module, "__all__", []):
        assert getattr(module, name) is getattr(definitions, CALLED_HERE.get(f"{path} {name}", name))


def test_there_are_as_many_paths_as_repositories_use() -> None:
    assert set(PATHS) > OTHERS
    assert len(PATHS) > 60


def test_names_that_a_module_of_feast_only_passes_on_are_there_where_samples_take_them() -> None:
    from feast.types import ValueType

    assert ValueType is definitions.ValueType


def test_a_star_import_of_types_gives_the_types() -> None:
    names: dict[str, object] = {}
    exec("from feast.types import *", names)
    assert names["Int64"] is definitions.Int64
    assert names["Array"] is definitions.Array


def test_the_version_is_that_of_feastkit() -> None:
    assert isinstance(feast.__version__, str)
    assert feast.__version__


def test_the_store_is_the_one_of_the_core() -> None:
    from feast.feature_store import FeatureStore
    from feast.permissions.user import User
    from feast.repo_contents import RepoContents

    from feast_core import interfaces, repo, store

    assert FeatureStore is store.FeatureStore is feast.FeatureStore
    assert (User, RepoContents) == (interfaces.User, repo.RepoContents)


@pytest.mark.parametrize("path", ["feast", "feast.feature_store", "feast.online_response"])
def test_a_name_that_is_not_there_is_an_import_error(path: str) -> None:
    assert not hasattr(importlib.import_module(path), "nonsense")
    with pytest.raises(ImportError, match="nonsense"):
        exec(f"from {path} import nonsense")


@pytest.mark.parametrize("name", sorted(feast.NOT_HERE))
def test_a_name_of_feast_that_is_not_here_says_why(name: str) -> None:
    with pytest.raises(ImportError, match=f"{name} of Feast is not in feastkit: .{{10}}"):
        exec(f"from feast import {name}")


def test_errors_have_the_names_that_code_around_feast_catches() -> None:
    from feast import errors

    from feast_core.errors import FeastError

    assert all(issubclass(getattr(errors, name), FeastError) for name in errors.__all__)
    assert {"FeatureViewNotFoundException", "PushSourceNotFoundException", "FeastPermissionError"} <= set(
        errors.__all__
    )


def test_a_configuration_is_made_by_a_program(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    from feast.repo_config import MaterializationConfig, RegistryConfig, RepoConfig

    made = RepoConfig(
        project="rides",
        provider="gcp",
        registry=RegistryConfig(path="data/registry.db"),
        online_store="null",
        offline_store={"type": "file"},
        materialization=MaterializationConfig(online_write_batch_size=7),
        repo_path=str(tmp_path),
        entity_key_serialization_version=3,
    )
    assert isinstance(made, Config)
    assert made.project == "rides"
    assert made.registry.options == {"path": "data/registry.db"}
    assert made.online_store is None
    assert made.materialization.online_write_batch_size == 7
    assert str(made.repo_path) == str(tmp_path)
    assert not recwarn.list
    assert feast.RepoConfig is RepoConfig
    named = RegistryConfig(registry_type="sql", path="sqlite:///x.db", cache_ttl_seconds=60)
    assert named == {"registry_type": "sql", "path": "sqlite:///x.db", "cache_ttl_seconds": 60}


def test_a_configuration_of_a_program_names_the_stores_that_are_here(tmp_path: Path) -> None:
    from feast.infra.offline_stores import dask, duckdb, file
    from feast.infra.online_stores.sqlite import SqliteOnlineStoreConfig

    assert file.FileSource is definitions.FileSource
    configs = [dask.DaskOfflineStoreConfig(), duckdb.DuckDBOfflineStoreConfig(), file.FileOfflineStoreConfig()]
    for position, config in enumerate(configs):
        made = feast.RepoConfig(
            project="rides",
            registry=str(tmp_path / f"{position}.db"),
            online_store=SqliteOnlineStoreConfig(path=str(tmp_path / "online.db")),
            offline_store=config,
        )
        with feast.FeatureStore(config=made) as store:
            store.apply(definitions.Entity(name="driver"))
            assert [entity.name for entity in store.list_entities()] == ["driver"]
            assert str(store.online.path) == str(tmp_path / "online.db")  # type: ignore[attr-defined]
            assert store.offline
    assert [config["type"] for config in configs] == ["dask", "duckdb", "file"]


def test_a_configuration_of_a_program_that_is_wrong_says_where() -> None:
    from feast.repo_config import RepoConfig

    from feast_core.errors import ConfigurationError

    with pytest.raises(ConfigurationError, match=r"RepoConfig\(\.\.\.\).*project"):
        RepoConfig(project="a b")


def test_a_configuration_is_loaded_from_its_file(feature_repo: object) -> None:
    from feast.repo_config import load_repo_config

    root = feature_repo({})  # type: ignore[operator]
    assert load_repo_config(root, root / "feature_store.yaml").project
    assert load_repo_config(root, None).repo_path == root  # type: ignore[arg-type]


def test_importing_feast_imports_neither_the_store_nor_pandas() -> None:
    code = "import sys, feast, feast.types, feast.feature_store, feast.online_response; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    modules = set(run.stdout.split())
    assert "feast_core.definitions" in modules
    assert not modules & {"feast_core.store", "pandas", "duckdb", "sqlalchemy", "sanic", "click"}
