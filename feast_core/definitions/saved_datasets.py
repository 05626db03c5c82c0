"""Saved data sets and validation references. They load, apply and list."""

from typing import Any

from feast_core.definitions.definition import Declared, Definition
from feast_core.definitions.formats import FileFormat, ParquetFormat

PARQUET = ParquetFormat()


class SavedDatasetStorage(Declared):
    """Base of the places where a data set is kept."""


class SavedDatasetFileStorage(SavedDatasetStorage):
    """A data set in files."""

    def __init__(self, path: str, file_format: FileFormat = PARQUET, s3_endpoint_override: str | None = None) -> None:
        self.path = path
        self.file_format = file_format
        self.s3_endpoint_override = s3_endpoint_override


class SavedDataset(Definition):
    """The result of a historical retrieval, kept under a name."""

    kind = "saved dataset"
    supported = False
    unsupported_reason = "saved datasets are not kept here; write the result of get_historical_features to a file"

    def __init__(
        self,
        name: str,
        features: list[str],
        join_keys: list[str],
        storage: SavedDatasetStorage,
        full_feature_names: bool = False,
        tags: dict[str, str] | None = None,
        feature_service_name: str | None = None,
    ) -> None:
        super().__init__(name, tags=tags)
        self.features = list(features)
        self.join_keys = list(join_keys)
        self.storage = storage
        self.full_feature_names = bool(full_feature_names)
        self.feature_service_name = feature_service_name


class ValidationReference(Definition):
    """A saved data set with a profile that later data is compared with."""

    kind = "validation reference"
    supported = False
    unsupported_reason = "validation of data sets is not done here"
    not_in_spec = frozenset({"profiler"})

    def __init__(
        self,
        name: str,
        dataset_name: str,
        profiler: Any = None,
        description: str = "",
        tags: dict[str, str] | None = None,
    ) -> None:
        super().__init__(name, description, tags)
        self.dataset_name = dataset_name
        self.profiler = profiler
