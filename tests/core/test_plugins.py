"""Finding plugins: what is installed, what is blocked, what does not load, and the repository's own."""

import pickle
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feast_core.errors import ConfigurationError, PluginError
from feast_core.hookspecs import Setting, hookimpl
from feast_core.plugins import PluginManager, PluginState, load_plugins
from feast_core.repo import load_repo
from feast_core.store import FeatureStore

FIRST_PARTY = {"registry_sql", "online_sqlite", "offline_file", "engine_local", "cli", "http"}


def states(manager: PluginManager) -> dict[str, PluginState]:
    return {state.name: state for state in manager.states}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> Callable[..., None]:
    """`install("name", code, entry="name")` puts a distribution with one plugin on the path, as pip does."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def put(name: str, code: str, entry: str | None = None) -> None:
        (site / f"{name}.py").write_text(textwrap.dedent(code))
        info = site / f"{name}_dist-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-dist\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[feast]\n{entry or name} = {name}\n")

    return put


GOOD = """
    from feast_core import Component, hookimpl

    @hookimpl
    def feast_components():
        return [Component("online_store", "good", "good_plugin:Store")]
"""


def hook(signature: str, mark: str = "hookimpl") -> str:
    """A plugin that is good, and has one more hook."""
    return f"{textwrap.dedent(GOOD)}\n@{mark}\ndef {signature}: ...\n"


def test_what_is_installed_is_loaded(clean_environment: None) -> None:
    found = states(load_plugins())
    assert set(found) >= FIRST_PARTY
    for name in FIRST_PARTY:
        assert (found[name].state, found[name].distribution, found[name].error) == ("loaded", "feastkit", None)
    assert found["online_sqlite"].hooks == ("feast_components",)


def test_a_third_partys_plugin_is_found_by_its_entry_point(install: Any, make_store: Any) -> None:
    install("good_plugin", GOOD)
    state = states(load_plugins())["good_plugin"]
    assert (state.state, state.distribution, state.hooks) == ("loaded", "good_plugin-dist", ("feast_components",))
    assert "good" in make_store().catalog.types("online_store")


@pytest.mark.parametrize("value", ["good_plugin", " good_plugin , nobody", "x,good_plugin"])
def test_a_blocked_plugin_is_not_even_imported(install: Any, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    install("good_plugin", "raise SystemExit('was imported')")
    monkeypatch.setenv("FEAST_BLOCK_PLUGINS", value)
    manager = load_plugins()
    assert states(manager)["good_plugin"].state == "blocked"
    assert not manager.has_plugin("good_plugin")
    assert states(manager)["online_sqlite"].state == "loaded"


def test_a_blocked_store_is_no_longer_a_choice(make_store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEAST_BLOCK_PLUGINS", "online_sqlite")
    assert make_store().catalog.types("online_store") == []


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import no_such_package", "No module named 'no_such_package'"),
        ("def f(:", "invalid syntax"),
        ("1 / 0", "division by zero"),
        (hook("feast_reader(store, rows)"), "Argument(s) {'rows'}"),
        (hook("feast_raeder(store)"), "it implements feast_raeder, which is not a hook, did you mean feast_reader?"),
        (
            hook("feast_xyzzy(store)"),
            "it implements feast_xyzzy, which is not a hook; mark it with hookimpl(optionalhook",
        ),
    ],
)
def test_a_plugin_that_does_not_load_is_recorded_and_takes_nobody_down(install: Any, code: str, error: str) -> None:
    """Nothing of it stays, also not the hooks that are fine."""
    install("broken_plugin", code)
    with pytest.warns(UserWarning, match="the plugin 'broken_plugin' of broken_plugin-dist does not load") as warned:
        manager = load_plugins()
    (message,) = [str(found.message) for found in warned]
    assert "\n" not in message
    assert "FEAST_BLOCK_PLUGINS=broken_plugin" in message
    state = states(manager)["broken_plugin"]
    assert (state.state, state.hooks) == ("failed", ())
    assert error in str(state.error)
    assert not manager.has_plugin("broken_plugin")
    assert "broken_plugin" not in {impl.plugin_name for impl in manager.hook.feast_components.get_hookimpls()}
    assert all(states(manager)[name].state == "loaded" for name in FIRST_PARTY)


def test_a_hook_of_a_later_version_may_be_optional(install: Any) -> None:
    install("new_plugin", hook("feast_future(store)", "hookimpl(optionalhook=True)"))
    assert states(load_plugins())["new_plugin"].state == "loaded"


def test_two_plugins_of_one_name_do_not_push_each_other_out(install: Any) -> None:
    install("squatter", GOOD, entry="online_sqlite")
    with pytest.warns(UserWarning, match="another distribution has a plugin of the name 'online_sqlite'"):
        manager = load_plugins()
    both = [state for state in manager.states if state.name == "online_sqlite"]
    assert sorted(state.state for state in both) == ["failed", "loaded"]
    failed = next(state for state in both if state.state == "failed")
    assert "another distribution has a plugin of the name 'online_sqlite'" in str(failed.error)
    assert manager.has_plugin("online_sqlite")


# The repository's own plugin.

OWN = """
    from dataclasses import dataclass
    from feast_core import hookimpl

    @dataclass
    class Seen:
        keys: "list[bytes]"

    SEEN = Seen([])

    @hookimpl(wrapper=True)
    def feast_reader(store, reads):
        read = yield

        async def remembering(keys):
            SEEN.keys = keys
            return await read(keys)

        return remembering
