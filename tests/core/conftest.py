"""A repository with every shape of view, and the two ways to ask for its features."""

import asyncio
import json
import shutil
import textwrap
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feast_online_sqlite
import feast_registry_sql
import pytest
import yaml

from feast_core.config import FILE_NAME, parse_config
from feast_core.interfaces import Columns, Receipt, ViewRead
from feast_core.keys import KeyEncoder, coerced
from feast_core.rows import RowEncoder, keyed_rows
from feast_core.store import FeatureStore
from feast_core.testing import memory
from feast_core.testing.fixtures import DEFAULT_YAML
from feast_core.timestamps import to_microseconds

Put = Callable[..., Receipt]
Ask = Callable[..., Any]

DEFINITIONS = """
    from datetime import timedelta
    from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource, ValueType
    from feast.types import Array, Bool, Float32, Float64, Int32, Int64, String, UnixTimestamp

    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.STRING)
    moment = Entity(name="moment", join_keys=["at"], value_type=ValueType.UNIX_TIMESTAMP)

    driver_source = FileSource(name="driver_source", path="driver.parquet", timestamp_field="event_timestamp")

    driver_stats = FeatureView(
        name="driver_stats",
        entities=[driver],
        ttl=timedelta(hours=2),
        schema=[
            Field(name="conv_rate", dtype=Float32),
            Field(name="acc_rate", dtype=Float64),
            Field(name="trips", dtype=Int64),
            Field(name="name", dtype=String),
        ],
        source=driver_source,
    )
    driver_fresh = FeatureView(
        name="driver_fresh",
        entities=[driver],
        schema=[Field(name="conv_rate", dtype=Float32), Field(name="speed", dtype=Float64)],
        source=PushSource(name="driver_push", batch_source=driver_source),
    )
    global_stats = FeatureView(
        name="global_stats",
        schema=[Field(name="g_rate", dtype=Float64), Field(name="g_list", dtype=Array(Int64))],
        source=FileSource(name="global_source", path="global.parquet", timestamp_field="event_timestamp"),
    )
    customer_driver = FeatureView(
        name="customer_driver",
        entities=[driver, customer],
        schema=[Field(name="rides", dtype=Int64)],
        source=FileSource(name="cd_source", path="cd.parquet", timestamp_field="event_timestamp"),
    )
    at_moment = FeatureView(
        name="at_moment",
        entities=[moment],
        schema=[Field(name="heat", dtype=Float64), Field(name="since", dtype=UnixTimestamp)],
        source=FileSource(name="moment_source", path="moment.parquet", timestamp_field="event_timestamp"),
    )
    not_online = FeatureView(
        name="not_online", entities=[driver], online=False, schema=[Field(name="x", dtype=Int64)], source=driver_source
    )
    not_enabled = FeatureView(
        name="not_enabled",
        entities=[driver],
        enabled=False,
        schema=[Field(name="x", dtype=Int64)],
        source=driver_source,
    )

    CHANGING = {"one": Float64, "two": Int64, "three": String}
    changing = FeatureView(
        name="changing",
        entities=[driver],
        schema=[Field(name=name, dtype=dtype) for name, dtype in CHANGING.items()],
        source=driver_source,
    )

    part = FeatureService(name="part", features=[driver_stats[["trips", "conv_rate"]], global_stats])
    whole = FeatureService(name="whole", features=[driver_stats])
    alias = FeatureService(
        name="alias",
        features=[
            driver_stats.with_name("origin").with_join_key_map({"driver_id": "origin_id"}),
            driver_stats[["trips", "name"]].with_name("dest").with_join_key_map({"driver_id": "dest_id"}),
        ],
    )
    changes = FeatureService(name="changes", features=[changing])
    one_alias = FeatureService(
        name="one_alias", features=[driver_stats.with_name("origin").with_join_key_map({"driver_id": "origin_id"})]
    )
    empty = FeatureService(name="empty", features=[])
    twice = FeatureService(name="twice", features=[driver_stats[["conv_rate"]], driver_stats[["conv_rate", "name"]]])
"""

