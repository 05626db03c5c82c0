"""The access log writes one line for each request, in batches, and survives a reader that has gone."""

import asyncio
import os
import re

from feast_http.access_log import AccessLog


def test_a_line_has_time_client_request_status_size_and_duration() -> None:
    reading, writing = os.pipe()

    async def run() -> None:
        log = AccessLog(writing)
        log.write("127.0.0.1:1", "GET", "/health", 200, 0, 0.00123)
        log.write("127.0.0.1:2", "POST", "/a\x1b[31m\n", 404, 12, 1.0)
        await asyncio.sleep(0.2)

    asyncio.run(run())
    os.close(writing)
    with os.fdopen(reading) as stream:
        first, second = stream.read().splitlines()
    assert re.fullmatch(r'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d 127\.0\.0\.1:1 "GET /health" 200 0 bytes 1\.2 ms', first)
    assert r'"POST /a\x1b[31m\n" 404 12 bytes 1000.0 ms' in second


def test_nothing_is_written_for_each_line_alone() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    async def run() -> None:
        log = AccessLog(writing)
        log.write("c", "GET", "/", 200, 0, 0)
        try:
            os.read(reading, 1)
            raise AssertionError("it was written at once")
        except BlockingIOError:
            pass
        log.flush()
        assert os.read(reading, 1000).count(b"\n") == 1

    asyncio.run(run())
    os.close(writing)
    os.close(reading)


def test_a_reader_that_has_gone_costs_lines_only() -> None:
    reading, writing = os.pipe()
    os.close(reading)

    async def run() -> None:
        log = AccessLog(writing)
        log.write("c", "GET", "/", 200, 0, 0)
        log.flush()

    asyncio.run(run())
    os.close(writing)
