"""Feast's import path of the configuration: that of a feature_store.yaml, or of a program.

store = FeatureStore(config=RepoConfig(project="rides", registry="data/registry.db", online_store="sqlite"))
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from feast_core.config import Config, find_config, parse_config

__all__ = [
    "DaskOfflineStoreConfig",
    "DuckDBOfflineStoreConfig",
    "FileOfflineStoreConfig",
    "MaterializationConfig",
    "RegistryConfig",
    "RepoConfig",
    "SqliteOnlineStoreConfig",
    "load_repo_config",
]


class _Section(dict[str, Any]):
    """A section of feature_store.yaml, for RepoConfig. What is not said is left out, so that it is not warned of."""

    def _say(self, given: Mapping[str, Any], also: Mapping[str, Any]) -> None:
        defaults = type(self).__init__.__kwdefaults__ or {}
        named: dict[str, Any] = {name: given[name] for name in ("registry_type", "type") if name in defaults}
        said = {name: given[name] for name, default in defaults.items() if given[name] != default}
        self.update({**said, **also, **named})


class RegistryConfig(_Section):
    """The `registry` section. Options of Feast that have no meaning here load with a warning."""

    def __init__(
        self,
        *,
        registry_type: str = "file",
        registry_store_type: str | None = None,
        path: str = "",
        cache_ttl_seconds: int = 600,
        cache_mode: str = "sync",
        s3_additional_kwargs: dict[str, str] | None = None,
        purge_feast_metadata: bool = False,
        enable_online_feature_view_versioning: bool = False,
        serve_features_while_materializing: bool = False,
        mcp: Any = None,
        **data: Any,
    ) -> None:
        self._say(locals(), data)


class MaterializationConfig(_Section):
    """The `materialization` section."""

    def __init__(self, *, pull_latest_features: bool = False, online_write_batch_size: int | None = None) -> None:
        self._say(locals(), {})


class SqliteOnlineStoreConfig(_Section):
    """The `online_store` section of the embedded store."""

    def __init__(
        self,
        *,
        vector_enabled: bool | None = False,
        similarity: str | None = "cosine",
        type: str = "sqlite",
        path: str = "data/online.db",
        text_search_enabled: bool = False,
        enable_openai_compatible_store: bool = False,
    ) -> None:
        self._say(locals(), {})


class DaskOfflineStoreConfig(_Section):
    """The `offline_store` section of the store of files."""

    def __init__(self, *, type: str = "dask") -> None:
        self._say(locals(), {})


class DuckDBOfflineStoreConfig(_Section):
    """The `offline_store` section of the store of files, under another name that Feast has for it."""

    def __init__(
        self,
        *,
        type: str = "duckdb",
        staging_location: str | None = None,
        staging_location_endpoint_override: str | None = None,
    ) -> None:
        self._say(locals(), {})


class FileOfflineStoreConfig(_Section):
    """The `offline_store` section of the store of files, as older repositories call it."""

    def __init__(self, *, type: str = "file") -> None:
        self._say(locals(), {})


_AS_DEFAULT = MaterializationConfig()


class RepoConfig:
    """A configuration made by a program: what it returns is a `Config`, as of a feature_store.yaml with these keys."""

    def __new__(  # type: ignore[misc]
        cls,
        *,
        project: str,
        project_description: str | None = None,
        provider: str = "local",
        registry: str | Path | Mapping[str, Any] = "data/registry.db",
        online_store: str | Mapping[str, Any] | None = None,
        auth: str | Mapping[str, Any] | None = None,
        offline_store: str | Mapping[str, Any] | None = None,
        batch_engine: str | Mapping[str, Any] | None = None,
        feature_server: Mapping[str, Any] | None = None,
        embedding_model: Mapping[str, Any] | None = None,
        flags: Any = None,
        repo_path: str | Path | None = None,
        entity_key_serialization_version: int = 3,
        coerce_tz_aware: bool | None = True,
        materialization: Mapping[str, Any] | None = _AS_DEFAULT,
        openlineage: Mapping[str, Any] | None = None,
        mlflow: Mapping[str, Any] | None = None,
        data_quality_monitoring: Mapping[str, Any] | None = None,
        **data: Any,
    ) -> Config:
        """Relative paths are meant against `repo_path`, by default the working directory. Raises ConfigurationError."""
        given = dict(locals())
        keys = [*(RepoConfig.__new__.__kwdefaults__ or {}), "project"]
        # None is what nobody said; "null" switches a store off.
        said = {key: given[key] for key in keys if key != "repo_path" and given[key] is not None} | data
        text = json.dumps(said, default=str)  # JSON is YAML
        return parse_config(text, Path(repo_path or Path.cwd()).absolute(), "RepoConfig(...)")


def load_repo_config(repo_path: Path, fs_yaml_file: Path) -> Config:
    """The configuration of a repository. Raises ConfigurationError."""
    return find_config(Path(repo_path), Path(fs_yaml_file) if fs_yaml_file else None)
