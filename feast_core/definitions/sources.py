"""Where feature values come from: files, pushes and the request itself."""

from enum import Enum
from typing import Any

from feast_core.definitions.definition import Definition, declared_enum
from feast_core.definitions.entities import Field, checked_schema
from feast_core.definitions.formats import ConnectionRef, DeltaFormat, FileFormat
from feast_core.errors import DefinitionError


@declared_enum
class PushMode(Enum):
    """Which stores a push goes to."""

    ONLINE = 1
    OFFLINE = 2
    ONLINE_AND_OFFLINE = 3


class DataSource(Definition):
    """Base of all sources.

    `timestamp_field` and `created_timestamp_column` are names of columns, "" if there are none. `field_mapping` maps
    columns of the source to names of fields.
    """

    kind = "data source"

    def __init__(
        self,
        *,
        name: str,
        timestamp_field: str | None = None,
        created_timestamp_column: str | None = None,
        field_mapping: dict[str, str] | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        date_partition_column: str | None = None,
        timestamp_field_type: str | None = None,
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        super().__init__(name, description, tags, owner)
        if not isinstance(field_mapping, dict | None):
            raise DefinitionError(f"{self.label}: field_mapping must map columns to fields, not {field_mapping!r}")
        self.timestamp_field = timestamp_field or ""
        self.created_timestamp_column = created_timestamp_column or ""
        self.field_mapping: dict[str, str] = dict(field_mapping or {})
        self.date_partition_column = date_partition_column or ""
        self.timestamp_field_type = timestamp_field_type
        self.connection_ref = connection_ref


class FileSource(DataSource):
    """A file, a folder or a glob of files. `path` is kept as given: the offline store resolves it against the repo."""

    not_in_spec = frozenset({"event_timestamp_column"})

    def __init__(
        self,
        *,
        path: str,
        name: str | None = "",
        event_timestamp_column: str | None = "",
        file_format: FileFormat | None = None,
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        s3_endpoint_override: str | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        timestamp_field: str | None = "",
        connection_ref: ConnectionRef | None = None,
    ) -> None:
        if not path:
            raise DefinitionError(f"data source {name or 'FileSource'!r}: path is empty; name a file, folder or glob")
        super().__init__(
            name=name or str(path),
            timestamp_field=timestamp_field or event_timestamp_column,
            created_timestamp_column=created_timestamp_column,
            field_mapping=field_mapping,
            description=description,
            tags=tags,
            owner=owner,
            connection_ref=connection_ref,
        )
        self.path = str(path)
        self.file_format = file_format
        self.s3_endpoint_override = s3_endpoint_override or ""
        if isinstance(file_format, DeltaFormat):
            self.supported = False
            self.unsupported_reason = "Delta tables are not read here; write parquet"
        elif "://" in self.path and not self.path.startswith("file://"):
            self.supported = False
            self.unsupported_reason = "remote files are not read here; copy them to this machine and name the copy"

    @property
    def event_timestamp_column(self) -> str:
        """Feast's older name of timestamp_field."""
        return self.timestamp_field


class PushSource(DataSource):
    """A source that is written by `push`. `batch_source` is where its history is, and where offline pushes go."""

    def __init__(
        self,
        *,
        name: str,
        batch_source: DataSource | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
    ) -> None:
        super().__init__(name=name, description=description, tags=tags, owner=owner)
        self.batch_source = checked_source(self.label, "batch_source", batch_source)


class RequestSource(DataSource):
    """Columns that the request itself brings, for on-demand feature views."""

    def __init__(
        self,
        *,
        name: str,
        schema: list[Field],
        timestamp_field: str | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
    ) -> None:
        super().__init__(name=name, timestamp_field=timestamp_field, description=description, tags=tags, owner=owner)
        self.schema = checked_schema(self.label, "schema", schema)


def checked_source(label: str, parameter: str, source: Any) -> DataSource | None:
    """The source; DefinitionError if it is something else."""
    if not isinstance(source, DataSource | None):
        raise DefinitionError(f"{label}: {parameter} must be a data source such as FileSource(...), not {source!r}")
    return source
