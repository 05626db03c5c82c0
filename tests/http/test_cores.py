"""Cores are what CPU affinity and the quotas of control groups leave."""

import os
from pathlib import Path

import pytest

from feast_http.cores import available_cores


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file system of a machine with 16 cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    return tmp_path


def test_without_control_groups_it_is_the_affinity(root: Path) -> None:
    assert available_cores(root) == 16


def test_version_2_in_a_container(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/\n")
    write(root, "sys/fs/cgroup/cpu.max", "150000 100000\n")
    assert available_cores(root) == 2


def test_version_2_without_a_quota(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/user.slice/a.service\n")
    write(root, "sys/fs/cgroup/user.slice/a.service/cpu.max", "max 100000\n")
    assert available_cores(root) == 16


def test_version_2_takes_the_tightest_of_the_groups_around(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/pod/container\n")
    write(root, "sys/fs/cgroup/pod/container/cpu.max", "max 100000\n")
    write(root, "sys/fs/cgroup/pod/cpu.max", "400000 100000\n")
    assert available_cores(root) == 4


def test_version_1(root: Path) -> None:
    write(root, "proc/self/cgroup", "5:memory:/m\n4:cpu,cpuacct:/docker/abc\n0::/\n")
    write(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000\n")
    write(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    assert available_cores(root) == 3


def test_version_1_without_a_quota(root: Path) -> None:
    write(root, "proc/self/cgroup", "4:cpu:/\n")
    write(root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    write(root, "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert available_cores(root) == 16


def test_a_sliver_of_a_core_is_one(root: Path) -> None:
    write(root, "proc/self/cgroup", "0::/\n")
    write(root, "sys/fs/cgroup/cpu.max", "10000 100000\n")
    assert available_cores(root) == 1
