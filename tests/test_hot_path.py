"""What a request may not do: call a hook, ask the registry, import pandas."""

import asyncio
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from feast_core.definitions import Entity
from feast_core.errors import FeastError
from feast_core.interfaces import ViewRead
from feast_core.keys import KeyEncoder
from feast_core.rows import RowEncoder, keyed_rows
from feast_core.store import FeatureStore

DEFINITIONS = """
    from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
    from feast.types import Float32, Int64

    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    source = FileSource(name="source", path="stats.parquet", timestamp_field="ts")
    stats = FeatureView(
        name="stats",
        entities=[driver],
        schema=[Field(name="n", dtype=Int64), Field(name="rate", dtype=Float32)],
        source=source,
    )
    service = FeatureService(name="service", features=[stats])
"""

SHAPES: list[tuple[Any, ...]] = [
    (["stats:n"], None, False, ("driver_id",), "rows"),
    (["stats:rate", "stats:n"], None, True, ("driver_id",), "columns"),
    (None, "service", False, ("driver_id", "other"), "rows"),
]


@pytest.fixture
def store(feature_repo: Any, make_store: Any) -> FeatureStore:
    feature_repo({"definitions.py": DEFINITIONS})
    store: FeatureStore = make_store()
    store.apply()
    view = store.snapshot.view("stats")
    read = ViewRead(view, store.snapshot.schema(view))
    keys = KeyEncoder(store.snapshot.key_types(view)).encode([[1, 2]], 2)
    values = RowEncoder(read.schema).encode({"n": [5, None], "rate": [0.5, 1.5]}, 2)
    store.plugins.hook.feast_writer(store=store, view=read)(
        keyed_rows(keys, [0, 0], [0, 0], read.schema.fingerprint, values)
    )
    return store


def serve(store: FeatureStore) -> None:
    """Requests of every shape, small and large, right and wrong."""

    async def all_of_them() -> None:
        for shape in SHAPES:
            for ids in ([1], [1, 2, 3], list(range(1200))):
                plan = store.retrieval_plan(*shape)
                body = json.loads(await plan.run(dict.fromkeys(shape[3], ids)))
                assert set(body) == {"metadata", "results"}
            with pytest.raises(FeastError):
                await store.retrieval_plan(*shape).run({name: ["x"] for name in shape[3]})

    asyncio.run(all_of_them())
    assert store.get_online_features(["stats:n"], [{"driver_id": 1}]).to_dict() == {"driver_id": [1], "n": [5]}


def test_no_hook_is_called_while_serving(store: FeatureStore) -> None:
    serve(store)
    calls: list[str] = []
    undo = store.plugins.add_hookcall_monitoring(lambda name, *_: calls.append(name), lambda *_: None)
    serve(store)
    assert calls == []
    store.retrieval_plan(["stats:n"], None, False, ("driver_id", "new_shape"), "rows")
    assert "feast_reader" in calls, "the monitoring works"
    undo()


class Untouchable:
    """Raises whatever is asked of it."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the registry was asked for {name}")


def test_the_registry_is_not_asked_while_serving(store: FeatureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor for a shape that comes for the first time: the snapshot knows it all."""
    assert store.snapshot
    with monkeypatch.context() as patched:
        patched.setitem(store.__dict__, "registry", Untouchable())
        serve(store)
        with pytest.raises(AssertionError, match="the registry was asked for"):
            store.refresh()


def test_a_refresh_leaves_nothing_to_compile_for_the_next_request(store: FeatureStore) -> None:
    serve(store)
    serve(store)
    with FeatureStore(store.repo_path) as other:
        other.apply([Entity(name="another")])
    assert store.refresh()
    calls: list[str] = []
    store.plugins.add_hookcall_monitoring(lambda name, *_: calls.append(name), lambda *_: None)
    serve(store)
    assert calls == []


SERVING = """
    import asyncio, sys
    from feast_core import FeatureStore

    def serve(form, ids):
        plan = store.retrieval_plan(["stats:n", "stats:rate"], None, False, ("driver_id",), form)
        return asyncio.run(plan.run({"driver_id": ids}))

    store = FeatureStore(sys.argv[1])
    for form in ("rows", "columns"):
        serve(form, [1])
    imported = set(sys.modules)
    called = set()
    sys.setprofile(lambda frame, event, argument: called.add(frame.f_globals.get("__name__", "").partition(".")[0]))
    for form in ("rows", "columns"):
        body = serve(form, [1, 2, 3])
    sys.setprofile(None)
    for names in (called, imported, set(sys.modules) - imported):
        print(*sorted(names))
    print(body.decode())
"""


def test_serving_touches_neither_pandas_nor_the_database_of_the_registry(store: FeatureStore, tmp_path: Path) -> None:
    """In a process of its own, as a worker is."""
    command = [sys.executable, "-c", textwrap.dedent(SERVING), str(store.repo_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    called, imported, later, body = done.stdout.splitlines()
    assert {"feast_core", "feast_online_sqlite"} <= set(called.split())
    assert not {"feast_registry_sql", "sqlalchemy", "pluggy"} & set(called.split())
    assert not {"pandas", "numpy", "duckdb"} & set(imported.split())
    assert later == ""
    assert json.loads(body)["metadata"]["feature_names"] == ["driver_id", "n", "rate"]
