"""Who may import whom, read from the source."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE_ROOTS = (ROOT, ROOT / "plugins")
PACKAGES = sorted(path.parent for root in SOURCE_ROOTS for path in root.glob("feast*/__init__.py"))
PLUGINS = {path.name for path in PACKAGES if path.parent.name == "plugins" and path.name != "feast"}
FRONTENDS = {"feast_cli", "feast_http"}

#: Import package -> what it may import besides the standard library and itself.
MAY_IMPORT: dict[str, set[str]] = {
    "feast_core": {"pluggy", "yaml", "msgspec", "orjson"},
    "feast_cli": {"feast_core", "click", "rich"},
    "feast_http": {"feast_core", "sanic", "orjson", "msgspec", "click", "uvloop"},
    "feast": {"feast_core"},
    "feast_engine_local": {"feast_core", "msgspec"},
    "feast_offline_file": {"feast_core", "msgspec", "orjson", "duckdb"},
    "feast_online_sqlite": {"feast_core", "msgspec"},
    "feast_push_batching": {"feast_core"},
    "feast_registry_sql": {"feast_core", "msgspec", "sqlalchemy"},
}

#: Module -> what it may import as well, and why.
ALSO: dict[str, tuple[set[str], str]] = {
    "feast_core.files": ({"duckdb"}, "parquet, inside the function"),
    "feast_core.online_response": ({"pandas"}, "`to_df()`, inside the function"),
    "feast_core.testing": ({"pytest"}, "the test kit"),
    "feast_cli.sample": ({"duckdb"}, "the sample data of `feast init` is a parquet file; inside the function"),
    "feast_cli.templates": ({"feast"}, "files of the user's repository, not of ours"),
}

#: Never at the top of a module of these packages: `feast --help` and a request must not pay for them.
HEAVY = {"pandas", "numpy", "duckdb"}
LIGHT_PACKAGES = {"feast_core", "feast_cli", "feast_http"}

#: feast_core from the ground up. A module may import those of lower layers, and nothing of its own layer or above.
LAYERS: list[set[str]] = [
    {"errors"},
    {"config", "definitions", "driving", "neighbours", "processes", "sqlite_files", "timestamps"},
    {"components", "consequences", "hookspecs", "inference", "interfaces", "repo", "unsupported", "values"},
    {"defaults", "diff", "frames", "keys", "leases", "online_response", "push_queue_file", "rows", "security"},
    {"files", "observing", "plugins", "push_queue", "render", "snapshot"},
    {"materialization", "push_flusher", "refs", "view_rows"},
    {"applying", "ingestion", "retrieval", "runs"},
    {"explaining", "feast_api", "plans"},
    {"store"},
    {"testing"},
]

#: What of feast_core a frontend may use: the facade, and what it is configured and extended by.
FRONTENDS_MAY_USE = {
    "components",
    "config",
    "definitions",
    "errors",
    "files",
    "frames",
    "hookspecs",
    "ingestion",
    "interfaces",
    "observing",
    "plugins",
    "processes",
    "runs",
    "security",
    "store",
    "timestamps",
}

#: Where everything is caught, because something must outlive what it calls.
BOUNDARIES = {
    "feast_cli/completing.py": "somebody is typing, and did not ask for our errors",
    "feast_cli/main.py": "the person sees one line, whatever went wrong",
    "feast_core/ingestion.py": "one of several pushes that are written together: each has an answer of its own",
    "feast_core/materialization.py": "one view of a materialization: the others go on",
    "feast_core/observing.py": "an observer must not cost the client its answer",
    "feast_core/push_flusher.py": "one batch of pushed rows, whatever writes it: the others go on",
    "feast_core/plugins.py": "loading a plugin, installed or of the repository, and asking it what it offers",
    "feast_core/repo.py": "importing the repository's own files",
    "feast_core/store.py": "a plan of a refresh: one shape does not keep the others on the old snapshot",
    "feast_core/testing/online.py": "a thread of a test, whose error the test shall see",
    "feast_core/testing/registry.py": "a thread of a test, whose error the test shall see",
    "feast_http/shortcut.py": "every error becomes an answer",
    "feast_http/supervisor.py": "a plugin's own function must not end the server",
    "feast_http/worker.py": "the refresh in the background: the old snapshot serves on",
    "plugins/feast_offline_file/housekeeping.py": "a compaction in the background: batches are written all the same",
}


@dataclass(frozen=True)
class Import:
    """One import: who, whom, in which line, at the top of the module or inside a function, for annotations only."""

    importer: str
    imported: str
    line: int
    inside: bool
    annotation: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def name_of(file: Path) -> str:
    root = ROOT / "plugins" if file.is_relative_to(ROOT / "plugins") else ROOT
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class Imports(ast.NodeVisitor):
    """Collects the imports of one module."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.name = name_of(file)
        self.found: list[Import] = []
        self._inside = 0
        self._annotation = False
        self.visit(ast.parse(file.read_text(encoding="utf-8"), str(file)))

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._inside += 1
        self.generic_visit(node)
        self._inside -= 1

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_If(self, node: ast.If) -> None:
        outer = self._annotation
        self._annotation = outer or (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING")
        for statement in node.body:
            self.visit(statement)
        self._annotation = outer
        for statement in node.orelse:
            self.visit(statement)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert node.level == 0, f"{self.file}:{node.lineno}: import by the full name"
        module = node.module or ""
        for alias in node.names:
            self._add(f"{module}.{alias.name}" if is_module(f"{module}.{alias.name}") else module, node)

    def _add(self, imported: str, node: ast.stmt) -> None:
        self.found.append(Import(self.name, imported, node.lineno, self._inside > 0, self._annotation))


def is_module(name: str) -> bool:
    path = Path(*name.split("."))
    return any((root / path).with_suffix(".py").is_file() or (root / path).is_dir() for root in SOURCE_ROOTS)


def imports(*packages: str) -> Iterator[Import]:
    """Imports of all modules of these packages, without those of the standard library."""
    for package in PACKAGES:
        if package.name in packages:
            for file in sorted(package.rglob("*.py")):
                yield from (
                    found for found in Imports(file).found if top(found.imported) not in sys.stdlib_module_names
                )


def top(module: str) -> str:
    return module.partition(".")[0]


def also(module: str) -> set[str]:
    return {name for prefix, (names, _) in ALSO.items() if f"{module}.".startswith(f"{prefix}.") for name in names}


def part(module: str) -> str:
    """`feast_core.definitions.views` -> `definitions`; the package itself -> ``."""
    return module.split(".")[1] if "." in module else ""


def test_every_package_has_its_rule() -> None:
    assert {package.name for package in PACKAGES} == set(MAY_IMPORT)


@pytest.mark.parametrize("package", sorted(MAY_IMPORT))
def test_a_package_imports_what_it_may(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    broken = [found for found in imports(package) if top(found.imported) not in allowed | also(found.importer)]
    broken = [found for found in broken if not found.annotation or top(found.imported) in {*PLUGINS, *FRONTENDS}]
    assert not broken, "\n".join(map(str, broken))


def test_rules_are_not_wider_than_what_is_used() -> None:
    for package, allowed in MAY_IMPORT.items():
        used = {top(found.imported) for found in imports(package)}
        assert allowed <= used, f"{package} does not import {', '.join(allowed - used)}"
    for module, (names, _) in ALSO.items():
        used = {top(found.imported) for found in imports(top(module)) if f"{found.importer}.".startswith(f"{module}.")}
        assert names <= used, f"{module} does not import {', '.join(names - used)}"


def test_a_plugin_imports_no_other_plugin_and_no_frontend() -> None:
    broken = [
        found
        for found in imports(*PLUGINS)
        if top(found.imported) in ({*PLUGINS, *FRONTENDS, "feast"} - {top(found.importer)})
    ]
    assert not broken, "\n".join(map(str, broken))


def test_heavy_packages_are_imported_inside_functions() -> None:
    broken = [
        found
        for found in imports(*LIGHT_PACKAGES)
        if top(found.imported) in HEAVY and not found.inside and not found.annotation
    ]
    assert not broken, "\n".join(map(str, broken))


def test_the_definitions_need_nothing_but_errors() -> None:
    broken = [
        found
        for found in imports("feast_core")
        if part(found.importer) == "definitions"
        and not found.imported.startswith(("feast_core.definitions", "feast_core.errors"))
    ]
    assert not broken, "\n".join(map(str, broken))


def test_every_module_of_the_core_has_its_layer() -> None:
    files = {path.stem for path in (ROOT / "feast_core").glob("*.py")} - {"__init__"}
    folders = {path.parent.name for path in (ROOT / "feast_core").glob("*/__init__.py")}
    assert files | folders == set().union(*LAYERS)
    assert len(files | folders) == sum(map(len, LAYERS))


def test_modules_of_the_core_import_lower_layers_only() -> None:
    rank = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    broken = []
    for found in imports("feast_core"):
        importer, imported = part(found.importer), part(found.imported)
        if top(found.imported) != "feast_core" or found.annotation or not importer or importer == imported:
            continue
        if not imported or rank[imported] >= rank[importer]:
            broken.append(found)
    assert not broken, "\n".join(map(str, broken))


@pytest.mark.parametrize("frontend", sorted(FRONTENDS))
def test_frontends_use_the_facade(frontend: str) -> None:
    broken = [
        found
        for found in imports(frontend)
        if top(found.imported) == "feast_core"
        and part(found.imported) not in FRONTENDS_MAY_USE | {""}
        and not found.annotation
    ]
    assert not broken, "\n".join(map(str, broken))


def test_no_package_is_called_plugins() -> None:
    """`plugins/` is a source root. An editable install makes the bare folder importable; nobody may rely on that."""
    assert not (ROOT / "plugins" / "__init__.py").exists()
    assert not list((ROOT / "plugins").glob("*.py"))
    tests = [found for file in (ROOT / "tests").rglob("*.py") for found in Imports(file).found]
    broken = [found for found in [*imports(*MAY_IMPORT), *tests] if top(found.imported) == "plugins"]
    assert not broken, "\n".join(map(str, broken))


def test_everything_is_caught_only_at_boundaries() -> None:
    """Each with a comment there and a reason here."""
    caught = set()
    for package in PACKAGES:
        for file in sorted(package.rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.ExceptHandler) and catches_all(node):
                    caught.add(str(file.relative_to(ROOT)))
                    line = text.splitlines()[node.lineno - 1]
                    assert "# boundary: " in line, f"{file}:{node.lineno} catches everything and does not say why"
    assert caught == set(BOUNDARIES)


def catches_all(handler: ast.ExceptHandler) -> bool:
    """Whether it catches Exception or more, and does not only clean up and raise it again."""
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    broad = any(found is None or ast.unparse(found) in ("Exception", "BaseException") for found in types)
    cleans_up = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    return broad and not cleans_up
