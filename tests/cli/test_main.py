"""The options before the command, where commands come from, and how errors look."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

HEAVY = ("rich", "sanic", "pandas", "duckdb", "sqlalchemy", "numpy", "uvloop", "prometheus_client", "yaml", "msgspec")

#: A repository's own plugin, and the module that its commands are in.
PLUGIN = """
from feast_core.hookspecs import Command, hookimpl

@hookimpl
def feast_commands():
    return [Command(name, f"own_commands:{name}", f"Try {name}.") for name in ("boom", "five", "sleep", "nothing")]
"""
COMMANDS = """
import time
import click
from feast_core.errors import Unavailable

@click.command()
def boom():
    raise KeyError("x")

@click.command()
def five():
    return 5

@click.command()
def sleep():
    click.echo("asleep")
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose own plugin adds commands."""
    repo = tmp_path_factory.mktemp("extended")
    (repo / "feature_store.yaml").write_text("project: extended\nregistry: data/registry.db\nprojekt: x\n")
    (repo / "feast_plugins.py").write_text(PLUGIN)
    (repo / "own_commands.py").write_text(COMMANDS)
    return repo


@pytest.fixture
def own_module(extended: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(extended))


def test_help_lists_all_commands_and_imports_none_of_what_they_need(tmp_path: Path) -> None:
    program = f"""
