"""What an installation takes on disk, by package: `du` of the site-packages of a fresh environment."""

import os
import re
from collections import defaultdict
from pathlib import Path

from .figures import Bench, Figure, Target
from .servers import Environment
from .timing import run

ROOT = Path(__file__).parent.parent
LARGEST_MIB = 280.0
SHOWN = 8  # packages with a line of their own
_SUFFIX = re.compile(r"(-[^-]+\.(dist|egg)-info|\.libs|\.py|\.cpython-[^.]*\.so|\.pth)$")


def measure(bench: Bench) -> list[Figure]:
    """Ours is installed anew, from this checkout; Feast is measured where it is. A quick run installs nothing."""
    found = {side: _packages(each) for side, each in bench.sides.items() if side != "ours" or bench.quick}
    if "ours" in bench.sides and not bench.quick:
        found["ours"] = _packages(_fresh(bench))
    ours, feast = found.get("ours", {}), found.get("feast", {})
    name = "site-packages, of this environment" if bench.quick else "site-packages, fresh"
    whole = Figure(
        "size",
        name,
        "MiB",
        sum(ours.values()) or None,
        sum(feast.values()) or None,
        target=None if bench.quick else Target("ours", LARGEST_MIB),
    )
    largest = sorted(ours, key=lambda package: -ours[package])[:SHOWN]
    parts = [Figure("size", package, "MiB", ours[package], feast.get(package)) for package in largest]
    rest = Figure("size", "the rest", "MiB", sum(size for package, size in ours.items() if package not in largest))
    return [whole, *parts, rest] if ours else [whole]


def _fresh(bench: Bench) -> Environment:
    bench.say("size: installing this checkout into a fresh environment")
    folder = bench.work / "fresh"
    run([str(bench.sides["ours"].python), "-m", "venv", str(folder)], bench.work, bench.work / "venv.log")
    made = Environment(folder / "bin" / "python")
    run([str(made.python), "-m", "pip", "install", "-q", str(ROOT)], bench.work, bench.work / "pip.log")
    return made


def _packages(environment: Environment) -> dict[str, float]:
    """MiB on disk by package, its metadata, libraries and compiled files among them."""
    (packages,) = (environment.python.parent.parent / "lib").glob("python3*/site-packages")
    sizes: dict[str, float] = defaultdict(float)
    counted: set[tuple[int, int]] = set()
    for entry in packages.iterdir():
        name = _SUFFIX.sub("", entry.name).lower().replace("-", "_").lstrip("_")
        files = [entry, *(Path(folder, each) for folder, dirs, names in os.walk(entry) for each in (*dirs, *names))]
        for file in files:
            stat = file.lstat()
            if (stat.st_dev, stat.st_ino) not in counted:
                counted.add((stat.st_dev, stat.st_ino))
                sizes[name] += stat.st_blocks * 512 / 2**20
    return dict(sizes)
