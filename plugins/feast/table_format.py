"""Feast's import path of the table formats of Spark sources."""

from feast_core.definitions import (
    DeltaTableFormat as DeltaFormat,
)
from feast_core.definitions import (
    HudiFormat,
    IcebergFormat,
    LanceFormat,
    TableFormat,
    TableFormatType,
)

__all__ = ["DeltaFormat", "HudiFormat", "IcebergFormat", "LanceFormat", "TableFormat", "TableFormatType"]
