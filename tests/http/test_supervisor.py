"""The parent keeps workers alive, whatever they do. The workers here are small scripts that do one thing each."""

import asyncio
import itertools
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from feast_core.errors import ConfigurationError, FeastError, InvalidInput
from feast_http.control import RunEnded, Start
from feast_http.runner_process import RunnerProcesses
from feast_http.settings import ServeSettings
from feast_http.supervisor import Supervisor, open_listener

HEAD = """
import json, os, pathlib, signal, socket, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
control = socket.socket(fileno=int(sys.argv[2]))
lines = control.makefile("r")
start = json.loads(lines.readline())
here = pathlib.Path(start["settings"]["repo_path"])
log = (here / "log").open("a", buffering=1)
birth = len(list(here.glob("born-*")))
(here / f"born-{os.getpid()}").touch()
def say(**message): control.sendall(json.dumps(message).encode() + b"\\n")
def wait_for_drain():
    line = lines.readline()
    print(os.getpid(), "drained" if line else "orphaned", file=log)
    sys.exit(0)
"""
GOOD = HEAD + "say(type='ready'); wait_for_drain()"

Story = Callable[[Supervisor], Awaitable[None]]


class Run:
    """One run of a supervisor in a directory: exit code, whether it served, who has exited, what workers wrote."""

    def __init__(
        self, directory: Path, script: str, story: Story, workers: int = 1, drain_seconds: float = 5.0
    ) -> None:
        self.directory = directory
        self.served = 0
        self.exited: list[tuple[int, int]] = []
        (directory / "worker.py").write_text(script)
        self.code = asyncio.run(self._run(story, workers, drain_seconds))

    async def _run(self, story: Story, workers: int, drain_seconds: float) -> int:
        with open_listener("127.0.0.1", 0) as listener:
            settings = ServeSettings(repo_path=str(self.directory), workers=workers)
            supervisor = Supervisor(
                listener,
                Start(settings, drain_seconds),
                lambda pid, code: self.exited.append((pid, code)),
                (sys.executable, str(self.directory / "worker.py")),
            )
            telling = asyncio.create_task(self._tell(story, supervisor))
            try:
                return await supervisor.run(self._serving)
            finally:
                telling.cancel()

    async def _tell(self, story: Story, supervisor: Supervisor) -> None:
        await story(supervisor)
        os.kill(os.getpid(), signal.SIGTERM)

    def _serving(self) -> None:
        self.served += 1

    @property
    def log(self) -> list[str]:
        return read_log(self.directory)


def read_log(directory: Path) -> list[str]:
    """Lines that workers wrote so far."""
    path = directory / "log"
    return path.read_text().splitlines() if path.exists() else []


def born(directory: Path) -> list[int]:
    """Process ids of all workers there ever were, oldest first."""
    files = sorted(directory.glob("born-*"), key=lambda path: path.stat().st_mtime_ns)
    return [int(path.name[5:]) for path in files]


def until(condition: Callable[[], object]) -> Story:
    async def wait(_: Supervisor) -> None:
        deadline = time.monotonic() + 60
        while not condition() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    return wait


def test_workers_start_and_are_drained_at_the_end(tmp_path: Path) -> None:
    run = Run(tmp_path, GOOD, until(lambda: len(born(tmp_path)) == 3), workers=3)
    assert run.code == 0
    assert run.served == 1
    assert sorted(pid for pid, _ in run.exited) == sorted(born(tmp_path))
    # One that is not ready yet when the end comes has nothing to finish, and is killed.
    assert {code for _, code in run.exited} <= {0, -signal.SIGKILL}


def test_the_error_of_the_first_worker_is_raised_as_itself(tmp_path: Path) -> None:
    script = HEAD + "say(type='failed', error='ConfigurationError', message='line 7 is wrong'); sys.exit(1)"
    with pytest.raises(ConfigurationError, match="line 7 is wrong"):
        Run(tmp_path, script, until(lambda: False))
    assert len(born(tmp_path)) == 1


