"""What the server answers to who wants rows materialized: POST /materialize, POST /materialize-incremental, and
GET /materialize/jobs/{id}.

None of it is done by a worker: it keeps a run in the registry, asks its parent for a process, and waits or does not.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from time import perf_counter
from typing import Any

import orjson
from sanic import HTTPResponse, Request
from sanic.http import Http

from feast_core.errors import InvalidInput, NotSupported
from feast_core.frames import first_of
from feast_core.interfaces import Authenticator, Observer, Run, RunView
from feast_core.runs import RunRequest
from feast_core.security import ANYONE
from feast_core.store import FeatureStore
from feast_core.timestamps import parse_timestamp
from feast_http.handlers import Handler, report
from feast_http.problems import RunFailed
from feast_http.runs import Runs
from feast_http.wire import incremental_body, materialize_body, query_flag

MATERIALIZE = "/materialize"
INCREMENTAL = "/materialize-incremental"
JOBS = "/materialize/jobs"


class Materializing:
    """The handlers of one worker."""

    def __init__(self, store: FeatureStore, runs: Runs, authenticate: Authenticator | None) -> None:
        self._store = store
        self._runs = runs
        self._authenticate = authenticate

    def window(self) -> Handler:
        """POST /materialize."""
        return self._handler(MATERIALIZE[1:], _window)

    def incremental(self) -> Handler:
        """POST /materialize-incremental."""
        return self._handler(INCREMENTAL[1:], _incremental)

    def job(self) -> Handler:
        """GET /materialize/jobs/{id}."""

        async def answer(request: Request, id: str) -> HTTPResponse:
            if self._authenticate is not None:
                await self._authenticate(request.headers)
            return _json(_as_job(await self._runs.find(id)))

        return answer

    def _handler(self, operation: str, asked: Callable[[bytes], RunRequest]) -> Handler:
        observers: Sequence[Observer] = self._store.observers(operation, {})

        async def answer(request: Request) -> HTTPResponse:
            started = perf_counter()
            user, rows = ANYONE, 0
            try:
                if self._authenticate is not None:
                    user = await self._authenticate(request.headers)
                query = request.get_args(keep_blank_values=True)
                later, force = (query_flag(query.get(name), f"query.{name}") for name in ("async", "force"))
                wanted = asked(request.body)
                with _unlimited(request):
                    run = await self._runs.start(wanted, user, force)
                    if later:
                        return _accepted(run)
                    run = await self._runs.wait(run)
                rows = sum(view.rows for view in run.views)
                return _done(run)
            finally:
                if observers:
                    report(observers, operation, started, user, request, rows)

        return answer


def _window(body: bytes) -> RunRequest:
    """Raises InvalidInput with all problems, NotSupported."""
    sent = materialize_body(body)
    problems: list[tuple[str, str]] = []
    times = {"start_ts": sent.start_ts, "end_ts": sent.end_ts}
    if sent.disable_event_timestamp:
        unwanted = "disable_event_timestamp takes all there is; leave it out"
        problems += [(name, unwanted) for name, text in times.items() if text is not None]
        start = end = None
    else:
        needed = "is needed, or disable_event_timestamp"
        problems += [(name, needed) for name, text in times.items() if text is None]
        start, end = (_time(text, name, problems) for name, text in times.items())
        if start and end and start > end:
            problems.append(("start_ts", f"{sent.start_ts} is after end_ts, {sent.end_ts}"))
    return _request(problems, sent.feature_views, sent.version, start, end, sent.disable_event_timestamp)


def _incremental(body: bytes) -> RunRequest:
    """Raises InvalidInput, NotSupported."""
    sent = incremental_body(body)
    problems: list[tuple[str, str]] = []
    end = _time(sent.end_ts, "end_ts", problems)
    return _request(problems, sent.feature_views, sent.version, None, end, False)


def _request(
    problems: list[tuple[str, str]],
    views: list[str] | None,
    version: str | None,
    start: datetime | None,
    end: datetime | None,
    ignore_event_time: bool,
) -> RunRequest:
    if problems:
        raise InvalidInput(first_of(problems), problems)
    if version is not None:
        raise NotSupported("version: versions of feature views are not kept here; leave it out")
    return RunRequest(None if views is None else tuple(views), start, end, ignore_event_time)


def _time(text: str | None, name: str, problems: list[tuple[str, str]]) -> datetime | None:
    try:
        return None if text is None else parse_timestamp(text)
    except InvalidInput as error:
        problems.append((name, str(error)))
        return None


@contextmanager
def _unlimited(request: Request) -> Iterator[None]:
    """Sanic gives up an answer after a minute."""
    assert isinstance(request.stream, Http)
    connection = request.stream.protocol
    seconds, connection.response_timeout = connection.response_timeout, math.inf
    try:
        yield
    finally:
        connection.response_timeout = seconds


def _accepted(run: Run) -> HTTPResponse:
    body = {"status": "accepted", "job": run.id, "feature_views": [view.name for view in run.views]}
    return _json(body, 202, {"Location": f"{JOBS}/{run.id}"})


def _done(run: Run) -> HTTPResponse:
    """Raises RunFailed."""
    if run.state == "succeeded":
        return _json({"feature_views": [_as_plain(view) for view in run.views]})
    failed = [view for view in run.views if view.error is not None or view.seconds is None]
    reasons = [f"{view.name}: {view.error}" for view in failed if view.error is not None]
    raise RunFailed(
        f"{len(failed)} of {len(run.views)} feature views could not be materialized:"
        f" {'; '.join([*reasons, *filter(None, [run.error])])}; the server's log has more under {run.id}",
        [view.name for view in failed],
    )


def _as_job(run: Run) -> dict[str, Any]:
    return {
        "job": run.id,
        "state": run.state,
        "error": run.error,
        "created": run.created,
        "started": run.started,
        "ended": run.ended,
        "feature_views": [{**_as_plain(view), "error": view.error} for view in run.views],
    }


def _as_plain(view: RunView) -> dict[str, Any]:
    return {
        "name": view.name,
        "rows": view.rows,
        "superseded": view.superseded,
        "start": view.start,
        "end": view.end,
        "seconds": None if view.seconds is None else round(view.seconds, 6),
    }


def _json(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> HTTPResponse:
    """JSON with times such as 2026-11-22T10:30:00Z."""
    return HTTPResponse(orjson.dumps(body, option=orjson.OPT_UTC_Z), status, headers, "application/json")
