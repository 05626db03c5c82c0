"""Feast's import path of formats of files and messages."""

from feast_core.definitions import (
    AvroFormat,
    DeltaFormat,
    FileFormat,
    JsonFormat,
    ParquetFormat,
    ProtoFormat,
    StreamFormat,
)

__all__ = ["AvroFormat", "DeltaFormat", "FileFormat", "JsonFormat", "ParquetFormat", "ProtoFormat", "StreamFormat"]