EVENT = datetime(2026, 11, 22, 9, 0, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "memory"])
def online_store(request: pytest.FixtureRequest) -> str:
    """Both kinds of reader: one that never suspends, one that always does."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="session")
def applied_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository above, applied once; tests get copies of it."""
    root = tmp_path_factory.mktemp("applied")
    (root / "definitions.py").write_text(textwrap.dedent(DEFINITIONS))
    (root / FILE_NAME).write_text(yaml.safe_dump(dict(DEFAULT_YAML)))
    with FeatureStore(config=parse_config((root / FILE_NAME).read_text(), root)) as store:
        store.apply()
    return root


@pytest.fixture
def make_applied(
    applied_repository: Path, make_store: Any, only_plugins: Any, feature_repo: Any, online_store: str
) -> Callable[..., FeatureStore]:
    """`make_applied(**sections)`: a store of the repository above, applied."""

    def make(**sections: Any) -> FeatureStore:
        shutil.copytree(applied_repository, feature_repo({}), dirs_exist_ok=True)
        plugins = only_plugins(feast_registry_sql, feast_online_sqlite, memory)
        chosen = DEFAULT_YAML["online_store"] if online_store == "sqlite" else {"type": "memory"}
        store: FeatureStore = make_store(plugins=plugins, online_store=chosen, **sections)
        return store

    return make


@pytest.fixture
def store(make_applied: Callable[..., FeatureStore]) -> FeatureStore:
    """The repository above, applied, with no rows."""
    return make_applied()


@pytest.fixture
def put() -> Put:
    """`put(store, "view", {"driver_id": [..], "feature": [..]}, event=.., created=..)` writes rows as a materialization
    does. Times are one for all rows, or a list; features that are not named are null."""

    def write(
        store: FeatureStore,
        name: str,
        columns: Mapping[str, Sequence[Any]],
        event: datetime | Sequence[datetime] = EVENT,
        created: datetime | None = None,
    ) -> Receipt:
        snapshot = store.snapshot
        read = ViewRead(snapshot.view(name), snapshot.schema(snapshot.view(name)))
        count = len(next(iter(columns.values())))
        whole: Columns = {feature: [None] * count for feature in read.schema.names}
        whole.update({column: list(values) for column, values in columns.items()})
        encoder = KeyEncoder(snapshot.key_types(read.view))
        keys = encoder.encode([coerced(encoder.coerce[key], whole[key], key) for key in encoder.join_keys], count)
        events = [event] * count if isinstance(event, datetime) else event
        rows = keyed_rows(
            keys,
            [to_microseconds(moment) for moment in events],
            [to_microseconds(created) if created else 0] * count,
            read.schema.fingerprint,
            RowEncoder(read.schema).encode(whole, count),
        )
        receipt: Receipt = store.plugins.hook.feast_writer(store=store, view=read)(rows)
        return receipt

    return write


@pytest.fixture
def ask_bytes() -> Callable[..., bytes]:
    """`ask_bytes(store, features or "service", entities, full=False, form="rows")`: the body of the response."""

    def ask(
        store: FeatureStore,
        features: Sequence[str] | str,
        entities: Mapping[str, list[Any]],
        full: bool = False,
        form: Any = "rows",
    ) -> bytes:
        service = features if isinstance(features, str) else None
        references = None if isinstance(features, str) else features
        plan = store.retrieval_plan(references, service, full, tuple(entities), form)
        return asyncio.run(plan.run(dict(entities)))

    return ask


@pytest.fixture
def ask(ask_bytes: Callable[..., bytes]) -> Ask:
    """The same, read as JSON."""
    return lambda *arguments, **named: json.loads(ask_bytes(*arguments, **named))


@pytest.fixture(params=["rows", "columns"])
def table(request: pytest.FixtureRequest, ask: Ask) -> Ask:
    """`table(store, features, entities, full=False)`: (names, values, statuses, times), all per entity row, of a
    response in either format."""

    def answer(*arguments: Any, **named: Any) -> tuple[list[str], Any, Any, Any]:
        found = ask(*arguments, form=request.param, **named)
        assert set(found) == {"metadata", "results"}
        names = found["metadata"]["feature_names"]
        parts = []
        for part in ("values", "statuses", "event_timestamps"):
            lists = [result[part] for result in found["results"]]
            parts.append(lists if request.param == "rows" else [list(row) for row in zip(*lists, strict=True)])
        assert all(len(row) == len(names) for row in parts[0])
        return names, *parts

    return answer