def test_an_error_keeps_its_exit_code(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as raised:
        Run(tmp_path, HEAD + "say(type='failed', error='InvalidInput', message='x')", until(lambda: False))
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(("ending", "words"), [("sys.exit(3)", "status 3"), ("os.kill(os.getpid(), 9)", "SIGKILL")])
def test_a_first_worker_that_just_ends_is_an_error(tmp_path: Path, ending: str, words: str) -> None:
    with pytest.raises(FeastError, match=f"a worker ended with {words} before it was ready"):
        Run(tmp_path, HEAD + ending, until(lambda: False))
    assert len(born(tmp_path)) == 1


def test_a_worker_that_asks_is_replaced_before_it_goes(tmp_path: Path) -> None:
    # Each notes, when it goes, which one it is and how many were started by then.
    script = (
        HEAD
        + "say(type='ready')\n"
        + "if birth < 2: say(type='replace-me')\n"
        + "lines.readline()\n"
        + "print(birth, 'of', len(list(here.glob('born-*'))), file=log)"
    )
    run = Run(tmp_path, script, until(lambda: len(read_log(tmp_path)) == 2))
    assert run.code == 0
    assert sorted(run.exited) == sorted((pid, 0) for pid in born(tmp_path))
    goings = [(int(line.split()[0]), int(line.split()[-1])) for line in sorted(run.log)]
    assert [birth for birth, _ in goings] == [0, 1, 2]
    assert goings[0][1] >= 2
    assert goings[1][1] == 3


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    script = HEAD + "say(type='ready')\nif birth < 1: os.kill(os.getpid(), 9)\nwait_for_drain()"
    run = Run(tmp_path, script, until(lambda: len(born(tmp_path)) == 2))
    assert run.code == 0
    assert run.exited[0] == (born(tmp_path)[0], -signal.SIGKILL)


def test_workers_that_die_at_once_are_replaced_more_and_more_slowly(tmp_path: Path) -> None:
    births: list[float] = []

    async def watch(_: Supervisor) -> None:
        while len(births) < 4:
            births.extend([time.monotonic()] * (len(born(tmp_path)) - len(births)))
            await asyncio.sleep(0.01)

    run = Run(tmp_path, HEAD + "say(type='ready'); sys.exit(1)", watch)
    assert run.code == 0
    gaps = [later - earlier for earlier, later in itertools.pairwise(births)]
    assert gaps[0] < gaps[-1]
    assert gaps[-1] > 0.7  # 0.2, 0.4, 0.8
    assert len(born(tmp_path)) == 4


def test_a_later_worker_that_fails_is_tried_again_while_the_others_serve(tmp_path: Path) -> None:
    script = HEAD + (
        "if birth in (1, 2): say(type='failed', error='RegistryError', message='gone'); sys.exit(1)\n"
        "say(type='ready'); wait_for_drain()"
    )
    run = Run(tmp_path, script, until(lambda: len(born(tmp_path)) == 4), workers=2)
    assert run.code == 0
    assert [code for _, code in run.exited[:2]] == [1, 1]
    assert run.log.count(f"{born(tmp_path)[0]} drained") == 1


def test_a_plugin_that_fails_when_a_worker_ends_does_not_end_the_server(tmp_path: Path) -> None:
    class Broken(Run):
        @property
        def exited(self) -> list[tuple[int, int]]:
            raise ValueError("broken plugin")

        @exited.setter
        def exited(self, value: list[tuple[int, int]]) -> None:
            pass

    script = HEAD + "say(type='ready')\nif birth < 1: sys.exit(1)\nwait_for_drain()"
    assert Broken(tmp_path, script, until(lambda: len(born(tmp_path)) == 2)).code == 0


def test_what_a_worker_leaves_behind_does_not_hide_that_it_is_gone(tmp_path: Path) -> None:
    # A process of the worker's that keeps its end of the socket open.
    script = HEAD + (
        "say(type='ready')\n"
        "if birth < 1:\n"
        "    if os.fork() == 0: time.sleep(5); os._exit(0)\n"
        "    os._exit(1)\n"
        "wait_for_drain()"
    )
    before = time.monotonic()
    assert Run(tmp_path, script, until(lambda: len(born(tmp_path)) == 2)).code == 0
    assert time.monotonic() - before < 5


def test_a_worker_that_does_not_end_is_killed_after_the_time_to_finish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feast_http.supervisor._GRACE_SECONDS", 0.2)
    run = Run(tmp_path, HEAD + "say(type='ready'); time.sleep(60)", until(lambda: born(tmp_path)), drain_seconds=0.2)
    assert run.code == 0
    assert [code for _, code in run.exited] == [-signal.SIGKILL]


async def _started(directory: Path) -> None:
    while not born(directory):
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_before_it_serves_ends_it(tmp_path: Path, number: int, code: int) -> None:
    async def interrupt(_: Supervisor) -> None:
        await _started(tmp_path)
        os.kill(os.getpid(), number)
        await asyncio.sleep(60)

    run = Run(tmp_path, HEAD + "time.sleep(60)", interrupt)
    assert (run.code, run.served) == (code, 0)
    assert [code for _, code in run.exited] == [-signal.SIGKILL]


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async def interrupt_twice(_: Supervisor) -> None:
        await _started(tmp_path)
        await asyncio.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)

    before = time.monotonic()
    run = Run(tmp_path, HEAD + "say(type='ready'); time.sleep(60)", interrupt_twice, drain_seconds=30)
    assert run.code == 130
    assert time.monotonic() - before < 5


def test_a_run_that_is_asked_for_while_the_server_ends_is_not_begun() -> None:
    ended: list[RunEnded] = []

    async def story() -> int:
        start = Start(ServeSettings(repo_path=""), drain_seconds=1.0)
        runners = RunnerProcesses(start, ended.append, [sys.executable, "-c", "pass"])
        runners.hang_up()
        runners.add("late")
        return len(runners.gone())

    assert asyncio.run(story()) == 0
    assert ended == [RunEnded("late", None)]


def test_an_address_that_cannot_be_used_is_said_clearly() -> None:
    with open_listener("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1 port {port}: another process does"):
            open_listener("127.0.0.1", port)
    with pytest.raises(ConfigurationError, match=r"cannot listen on no\.such\.host\.invalid port 0: "):
        open_listener("no.such.host.invalid", 0)
    with pytest.raises(
        ConfigurationError, match=r"cannot listen on 192\.0\.2\.1 port 0: Cannot assign requested address"
    ):
        open_listener("192.0.2.1", 0)
