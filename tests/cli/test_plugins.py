"""`feast plugins list`, and `feast plugins new`, whose packages load and pass their own tests."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feast_cli.scaffold import KINDS

Run = Callable[..., Any]

PLUGIN = """
from feast_core import Component, hookimpl

@hookimpl
def feast_components():
    return [Component("online_store", "shelf", "shelf.store:Shelf", extra="shelf", help="boards")]
"""


@pytest.fixture
def installed(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """`installed({"name": code})`: the environment in which these plugins are installed, as by pip."""

    def install(plugins: dict[str, str], path: str = "") -> dict[str, str]:
        site = tmp_path / "site"
        info = site / "my_plugins-2.1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-plugins\nVersion: 2.1\n")
        (info / "entry_points.txt").write_text("[feast]\n" + "".join(f"{name} = {name}\n" for name in plugins))
        for name, code in plugins.items():
            (site / f"{name}.py").write_text(code)
        return {"PYTHONPATH": os.pathsep.join(filter(None, (str(site), path, os.environ.get("PYTHONPATH"))))}

    return install


def test_plugins_are_listed_with_what_they_bring(call: Run, tmp_path: Path) -> None:
    done = call("plugins", "list", cwd=tmp_path)
    assert done.code == 0
    assert done.lines[0].split() == ["NAME", "DISTRIBUTION", "STATE", "COMPONENTS", "HOOKS"]
    lines = {line.split()[0]: line for line in done.lines[1:]}
    assert "online_store sqlite" in lines["online_sqlite"]
    assert "loaded" in lines["online_sqlite"]
    assert lines["http"].endswith("commands")
    assert call("plugins", cwd=tmp_path).out == done.out


def test_plugins_of_others_that_are_blocked_or_do_not_load_say_so(feast: Run, installed: Any, tmp_path: Path) -> None:
    environment = installed({"shelf": PLUGIN, "broken": "import no_such_package", "unwanted": "1 / 0"})
    done = feast("plugins", "list", "--json", cwd=tmp_path, env={**environment, "FEAST_BLOCK_PLUGINS": "unwanted"})
    assert done.code == 0
    found = {plugin["name"]: plugin for plugin in done.json}
    assert found["shelf"] == {
        "name": "shelf",
        "distribution": "my-plugins",
        "version": "2.1",
        "state": "loaded",
        "hooks": ["feast_components"],
        "components": [{"role": "online_store", "type": "shelf", "extra": "shelf", "help": "boards"}],
        "error": None,
    }
    assert (found["unwanted"]["state"], found["unwanted"]["error"]) == ("blocked", None)
    assert (found["broken"]["state"], found["broken"]["hooks"]) == ("failed", [])
    assert found["broken"]["error"] == "ModuleNotFoundError: No module named 'no_such_package'"
    assert done.err.startswith("warning: the plugin 'broken' of my-plugins does not load")
    in_words = feast("plugins", "list", "broken", cwd=tmp_path, env={**environment, "FEAST_BLOCK_PLUGINS": "unwanted"})
    assert len(in_words.lines) == 3
    assert in_words.lines[-1] == "broken: ModuleNotFoundError: No module named 'no_such_package'"


def test_a_plugin_that_cannot_say_what_it_offers_is_told_after_the_list(call: Run, fresh: Path) -> None:
    (fresh / "feast_plugins.py").write_text(PLUGIN.replace("return", "return 1 / 0,"))
    done = call("plugins", "list", cwd=fresh)
    assert done.code == 1
    assert "feast_plugins" in done.lines[-1]
    assert "the plugin 'feast_plugins' fails in feast_components: ZeroDivisionError" in done.err


def test_a_plugin_that_is_not_there_is_an_error(call: Run, tmp_path: Path) -> None:
    done = call("plugins", "list", "online_sqlite", "nobody", cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: there is no plugin nobody; `feast plugins list` shows them all\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_passes_its_tests(kind: str, call: Run, installed: Any, tmp_path: Path) -> None:
    made = call("plugins", "new", "my-audit", "--kind", kind, cwd=tmp_path)
    assert made.code == 0, made.err
    assert "  pytest" in made.lines
    root = tmp_path / "feast-my-audit"
    # What `pip install -e .` would do with it, without the network.
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["feast"] == {"my_audit": "feast_my_audit"}
    assert project["name"] == "feast-my-audit"
    environment = installed({}, path=str(root))
    (info,) = (tmp_path / "site").iterdir()
    (info / "entry_points.txt").write_text("[feast]\nmy_audit = feast_my_audit\n")
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(root)],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
    written = {file: file.read_text() for file in root.rglob("*") if file.is_file() and file.suffix != ".pyc"}
    left = [word for text in written.values() for word in re.findall("@[A-Za-z_]+@", text)]
    assert not left, "every word of the templates is filled in"


def test_a_new_command_is_run(feast: Run, installed: Any, served: Path, tmp_path: Path) -> None:
    assert feast("plugins", "new", "feast_count-up", "sub/dir", "--kind", "command", cwd=tmp_path).code == 0
    environment = installed({}, path=str(tmp_path / "sub" / "dir"))
    (info,) = (tmp_path / "site").iterdir()
    (info / "entry_points.txt").write_text("[feast]\ncount_up = feast_count_up\n")
    listed = feast("plugins", "list", "count_up", "--json", cwd=tmp_path, env=environment)
    assert (listed.json[0]["state"], listed.json[0]["hooks"], listed.err) == ("loaded", ["feast_commands"], "")
    done = feast("-c", served, "count-up", cwd=tmp_path, env=environment)
    assert (done.code, done.out) == (0, "driver_hourly_stats  3\n"), done.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["audit", "taken"], 1, "taken is there already and not empty; name another directory, nothing was changed"),
        (["online-sqlite"], 1, "there is a plugin of the name 'online_sqlite' already, of feastkit"),
        (["1st"], 2, "'1st' cannot name a plugin"),
        (["a b"], 2, "'a b' cannot name a plugin"),
        (["core"], 2, "feast_core is a package of feastkit; take another name"),
        (["é"], 2, "cannot name a plugin"),
        (["x" * 300], 1, "cannot make"),
        (["audit", "--kind", "online"], 2, "'online' is not one of"),
    ],
)
def test_what_cannot_be_made_is_told(arguments: list[str], code: int, message: str, call: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    done = call("plugins", "new", *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert sorted(tmp_path.rglob("*")) == before
