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


_EMBEDDING = "text is not embedded here; embed it in a program of your own and keep the vectors in a feature view"
_SEARCH = "vector search is not part of this version"
_FRAMES = "frames are those of pandas here"
#: What `from feast import` finds in Feast and not here, and why.
NOT_HERE = {
    "BaseChunker": _EMBEDDING,
    "BaseEmbedder": _EMBEDDING,
    "ChunkingConfig": _EMBEDDING,
    "DataFrameEngine": _FRAMES,
    "DocEmbedder": _EMBEDDING,
    "EmbeddingConfig": _EMBEDDING,
    "EmbeddingProvider": _EMBEDDING,
    "FeastDataFrame": _FRAMES,
    "FeastVectorStore": _SEARCH,
    "FilterTranslator": _SEARCH,
    "MultiModalEmbedder": _EMBEDDING,
    "SchemaTransformFn": _EMBEDDING,
    "SentenceTransformersEmbeddingProvider": _EMBEDDING,
    "TextChunker": _EMBEDDING,
    "copy_demo_notebooks": "there are no notebooks here; `feast init` writes a repository to start with",
    "get_embedding_provider": _EMBEDDING,
}


def __getattr__(name: str) -> Any:
    if name == "FeatureStore":
        from feast_core.store import FeatureStore

        return FeatureStore
    if name == "RepoConfig":
        from feast.repo_config import RepoConfig

        return RepoConfig
    if name == "__version__":
        from feast.version import get_version

        return get_version()
    if name in NOT_HERE:
        # Not an AttributeError: `from feast import ...` would replace its message.
        raise ImportError(f"{name} of Feast is not in feastkit: {NOT_HERE[name]}")
    raise AttributeError(
        f"module 'feast' has no attribute {name!r}; feastkit has the part of Feast that serves features"
    )
