"""Times `feast materialize-incremental` as a user meets it: the whole process, into a fresh repository."""

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from .repository import Repository
from .servers import Environment
from .timing import Timed, run, timed


def measure(
    sides: Mapping[str, Environment],
    rounds: Mapping[str, int],
    repository: Repository,
    work: Path,
    say: Callable[[str], None],
) -> tuple[dict[str, list[Timed]], dict[str, Path]]:
    """Time `rounds[side]` runs of each side, in turn: A B, A B, ...; each in a new folder of `work`.

    Returns the runs, and for each side the folder of its last run, ready to be served; earlier folders are removed.
    """
    runs: dict[str, list[Timed]] = {side: [] for side in sides}
    folders: dict[str, Path] = {}
    for number in range(1, max(rounds[side] for side in sides) + 1):
        for side, environment in sides.items():
            if number > rounds[side]:
                continue
            folder = work / f"{side}-{number}"
            repository.write_repo(folder)
            run([environment.feast, "apply"], folder, folder / "apply.log")
            found = materialize(environment, folder)
            runs[side].append(found)
            say(f"{side} materialized in {found.seconds:.2f} s, peak {found.peak_rss_mib:,.0f} MiB")
            if side in folders:
                shutil.rmtree(folders[side])
            folders[side] = folder
    return runs, folders


def materialize(environment: Environment, folder: Path) -> Timed:
    """Run `feast materialize-incremental NOW` in `folder` and time it, process start included."""
    end = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    return timed([environment.feast, "materialize-incremental", end], folder, "materialize")
