"""Feast's import path of the configuration, looked up when it is asked for."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "RepoConfig":
        from feast_core.config import Config

        return Config
    raise AttributeError(f"module 'feast.repo_config' has no attribute {name!r}")
