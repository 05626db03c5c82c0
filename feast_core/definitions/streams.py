"""Sources that are streams. They load and list; what is in them reaches the stores by `push`."""

from datetime import timedelta

from feast_core.definitions.formats import StreamFormat
from feast_core.definitions.sources import DataSource, checked_source
from feast_core.errors import DefinitionError


class KafkaSource(DataSource):
    """A Kafka topic. Views with this source are materialized from its `batch_source`."""

    not_in_spec = frozenset({"bootstrap_servers"})
    supported = False
    unsupported_reason = "Kafka topics are not read here; push their messages through a PushSource"

    def __init__(
        self,
        *,
        name: str,
        timestamp_field: str,
        message_format: StreamFormat,
        bootstrap_servers: str | None = None,
        kafka_bootstrap_servers: str | None = None,
        topic: str | None = None,
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        batch_source: DataSource | None = None,
        watermark_delay_threshold: timedelta | None = None,
    ) -> None:
        super().__init__(
            name=name,
            timestamp_field=timestamp_field,
            created_timestamp_column=created_timestamp_column,
            field_mapping=field_mapping,
            description=description,
            tags=tags,
            owner=owner,
        )
        if bootstrap_servers and kafka_bootstrap_servers and bootstrap_servers != kafka_bootstrap_servers:
            raise DefinitionError(
                f"{self.label}: bootstrap_servers is an old name of kafka_bootstrap_servers; give one"
            )
        self.message_format = message_format
        self.kafka_bootstrap_servers = kafka_bootstrap_servers or bootstrap_servers or ""
        self.topic = topic or ""
        self.batch_source = checked_source(self.label, "batch_source", batch_source)
        self.watermark_delay_threshold = watermark_delay_threshold

    @property
    def bootstrap_servers(self) -> str:
        """The old name of kafka_bootstrap_servers."""
        return self.kafka_bootstrap_servers


class KinesisSource(DataSource):
    """A Kinesis stream. Views with this source are materialized from its `batch_source`."""

    supported = False
    unsupported_reason = "Kinesis streams are not read here; push their records through a PushSource"

    def __init__(
        self,
        *,
        name: str,
        record_format: StreamFormat,
        region: str,
        stream_name: str,
        timestamp_field: str | None = "",
        created_timestamp_column: str | None = "",
        field_mapping: dict[str, str] | None = None,
        description: str | None = "",
        tags: dict[str, str] | None = None,
        owner: str | None = "",
        batch_source: DataSource | None = None,
    ) -> None:
        super().__init__(
            name=name,
            timestamp_field=timestamp_field,
            created_timestamp_column=created_timestamp_column,
            field_mapping=field_mapping,
            description=description,
            tags=tags,
            owner=owner,
        )
        self.record_format = record_format
        self.region = region
        self.stream_name = stream_name
        self.batch_source = checked_source(self.label, "batch_source", batch_source)
