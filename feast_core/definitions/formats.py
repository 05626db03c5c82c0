"""How files and messages are written: the format objects of sources."""

from typing import Any

from feast_core.definitions.definition import Declared


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


class ConnectionRef(Declared):
    """A reference to credentials kept elsewhere. Stored as given; nothing here resolves it."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def arguments(self) -> dict[str, Any]:
        return dict(self.options)
