"""Every hook: its documentation holds an example that works, somebody calls it, and some test implements it."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import feast_engine_local
import feast_offline_file
import feast_online_sqlite
import feast_registry_sql
import pluggy
import pytest

from feast_core import defaults, hookspecs
from feast_core.errors import DefinitionError, PermissionDenied, TooLarge
from feast_core.interfaces import User
from feast_core.plugins import PluginManager
from feast_core.store import FeatureStore

ROOT = Path(__file__).parent.parent
HOOKS: dict[str, Callable[..., Any]] = {
    name: function for name, function in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("feast_")
}
#: Hooks of the core; those of servers and commands have their tests beside these.
IN_PROCESS = (
    "feast_components",
    "feast_settings",
    "feast_reader",
    "feast_writer",
    "feast_offline_writer",
    "feast_materialize",
    "feast_apply",
    "feast_guard",
    "feast_observer",
)
OURS = (feast_registry_sql, feast_online_sqlite, feast_offline_file, feast_engine_local)


def example(name: str) -> str:
    """The code block of a hook's docstring."""
    documentation = inspect.getdoc(HOOKS[name]) or ""
    _, found, block = documentation.partition("::\n")
    assert found, f"{name} has no example"
    return textwrap.dedent(block)


def as_plugin(name: str) -> ModuleType:
    """The example as a module, as a person would paste it."""
    module = ModuleType(f"example_of_{name}")
    exec(compile(example(name), f"<example of {name}>", "exec"), module.__dict__)
    return module


def fresh_manager() -> PluginManager:
    manager = PluginManager()
    manager.add_hookspecs(hookspecs)
    return manager


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_says_what_it_is_for_and_when_it_is_called(name: str) -> None:
    documentation = inspect.getdoc(HOOKS[name]) or ""
    assert re.match(r"[A-Z].+?[.?](\s|$)", documentation, re.DOTALL), "a first sentence"
    assert "Example" in documentation
    before, _, _ = documentation.partition("Example")
    if name not in ("feast_server_starting", "feast_worker_started", "feast_worker_exited"):
        assert re.search(r"[Cc]alled (when|once)", before), "when it is called"


@pytest.mark.parametrize("name", HOOKS)
def test_an_example_is_a_plugin_that_loads(name: str) -> None:
    manager = fresh_manager()
    plugin = as_plugin(name)
    manager.register(plugin)
    manager.check_pending()
    callers = manager.get_hookcallers(plugin)
    assert callers
    assert [caller.name for caller in callers] == [name]


@pytest.mark.parametrize("name", HOOKS)
def test_an_implementation_may_take_any_subset_of_the_arguments(name: str) -> None:
    for argument in [None, *inspect.signature(HOOKS[name]).parameters]:
        plugin = ModuleType("plugin")
        exec(f"def {name}({argument or ''}): ...", plugin.__dict__)
        setattr(plugin, name, hookspecs.hookimpl(getattr(plugin, name)))
        fresh_manager().register(plugin)


def test_an_argument_that_a_hook_does_not_have_is_refused() -> None:
    plugin = ModuleType("plugin")
    plugin.feast_reader = hookspecs.hookimpl(lambda shop: None)  # type: ignore[attr-defined]
    with pytest.raises(pluggy.PluginValidationError, match="shop"):
        fresh_manager().register(plugin)


def test_every_default_comes_last() -> None:
    """So that a plugin need not say `tryfirst` to come before it."""
    manager = fresh_manager()
    manager.register(defaults)
    for caller in manager.get_hookcallers(defaults) or ():
        assert all(found.trylast for found in caller.get_hookimpls())
        assert caller.spec is not None
        assert caller.spec.opts["firstresult"], f"{caller.name}: a default makes sense where one result is used"


def sources(*folders: str) -> dict[Path, ast.Module]:
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}


def test_somebody_calls_every_hook() -> None:
    called = {
        node.attr
        for tree in sources("feast_core", "feast_cli", "feast_http").values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in HOOKS
    }
    assert called == set(HOOKS)


def test_every_hook_is_implemented_in_a_test() -> None:
    implemented = set()
    for file in sorted((ROOT / "tests").rglob("*.py")):
        # Also in the text of a plugin that a test writes to a file.
        implemented |= set(re.findall(r"def (feast_\w+)\(", file.read_text(encoding="utf-8")))
    assert set(HOOKS) <= implemented, f"no test implements {', '.join(sorted(set(HOOKS) - implemented))}"


# The examples at work, and the order in which hooks are called.

DEFINITIONS = """
    from datetime import timedelta
    from feast import Entity, FeatureView, Field, FileSource, ValueType
    from feast.types import Int64

    driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)
    source = FileSource(name="source", path="stats.parquet", timestamp_field="ts")
    stats = FeatureView(
        name="stats", entities=[driver], ttl=timedelta(days=1), schema=[Field(name="n", dtype=Int64)], source=source
    )
"""


