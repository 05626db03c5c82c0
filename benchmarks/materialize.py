"""Times `feast materialize-incremental` as a user meets it: the whole process, into a fresh repository."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .repository import Repository
from .servers import Environment, clean_environment, stop

LIMIT_SECONDS = 900.0


@dataclass(frozen=True)
class Materialization:
    """One run: wall seconds, CPU seconds of the process and its children, and the peak MiB of its largest process."""

    seconds: float
    cpu_seconds: float
    peak_rss_mib: float


def measure(
    sides: Mapping[str, Environment],
    rounds: Mapping[str, int],
    repository: Repository,
    work: Path,
    say: Callable[[str], None],
) -> tuple[dict[str, list[Materialization]], dict[str, Path]]:
    """Time `rounds[side]` runs of each side, in turn: A B, A B, ...; each in a new folder of `work`.

    Returns the runs, and for each side the folder of its last run, ready to be served; earlier folders are removed.
    """
    runs: dict[str, list[Materialization]] = {side: [] for side in sides}
    folders: dict[str, Path] = {}
    for number in range(1, max(rounds[side] for side in sides) + 1):
        for side, environment in sides.items():
            if number > rounds[side]:
                continue
            folder = work / f"{side}-{number}"
            apply(environment, repository, folder)
            found = materialize(environment, folder)
            runs[side].append(found)
            say(f"{side} materialized in {found.seconds:.2f} s, peak {found.peak_rss_mib:,.0f} MiB")
            if side in folders:
                shutil.rmtree(folders[side])
            folders[side] = folder
    return runs, folders


def apply(environment: Environment, repository: Repository, folder: Path) -> None:
    """Write the repository in a new `folder` and run `feast apply` there, untimed."""
    repository.write_repo(folder)
    _run([environment.feast, "apply"], folder, folder / "apply.log")


def materialize(environment: Environment, folder: Path) -> Materialization:
    """Run `feast materialize-incremental NOW` in `folder` and time it, process start included."""
    end = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    result = folder / "timed.json"
    timer = [sys.executable, "-I", "-S", str(Path(__file__).with_name("timed.py")), str(result)]
    _run([*timer, environment.feast, "materialize-incremental", end], folder, folder / "materialize.log")
    return Materialization(**json.loads(result.read_text()))


def _run(command: Sequence[str], cwd: Path, log: Path) -> None:
    """Run `command` to its end, as on a pipe. Raises RuntimeError with the end of its output when it fails."""
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
