"""Writes the feature repository that is measured: 5 views of 50 features, two services, one parquet file and one push
source per view.

Both servers get the same text of definitions and read the same parquet files; each has its own folder with its own
registry and online store. Values come from a seed, so that they are the same on every run; event timestamps are the
last day before the files are written, so that an incremental materialization takes every row.
"""

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import duckdb
import numpy as np

VIEWS = 5
FEATURES_PER_VIEW = 50
SERVICES = {FEATURES_PER_VIEW: "features_50", VIEWS * FEATURES_PER_VIEW: "features_250"}
SEED = 20260
DAY = 86_400  # seconds

CONFIGURATION = """\
project: bench
provider: local
registry: data/registry.db
online_store:
  type: sqlite
  path: data/online_store.db
offline_store:
  type: file
entity_key_serialization_version: 3
"""

# Feast collects module attributes, so each view needs a name of its own.
DEFINITIONS = """\
from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource, ValueType
from feast.types import Float32, Int64

item = Entity(name="item", join_keys=["item_id"], value_type=ValueType.INT64)


def view(number, path):
    first = number * {features}
    source = FileSource(name=f"source_{{number}}", path=path, timestamp_field="event_timestamp")
    return FeatureView(
        name=f"view_{{number}}",
        entities=[item],
        ttl=timedelta(days=30),
        schema=[
            Field(name=f"feature_{{index:03d}}", dtype=Float32 if index % 2 else Int64)
            for index in range(first, first + {features})
        ],
        source=PushSource(name=f"push_{{number}}", batch_source=source),
    )


{views}

features_50 = FeatureService(name="features_50", features=[view_0])
features_250 = FeatureService(name="features_250", features=[{names}])
"""


