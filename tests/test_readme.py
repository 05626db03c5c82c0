"""The README's commands and code run as they stand."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = [
    [line.removeprefix("$ ") for line in block.splitlines() if line.startswith("$ ")]
    for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
]
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
RUN, TEST, TOUR, SERVE, ASK = CONSOLE
PORT = "6566"


def environment() -> dict[str, str]:
    """This Python's commands first."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def wait_for(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def free_port() -> str:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


@pytest.fixture(scope="module")
def toured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder after the tour's commands, run by one shell as a reader would."""
    folder = tmp_path_factory.mktemp("tour")
    script = "set -e\n" + "\n".join(TOUR)
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "conv_rate" in done.stdout
    return folder / "feature_repo"


@pytest.fixture(scope="module")
def served(toured: Path) -> Iterator[str]:
    """A free port at which `feast serve` answers."""
    port = free_port()
    server = subprocess.Popen([*SERVE[0].split(), "-p", port], cwd=toured, env=environment(), start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/health")
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=20) == 0


def test_the_two_commands_install_and_demonstrate_and_test() -> None:
    assert RUN == ["pip install . && feast demo"]
    assert TEST == ["pip install nox && nox -s tests"]


@pytest.mark.parametrize("command", ASK)
def test_every_request_of_the_tour_is_answered_with_values(command: str, served: str) -> None:
    assert PORT in command
    if shutil.which("curl") is None:
        pytest.fail("curl is needed to run the README's requests")
    local = command.replace(f"localhost:{PORT}", f"127.0.0.1:{served}")
    done = subprocess.run(["bash", "-c", local], env=environment(), capture_output=True, text=True)
    assert '"metadata"' in done.stdout, done.stdout + done.stderr
    assert '"PRESENT"' in done.stdout
    assert "NOT_FOUND" not in done.stdout


def test_the_python_example_prints_a_frame(toured: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PYTHON[0]], cwd=toured, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "conv_rate" in done.stdout


def test_the_plugin_example_is_a_plugin(toured: Path, tmp_path: Path) -> None:
    repository = tmp_path / "with_plugin"
    shutil.copytree(toured, repository)
    (repository / "feast_plugins.py").write_text(PYTHON[1], encoding="utf-8")
    done = subprocess.run(
        ["feast", "feature-views", "list"], cwd=repository, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "driver_hourly_stats" in done.stdout
