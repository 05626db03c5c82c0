"""The options of `feast serve` are checked before anything starts."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from feast_core.config import parse_config
from feast_http.command import _announce, serve
from feast_http.cores import available_cores
from feast_http.settings import ServeSettings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-t", "grpc"], "this server only speaks http, got 'grpc'"),
        (["-w", "0"], "expected a number above 0, or -1 for 2 x cores + 1, got 0"),
        (["-w", "-2"], "expected a number above 0, or -1 for 2 x cores + 1, got -2"),
        (["-p", "70000"], "70000 is not in the range"),
        (["--worker-connections", "0"], "0 is not in the range"),
        (["--keep-alive-timeout", "-1"], "-1 is not in the range"),
        (["--response-format", "table"], "'table' is not one of 'rows', 'columns'"),
    ],
)
def test_a_wrong_option_is_a_usage_error(options: list[str], message: str) -> None:
    done = CliRunner().invoke(serve, options)
    assert done.exit_code == 2
    assert message in done.output


def test_the_documented_options_are_there() -> None:
    names = {name for parameter in serve.params for name in parameter.opts}
    assert names >= {
        *("-h", "--host", "-p", "--port", "-t", "--type", "--no-access-log", "-w", "--workers"),
        *("--worker-connections", "--keep-alive-timeout", "-r", "--registry_ttl_sec", "--response-format"),
    }


def test_minus_one_workers_are_twice_the_cores_and_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = []
    monkeypatch.setattr("feast_http.command._serve", lambda config, settings: started.append(settings))
    monkeypatch.setattr("feast_http.command.asyncio.run", lambda served: 0)
    (tmp_path / "feature_store.yaml").write_text("project: p\nregistry: r.db\n")
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(serve, ["-w", "-1"]).exit_code == 0
    assert started[0].workers == 2 * available_cores() + 1


@pytest.mark.parametrize(("address", "noted"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True), ("::", True)])
def test_an_open_door_is_noted(address: str, noted: bool, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    class Listener:
        def getsockname(self) -> tuple[str, int]:
            return address, 6566

    config = parse_config("project: p\nregistry: r.db\n", tmp_path)
    listener: Any = Listener()
    _announce(config, ServeSettings(repo_path=".", host=address, workers=3), listener)
    printed = capsys.readouterr()
    host = f"[{address}]" if ":" in address else address
    assert printed.out == f"serving p on http://{host}:6566 with 3 workers, pid {os.getpid()}\n"
    assert ("other machines can reach this server" in printed.err) is noted


def test_the_parent_imports_neither_the_server_nor_the_stores() -> None:
    program = (
        "import sys; import feast_http.command;"
        "print(sorted({'sanic', 'uvloop', 'sqlalchemy', 'duckdb', 'pandas', 'numpy', 'orjson', 'feast_core.store'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_plugin_of_this_package_that_is_only_listed_imports_nothing_of_it() -> None:
    program = (
        "import sys, feast_http; assert [command.name for command in feast_http.feast_commands()] == ['serve'];"
        "print([name for name in sys.modules if name.startswith('feast_http.') or name in ('click', 'asyncio')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