@pytest.fixture
def repo(feature_repo: Any) -> Path:
    root: Path = feature_repo({"definitions.py": DEFINITIONS})
    duckdb.sql(
        "COPY (SELECT 1::BIGINT AS driver_id, 5::BIGINT AS n, TIMESTAMP '2026-11-22 09:00:00' AS ts)"
        f" TO '{root / 'stats.parquet'}' (FORMAT parquet)"
    )
    return root


def cycle(store: FeatureStore) -> dict[str, list[Any]]:
    """From definitions to a served vector."""
    store.apply()
    (outcome,) = store.materialize_incremental(datetime(2026, 11, 22, 12, tzinfo=UTC))
    assert outcome.error is None, outcome.error
    return store.get_online_features(["stats:n"], [{"driver_id": 1}]).to_dict()


@pytest.mark.parametrize("name", IN_PROCESS)
def test_an_example_works(
    repo: Path, make_store: Any, only_plugins: Any, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    plugin: Any = as_plugin(name)
    store = make_store(plugins=only_plugins(*OURS, plugin))
    assert cycle(store) == {"driver_id": [1], "n": [5]}
    printed = capsys.readouterr().out
    if name == "feast_components":
        assert "dict" in store.catalog.types("online_store")
    elif name == "feast_settings":
        assert store.setting("audit").enabled is False
    elif name == "feast_reader":
        assert [len(keys) for keys in plugin.LAST] == [1]
    elif name == "feast_writer":
        assert printed == "stats: 1 rows\n"
    elif name == "feast_offline_writer":
        writer = store.plugins.hook.feast_offline_writer(store=store, source=store.snapshot.data_sources["source"])
        rows = 10_001
        with pytest.raises(TooLarge, match="10001 rows at once; send 10,000 at most"):
            writer.encode({"driver_id": [1] * rows, "n": [1] * rows, "ts": ["2026-11-22"] * rows})
    elif name == "feast_materialize":
        assert printed == "materialization ended\n"
    elif name == "feast_apply":
        (repo / "definitions.py").write_text("from feast import Entity\nother = Entity(name='other')\n")
        with pytest.raises(DefinitionError, match="deleting is done by hand here"):
            store.apply()
    elif name == "feast_guard":
        assert store.guards("write_online", []) == []
        guard = store.retrieval_plan(["stats:n"], None, False, ("driver_id",), "rows").guard
        assert guard is not None
        guard(User("ops"))
        with pytest.raises(PermissionDenied, match="eve may not read_online"):
            guard(User("eve"))
    elif name == "feast_observer":
        assert store.observers("push", {}) == []
        assert len(store.observers("get-online-features", {})) == 1


def test_hooks_are_called_in_their_order(repo: Path, make_store: Any, only_plugins: Any) -> None:
    """Hooks that give records, as `feast_components`, are asked plugin by plugin, so that each has a name to it."""
    manager = only_plugins(*OURS)
    calls: list[str] = []
    manager.add_hookcall_monitoring(lambda name, *_: calls.append(name), lambda *_: None)
    store = make_store(plugins=manager)
    cycle(store)
    assert calls == [
        "feast_apply",
        "feast_materialize",
        "feast_writer",
        "feast_guard",
        "feast_observer",
        "feast_reader",
    ]


def test_the_first_of_several_results_is_used(repo: Path, make_store: Any, only_plugins: Any) -> None:
    class Fixed:
        @hookspecs.hookimpl
        def feast_reader(self, reads: Any) -> Any:
            async def read(keys: Any) -> Any:
                return [[(0, reads[0].schema.fingerprint, b"", b"[42]")] * len(wanted) for wanted in keys]

            return read

    class Silent:
        @hookspecs.hookimpl(tryfirst=True)
        def feast_reader(self) -> None:
            return None

    store = make_store(plugins=only_plugins(*OURS, Fixed(), Silent()))
    assert cycle(store) == {"driver_id": [1], "n": [42]}


def test_wrappers_stand_around_each_other(repo: Path, make_store: Any, only_plugins: Any) -> None:
    order: list[str] = []

    def wrapper(name: str, **options: bool) -> Any:
        class Wrapper:
            @hookspecs.hookimpl(wrapper=True, **options)
            def feast_reader(self) -> Any:
                read = yield

                async def named(keys: Any) -> Any:
                    order.append(name)
                    return await read(keys)

                return named

        return Wrapper()

    plugins = only_plugins(*OURS, wrapper("middle"), wrapper("outer", tryfirst=True), wrapper("inner", trylast=True))
    assert cycle(make_store(plugins=plugins)) == {"driver_id": [1], "n": [5]}
    assert order == ["outer", "middle", "inner"]
