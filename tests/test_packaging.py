"""pyproject.toml against the folders: what is listed is there, what is there is listed, and loading it is cheap."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENTRY_POINTS: dict[str, str] = PYPROJECT["project"]["entry-points"]["feast"]
PLUGIN_FOLDERS = sorted(
    path.name for path in (ROOT / "plugins").iterdir() if path.is_dir() and path.name[0] not in "._"
)
FRONTENDS = {"feast_cli", "feast_http"}

#: What takes long to import, and is for those who use it.
HEAVY = {"sanic", "pandas", "numpy", "duckdb", "sqlalchemy", "uvloop", "prometheus_client", "pyarrow"}
#: Distributions that no module imports by name, and why they are declared all the same.
NOT_IMPORTED = {
    "prometheus-client": "metrics: part of the default install",
    "psutil": "metrics: part of the default install",
    "psycopg": "the driver that a registry's postgresql:// URL names",
}


def modules_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has after it ran this."""
    code += "\nimport sys\nprint(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_every_plugin_folder_is_an_entry_point() -> None:
    """`feast` is the import surface of Feast, and no plugin."""
    assert set(ENTRY_POINTS.values()) == {*PLUGIN_FOLDERS, *FRONTENDS} - {"feast"}


def test_an_entry_point_is_named_after_its_package() -> None:
    """The name is what people write into FEAST_BLOCK_PLUGINS."""
    for name, package in ENTRY_POINTS.items():
        assert package == f"feast_{name}"


def test_the_wheel_holds_every_package() -> None:
    packages = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert len(packages) == len(set(packages))
    assert set(packages) == {"feast_core", *FRONTENDS, *(f"plugins/{name}" for name in PLUGIN_FOLDERS)}
    for package in packages:
        assert (ROOT / package / "__init__.py").is_file()
    assert "plugins" not in {package.rpartition("/")[2] for package in packages}


def test_what_is_installed_is_what_is_listed() -> None:
    installed = importlib.metadata.distribution("feastkit")
    assert installed.version == PYPROJECT["project"]["version"]
    found = {point.name: point.value for point in installed.entry_points if point.group == "feast"}
    assert found == ENTRY_POINTS


def test_files_of_the_source_distribution_are_there() -> None:
    for name in PYPROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]:
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("package", [name for name in PLUGIN_FOLDERS if name != "feast"])
def test_a_plugin_has_a_docstring_and_hook_implementations(package: str) -> None:
    tree = ast.parse((ROOT / "plugins" / package / "__init__.py").read_text(encoding="utf-8"))
    documentation = ast.get_docstring(tree) or ""
    assert re.match(r"[A-Z].+[.:]", documentation), "a sentence that says what it is for"
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert functions
    for function in functions:
        assert function.name.startswith("feast_")
        assert [ast.unparse(mark).partition("(")[0] for mark in function.decorator_list] == ["hookimpl"]
        assert ast.get_docstring(function)
    imported = {name for node in tree.body for name in imports_of(node)}
    assert imported <= {"feast_core", *sys.stdlib_module_names}, "the heavy imports stand in the module of work"


def imports_of(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    return [(node.module or "").partition(".")[0]] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.parametrize(
    "code",
    [
        "\n".join(f"import {package}" for package in ENTRY_POINTS.values()),
        "from feast_core.plugins import load_plugins; assert not [s for s in load_plugins().states if s.error]",
        "import feast_core.definitions, feast_core.store",
        "from feast import Entity, FeatureService, FeatureView, Field, FileSource, PushSource\n"
        "from feast.types import Array, Int64",
    ],
    ids=["all plugins", "load_plugins", "the core", "a repository"],
)
def test_loading_is_cheap(code: str) -> None:
    """So that `feast --help` may load every plugin, and a repository's file all of the definitions."""
    assert not modules_after(code) & HEAVY


def test_every_dependency_is_declared_and_used() -> None:
    declared = {normal(text) for text in PYPROJECT["project"]["dependencies"]}
    for extra in PYPROJECT["project"].get("optional-dependencies", {}).values():
        declared |= {normal(text) for text in extra}
    provides = importlib.metadata.packages_distributions()
    used = set()
    for package in ["feast_core", *FRONTENDS, *(f"plugins/{name}" for name in PLUGIN_FOLDERS)]:
        for file in (ROOT / package).rglob("*.py"):
            if "templates" in file.parts:
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                used |= {
                    normal(provides[name][0])
                    for name in imports_of(node)  # type: ignore[arg-type]
                    if name in provides and name not in sys.stdlib_module_names and not name.startswith("feast")
                }
    assert used <= declared, f"not declared: {', '.join(sorted(used - declared))}"
    assert declared - used <= set(NOT_IMPORTED), f"not used: {', '.join(sorted(declared - used))}"


def normal(requirement: str) -> str:
    """`PyYAML>=6` -> `pyyaml`."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()
