"""Feast's import paths, so that repositories written for Feast load unchanged. Every name is feastkit's own.

`FeatureStore`, `RepoConfig` and `__version__` are looked up when they are asked for: declaring features stays light.
"""

from typing import Any

from feast_core.definitions import (
    Aggregation,
    AthenaSource,
    BatchFeatureView,
    BigQuerySource,
    ChrononSource,
    ConflictPolicy,
    Entity,
    Feature,
    FeatureService,
    FeatureView,
    FeatureViewState,
    Field,
    FileSource,
    KafkaSource,
    KinesisSource,
    LabelView,
    OnDemandFeatureView,
    OracleSource,
    Project,
    PushSource,
    RedshiftSource,
    RequestSource,
    SnowflakeSource,
    StreamFeatureView,
    ValueType,
)

__all__ = [
    "Aggregation",
    "AthenaSource",
    "BatchFeatureView",
    "BigQuerySource",
    "ChrononSource",
    "ConflictPolicy",
    "Entity",
    "Feature",
    "FeatureService",
    "FeatureView",
    "FeatureViewState",
    "Field",
    "FileSource",
    "KafkaSource",
    "KinesisSource",
    "LabelView",
    "OnDemandFeatureView",
    "OracleSource",
    "Project",
    "PushSource",
    "RedshiftSource",
    "RequestSource",
    "SnowflakeSource",
    "StreamFeatureView",
    "ValueType",
]


def __getattr__(name: str) -> Any:
    if name == "FeatureStore":
        from feast_core.store import FeatureStore

        return FeatureStore
    if name == "RepoConfig":
        from feast_core.config import Config

        return Config
    if name == "__version__":
        from feast.version import get_version

        return get_version()
    raise AttributeError(
        f"module 'feast' has no attribute {name!r}; feastkit has the part of Feast that serves features"
    )
