"""Plans run from plain Python: in place where nothing waits, else in a loop of the store's own."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from feast_core.driving import Driver


@pytest.fixture
def driver() -> Iterator[Driver]:
    driver = Driver()
    yield driver
    driver.close()


def private_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "feast-driver"]


async def thread_of(turns: int = 0, seconds: float | None = None) -> str:
    for _ in range(turns):
        await asyncio.sleep(0)
    if seconds is not None:
        await asyncio.sleep(seconds)
    return threading.current_thread().name


async def future() -> int:
    """As a client library does."""
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(answer.set_result, 5)
    return await answer


async def within_a_timeout() -> int:
    async with asyncio.timeout(5):
        return await future()


def test_what_never_waits_runs_in_place(driver: Driver) -> None:
    assert driver.run(thread_of) == "MainThread"
    assert driver.run(lambda: thread_of(turns=5)) == "MainThread"
    assert not private_threads()


def test_what_waits_runs_in_the_private_loop(driver: Driver) -> None:
    assert driver.run(lambda: thread_of(seconds=0.001)) == "feast-driver"
    assert driver.run(future) == 5
    assert driver.run(within_a_timeout) == 5
    assert driver.run(thread_of) == "feast-driver"
    assert len(private_threads()) == 1


@pytest.mark.parametrize("wanted", [future, within_a_timeout])
def test_the_first_that_needs_a_loop_gets_one(driver: Driver, wanted: object) -> None:
    assert driver.run(wanted) == 5  # type: ignore[arg-type]


def test_it_works_where_a_loop_is_running_already(driver: Driver) -> None:
    """As in a notebook."""

    async def notebook() -> list[object]:
        return [driver.run(thread_of), driver.run(future), driver.run(within_a_timeout)]

    assert asyncio.run(notebook()) == ["MainThread", 5, 5]


def test_errors_come_out_as_they_are(driver: Driver) -> None:
    async def fail(waiting: bool) -> None:
        if waiting:
            await asyncio.sleep(0.001)
        raise RuntimeError("not about loops")

    for waiting in (False, True):
        with pytest.raises(RuntimeError, match="not about loops"):
            driver.run(lambda waiting=waiting: fail(waiting))  # type: ignore[misc]


def test_many_threads_may_run_at_once(driver: Driver) -> None:
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(driver.run(future))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [5] * 8
    assert len(private_threads()) == 1


def test_closing_leaves_no_thread_and_cancels_what_waits() -> None:
    driver = Driver()
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            driver.run(lambda: thread_of(seconds=60))
        except BaseException as error:
            ended.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not private_threads():
        time.sleep(0.001)
    time.sleep(0.05)
    driver.close()
    waiting.join(5)
    assert len(ended) == 1
    assert not private_threads()
    driver.close()
    assert driver.run(future) == 5, "it may be used again"
    driver.close()
    assert not private_threads()
