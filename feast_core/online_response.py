"""OnlineResponse: the answer of `get_online_features` in Python."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import orjson

from feast_core.definitions import FeastType, Int32, Int64, Json
from feast_core.errors import NotSupported
from feast_core.timestamps import EPOCH, parse_timestamp
from feast_core.values import SECOND, codec_of

if TYPE_CHECKING:
    import pandas as pd

#: As Feast: with `include_event_timestamps`, each feature's event time is in a column of this name.
TIMESTAMP_SUFFIX = "__ts"


class OnlineResponse:
    """Columns of join keys and features, values as Python has them (datetimes, bytes, sets, parsed Json, ...)."""

    def __init__(self, body: bytes, types: Sequence[FeastType]) -> None:
        """`body` is a response in the columns format, `types` the type of each of its columns."""
        answer = orjson.loads(body)
        self._names: list[str] = answer["metadata"]["feature_names"]
        self._results: list[dict[str, list[Any]]] = answer["results"]
        self._types = types

    def to_dict(self, include_event_timestamps: bool = False) -> dict[str, list[Any]]:
        """Name -> values, one per entity row, None where there is none. Timestamps are whole seconds since 1970 UTC."""
        columns: dict[str, list[Any]] = {}
        for name, result, dtype in zip(self._names, self._results, self._types, strict=True):
            decode = codec_of(dtype).decode
            columns[name] = [None if value is None else decode(value) for value in result["values"]]
            if include_event_timestamps:
                columns[name + TIMESTAMP_SUFFIX] = [
                    (parse_timestamp(text) - EPOCH) // SECOND for text in result["event_timestamps"]
                ]
        return columns

    def to_df(self, include_event_timestamps: bool = False) -> "pd.DataFrame":
        """The same as a DataFrame; integers stay integers also beside nulls (pandas' nullable Int64). Columns of Json
        are of objects, since what is parsed may be integers beside floats."""
        import pandas as pd

        types = dict(zip(self._names, self._types, strict=True))

        def series(name: str, values: list[Any]) -> "pd.Series[Any]":
            if types.get(name) == Json:
                return pd.Series(values, dtype=object)
            integers = types.get(name) in (Int32, Int64) or set(map(type, values)) == {int, type(None)}
            return pd.Series(values, dtype="Int64" if integers and None in values else None)

        columns = self.to_dict(include_event_timestamps)
        return pd.DataFrame({name: series(name, values) for name, values in columns.items()})

    def to_arrow(self, include_event_timestamps: bool = False) -> NoReturn:
        """Raises NotSupported: Arrow is not part of the install, and one step away from `to_df`."""
        raise NotSupported("OnlineResponse.to_arrow is not supported; use pyarrow.Table.from_pandas(response.to_df())")

    def to_tensor(self, kind: str = "torch", default_value: Any = math.nan) -> NoReturn:
        """Raises NotSupported: Torch is not part of the install, and one step away from `to_dict`."""
        raise NotSupported("OnlineResponse.to_tensor is not supported; use torch.tensor on the columns of to_dict()")

    def statuses(self) -> dict[str, list[str]]:
        """Name -> status per entity row: PRESENT, NULL_VALUE, NOT_FOUND or OUTSIDE_MAX_AGE."""
        return {name: result["statuses"] for name, result in zip(self._names, self._results, strict=True)}
