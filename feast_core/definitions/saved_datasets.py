"""Saved data sets and validation references. They load, apply and list."""

from typing import Any, NoReturn

from feast_core.definitions.definition import Declared, Definition
from feast_core.definitions.formats import FileFormat, ParquetFormat, TableFormat

PARQUET = ParquetFormat()


class SavedDatasetStorage(Declared):
    """Base of the places where a data set is kept."""


class SavedDatasetFileStorage(SavedDatasetStorage):
    """A data set in files."""

    def __init__(self, path: str, file_format: FileFormat = PARQUET, s3_endpoint_override: str | None = None) -> None:
        self.path = path
        self.file_format = file_format
        self.s3_endpoint_override = s3_endpoint_override


class SavedDatasetBigQueryStorage(SavedDatasetStorage):
    """A data set in a BigQuery table."""

    def __init__(self, table: str) -> None:
        self.table = table


class SavedDatasetTableStorage(SavedDatasetStorage):
    """Base of the data sets in a table of a warehouse."""

    def __init__(self, table_ref: str) -> None:
        self.table_ref = table_ref


class SavedDatasetSnowflakeStorage(SavedDatasetTableStorage):
    """A data set in a Snowflake table."""


class SavedDatasetRedshiftStorage(SavedDatasetTableStorage):
    """A data set in a Redshift table."""


class SavedDatasetPostgreSQLStorage(SavedDatasetTableStorage):
    """A data set in a PostgreSQL table."""


class SavedDatasetClickhouseStorage(SavedDatasetTableStorage):
    """A data set in a ClickHouse table."""


class SavedDatasetAthenaStorage(SavedDatasetStorage):
    """A data set in an Athena table."""

    def __init__(
        self, table_ref: str, query: str | None = None, database: str | None = None, data_source: str | None = None
    ) -> None:
        self.table_ref = table_ref
        self.query = query
        self.database = database
        self.data_source = data_source


class SavedDatasetSparkStorage(SavedDatasetStorage):
    """A data set in a Spark table or in files."""

    def __init__(
        self,
        table: str | None = None,
        query: str | None = None,
        path: str | None = None,
        file_format: str | None = None,
        table_format: TableFormat | None = None,
    ) -> None:
        self.table = table
        self.query = query
        self.path = path
        self.file_format = file_format
        self.table_format = table_format


class SavedDatasetTrinoStorage(SavedDatasetStorage):
    """A data set in a Trino table."""

    def __init__(self, table: str | None = None, query: str | None = None) -> None:
        self.table = table
        self.query = query


class SavedDatasetCouchbaseColumnarStorage(SavedDatasetStorage):
    """A data set in a Couchbase collection."""

    def __init__(self, database_ref: str, scope_ref: str, collection_ref: str) -> None:
        self.database_ref = database_ref
        self.scope_ref = scope_ref
        self.collection_ref = collection_ref


class SavedDataset(Definition):
    """The result of a historical retrieval, kept under a name."""

    kind = "saved dataset"
    supported = False
    unsupported_reason = "saved datasets are not kept here; read the files or the table of its storage yourself"

    def __init__(
        self,
        name: str,
        features: list[str],
        join_keys: list[str],
        storage: SavedDatasetStorage,
        full_feature_names: bool = False,
        tags: dict[str, str] | None = None,
        feature_service_name: str | None = None,
        namespace: str = "",
        collection: str = "",
        description: str = "",
    ) -> None:
        super().__init__(name, description, tags)
        self.features = list(features)
        self.join_keys = list(join_keys)
        self.storage = storage
        self.full_feature_names = bool(full_feature_names)
        self.feature_service_name = feature_service_name
        self.namespace = namespace
        self.collection = collection

    def to_df(self) -> NoReturn:
        """Raises NotSupported, as the other ways to its data do."""
        raise self.not_supported()

    def to_arrow(self) -> NoReturn:
        """Raises NotSupported."""
        raise self.not_supported()

    def as_reference(self, name: str, profiler: Any) -> "ValidationReference":
        """A validation reference to this data set; it loads and lists, as the data set does."""
        return ValidationReference.from_saved_dataset(name, self, profiler)

    def get_profile(self, profiler: Any) -> NoReturn:
        """Raises NotSupported."""
        raise self.not_supported()


class ValidationReference(Definition):
    """A saved data set with a profile that later data is compared with."""

    kind = "validation reference"
    supported = False
    unsupported_reason = "data is not validated here; compare with the data set in a program of your own"
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

    @classmethod
    def from_saved_dataset(cls, name: str, dataset: SavedDataset, profiler: Any) -> "ValidationReference":
        """The reference to a data set, by its name."""
        return cls(name, dataset.name, profiler)

    @property
    def profile(self) -> NoReturn:
        """Raises NotSupported."""
        raise self.not_supported()