import sys
from feast_cli.main import main
code = main(["--help"])
print(code, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stderr.strip() == "0 []"
    listed = [line.split()[0] for line in done.stdout.partition("Commands:")[2].splitlines() if line[:3].strip()]
    assert {"apply", "demo", "init", "materialize", "serve", "feature-views"} <= set(listed)
    assert listed == sorted(listed)


def test_feast_alone_prints_the_help(feast: Run, tmp_path: Path) -> None:
    done = feast(cwd=tmp_path)
    assert done.code == 0
    assert "Usage: feast [OPTIONS] COMMAND" in done.out
    assert done.err == ""


def test_a_group_alone_prints_its_help(call: Run, tmp_path: Path) -> None:
    done = call("entities", cwd=tmp_path)
    assert done.code == 0
    assert "describe" in done.out


def test_version_is_that_of_the_distribution(call: Run, tmp_path: Path) -> None:
    assert call("--version", cwd=tmp_path).out.startswith("feastkit ")


def test_an_unknown_command_is_a_usage_error_with_the_closest_one(call: Run, tmp_path: Path) -> None:
    done = call("materialise", cwd=tmp_path)
    assert done.code == 2
    assert done.err == "error: no such command 'materialise', did you mean 'materialize'?\nsee `feast --help`\n"


def test_an_unknown_option_is_a_usage_error(call: Run, tmp_path: Path) -> None:
    done = call("apply", "--forse", cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith("error: No such option")
    assert "--forse" in done.err
    assert "see `feast apply --help`" in done.err


def test_outside_a_repository_one_line_says_what_to_do(feast: Run, tmp_path: Path) -> None:
    done = feast("apply", cwd=tmp_path)
    assert done.code == 1
    assert done.err.startswith(f"error: there is no {tmp_path}/feature_store.yaml")
    assert "feast init" in done.err
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_a_repository_is_named_by_option_or_environment(call: Run, served: Path, tmp_path: Path) -> None:
    configuration = (served / "feature_store.yaml").read_bytes()
    elsewhere = tmp_path / "other.yaml"
    elsewhere.write_bytes(configuration.replace(b"driver_repo", b"other"))
    ways = [
        (["-c", served], {}, "driver_repo"),
        ([], {"FEATURE_REPO_DIR_ENV_VAR": str(served)}, "driver_repo"),
        (["-f", served / "feature_store.yaml"], {}, "driver_repo"),
        (["-c", served, "-f", elsewhere], {}, "other"),
        ([], {"FEAST_FS_YAML_FILE_PATH": str(elsewhere)}, "other"),
        ([], {"FEATURE_STORE_YAML_BASE64": base64.b64encode(configuration).decode()}, "driver_repo"),
        (["-f", elsewhere], {"FEATURE_STORE_YAML_BASE64": base64.b64encode(configuration).decode()}, "other"),
    ]
    for options, env, project in ways:
        done = call(*options, "configuration", "--json", cwd=tmp_path, env=env)
        assert done.json["project"] == project, (options, env, done.err)


@pytest.mark.parametrize("how", ["option", "variable"])
def test_a_configuration_elsewhere_is_for_the_same_repository(call: Run, fresh: Path, how: str) -> None:
    """As Feast: `-f` names the file only; definitions, plugins and paths are those of the directory."""
    assert call("apply", cwd=fresh).code == 0
    (fresh / "conf").mkdir()
    (fresh / "feature_store.yaml").rename(fresh / "conf" / "prod.yaml")
    (fresh / "feast_plugins.py").write_text("from pathlib import Path\nPath(__file__).with_name('loaded').touch()\n")
    options = ["-f", "conf/prod.yaml"] if how == "option" else []
    env = {} if options else {"FEAST_FS_YAML_FILE_PATH": "conf/prod.yaml"}
    assert call(*options, "plan", "--json", cwd=fresh, env=env).json["changes"] == []
    assert call(*options, "apply", cwd=fresh, env=env).code == 0
    views = call(*options, "feature-views", "list", "--json", cwd=fresh, env=env).json
    assert [view["name"] for view in views] == ["driver_hourly_stats"]
    assert (fresh / "loaded").exists()
    assert not (fresh / "conf" / "data").exists()


@pytest.mark.parametrize(
    "command", ["feast version 1>&-", "feast 1>&-", "feast nothing 1>&-", "feast feature-views list 1>&- 2>&-"]
)
def test_with_a_closed_output_it_ends_quietly(shell: Run, served: Path, command: str) -> None:
    done = shell(command, cwd=served)
    assert (done.code, done.out, done.err) == (1, "", "")


def test_with_closed_errors_only_the_result_is_printed(shell: Run, served: Path) -> None:
    done = shell("feast version 2>&-", cwd=served)
    assert done.code == 0
    assert done.out.startswith("feastkit ")
    done = shell("feast nothing 2>&-", cwd=served)
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize(
    "command", ["feast", "feast --help", "feast feature-views list", "feast registry-dump", "feast nothing 2>&1"]
)
def test_when_nobody_reads_it_ends_quietly(shell: Run, served: Path, command: str) -> None:
    # The reader is gone before anything is written.
    assert shell(f"{{ sleep 0.1; {command}; echo $? >&3; }} 3>&2 | true", cwd=served).err == "1\n"


def test_a_directory_that_is_not_there_is_a_usage_error(call: Run, tmp_path: Path) -> None:
    done = call("-c", "nowhere", "apply", cwd=tmp_path)
    assert done.code == 2
    assert "'nowhere' does not exist" in done.err


def test_where_feast_itself_is_installed_the_command_refuses_to_start(feast: Run, tmp_path: Path) -> None:
    there = tmp_path / "feast-0.67.0.dist-info"
    there.mkdir()
    (there / "METADATA").write_text("Metadata-Version: 2.1\nName: feast\nVersion: 0.67.0\n")
    done = feast("--help", cwd=tmp_path, env={"PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"})
    assert done.code == 1
    assert done.out == ""
    assert done.err.startswith("error: the package feast 0.67.0 is installed in this environment")
    assert "pip uninstall feast" in done.err


def test_a_repositorys_own_plugin_adds_commands(call: Run, extended: Path, own_module: None) -> None:
    listed = call("--help", cwd=extended)
    assert "Try five." in listed.out
    assert "Try five." in call("-c", extended, "--help", cwd=extended.parent).out
    assert "Try five." not in call("--help", cwd=extended.parent).out


def test_what_a_command_returns_is_not_its_exit_code(call: Run, extended: Path, own_module: None) -> None:
    assert call("five", cwd=extended).code == 0


def test_an_unexpected_error_is_one_line_and_debug_shows_the_traceback(
    call: Run, extended: Path, own_module: None
) -> None:
    done = call("boom", cwd=extended)
    assert done.code == 1
    assert done.err == "error: unexpected KeyError: 'x'\nrun with `feast --log-level debug` for the traceback\n"
    loud = call("--log-level", "debug", "boom", cwd=extended)
    assert loud.code == 1
    assert "Traceback (most recent call last)" in loud.err
    assert "error: unexpected KeyError: 'x'" in loud.err


def test_a_command_that_does_not_load_names_its_plugin(call: Run, extended: Path, own_module: None) -> None:
    done = call("nothing", cwd=extended)
    assert done.code == 1
    assert done.err.startswith("error: the command 'nothing' of the plugin 'feast_plugins' does not load: ")


def test_a_command_that_two_plugins_offer_names_both(call: Run, tmp_path: Path) -> None:
    (tmp_path / "feature_store.yaml").write_text("project: p\nregistry: r.db\n")
    (tmp_path / "feast_plugins.py").write_text(PLUGIN.replace('"five"', '"apply"'))
    done = call("apply", cwd=tmp_path)
    assert done.code == 1
    assert "the command 'apply' is provided by" in done.err
    assert "cli" in done.err
    assert "feast_plugins" in done.err
    assert "FEAST_BLOCK_PLUGINS=" in done.err


def test_a_warning_of_the_configuration_is_a_line(call: Run, extended: Path) -> None:
    done = call("configuration", cwd=extended)
    assert done.code == 0
    assert done.err == "warning: feature_store.yaml line 3, projekt: unknown key, ignored, did you mean 'project'?\n"


def test_ctrl_c_ends_a_command_with_130_and_no_traceback(start: Run, extended: Path) -> None:
    running = start("sleep", cwd=extended, env={"PYTHONPATH": f"{extended}:{os.environ.get('PYTHONPATH', '')}"})
    assert running.stdout.readline() == "asleep\n"
    running.send_signal(signal.SIGINT)
    assert running.wait(10) == 130
    assert running.stderr.read().strip() == "error: interrupted"


def test_errors_are_red_on_a_terminal_unless_no_color_is_set(on_terminal: Run, tmp_path: Path) -> None:
    code, drawn = on_terminal("apply", cwd=tmp_path)
    assert code == 1
    assert "\x1b[1;31merror: there is no" in drawn
    code, drawn = on_terminal("apply", cwd=tmp_path, env={"NO_COLOR": "1"})
    assert code == 1
    assert "error: there is no" in drawn
    assert "[31m" not in drawn
    assert "1;31" not in drawn


def test_the_shell_completes_names_of_commands_and_their_options(feast: Run, tmp_path: Path) -> None:
    def completed(words: str, position: int) -> list[str]:
        env = {"_FEAST_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(position)}
        return [line.partition(",")[2] for line in feast(cwd=tmp_path, env=env).lines]

    assert completed("feast mat", 1) == ["materialize", "materialize-incremental"]
    assert completed("feast init --te", 2) == ["--template"]
