"""The installed command `feast` in a process of its own, and repositories to run it in."""

import contextlib
import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

Feast = Callable[..., "Finished"]

#: The command of the environment that runs the tests.
FEAST = shutil.which("feast", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))


@dataclass(frozen=True)
class Finished:
    """A command that is over: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What --json printed."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """Lines of standard output."""
        return self.out.splitlines()


def clean_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without what would change what `feast` does or how it looks, this Python's commands first."""
    ours = ("FEAST", "_FEAST", "FEATURE_", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_", "PYTHONWARNINGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return {**kept, **(changes or {})}


def run_feast(*arguments: object, cwd: Path, env: Mapping[str, str] | None = None, stdin: str = "") -> Finished:
    """Run `feast` with these arguments and wait until it is over."""
    assert FEAST, "the project is not installed in this environment: pip install -e ."
    done = subprocess.run(
        [FEAST, *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(env),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def feast() -> Feast:
    """`feast(*arguments, cwd=..., env=..., stdin=...)` runs the installed command."""
    return run_feast


@pytest.fixture(scope="session")
def clean_env() -> Callable[..., dict[str, str]]:
    """`clean_env(changes)`: an environment for a process of one's own."""
    return clean_environment


@pytest.fixture(scope="session")
def shell() -> Feast:
    """`shell(script, cwd=...)` runs a line of a shell in which `feast` is the installed command."""

    def run(script: str, cwd: Path) -> Finished:
        assert FEAST
        environment = clean_environment()
        environment["PATH"] = os.pathsep.join((str(Path(FEAST).parent), environment.get("PATH", "")))
        done = subprocess.run(
            ["sh", "-c", script], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def start() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """`start(*arguments, cwd=..., env=...)` starts `feast` and does not wait; what outlives the test is killed."""
    running: list[subprocess.Popen[str]] = []

    def popen(*arguments: object, cwd: Path, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        assert FEAST
        process = subprocess.Popen(
            [FEAST, *map(str, arguments)],
            cwd=cwd,
            env=clean_environment({"PYTHONUNBUFFERED": "1", **(env or {})}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A test run in the background of a shell ignores Ctrl-C, and so would its children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        running.append(process)
        return process

    yield popen
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def on_terminal() -> Callable[..., tuple[int, str]]:
    """`on_terminal(*arguments, cwd=..., width=80, typed='')` runs it on a terminal: code and drawing."""

    def run(
        *arguments: object, cwd: Path, env: Mapping[str, str] | None = None, width: int = 80, typed: str = ""
    ) -> tuple[int, str]:
        assert FEAST
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        running = subprocess.Popen(
            [FEAST, *map(str, arguments)],
            cwd=cwd,
            env=clean_environment({"TERM": "xterm-256color", **(env or {})}),
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        os.write(master, typed.encode())
        drawn = b""
        with contextlib.suppress(OSError):  # the terminal is gone when the command is
            while part := os.read(master, 65536):
                drawn += part
        os.close(master)
        return running.wait(60), drawn.decode()

    return run


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Feast:
    """The same without a process: quicker, for what does not depend on being one."""
    from feast_cli.main import main

    def run(*arguments: object, cwd: Path, env: Mapping[str, str] | None = None) -> Finished:
        monkeypatch.chdir(cwd)
        for name in set(os.environ) - set(clean_environment()):
            monkeypatch.delenv(name)
        for name, value in (env or {}).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Finished(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver example as `feast init` makes it. Tests must not change it."""
    parent = tmp_path_factory.mktemp("example")
    done = run_feast("init", "driver_repo", cwd=parent)
    assert done.code == 0, done.err
    return parent / "driver_repo"


@pytest.fixture(scope="session")
def served(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver example, applied and materialized as in the documentation. Tests must not change it."""
    repo = tmp_path_factory.mktemp("served") / "driver_repo"
    shutil.copytree(example, repo)
    for arguments in (("apply",), ("materialize-incremental", datetime.now(UTC).isoformat())):
        done = run_feast(*arguments, cwd=repo)
        assert done.code == 0, done.err
    return repo


@pytest.fixture
def fresh(example: Path, tmp_path: Path) -> Path:
    """The driver example, not applied yet, to do anything with."""
    repo = tmp_path / "driver_repo"
    shutil.copytree(example, repo)
    return repo
