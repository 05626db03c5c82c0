"""What the server answers: one handler for each path of its own."""

import sys
from collections.abc import Callable, Coroutine, Sequence
from time import perf_counter
from typing import Any, TypeAlias, cast, get_args

import msgspec
from sanic import HTTPResponse, Request

from feast_core.config import ResponseFormat
from feast_core.errors import InvalidInput, TooLarge, shown
from feast_core.interfaces import Authenticator, Observer, User
from feast_core.observing import finished, tell
from feast_core.security import ANYONE
from feast_core.store import FeatureStore
from feast_http.problems import Problem
from feast_http.readiness import Readiness
from feast_http.responses import JsonBytes, problem_response
from feast_http.wire import OnlineRequest, online_request

Handler: TypeAlias = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]

ONLINE_FEATURES = "/get-online-features"


def online_features(store: FeatureStore, authenticate: Authenticator | None, default: ResponseFormat) -> Handler:
    """POST /get-online-features. `default` is the format where the request does not choose one."""
    operation = ONLINE_FEATURES[1:]
    most_rows = store.config.feature_server.limits.max_entity_rows
    early_observers = store.observers(operation, {})

    async def get_online_features(request: Request) -> HTTPResponse:
        started = perf_counter()
        observers, user, rows = early_observers, ANYONE, 0
        try:
            if authenticate is not None:
                user = await authenticate(request.headers)
            asked = online_request(request.body)
            entities = asked.entities
            for column in entities.values():
                rows = max(rows, len(column))
            check_rows(rows, most_rows)
            plan = store.retrieval_plan(
                asked.features,
                asked.feature_service,
                asked.full_feature_names,
                tuple(entities),
                _response_format(request, asked, default),
            )
            observers = plan.observers
            if plan.guard is not None:
                plan.guard(user)
            return JsonBytes(await plan.run(entities))
        finally:
            if observers:
                report(observers, operation, started, user, request, rows)

    return get_online_features


async def health(request: Request) -> HTTPResponse:
    """GET /health: the worker is alive. As Feast: an empty body."""
    return HTTPResponse(b"", content_type="text/plain")


def ready(store: FeatureStore, default: ResponseFormat) -> Handler:
    """GET /ready: the registry and the online store answer, or 503 and which of them does not. What waits in the push
    queue is told, and keeps nobody from reading."""
    readiness = Readiness(store)

    async def answer_ready(request: Request) -> HTTPResponse:
        report = await readiness.report()
        if report.problem is None:
            return JsonBytes(msgspec.json.encode({"status": "ready", **report.details}))
        return problem_response(Problem(503, "Not ready", report.problem, headers={"Retry-After": "1"}), default)

    return answer_ready


def chosen_format(request: Request) -> ResponseFormat | None:
    """What `?response_format=` asks for, None without one. Raises InvalidInput."""
    # As cheap as can be for the many requests without a query.
    if b"?" not in request.raw_url:
        return None
    chosen = request.args.get("response_format")
    if chosen is None or chosen in get_args(ResponseFormat):
        return cast("ResponseFormat | None", chosen)
    raise InvalidInput.at("response_format", f"expected rows or columns, got {shown(chosen)}")


def _response_format(request: Request, asked: OnlineRequest, default: ResponseFormat) -> ResponseFormat:
    chosen = chosen_format(request)
    if chosen is not None:
        return chosen
    # Feast's SDK always sends this field, and takes every answer for columns.
    return default if asked.include_feature_view_version_metadata is msgspec.UNSET else "columns"


def error_format(request: Request, default: ResponseFormat) -> ResponseFormat:
    """The format in which the client of a failed request reads errors; also of bodies that could not be decoded."""
    try:
        chosen = chosen_format(request)
    except InvalidInput:
        return default
    if chosen is not None:
        return chosen
    sdk = request.path == ONLINE_FEATURES and b'"include_feature_view_version_metadata"' in request.body
    return "columns" if sdk else default


def check_rows(rows: int, most: int) -> None:
    """Raise TooLarge where a request brings more rows than the limit."""
    if rows > most:
        raise TooLarge(
            f"the request has {rows} rows, the limit is {most};"
            " send less at once, or raise feature_server.limits.max_entity_rows in feature_store.yaml"
        )


def report(
    observers: Sequence[Observer], operation: str, started: float, user: User, request: Request, rows: int
) -> None:
    """Tell observers of a call that just ended, by an answer or by the error that is on its way out."""
    request_id = request.headers.get("x-request-id", "")
    tell(observers, finished(operation, started, rows, sys.exception(), user, request_id))
