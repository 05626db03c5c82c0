"""The driver example of Feast's documentation, with a push source, and numbered rows to push to it.

Row n is of driver `n % DRIVERS`, and its `avg_daily_trips` is n, so that what a store holds tells which row it is.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np

from .repository import read_answer
from .servers import Server

DRIVERS = 10_000
SAMPLES = 1_000  # drivers whose stored row is looked at after a run
PUSH_SOURCE = "driver_stats_push_source"
VIEW = "driver_hourly_stats"
FEATURES = ("conv_rate", "acc_rate", "avg_daily_trips")
PROBE = json.dumps({"features": [f"{VIEW}:conv_rate"], "entities": {"driver_id": [1]}})

CONFIGURATION = """\
project: drivers
provider: local
registry: data/registry.db
online_store:
  type: sqlite
  path: data/online_store.db
offline_store:
  type: file
entity_key_serialization_version: 3
"""

BATCHING = """\
feature_server:
  type: local
  offline_push_batching_enabled: true
  offline_push_batching_batch_size: 1000
  offline_push_batching_batch_interval_seconds: 1
"""

DEFINITIONS = """\
from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, PushSource, ValueType
from feast.types import Float32, Int64

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
driver_stats_source = FileSource(
    name="driver_hourly_stats_source",
    path="data/driver_stats.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
)
driver_stats_push_source = PushSource(name="driver_stats_push_source", batch_source=driver_stats_source)
driver_hourly_stats = FeatureView(
    name="driver_hourly_stats",
    entities=[driver],
    ttl=timedelta(days=3650),
    schema=[
        Field(name="conv_rate", dtype=Float32),
        Field(name="acc_rate", dtype=Float32),
        Field(name="avg_daily_trips", dtype=Int64),
    ],
    source=driver_stats_push_source,
)
"""


@dataclass(frozen=True, slots=True)
class Push:
    """The body that pushes `rows` rows, of which `first` is the number of the first."""

    first: int
    rows: int
    body: bytes

    @property
    def numbers(self) -> range:
        """The numbers of its rows."""
        return range(self.first, self.first + self.rows)


@dataclass
class Feed:
    """The rows that one server is given: numbered from 0, each with a later event time than the one before."""

    start: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(days=1))
    pushed: int = 0

    def pushes(self, count: int, rows: int, to: str) -> list[Push]:
        """The next `count` bodies of `rows` rows each."""
        made = [self._push(self.pushed + turn * rows, rows, to) for turn in range(count)]
        self.pushed += count * rows
        return made

    def _push(self, first: int, rows: int, to: str) -> Push:
        numbers = range(first, first + rows)
        # Feast refuses a column in which some have a fraction and some, at whole seconds, have none.
        times = [
            (self.start + timedelta(microseconds=100 * number)).isoformat(timespec="microseconds") for number in numbers
        ]
        features = [_features(number) for number in numbers]
        columns = {
            "driver_id": [number % DRIVERS for number in numbers],
            "event_timestamp": times,
            "created": times,
            **{name: [row[name] for row in features] for name in FEATURES},
        }
        document = {"push_source_name": PUSH_SOURCE, "df": columns, "to": to}
        return Push(first, rows, json.dumps(document).encode())


def write_repo(folder: Path, batching: bool) -> None:
    """Write a repository in a new `folder`, with a parquet file of one row per driver, its `avg_daily_trips` -1.

    With `batching`, rows that are pushed to the offline store are collected before they are written to the file.
    """
    (folder / "data").mkdir(parents=True)
    (folder / "feature_store.yaml").write_text(CONFIGURATION + (BATCHING if batching else ""))
    (folder / "drivers.py").write_text(DEFINITIONS)
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT now() - INTERVAL 2 DAY AS event_timestamp, driver_id::BIGINT AS driver_id,"
            " 0.5::FLOAT AS conv_rate, 0.5::FLOAT AS acc_rate, -1::BIGINT AS avg_daily_trips,"
            f" now() - INTERVAL 2 DAY AS created FROM range({DRIVERS}) AS drivers(driver_id))"
            f" TO '{_parquet(folder)}' (FORMAT parquet)"
        )


def missing(server: Server, layout: str, accepted: Iterable[Push], failed: Iterable[Push]) -> float:
    """Looks at the stored rows of some drivers: the percentage of those which are not the last that was accepted.

    What a push has done that was answered with an error, nobody knows: its drivers are left out where it came last.
    """
    last: dict[int, tuple[int, bool]] = {}
    pushes = [(push, True) for push in accepted] + [(push, False) for push in failed]
    for push, known in sorted(pushes, key=lambda each: each[0].first):
        for number in push.numbers:
            last[number % DRIVERS] = number, known
    drivers = [driver for driver, (_, known) in last.items() if known]
    drivers = drivers[:: max(1, len(drivers) // SAMPLES)]
    features = [f"{VIEW}:{name}" for name in FEATURES]
    wrong = 0
    for first in range(0, len(drivers), 250):
        asked = drivers[first : first + 250]
        body = json.dumps({"features": features, "entities": {"driver_id": asked}})
        answer = read_answer(server.post(body), layout)
        for row, driver in enumerate(asked):
            found = {name: answer[name][row].value for name in FEATURES}
            wrong += found != {name: _stored(value) for name, value in _features(last[driver][0]).items()}
    return 100 * wrong / len(drivers)


def _stored(value: int | float) -> str:
    """As `Cell` has it: a Float32 comes back as the double of the same value."""
    return repr(float(np.float32(value)) if isinstance(value, float) else value)


def _features(number: int) -> dict[str, int | float]:
    return {"conv_rate": number % 1_000 / 1_000, "acc_rate": number % 777 / 777, "avg_daily_trips": number}


def rows_in_file(folder: Path) -> dict[int, int]:
    """How often each pushed row, by its number, is in the parquet file of the repository in `folder`."""
    with duckdb.connect() as connection:
        counted = connection.execute(
            f"SELECT avg_daily_trips, count(*) FROM '{_parquet(folder)}' WHERE avg_daily_trips >= 0 GROUP BY 1"
        )
        return dict(counted.fetchall())


def numbers_of(pushes: Collection[Push]) -> set[int]:
    """The numbers of the rows of `pushes`."""
    return {number for push in pushes for number in push.numbers}


def _parquet(folder: Path) -> Path:
    return folder / "data" / "driver_stats.parquet"
