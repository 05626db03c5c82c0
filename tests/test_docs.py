"""README and docs/: nothing is missing, every link leads somewhere, and every block runs as it stands.

Blocks of a page are run from top to bottom by one `Reader`, as a person would: the README's in an empty folder, those
of every other page in a copy of the repository that the README's tour makes. A line that begins with `$ ` is typed;
what stands below it is what it prints, `...` for anything. A block whose first line is a comment with a file's name is
written to that file.
"""

import ast
import importlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from feast_core.config import parse_config
from feast_core.store import FeatureStore

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "benchmarks" / "README.md", *DOCS]
RUN = [page for page in PAGES if page != README]

#: What is not typed here, and why.
NOT_RUN = {
    "pip install . && feast demo": "installs from the package index; the demo has its own test, in tests/cli",
    "pip install nox && nox -s tests": "runs these tests",
    "pip install nox": "installs from the package index",
    "nox -s tests": "runs these tests",
    "pip install -e '.[test]'": "installs from the package index; the tests of the new plugin are run all the same",
    "nox -s lint types wheel docs": "a session of its own in CI",
    "nox -s bench": "takes a quarter of an hour and needs wrk",
}
PORT = "6566"


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The name in its first line."""
        found = re.match(r"# ([\w.]+\.(?:py|yaml|toml))$", self.text.partition("\n")[0])
        return found[1] if found else None

    @property
    def typed(self) -> list[tuple[str, str]]:
        """Commands, and what each prints; a command goes on until its quotes are closed."""
        pairs: list[tuple[str, str]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                pairs.append((re.sub(r"\s+# .*", "", line.removeprefix("$ ")), ""))
                continue
            command, printed = pairs.pop()
            pairs.append((command, f"{printed}{line}\n") if is_whole(command) else (f"{command}\n{line}", ""))
        return pairs


def is_whole(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True


def is_as_shown(output: str, shown: str) -> bool:
    """Spaces and line breaks aside; `...` stands for anything."""
    parts = ["".join(part.split()) for part in shown.split("...")]
    return bool(re.fullmatch(".*".join(map(re.escape, parts)), "".join(output.split())))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks_of(page: Path) -> list[Block]:
    text = text_of(page)
    fences = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [Block(page, text[: found.start()].count("\n") + 1, found[1], found[2]) for found in fences]


def blocks(*languages: str) -> list[Any]:
    found = [block for page in PAGES for block in blocks_of(page) if block.language in languages]
    return [pytest.param(block, id=f"{block.page.name}:{block.line}") for block in found]


def prose_of(page: Path) -> str:
    """The page without its blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def generator() -> Iterator[ModuleType]:
    """docs/generate.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "docs")
        yield importlib.import_module("generate")


# What must be there.


@pytest.mark.parametrize("page", [README, *DOCS], ids=lambda page: page.name)
def test_a_page_is_as_the_code_says(page: Path, generator: ModuleType) -> None:
    assert text_of(page) == generator.written(text_of(page)), (
        "run `python docs/generate.py`, and look at the difference"
    )


def test_every_part_that_is_generated_is_on_a_page(generator: ModuleType) -> None:
    shown = [name for page in DOCS for name in re.findall(r"<!-- generated: (\w+) -->", text_of(page))]
    assert sorted(shown) == sorted(generator.PARTS)


def page(name: str) -> str:
    return text_of(ROOT / "docs" / name)


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)


def test_every_hook_has_an_entry() -> None:
    from feast_core import hookspecs

    hooks = {name for name in vars(hookspecs) if name.startswith("feast_")}
    assert len(hooks) > 10
    assert hooks <= set(headings(page("hooks.md")))


def test_every_command_and_option_has_an_entry(generator: ModuleType) -> None:
    import click

    text = page("cli.md")
    commands = generator.commands.our_commands()
    assert len(commands) > 20
    for name, command in commands.items():
        assert f"`feast {name}`" in text, name
        inner = list(command.commands.items()) if isinstance(command, click.Group) else [("", command)]
        for subcommand, found in inner:
            assert found is not None
            assert re.search(rf"`feast ({name}|KIND) ?{subcommand}\b", text), f"{name} {subcommand}"
            options = [option for option in found.params if isinstance(option, click.Option) and not option.hidden]
            for option in options:
                assert all(f"`{spelling}`" in text for spelling in option.opts), f"{name} {subcommand} {option.opts}"


def test_every_error_has_an_entry() -> None:
    from feast_core import errors

    classes = [found for found in vars(errors).values() if isinstance(found, type)]
    found = [error for error in classes if issubclass(error, errors.FeastError)]
    assert len(found) > 15
    assert {error.title for error in found} <= set(headings(page("errors.md")))
    for error in found:
        assert f"`{error.__name__}`: HTTP {error.http_status}, exit code {error.exit_code}." in page("errors.md")


def test_every_setting_has_an_entry(generator: ModuleType) -> None:
    import msgspec

    text, settings = page("settings.md"), generator.settings
    structs = [struct for _, struct in (*settings.core_sections(), *settings.plugin_sections())]
    for component, alike in settings.components():
        structs.append(settings.class_of(component).Options)
        assert f"{component.role}: {component.type}" in headings(text)
        assert all(f"`{other.type}`" in text for other in alike)
    assert len(structs) > 6
    for struct in structs:
        for field in msgspec.structs.fields(struct):
            assert f"| `{field.encode_name}` |" in text, f"{struct.__qualname__}.{field.name}"


def code() -> Iterator[tuple[Path, ast.Module]]:
    for folder in ("feast_core", "feast_cli", "feast_http", "plugins"):
        for file in (ROOT / folder).rglob("*.py"):
            if "templates" not in file.parts and file.parent.name != "testing":
                yield file, ast.parse(text_of(file))


def test_every_environment_variable_has_an_entry() -> None:
    texts = {node.value for _, tree in code() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    variables = {text for text in texts if isinstance(text, str) and re.fullmatch(r"(FEAST|FEATURE)_[A-Z0-9_]+", text)}
    assert len(variables) > 5
    missing = {name for name in variables if f"| `{name}` |" not in page("settings.md")}
    assert not missing, f"settings.md lacks {', '.join(sorted(missing))}"


def test_every_path_of_the_server_has_an_entry() -> None:
    code = r"""
