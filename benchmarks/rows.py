"""Materializes 10 million rows of 10 features, and fewer, to see what a row takes and that memory does not grow.

Feast would take hours: it is given fewer rows, twice, so that its start counts for nothing.
"""

import shutil
from pathlib import Path

import duckdb

from .figures import Bench, Figure, Target
from .materialize import materialize
from .servers import Environment
from .timing import Timed, run

FEATURES = 10
LARGEST_PEAK_MIB = 1024.0
# 20 times what Feast was measured to do: 1,200 rows/s of 50 features.
FEWEST_VALUES_PER_SECOND = 20.0 * 1_200 * 50
# Working memory fills up to its limit; what grew with the rows would be three times as much.
LARGEST_GROWTH = 1.25

CONFIGURATION = """\
project: rows
provider: local
registry: data/registry.db
online_store:
  type: sqlite
  path: data/online.db
offline_store:
  type: file
entity_key_serialization_version: 3
"""

DEFINITIONS = """\
from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, ValueType
from feast.types import Float32, Int64

item = Entity(name="item", join_keys=["item_id"], value_type=ValueType.INT64)
view = FeatureView(
    name="view",
    entities=[item],
    ttl=timedelta(days=30),
    schema=[Field(name=f"feature_{{index}}", dtype=Float32 if index % 2 else Int64) for index in range({features})],
    source=FileSource(name="source", path={path!r}, timestamp_field="event_timestamp"),
)
"""


def measure(bench: Bench) -> list[Figure]:
    """Peak memory at three sizes, values per second at the largest, with as many keys and with a tenth of them."""
    sizes = [20_000, 60_000, 200_000] if bench.quick else [1_000_000, 3_000_000, 10_000_000]
    feast = _feast_per_second(bench, [500, 2_500] if bench.quick else [2_000, 32_000])
    if "ours" not in bench.sides:
        return [Figure("rows", "materialize", "values/s", None, feast)]
    ours = {rows: _materialized(bench, "ours", rows, rows) for rows in sizes}
    largest = sizes[-1]
    repeated = _materialized(bench, "ours", largest, largest // 10)
    peaks = [
        Figure("rows", f"peak, {_count(rows)} rows", "MiB", run.peak_rss_mib, target=Target("ours", LARGEST_PEAK_MIB))
        for rows, run in ours.items()
    ]
    growth = Figure(
        "rows",
        "growth of the peak",
        "MiB",
        ours[largest].peak_rss_mib,
        ours[sizes[1]].peak_rss_mib,
        f"{_count(sizes[1])} rows",
        Target("ratio", LARGEST_GROWTH),
    )
    target = Target("ours", FEWEST_VALUES_PER_SECOND, at_least=True)
    speeds = []
    for keys, found in (("all keys differ", ours[largest]), (f"{_count(largest // 10)} keys", repeated)):
        name = f"{_count(largest)} rows, {keys}"
        values = largest * FEATURES / found.seconds
        speeds += [
            Figure("rows", name, "values/s", values, feast, target=target),
            # Steadier than the other where the machine has something else to do.
            Figure("rows", name, "CPU s", found.cpu_seconds),
        ]
    return [*peaks, growth, *speeds]


def _feast_per_second(bench: Bench, sizes: list[int]) -> float | None:
    """Feature values per second between two sizes; None without Feast."""
    if "feast" not in bench.sides:
        return None
    few, many = (_materialized(bench, "feast", rows, rows) for rows in sizes)
    return (sizes[1] - sizes[0]) * FEATURES / (many.seconds - few.seconds)


def _materialized(bench: Bench, side: str, rows: int, keys: int) -> Timed:
    """One run, process start included, in a folder that is removed: ten million rows take 2.3 GB."""
    folder = bench.work / f"rows-{side}"
    try:
        write_repo(folder, rows, keys)
        environment: Environment = bench.sides[side]
        run([environment.feast, "apply"], folder, folder / "apply.log")
        found = materialize(environment, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = f"{_count(rows)} rows, {_count(keys)} keys in {found.seconds:.1f} s ({found.cpu_seconds:.1f} s of CPU)"
    bench.say(f"rows: {side}: {told}, peak {found.peak_rss_mib:,.0f} MiB")
    return found


def write_repo(folder: Path, rows: int, keys: int) -> None:
    """A repository and its parquet file: keys in no order, times within the last day, integers and floats in turn."""
    (folder / "data").mkdir(parents=True)
    parquet = folder / "rows.parquet"
    # 7919 is prime, so that every key comes as often as the others.
    features = ", ".join(
        f"{_random(index)}::BIGINT AS feature_{index}"
        if index % 2 == 0
        else f"({_random(index)} / 1000000.0)::FLOAT AS feature_{index}"
        for index in range(FEATURES)
    )
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT (i * 7919 % {keys})::BIGINT AS item_id, now() - to_seconds(3600 + hash(i) % 80000)"
            f" AS event_timestamp, {features} FROM range({rows}) AS numbers(i)) TO '{parquet}' (FORMAT parquet)"
        )
    (folder / "feature_store.yaml").write_text(CONFIGURATION)
    (folder / "definitions.py").write_text(DEFINITIONS.format(features=FEATURES, path=str(parquet)))


def _random(index: int) -> str:
    return f"(hash(i * {31 + index}) % 1000000)"


def _count(number: int) -> str:
    return f"{number // 1_000_000} M" if number % 1_000_000 == 0 else f"{number:,}"
