"""The lease of a view: one run at a time, however the run before it ended."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from feast_registry_sql.location import FileLocation
from feast_registry_sql.registry import FileRegistry

from feast_core.errors import Conflict
from feast_core.interfaces import Interval, Lease
from feast_core.leases import HeldLease
from feast_core.processes import Process
from feast_core.testing.registry import HOUR, NOON, PROJECT, a_lease, a_view

DONE = Interval(NOON, NOON + HOUR)


@pytest.fixture
def registry(tmp_path: Path) -> FileRegistry:
    registry = FileRegistry(FileRegistry.Options(path=FileLocation.of_file(tmp_path / "registry.db")))
    registry.apply(PROJECT, [a_view()], [])
    return registry


def test_a_second_run_is_told_who_has_the_view_and_since_when(registry: FileRegistry) -> None:
    with HeldLease(registry, PROJECT, "stats"):
        with pytest.raises(Conflict) as refused, HeldLease(registry, PROJECT, "stats"):
            pass
        with HeldLease(registry, PROJECT, "other"):
            pass
    message = str(refused.value)
    assert message.startswith(
        f"feature view stats is being materialized by another run, process {os.getpid()} on {os.uname().nodename},"
        f" since {datetime.now(UTC):%Y-%m-%d}"
    )
    assert message.endswith("; wait until it has ended")
    with HeldLease(registry, PROJECT, "stats"):
        pass


def test_who_waits_for_another_machine_is_told_until_when(registry: FileRegistry) -> None:
    elsewhere = replace(Process.current(), host="web-1", machine="another")
    registry.take_lease(a_lease(holder=elsewhere), 3600)
    with pytest.raises(Conflict, match=r"on web-1, since .*, or if it was killed, until 20\d\d-.*\+00:00, when its"):
        HeldLease(registry, PROJECT, "stats").__enter__()


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_a_run_gives_its_view_back_however_it_ends(registry: FileRegistry, error: Any) -> None:
    try:
        with HeldLease(registry, PROJECT, "stats") as lease:
            if error:
                raise error
            lease.record(DONE)
    except BaseException as raised:
        assert type(raised) is error  # noqa: PT017  (KeyboardInterrupt would end the tests)
    with HeldLease(registry, PROJECT, "stats"):
        pass


def test_a_run_that_another_one_took_over_from_records_nothing(registry: FileRegistry) -> None:
    """As one does that was suspended: its time is over from the start here, so that nobody has to wait for that."""
    with HeldLease(registry, PROJECT, "stats", seconds=0) as late, HeldLease(registry, PROJECT, "stats") as later:
        with pytest.raises(Conflict, match=r"stood still .* another one took the view over.* not recorded"):
            late.record(Interval(NOON - HOUR, NOON))
        with pytest.raises(Conflict):
            late.check()
        later.check()
        later.record(DONE)
    assert [(found.start, found.end) for found in registry.load(PROJECT).intervals["stats"]] == [(DONE.start, DONE.end)]


def test_a_lease_is_renewed_while_the_run_goes_on(registry: FileRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what the registry answers, not by the clock: a machine may stand still for longer than a short lease."""
    renew = registry.renew_lease
    renewed: queue.SimpleQueue[tuple[float, bool]] = queue.SimpleQueue()

    def renew_and_tell(lease: Lease, seconds: float) -> bool:
        answer = renew(lease, seconds)
        renewed.put((seconds, answer))
        return answer

    monkeypatch.setattr(registry, "renew_lease", renew_and_tell)
    with HeldLease(registry, PROJECT, "stats", seconds=0.3):
        assert [renewed.get(timeout=60) for _ in range(3)] == [(0.3, True)] * 3


def test_a_renewal_after_the_end_does_not_undo_what_is_recorded(
    registry: FileRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for the registry while the window is recorded, and finds the lease ended."""
    record, renew = registry.record_interval, registry.renew_lease
    recorded, refused = threading.Event(), threading.Event()

    def renew_later(lease: Lease, seconds: float) -> bool:
        recorded.wait(60)
        answer = renew(lease, seconds)
        if not answer:
            refused.set()
        return answer

    def record_and_wait(*what: Any) -> bool:
        answer = record(*what)
        recorded.set()
        assert refused.wait(60)
        time.sleep(0.05)  # for the thread that renews to hear of it
        return answer

    monkeypatch.setattr(registry, "renew_lease", renew_later)
    monkeypatch.setattr(registry, "record_interval", record_and_wait)
    with HeldLease(registry, PROJECT, "stats", seconds=0.03) as lease:
        lease.record(DONE)
    assert len(registry.load(PROJECT).intervals["stats"]) == 1


def sleeping() -> "tuple[subprocess.Popen[str], Process]":
    code = (
        "import sys; from feast_core.processes import Process; me = Process.current();"
        " print(me.host, me.pid, me.started, me.machine, sep='\\n', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    host, pid, started, machine = (process.stdout.readline().rstrip("\n") for _ in range(4))
    return process, Process(host, machine, int(pid), int(started))


def test_a_process_is_gone_when_it_was_killed_also_if_nobody_has_asked_how_it_ended() -> None:
    process, seen = sleeping()
    assert seen.is_here
    assert not seen.is_gone
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert seen.is_gone
    process.communicate()
    assert seen.is_gone


def test_another_process_of_the_same_number_is_another_one() -> None:
    me = Process.current()
    assert not me.is_gone
    assert replace(me, started=me.started + 1).is_gone
    assert not replace(me, started=0).is_gone


def test_nobody_can_tell_whether_a_process_of_another_machine_is_gone() -> None:
    elsewhere = replace(Process.current(), machine="another", started=1)
    assert not elsewhere.is_here
    assert not elsewhere.is_gone


def test_a_process_of_another_user_is_there() -> None:
    """Also where it may not be sent signals, or is hidden: process 1 is always there."""
    code = (
        "import os; from dataclasses import replace; from feast_core.processes import Process;"
        " me = Process.current(); os.setuid(65534) if os.getuid() == 0 else None;"
        " print(replace(me, pid=1, started=0).is_gone)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