import re
import sys
from feast_core.store import FeatureStore
from feast_http.app import make_app
from feast_http.settings import ServeSettings
with FeatureStore(sys.argv[1]) as store:
    for route in make_app(store, ServeSettings(repo_path=sys.argv[1])).router.routes:
        for method in route.methods:
            print(method, "/" + re.sub(r"<(\w+):\w+>", r"{\1}", route.path))
"""
    template = ROOT / "feast_cli" / "templates" / "minimal"
    done = subprocess.run([sys.executable, "-c", code, template], capture_output=True, text=True, check=True)
    routes = [line for line in done.stdout.splitlines() if not line.startswith("HEAD ")]
    assert len(routes) > 2
    for route in routes:
        assert f"| `{route}` |" in page("http.md"), route


def test_every_promise_has_an_entry() -> None:
    from feast_core import testing

    text = page("plugins.md")
    for name in testing.__all__:
        numbered = [test for test in vars(getattr(testing, name)) if test.startswith("test_")]
        _, _, part = text.partition(f"### {name}\n")
        listed = re.findall(r"^\d+\. \*\*(.+?)\.\*\*", part.partition("\n### ")[0], re.MULTILINE)
        assert len(listed) == len(numbered)
        assert set(listed) == {test.removeprefix("test_").replace("_", " ").capitalize() for test in numbered}


def test_every_plugin_has_an_entry() -> None:
    listed = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["entry-points"]["feast"]
    for name, package in listed.items():
        assert f"| `{name}` | `{package}` |" in page("plugins.md")


def test_every_page_is_in_the_table_of_contents() -> None:
    tree = ast.parse(text_of(ROOT / "docs" / "conf.py"))
    (pages,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PAGES"
    ]
    assert sorted(pages) == sorted(str(path.relative_to(ROOT).with_suffix("")) for path in PAGES if path != README)
    linked = re.findall(r"\]\(docs/([\w-]+\.md)\)", text_of(README))
    assert set(linked) == {path.name for path in DOCS}, "the README links to every page"


# Where links lead.


def anchors(text: str) -> set[str]:
    """As GitHub and MyST make them from headings."""
    found: set[str] = set()
    for heading in headings(text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose_of(page)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), f"{target}: there is no such file"
        assert other.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(text_of(other)), f"{target}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_are_there(page: Path) -> None:
    named = re.findall(r"`((?:feast_\w+|tests|docs|benchmarks|plugins|\.ci)/[\w./-]*)`", prose_of(page))
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "plugins" / name).exists(), name


# Blocks.


def test_blocks_are_of_known_languages() -> None:
    known = {"console", "python", "yaml", "toml", "json", "text"}
    for path in PAGES:
        for block in blocks_of(path):
            assert block.language in known, f"{path.name}:{block.line}"
        assert text_of(path).count("\n```") == 2 * len(blocks_of(path)), path.name


@pytest.mark.parametrize("block", blocks("json", "toml"))
def test_a_block_of_data_can_be_read(block: Block) -> None:
    assert (json.loads if block.language == "json" else tomllib.loads)(block.text)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_a_block_of_yaml_is_a_configuration(block: Block, tmp_path: Path) -> None:
    """Whole, or a part of one; its components are made."""
    sections = {"project": "p", "registry": "registry.db", **yaml.safe_load(block.text)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config = parse_config(yaml.safe_dump(sections), tmp_path)
        with FeatureStore(config=config) as store:
            assert store.registry
            assert store.online
            assert store.offline
            assert store.engine


class Reader:
    """Somebody who types what a page says. Ends the servers that were started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = ""
        self._servers: list[subprocess.Popen[bytes]] = []
        # This Python's commands first, and nothing of the developer's own settings.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FEAST_", "FEATURE_"))}
        self._environment = {**kept, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def type(self, command: str, printed: str) -> None:
        """One line; what it prints is compared if the page shows it."""
        if command in NOT_RUN:
            return
        if command.startswith("feast serve"):
            self._serve(command)
            return
        # What the page installs first is in the current directory; one Python may have no command of the name.
        here = re.sub(r"^pytest\b", "python -m pytest", command)
        here = here.replace(f"localhost:{PORT}", f"127.0.0.1:{self.port}")
        where = self.folder / ".folder"
        code, output = self._run(["bash", "-c", f"{here}\ncode=$?\npwd > '{where}'\nexit $code"])
        self.folder = Path(where.read_text().strip())
        where.unlink()
        assert (code != 0) == printed.startswith("error:"), f"{command}\n{output}"
        if printed:
            agree = is_as_shown(output, printed)
            assert agree, f"{command}\nis said to print\n{printed}\nand prints\n{output}"
        elif "curl" in command:
            assert '"PRESENT"' in output, output
            assert "NOT_FOUND" not in output

    def execute(self, texts: list[str]) -> None:
        """Blocks of Python, one after the other, none of which sees the names of another."""
        code = "import json, sys\nfor text in json.load(sys.stdin):\n    exec(compile(text, '<block>', 'exec'), {})"
        done, output = self._run([sys.executable, "-c", code], json.dumps(texts))
        assert done == 0, output

    def leave(self) -> None:
        for server in self._servers:
            server.send_signal(signal.SIGTERM)
        for server in self._servers:
            assert server.wait(timeout=20) == 0

    def _run(self, command: list[str], stdin: str = "") -> tuple[int, str]:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout

    def _serve(self, command: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = str(listener.getsockname()[1])
        self._servers.append(
            subprocess.Popen([*command.split(), "-p", self.port], cwd=self.folder, env=self._environment)
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.02)
            else:
                return


def read(page: Path, folder: Path) -> Reader:
    """Do what the page says."""
    assert shutil.which("curl"), "curl is needed to send the requests of the pages"
    reader = Reader(folder)
    python: list[str] = []
    try:
        for block in blocks_of(page):
            if block.language == "python":
                python.append(block.text)
            elif python:
                reader.execute(python)
                python = []
            if block.file:
                (reader.folder / block.file).write_text(block.text, encoding="utf-8")
            if block.language == "console":
                for command, printed in block.typed:
                    reader.type(command, printed)
        if python:
            reader.execute(python)
    finally:
        reader.leave()
    return reader


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository of the README's tour."""
    return read(README, tmp_path_factory.mktemp("tour")).folder


def test_the_readme_does_what_it_says(toured: Path) -> None:
    assert toured.name == "feature_repo"
    assert (toured / "data" / "registry.db").is_file()


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_a_page_does_what_it_says(page: Path, toured: Path, tmp_path: Path) -> None:
    repository = tmp_path / "feature_repo"
    shutil.copytree(toured, repository)
    read(page, repository)


def test_the_readme_begins_with_two_commands() -> None:
    first, second = [block.typed for block in blocks_of(README) if block.language == "console"][:2]
    assert first == [("pip install . && feast demo", "")]
    assert second == [("pip install nox && nox -s tests", "")]


def test_what_is_not_run_is_there() -> None:
    typed = {command for path in PAGES for b in blocks_of(path) if b.language == "console" for command, _ in b.typed}
    assert set(NOT_RUN) <= typed
