"""Drives one server with wrk and says how it did; first checks that the server's answers are the right ones."""

import json
import math
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .repository import Repository, read_answer
from .servers import Server, cpu_between

CONNECTIONS = 4
SAMPLES = 5  # bodies whose answers are compared, value by value
TIMEOUT_SECONDS = 120  # wrk's own default of 2 would count Feast's slow answers as errors


@dataclass(frozen=True)
class Load:
    """One run of wrk. CPU is that of the server's processes; None when one was replaced meanwhile."""

    requests: int
    seconds: float
    per_second: float
    p50_ms: float
    p99_ms: float
    bytes_per_second: float
    cpu_us_per_request: float | None


def find_wrk() -> str:
    """The wrk command. Raises FileNotFoundError when there is none."""
    path = shutil.which("wrk")
    if path is None:
        raise FileNotFoundError("wrk is not installed; on Debian and Ubuntu: apt-get install wrk")
    return path


def drive(server: Server, bodies: Path, seconds: int, alone: bool = True) -> Load:
    """Load `server` for `seconds` with the bodies in a file, one a line, in turn: 1 thread, 4 connections.

    Raises RuntimeError on any answer that is not 2xx and on any socket error: such a figure would mean nothing.
    Begins when the server is idle, and returns when it is again; unless this client is not `alone`.
    """
    options = ["--threads", "1", "--connections", str(CONNECTIONS), "--timeout", f"{TIMEOUT_SECONDS}s"]
    script = str(Path(__file__).with_name("post.lua"))
    if alone:
        server.wait_until_idle()
    cpu_before = server.cpu_seconds()
    finished = subprocess.run(
        [find_wrk(), *options, "--duration", f"{seconds}s", "--script", script, server.url, "--", str(bodies)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + TIMEOUT_SECONDS,
    )
    cpu = cpu_between(cpu_before, server.cpu_seconds(), default=math.nan)
    line = next((line for line in finished.stdout.splitlines() if line.startswith("result ")), None)
    if finished.returncode != 0 or line is None:
        raise RuntimeError(f"wrk failed against {server.name}: {finished.stdout}{finished.stderr}{server.last_words()}")
    result = json.loads(line.removeprefix("result "))
    errors = {kind: count for kind, count in result["errors"].items() if count}
    if errors or not result["requests"]:
        raise RuntimeError(f"{server.name}: {result['requests']} answers, errors {errors}{server.last_words()}")
    if alone:
        server.wait_until_idle()
    requests, elapsed = result["requests"], result["seconds"]
    return Load(
        requests=requests,
        seconds=elapsed,
        per_second=requests / elapsed,
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        bytes_per_second=result["bytes"] / elapsed,
        cpu_us_per_request=None if math.isnan(cpu) else cpu / requests * 1e6,
    )


def check(server: Server, layout: str, repository: Repository, bodies: Sequence[str]) -> tuple[bytes, float]:
    """Compare what `server` answers to a few bodies with the data: names, values, statuses, event times, no tolerance.

    Every server is compared with the same expectation, so servers that pass agree with each other.
    Returns the first answer and the least time that one took, in seconds. Raises RuntimeError at the first difference.
    """
    step = max(1, len(bodies) // SAMPLES)
    answers, times = [], []
    for body in bodies[::step][:SAMPLES]:
        start = time.perf_counter()
        content = server.post(body)
        times.append(time.perf_counter() - start)
        answers.append(content)
        expected, got = repository.expected(body), read_answer(content, layout)
        if expected.keys() != got.keys():
            raise RuntimeError(f"{server.name} answers other names: {sorted(expected.keys() ^ got.keys())}")
        for name, cells in expected.items():
            if len(cells) != len(got[name]):
                raise RuntimeError(f"{server.name} answers {len(got[name])} of {len(cells)} rows for {name}: {body}")
            for row, (right, found) in enumerate(zip(cells, got[name], strict=True)):
                if right != found:
                    raise RuntimeError(f"{server.name} answers {found}, not {right}: {name}, row {row} of {body}")
    return answers[0], min(times)