@dataclass(frozen=True, order=True)
class Shape:
    """A size of request, written `NxM`: N features (a service that has as many) for M entities."""

    features: int
    entities: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `250x10`. Raises ValueError where no service has that many features."""
        features, _, entities = text.partition("x")
        shape = cls(int(features), int(entities))
        if shape.features not in SERVICES or shape.entities < 1:
            sizes = " or ".join(map(str, SERVICES))
            raise ValueError(f"{text!r} is not NxM with N of {sizes} features and M of 1 or more entities")
        return shape

    def __str__(self) -> str:
        return f"{self.features}x{self.entities}"


@dataclass(frozen=True)
class Cell:
    """One value of an answer as Python prints it (5 is not 5.0), its status, its event time in epoch seconds."""

    value: str
    status: str
    event_time: float


@dataclass(frozen=True)
class Repository:
    """The data, in `folder`, of `entities` items whose ids are 1 to `entities`; one row per item and view."""

    folder: Path
    entities: int
    written: int = field(default_factory=lambda: int(time.time()) // 60 * 60)  # epoch seconds, a whole minute

    def write_data(self) -> None:
        """Write `view_0.parquet` to `view_4.parquet`: item_id, event_timestamp (UTC), 50 features."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            for view in range(VIEWS):
                ids, event_times, features = self._columns(view)
                names = ", ".join(features)
                connection.register("frame", {"item_id": ids, "event_time": event_times, **features})
                connection.execute(
                    f"COPY (SELECT item_id, to_timestamp(event_time) AS event_timestamp, {names} FROM frame) "
                    f"TO '{self._parquet(view)}' (FORMAT parquet)"
                )
                connection.unregister("frame")

    def write_repo(self, folder: Path) -> None:
        """Write `feature_store.yaml` and `definitions.py` in a new `folder`; its stores will be in `folder/data`."""
        (folder / "data").mkdir(parents=True)
        names = [f"view_{number}" for number in range(VIEWS)]
        views = "\n".join(
            f"{name} = view({number}, {str(self._parquet(number))!r})" for number, name in enumerate(names)
        )
        (folder / "feature_store.yaml").write_text(CONFIGURATION)
        (folder / "definitions.py").write_text(
            DEFINITIONS.format(features=FEATURES_PER_VIEW, views=views, names=", ".join(names))
        )

    def bodies(self, shape: Shape) -> list[str]:
        """Request bodies that together ask once for every item, in an order of no meaning, M items in each."""
        ids = (np.random.default_rng(SEED).permutation(self.entities) + 1).tolist()
        count = max(1, self.entities // shape.entities)
        # Fewer items than the shape asks for: start again from the first.
        ids = ids * math.ceil(shape.entities / len(ids))
        return [
            json.dumps(
                {
                    "feature_service": SERVICES[shape.features],
                    "entities": {"item_id": ids[first : first + shape.entities]},
                }
            )
            for first in range(0, count * shape.entities, shape.entities)
        ]

    def pushes(self, count: int) -> list[bytes]:
        """Bodies that push a row each to `view_0`, of another item every time; event times are that of the data and
        later, never twice the same."""
        names = list(self._columns(0)[2])
        return [
            json.dumps(
                {
                    "push_source_name": "push_0",
                    "df": {
                        "item_id": [number * 7_919 % self.entities + 1],
                        "event_timestamp": [datetime.fromtimestamp(self.written + number / 1e3, UTC).isoformat()],
                        **{name: [number / 8 if index % 2 else number] for index, name in enumerate(names)},
                    },
                    "to": "online",
                }
            ).encode()
            for number in range(count)
        ]

    def expected(self, body: str) -> dict[str, list[Cell]]:
        """What a server has to answer to `body`: per name, one cell per item asked for, made from the data alone."""
        request = json.loads(body)
        asked: Sequence[int] = request["entities"]["item_id"]
        rows = np.asarray(asked) - 1
        views = VIEWS if request["feature_service"] == "features_250" else 1
        answer = {"item_id": [Cell(repr(item), "PRESENT", 0.0) for item in asked]}
        for view in range(views):
            _, event_times, features = self._columns(view)
            times = event_times[rows].tolist()
            for name, column in features.items():
                # tolist() widens float32 to the double of the same value, as both servers do.
                values = column[rows].tolist()
                answer[name] = [
                    Cell(repr(value), "PRESENT", float(moment)) for value, moment in zip(values, times, strict=True)
                ]
        return answer

    def _parquet(self, view: int) -> Path:
        return self.folder / f"view_{view}.parquet"

    def _columns(self, view: int) -> tuple[Any, Any, dict[str, Any]]:
        return _columns(view, self.entities, self.written)


@lru_cache(maxsize=VIEWS)
def _columns(view: int, entities: int, written: int) -> tuple[Any, Any, dict[str, Any]]:
    """Item ids, event times (epoch seconds) and features of one view, as numpy arrays of `entities` values."""
    random = np.random.default_rng([SEED, view])
    event_times = written - random.integers(3_600, DAY, entities)
    first = view * FEATURES_PER_VIEW
    features = {
        f"feature_{index:03d}": random.random(entities, dtype=np.float32)
        if index % 2
        else random.integers(0, 1_000_000, entities)
        for index in range(first, first + FEATURES_PER_VIEW)
    }
    return np.arange(1, entities + 1), event_times, features


def read_answer(content: bytes, layout: str) -> dict[str, list[Cell]]:
    """An answer of `/get-online-features` by name, whatever the order of its names; `layout` is rows or columns."""
    document = json.loads(content)
    names = document["metadata"]["feature_names"]
    if len(set(names)) != len(names):
        raise ValueError(f"names occur twice: {names}")
    return dict(zip(names, _columns_of(document["results"], layout), strict=True))


def _columns_of(results: list[dict[str, list[Any]]], layout: str) -> Iterator[list[Cell]]:
    grid = [
        [
            Cell(repr(value), status, datetime.fromisoformat(moment).astimezone(UTC).timestamp())
            for value, status, moment in zip(
                result["values"], result["statuses"], result["event_timestamps"], strict=True
            )
        ]
        for result in results
    ]
    return (list(column) for column in zip(*grid, strict=True)) if layout == "rows" else iter(grid)
