"""Feast's import path of data sources."""

from feast_core.definitions import DataSource, KafkaSource, KinesisSource, PushMode, PushSource, RequestSource

__all__ = ["DataSource", "KafkaSource", "KinesisSource", "PushMode", "PushSource", "RequestSource"]