"""


def test_a_repository_may_have_a_plugin_of_its_own(feature_repo: Any, make_store: Any) -> None:
    feature_repo({"feast_plugins.py": OWN})
    store = make_store()
    state = states(store.plugins)["feast_plugins"]
    assert (state.state, state.distribution, state.hooks) == ("loaded", "feast_plugins.py", ("feast_reader",))
    own = store.plugins.get_plugin("feast_plugins")
    assert pickle.loads(pickle.dumps(own.Seen([b"k"]))) == own.Seen([b"k"])


def test_two_repositories_have_each_its_own(tmp_path: Path, clean_environment: None) -> None:
    managers = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "feast_plugins.py").write_text(f"NAME = {name!r}")
        managers.append(load_plugins(tmp_path / name))
    assert [manager.get_plugin("feast_plugins").NAME for manager in managers] == ["one", "two"]
    assert not load_plugins(tmp_path).has_plugin("feast_plugins")
    assert not load_plugins().has_plugin("feast_plugins")


STORE = """
    from feast_core.testing.memory import MemoryOnlineStore

    class OwnStore(MemoryOnlineStore):
        WHO = {who!r}
"""
OFFER = """
    from feast_core import Component, hookimpl
    import own_store

    class Direct(own_store.OwnStore):
        pass

    @hookimpl
    def feast_components():
        return [
            Component("online_store", "direct", "feast_plugins:Direct"),
            Component("online_store", "beside", "own_store:OwnStore"),
            Component("online_store", "late", "own_late:OwnStore"),
        ]
"""


def test_a_repositorys_plugin_names_its_own_classes_and_modules_beside_it(feature_repo: Any, make_store: Any) -> None:
    feature_repo(
        {
            "feast_plugins.py": OFFER,
            "own_store.py": STORE.format(who="me"),
            "own_late.py": "def later():\n    from own_store import OwnStore\n    return OwnStore\nOwnStore = later()",
        }
    )
    made = {name: type(make_store(online_store=name).online) for name in ("direct", "beside", "late")}
    assert {name: found.__name__ for name, found in made.items()} == {
        "direct": "Direct",
        "beside": "OwnStore",
        "late": "OwnStore",
    }
    assert issubclass(made["direct"], made["beside"])
    assert made["late"] is made["beside"]


def test_modules_beside_the_plugins_of_two_repositories_are_kept_apart(tmp_path: Path, clean_environment: None) -> None:
    stores = []
    for who in ("one", "two"):
        root = tmp_path / who
        root.mkdir()
        (root / "feature_store.yaml").write_text("project: p\nregistry: r.db\nonline_store: beside\n")
        (root / "feast_plugins.py").write_text(textwrap.dedent(OFFER))
        (root / "own_store.py").write_text(textwrap.dedent(STORE.format(who=who)))
        stores.append(FeatureStore(root))
    # Both are there before either asks for its class.
    assert [store.online.WHO for store in stores] == ["one", "two"]
    for store in stores:
        store.close()
    assert len([entry for entry in sys.path if entry.startswith(str(tmp_path))]) == 1


LATE = """
    def who():
        import helpers, package.part
        return [helpers.WHO, package.part.WHO]
