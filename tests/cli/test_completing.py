"""Completion: what each shell asks, what it is told, and that nothing else is ever printed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

HEAVY = ("pandas", "duckdb", "sanic", "numpy", "rich", "uvloop", "prometheus_client")


@pytest.fixture
def completed(call: Run, served: Path) -> Callable[..., list[str]]:
    """`completed("feast expl", cwd=...)`: what bash is told when Tab is typed at the end of the line."""

    def complete(line: str, cwd: Path = served, breaks: str = "") -> list[str]:
        env = {"_FEAST_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_BREAKS": breaks}
        done = call(cwd=cwd, env=env)
        assert done.err == ""
        return [found.partition(",")[2] for found in done.lines]

    return complete


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("feast materialize-", ["materialize-incremental"]),
        ("feast entities ", ["describe", "list"]),
        ("feast entities describe ", ["driver"]),
        ("feast feature-views describe driver", ["driver_hourly_stats"]),
        ("feast feature-services describe x", []),
        ("feast data-sources describe ", ["driver_hourly_stats_source", "driver_stats_push_source"]),
        ("feast projects describe ", ["driver_repo"]),
        ("feast features describe acc", ["acc_rate"]),
        ("feast explain driver_hourly_stats:c", ["driver_hourly_stats:conv_rate"]),
        ("feast explain a:b driver_hourly_stats:ac", ["driver_hourly_stats:acc_rate"]),
        ("feast explain --feature-service ", ["driver_activity"]),
        ("feast explain --response-format ", ["rows", "columns"]),
        ("feast get-online-features -f driver_hourly_stats:avg", ["driver_hourly_stats:avg_daily_trips"]),
        ("feast get-online-features -e ", ["driver_id="]),
        ("feast materialize -v d", ["driver_hourly_stats"]),
        ("feast push ", ["driver_stats_push_source"]),
        ("feast push driver_stats_push_source --to of", ["offline"]),
        ("feast delete driver_a", ["driver_activity"]),
        ("feast plugins list online", ["online_sqlite"]),
        ("feast plugins new x --kind a", ["auth"]),
        ("feast completion ", ["bash", "zsh", "fish"]),
        ("feast apply --no-pr", ["--no-progress", "--no-promote"]),
        ("feast --log-level d", ["debug"]),
        ("feast 'unclosed", []),
    ],
)
def test_a_line_is_completed(line: str, found: list[str], completed: Callable[..., list[str]]) -> None:
    assert completed(line) == found


def test_the_repository_named_before_the_command_is_asked(completed: Callable[..., list[str]], served: Path) -> None:
    assert completed(f"feast -c {served} entities describe ", cwd=served.parent) == ["driver"]


def test_where_the_shell_breaks_words_only_the_last_piece_is_told(completed: Callable[..., list[str]]) -> None:
    assert completed("feast explain driver_hourly_stats:c", breaks=" \"'><=;|&(:") == ["conv_rate"]
    assert completed("feast explain driver_hourly_stats:", breaks=":") == ["acc_rate", "avg_daily_trips", "conv_rate"]
    assert completed("feast explain dri", breaks=":")[0] == "driver_hourly_stats:acc_rate"


def test_outside_a_repository_and_where_things_are_broken_nothing_is_said(
    completed: Callable[..., list[str]], fresh: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert completed("feast entities describe ", cwd=empty) == []
    assert completed("feast -c nowhere entities describe ", cwd=empty) == []
    (fresh / "data" / "registry.db").write_text("no registry of ours")
    assert completed("feast entities describe ", cwd=fresh) == []
    (fresh / "feast_plugins.py").write_text("print('loud')\nunknown_name")
    assert completed("feast entities describe ", cwd=fresh) == []
    assert completed("feast mater", cwd=fresh) == []
    (fresh / "feast_plugins.py").write_text("print('loud')")
    assert completed("feast version --", cwd=fresh) == ["--json", "--help"]
    (fresh / "feature_store.yaml").write_text("not: [a mapping of ours")
    assert completed("feast entities describe ", cwd=fresh) == []


def test_a_registry_on_another_machine_is_not_asked(completed: Callable[..., list[str]], fresh: Path) -> None:
    path = fresh / "feature_store.yaml"
    path.write_text("project: p\nregistry: {registry_type: sql, path: 'postgresql+psycopg://10.255.255.1/x'}\n")
    assert completed("feast entities describe ", cwd=fresh) == []


def test_completing_imports_nothing_heavy(served: Path) -> None:
    code = f"""
import json, os, sys
from feast_cli.main import main
os.environ.update(_FEAST_COMPLETE="bash_complete", COMP_WORDS="feast explain driver")
assert main() == 0
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=served, capture_output=True, text=True, check=True)
    *found, heavy = done.stdout.splitlines()
    assert len(found) == 3
    assert json.loads(heavy) == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_the_same(shell: str, call: Run, served: Path) -> None:
    env = {"_FEAST_COMPLETE": f"{shell}_complete", "COMP_WORDS": "feast explain driver_hourly_stats:c"}
    env["COMP_CWORD"] = "2" if shell == "zsh" else "driver_hourly_stats:c"
    done = call(cwd=served, env=env)
    assert done.code == 0
    assert "driver_hourly_stats:conv_rate" in done.out
    assert "acc_rate" not in done.out


@pytest.mark.parametrize("value", ["tcsh_complete", "bash", "bash_nothing", "1"])
def test_what_no_script_of_ours_asks_is_answered_with_nothing(value: str, call: Run, tmp_path: Path) -> None:
    done = call(cwd=tmp_path, env={"_FEAST_COMPLETE": value})
    assert (done.code, done.out, done.err) == (1, "", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_says_how_to_install_it(shell: str, call: Run, tmp_path: Path) -> None:
    done = call("completion", shell, cwd=tmp_path)
    assert done.code == 0
    assert f"_FEAST_COMPLETE={shell}_complete" in done.out
    assert "# To install, once:" in done.out
    assert f"feast completion {shell}" in done.out
    if shell == "zsh":
        assert done.lines[0] == "#compdef feast"
    # The same as by click's own way.
    assert done.out.startswith(call(cwd=tmp_path, env={"_FEAST_COMPLETE": f"{shell}_source"}).out.rstrip())


def test_another_shell_is_a_usage_error(call: Run, tmp_path: Path) -> None:
    done = call("completion", "tcsh", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.err


def test_bash_itself_completes(served: Path, clean_env: Callable[..., dict[str, str]]) -> None:
    """The script in a real bash, with the words as readline breaks them."""
    bash = shutil.which("bash")
    assert bash
    script = """
eval "$(feast completion bash)"
try() {
    COMP_LINE="$1" COMP_POINT=${#1} COMPREPLY=()
    _feast_completion feast
    printf '%s\\n' "${COMPREPLY[@]}" --
}
try 'feast explain driver_hourly_stats:c'
try 'feast get-online-features -e driver'
try 'feast materialize-'
COMP_WORDBREAKS=${COMP_WORDBREAKS//:}
try 'feast explain driver_hourly_stats:c'
cd /
try 'feast explain driver_hourly_stats:c'
"""
    done = subprocess.run(
        [bash, "--norc", "-c", script],
        cwd=served,
        env=clean_env({"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    replies = [part.split() for part in done.stdout.split("--\n")]
    assert replies == [
        ["conv_rate"],
        ["driver_id="],
        ["materialize-incremental"],
        ["driver_hourly_stats:conv_rate"],
        [],
        [],
    ]
