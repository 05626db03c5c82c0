"""Runs one command to its end, as on a pipe, and says what it took."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .servers import clean_environment, stop

LIMIT_SECONDS = 1_800.0


@dataclass(frozen=True)
class Timed:
    """One run: wall seconds, CPU seconds of the process and its children, and the peak MiB of its largest process."""

    seconds: float
    cpu_seconds: float
    peak_rss_mib: float


def timed(command: Sequence[str], folder: Path, name: str) -> Timed:
    """Run `command` in `folder`, process start included; files there are called by `name`. Raises as `run` does."""
    result = folder / f"{name}.json"
    timer = [sys.executable, "-I", "-S", str(Path(__file__).with_name("timed.py")), str(result)]
    run([*timer, *command], folder, folder / f"{name}.log")
    return Timed(**json.loads(result.read_text()))


def run(command: Sequence[str], cwd: Path, log: Path) -> None:
    """Run `command` to its end. Raises RuntimeError with the end of its output when it fails."""
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
        code = process.wait(LIMIT_SECONDS)
    finally:
        stop(process)
    if code != 0:
        raise RuntimeError(f"{' '.join(command)} exited with {code}:\n{log.read_text(errors='replace')[-2_000:]}")
