"""Starts the servers that are measured, each in a process group of its own, and always ends them."""

import contextlib
import http.client
import math
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PATH = "/get-online-features"
START_SECONDS = 90.0  # Feast takes about 8 on a quiet machine
STOP_SECONDS = 10.0
IDLE_SECONDS = 60.0

# Settings of the shell that starts the benchmark must not reach what is measured.
FOREIGN = ("FEAST_", "FEATURE_", "PROMETHEUS_", "GUNICORN_", "UVICORN_", "SANIC_", "WEB_CONCURRENCY", "PYTHON")


@dataclass(frozen=True)
class Environment:
    """A virtual environment, given by its interpreter."""

    python: Path

    @property
    def feast(self) -> str:
        """The `feast` command beside the interpreter. Raises FileNotFoundError when it is not installed."""
        script = self.python.parent / "feast"
        if not script.exists():
            raise FileNotFoundError(f"no feast command beside {self.python}")
        return str(script)


def clean_environment() -> dict[str, str]:
    """This process's environment variables without those that change a server or a Python."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


@dataclass(frozen=True)
class Server:
    """A running server: its name in reports, its loopback port, its process group, what it wrote to its log."""

    name: str
    port: int
    group: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    def post(self, body: str, timeout: float = 120.0) -> bytes:
        """One request on a connection of its own; `timeout` in seconds. Raises RuntimeError unless answered 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            connection.request("POST", PATH, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{self.name} answered {response.status}: {content[:500]!r}{self.last_words()}")
        return content

    def status(self, path: str) -> int:
        """The status of a GET. Raises OSError, HTTPException where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10.0)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().status

    def raise_if_ended(self) -> None:
        """Raises RuntimeError when the process that was started has ended; it is left to be reaped."""
        if os.waitid(os.P_PID, self.group, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            raise RuntimeError(f"{self.name} ended before it answered:{self.last_words()}")

    def cpu_seconds(self) -> dict[int, float]:
        """CPU seconds (user and system) used so far, by process id, of the processes of the group that are alive."""
        seconds = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # The name, in parentheses, may hold spaces; after it come state, parent, group, ... user and system.
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self.group:
                    ticks = int(fields[11]) + int(fields[12])
                    seconds[int(stat.parent.name)] = ticks / os.sysconf("SC_CLK_TCK")
        return seconds

    def wait_until_idle(self) -> None:
        """Return when the server has stopped working: Feast carries on with requests whose client has gone.

        Raises RuntimeError when it has not after a minute.
        """
        deadline = time.monotonic() + IDLE_SECONDS
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(0.3)
            after = self.cpu_seconds()
            if cpu_between(before, after, default=math.inf) <= 0.02:
                return
            before = after
        raise RuntimeError(f"{self.name} is still busy {IDLE_SECONDS:.0f} s after its last request")

    def last_words(self) -> str:
        """The end of its log, for an error message."""
        return "\n" + self.log.read_text(errors="replace")[-2_000:]


def cpu_between(before: dict[int, float], after: dict[int, float], default: float) -> float:
    """CPU seconds between two readings; `default` when a process ended or began between them."""
    return sum(after.values()) - sum(before.values()) if before.keys() == after.keys() else default


@contextlib.contextmanager
def running(name: str, command: Sequence[str], port: int, cwd: Path, log: Path, probe: str) -> Iterator[Server]:
    """Run `command` until the block ends; the block begins when the server answers the body `probe` with 200.

    Raises RuntimeError with the end of its log when the process ends or does not answer in time.
    """
    with launched(name, command, port, cwd, log) as server:
        _wait_until_ready(server, probe)
        yield server


@contextlib.contextmanager
def launched(name: str, command: Sequence[str], port: int, cwd: Path, log: Path) -> Iterator[Server]:
    """Run `command` until the block ends, which begins at once."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Server(name, port, process.pid, log)
    finally:
        stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process that leads its own group, and the whole group with it: politely, then for good."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    # WNOWAIT leaves the leader unreaped, so that its number cannot be another group's when the rest is killed.
    while time.monotonic() < deadline:
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            break
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _wait_until_ready(server: Server, probe: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        server.raise_if_ended()
        with contextlib.suppress(OSError, http.client.HTTPException):
            server.post(probe, timeout=10.0)
            return
        time.sleep(0.1)
    raise RuntimeError(f"{server.name} did not answer within {START_SECONDS:.0f} s:{server.last_words()}")


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def serve_command(environment: Environment, port: int, *more: str) -> list[str]:
    """`feast serve` with one worker and no access log, everything else as it comes."""
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--workers", "1"]
    return [environment.feast, "serve", *options, *more]


def bare_command(environment: Environment, port: int, answer: Path) -> list[str]:
    """The bare handler, answering the bytes of the file `answer`."""
    return [str(environment.python), str(Path(__file__).with_name("bare.py")), str(port), str(answer)]
