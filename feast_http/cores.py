"""How many cores this process may use: what CPU affinity and the quota of its control groups leave."""

import math
import os
from collections.abc import Iterator
from pathlib import Path


def available_cores(root: Path = Path("/")) -> int:
    """At least 1. A quota of one and a half cores counts as two. `root` is where /proc and /sys are found."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([affinity, *(math.ceil(quota) for quota in _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """CPU quotas, in cores, of the groups that this process is in and of the groups around them."""
    try:
        memberships = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in memberships:
        hierarchy, controllers, path = line.split(":", 2)
        if hierarchy == "0":
            for directory in _with_parents(root / "sys/fs/cgroup", path):
                yield from _quota_of_version_2(directory)
        elif "cpu" in controllers.split(","):
            for mount in (controllers, "cpu"):
                for directory in _with_parents(root / "sys/fs/cgroup" / mount, path):
                    yield from _quota_of_version_1(directory)


def _with_parents(mount: Path, path: str) -> Iterator[Path]:
    """The group's directory and those above it. In a container the path may be the host's and the mount is the group's
    own, so the mount itself is always among them."""
    directory = mount / path.strip("/")
    while directory != mount:
        yield directory
        directory = directory.parent
    yield mount


def _quota_of_version_2(directory: Path) -> Iterator[float]:
    try:
        quota, period = (directory / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return
    if quota != "max":
        yield int(quota) / int(period)


def _quota_of_version_1(directory: Path) -> Iterator[float]:
    try:
        quota = int((directory / "cpu.cfs_quota_us").read_text())
        period = int((directory / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return
    if quota > 0 and period > 0:
        yield quota / period
