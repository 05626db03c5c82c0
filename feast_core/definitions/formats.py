"""How files, tables and messages are written: the format objects of sources; and where their credentials are."""

from enum import Enum

from feast_core.definitions.definition import Declared, declared_enum
from feast_core.errors import DefinitionError


class FileFormat(Declared):
    """The format of a file source. Parquet if a source does not say."""


class ParquetFormat(FileFormat):
    """Parquet files."""


class DeltaFormat(FileFormat):
    """A Delta Lake table."""


class StreamFormat(Declared):
    """The format of a stream's messages."""


class AvroFormat(StreamFormat):
    """Avro messages of one schema."""

    def __init__(self, schema_json: str) -> None:
        self.schema_json = schema_json


class JsonFormat(StreamFormat):
    """JSON messages; the schema is Spark's, as in `driver_id integer, event_timestamp timestamp`."""

    def __init__(self, schema_json: str) -> None:
        self.schema_json = schema_json


class ProtoFormat(StreamFormat):
    """Protobuf messages of one class."""

    def __init__(self, class_path: str) -> None:
        self.class_path = class_path


@declared_enum
class TableFormatType(Enum):
    """The table formats that a Spark source may name."""

    DELTA = "delta"
    ICEBERG = "iceberg"
    HUDI = "hudi"
    LANCE = "lance"


class TableFormat(Declared):
    """The table format of a Spark source, with properties for the reader. Kept, and read by nothing here."""

    def __init__(self, format_type: TableFormatType, properties: dict[str, str] | None = None) -> None:
        self.format_type = format_type
        self.properties: dict[str, str] = dict(properties or {})

    def get_property(self, key: str, default: str | None = None) -> str | None:
        """One property."""
        return self.properties.get(key, default)

    def set_property(self, key: str, value: str) -> None:
        """Add or replace one property."""
        self.properties[key] = value


class IcebergFormat(TableFormat):
    """An Iceberg table."""

    def __init__(
        self, catalog: str | None = None, namespace: str | None = None, properties: dict[str, str] | None = None
    ) -> None:
        super().__init__(TableFormatType.ICEBERG, properties)
        self.catalog = catalog
        self.namespace = namespace


class DeltaTableFormat(TableFormat):
    """A Delta table. Feast calls it DeltaFormat, as it calls the file format."""

    def __init__(self, checkpoint_location: str | None = None, properties: dict[str, str] | None = None) -> None:
        super().__init__(TableFormatType.DELTA, properties)
        self.checkpoint_location = checkpoint_location


class HudiFormat(TableFormat):
    """A Hudi table."""

    def __init__(
        self,
        table_type: str | None = None,
        record_key: str | None = None,
        precombine_field: str | None = None,
        properties: dict[str, str] | None = None,
    ) -> None:
        super().__init__(TableFormatType.HUDI, properties)
        self.table_type = table_type
        self.record_key = record_key
        self.precombine_field = precombine_field


class LanceFormat(TableFormat):
    """A Lance table, at one version or tag if it is pinned."""

    def __init__(
        self,
        catalog: str | None = None,
        namespace: str | None = None,
        version: int | None = None,
        tag: str | None = None,
        properties: dict[str, str] | None = None,
    ) -> None:
        super().__init__(TableFormatType.LANCE, properties)
        if version is not None and tag is not None:
            raise DefinitionError("LanceFormat: version and tag both pin the table; give one of them")
        self.catalog = catalog
        self.namespace = namespace
        self.version = version
        self.tag = tag

    @property
    def is_pinned(self) -> bool:
        """Whether one version of the table is meant, not the newest."""
        return self.version is not None or self.tag is not None


class ConnectionRef(Declared):
    """A reference to credentials kept elsewhere. Stored as given; nothing here resolves it."""

    def __init__(
        self,
        provider: str,
        name: str,
        namespace: str = "",
        connection_type: str = "",
        auth_type: str = "secret",
        params: dict[str, str] | None = None,
    ) -> None:
        self.provider = provider
        self.name = name
        self.namespace = namespace
        self.connection_type = connection_type
        self.auth_type = auth_type
        self.params: dict[str, str] = dict(params or {})
