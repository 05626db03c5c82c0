"""From a section's type to its class, and what is said where that does not work."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from feast_core import Component, hookimpl
from feast_core.components import Catalog
from feast_core.config import Section, parse_config
from feast_core.errors import ConfigurationError, PluginError


class Shelf:
    """A component."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """Its options."""

        path: Path = Path("shelf")
        boards: int = 3

    def __init__(self, options: "Shelf.Options") -> None:
        self.options = options


SHELF = Component("online_store", "shelf", "a_shelf.store:Shelf")


@pytest.fixture(autouse=True)
def _a_shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that a plugin would bring."""
    for name in ("a_shelf", "a_shelf.store"):
        module = ModuleType(name)
        module.__path__ = []  # type: ignore[attr-defined]
        module.Shelf = Shelf  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)


def section(text: str) -> Section:
    found = parse_config(f"project: p\nregistry: r\nonline_store: {text}", Path("/repo")).online_store
    assert found is not None
    return found


def create(text: str, *components: Component) -> Any:
    return Catalog(("plugin", component) for component in components or [SHELF]).create("online_store", section(text))


def test_a_type_is_made_with_its_options() -> None:
    shelf = create("{type: shelf, boards: 5}")
    assert isinstance(shelf, Shelf)
    assert (shelf.options.boards, shelf.options.path) == (5, Path("/repo/shelf"))


def test_a_class_is_imported_when_it_is_chosen() -> None:
    missing = Component("online_store", "other", "no_such_module:Other")
    assert isinstance(create("shelf", SHELF, missing), Shelf)


def test_types_are_listed_by_role() -> None:
    catalog = Catalog(
        [("a", SHELF), ("b", Component("auth", "x", "y:Z")), ("c", Component("online_store", "box", "y:Z"))]
    )
    assert catalog.types("online_store") == ["box", "shelf"]
    assert catalog.types("registry") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "shelv",
            r"feature_store.yaml line 3, online_store: unknown online_store type 'shelv', did you mean 'shelf'\?",
        ),
        ("zzz", "unknown online_store type 'zzz'; known: shelf"),
        ("{type: shelf, bords: 5}", r"line 3, online_store.bords: unknown key 'bords', did you mean 'boards'\?"),
        ("{type: shelf, boards: x}", "line 3, online_store.boards: Expected `int`, got `str`"),
    ],
)
def test_a_wrong_choice_names_place_and_cure(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        create(text)


def test_nothing_to_choose_from() -> None:
    with pytest.raises(ConfigurationError, match="unknown online_store type 'shelf'; known: none"):
        Catalog([]).create("online_store", section("shelf"))


def test_two_providers_are_both_named() -> None:
    catalog = Catalog([("first", SHELF), ("second", SHELF)])
    with pytest.raises(PluginError, match=r"'shelf' is provided by both first and second; block one with .*=first"):
        catalog.create("online_store", section("shelf"))
    other = Component("online_store", "box", "a_shelf.store:Shelf")
    assert Catalog([("first", SHELF), ("second", SHELF), ("third", other)]).create("online_store", section("box"))


@pytest.mark.parametrize(
    ("extra", "install"), [("redis", r"pip install 'feastkit\[redis\]'"), (None, "pip install 'no_such_package'")]
)
def test_a_missing_package_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str | None, install: str
) -> None:
    (tmp_path / "a_plugin_store.py").write_text("import no_such_package\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    component = Component("online_store", "x", "a_plugin_store:Store", extra=extra)
    with pytest.raises(PluginError, match=f"online_store 'x' needs the package no_such_package: {install}"):
        create("x", component)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("a_shelf.store:Shelv", "has no attribute 'Shelv'"),
        ("a_shelf.stor:Shelf", "No module named 'a_shelf.stor'"),
        ("not_there_at_all:Shelf", "No module named 'not_there_at_all'"),
        ("a_shelf.store", "has no attribute"),
    ],
)
def test_a_target_that_is_not_there_is_the_plugins_fault(target: str, reason: str) -> None:
    with pytest.raises(PluginError, match=f"online_store 'x' of the plugin 'plugin' does not load: .*{reason}"):
        create("x", Component("online_store", "x", target))


def test_components_of_all_plugins_are_joined(only_plugins: Any) -> None:
    class One:
        @hookimpl
        def feast_components(self) -> list[Component]:
            return [SHELF]

    class Two:
        @hookimpl
        def feast_components(self) -> Any:
            yield Component("online_store", "box", "a_shelf.store:Shelf")

    assert Catalog.from_plugins(only_plugins(One(), Two())).types("online_store") == ["box", "shelf"]


def test_a_plugin_that_cannot_say_what_it_offers_is_named(only_plugins: Any) -> None:
    class Broken:
        @hookimpl
        def feast_components(self) -> list[Component]:
            raise OSError("no disk")

    manager = only_plugins()
    manager.register(Broken(), name="broken")
    with pytest.raises(
        PluginError, match=r"'broken' fails in feast_components: OSError: no disk; .*BLOCK_PLUGINS=broken"
    ):
        Catalog.from_plugins(manager)