"""


def test_what_a_plugin_imports_later_is_kept_from_other_repositories_too(
    tmp_path: Path, clean_environment: None
) -> None:
    roots = [tmp_path / "one", tmp_path / "one" / "two"]  # the second lies inside the first
    for root in roots:
        (root / "package").mkdir(parents=True)
        (root / "feast_plugins.py").write_text(textwrap.dedent(LATE))
        for file in ("helpers.py", "package/part.py"):
            (root / file).write_text(f"WHO = {root.name!r}")
    found = [load_plugins(root).get_plugin("feast_plugins").who() for root in (*roots, *roots)]
    assert found == [[name] * 2 for name in ("one", "two", "one", "two")]


def test_definitions_do_not_find_the_modules_of_another_repositorys_plugin(
    tmp_path: Path, clean_environment: None
) -> None:
    for who, files in (("one", ["feast_plugins.py"]), ("two", ["views.py"])):
        (tmp_path / who).mkdir()
        (tmp_path / who / "helpers.py").write_text(f"from feast import Entity\nfound = Entity(name={who!r})")
        for file in files:
            (tmp_path / who / file).write_text("from helpers import found")
    manager = load_plugins(tmp_path / "one")
    helpers, path = sys.modules["helpers"], list(sys.path)
    assert [entity.name for entity in load_repo(tmp_path / "two", "p").entities] == ["two"]
    # The first one's are back.
    assert sys.modules["helpers"] is helpers
    assert sys.path == path
    assert manager.get_plugin("feast_plugins").found is helpers.found


def test_a_module_of_the_repository_takes_no_installed_ones_place(feature_repo: Any, make_store: Any) -> None:
    feature_repo({"feast_plugins.py": "import colorsys\nFOUND = colorsys.__file__", "colorsys.py": "1 / 0"})
    assert "feature_repo" not in make_store().plugins.get_plugin("feast_plugins").FOUND


def test_a_section_that_a_plugin_declares_is_not_warned_of(
    feature_repo: Any, make_store: Any, recwarn: pytest.WarningsRecorder
) -> None:
    feature_repo(
        {
            "feast_plugins.py": """
            import msgspec
            from feast_core import Setting, hookimpl

            class Audit(msgspec.Struct):
                enabled: bool = False

            @hookimpl
            def feast_settings():
                yield Setting("audit", Audit)
            """
        }
    )
    assert make_store(audit={"enabled": True}).setting("audit").enabled is True
    assert not recwarn.list
    make_store(audti={})
    assert [str(found.message) for found in recwarn.list] == [
        "feature_store.yaml line 3, audti: unknown key, ignored, did you mean 'audit'?"
    ]


def test_plugins_are_asked_one_by_one(only_plugins: Any) -> None:
    class First:
        @hookimpl
        def feast_guard(self, action: str) -> Any:
            return action

    class Outer:
        @hookimpl(wrapper=True)
        def feast_guard(self) -> Any:
            return (yield)

    class Broken:
        @hookimpl
        def feast_commands(self) -> Any:
            yield 1 / 0

    manager = only_plugins(First(), Outer(), Broken())
    answers = list(manager.answers(manager.hook.feast_guard, store=None, action="read_online", resources=[]))
    assert [answer for _, answer in answers] == ["read_online"]
    assert len(manager.wrappers(manager.hook.feast_guard)) == 1
    with pytest.raises(PluginError, match=r"fails in feast_commands: ZeroDivisionError: .*FEAST_BLOCK_PLUGINS="):
        list(manager.answers(manager.hook.feast_commands))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", "feast_plugins.py does not load: ZeroDivisionError: division by zero"),
        ("def f(:", "feast_plugins.py does not load: SyntaxError"),
        (
            "from feast_core import hookimpl\n@hookimpl\ndef feast_gaurd(store): ...",
            "feast_plugins.py does not load: it implements feast_gaurd, which is not a hook, did you mean feast_guard",
        ),
        (
            "from feast_core import hookimpl\n@hookimpl\ndef feast_guard(shop): ...",
            "feast_plugins.py does not load: PluginValidationError: ",
        ),
    ],
)
def test_a_repositorys_plugin_that_does_not_load_is_an_error(feature_repo: Any, code: str, message: str) -> None:
    """Its author is the one who is running it."""
    root = feature_repo({"feast_plugins.py": code})
    before = set(sys.modules)
    with pytest.raises(PluginError, match=message) as raised:
        FeatureStore(root)
    assert "\n" not in str(raised.value)
    assert not {name for name in set(sys.modules) - before if name.startswith("feast_plugins")}


def test_hook_calls_can_be_traced(feature_repo: Any) -> None:
    plugin = """
        from feast_core import hookimpl
        @hookimpl
        def feast_settings():
            return []
        @hookimpl
        def feast_server_starting(config, settings):
            pass
    """
    root = feature_repo({"feast_plugins.py": plugin})
    start = "store.plugins.hook.feast_server_starting(config=1, settings=2)"
    code = f"from feast_core import FeatureStore; store = FeatureStore({str(root)!r}); {start}; store.close()"
    environment = {"FEAST_TRACE_PLUGINS": "1", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "feast_settings [hook]" in done.stderr
    assert "feast_settings of feast_plugins --> [] [hook]" in done.stderr
    assert "finish feast_server_starting --> []" in done.stderr
    environment["FEAST_TRACE_PLUGINS"] = "0"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_settings_of_plugins_are_decoded_when_the_store_is_made(feature_repo: Any, make_store: Any) -> None:
    feature_repo(
        {
            "feast_plugins.py": """
            import msgspec
            from feast_core import Setting, hookimpl

            class Audit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
                enabled: bool = False

            @hookimpl
            def feast_settings():
                return [Setting("feature_server.audit_logging", Audit)]
            """
        }
    )
    assert make_store().setting("feature_server.audit_logging").enabled is False
    store = make_store(feature_server={"audit_logging": {"enabled": True}})
    assert store.setting("feature_server.audit_logging").enabled is True
    with pytest.raises(ConfigurationError, match=r"feature_server.audit_logging.enabeld: .*did you mean 'enabled'"):
        make_store(feature_server={"audit_logging": {"enabeld": True}})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([3], "gave int in its list"),
        (Setting("mine", dict), "gave Setting; repair it"),
        ("mine", "gave str in its list"),
        (7, "gave int; repair it"),
    ],
)
def test_a_plugin_that_gives_something_else_than_records_is_named(only_plugins: Any, given: object, told: str) -> None:
    class Wrong:
        @hookimpl
        def feast_settings(self) -> Any:
            return given

    manager = only_plugins()
    manager.register(Wrong(), name="wrong")
    with pytest.raises(PluginError, match=r"the plugin 'wrong': feast_settings returns a list of Setting") as raised:
        manager.settings()
    assert told in str(raised.value)
    assert "FEAST_BLOCK_PLUGINS=wrong" in str(raised.value)


def test_a_plugin_may_give_nothing(only_plugins: Any) -> None:
    class Nothing:
        @hookimpl
        def feast_settings(self) -> Any:
            return None

    manager = only_plugins()
    before = manager.settings()
    manager.register(Nothing(), name="nothing")
    assert manager.settings() == before
