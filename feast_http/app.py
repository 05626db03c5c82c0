"""The Sanic application of a worker: its paths, its limits, and how errors are answered."""

import asyncio
from types import SimpleNamespace
from typing import Any

from sanic import Config, HTTPResponse, Request, Sanic
from sanic.application.state import ApplicationServerInfo
from sanic.exceptions import PayloadTooLarge, RequestTimeout, ServiceUnavailable
from sanic.handlers import ErrorHandler
from sanic.http import Http
from sanic.http.constants import HTTP
from sanic.router import Router

from feast_core.config import ResponseFormat
from feast_core.errors import PluginError
from feast_core.hookspecs import Route
from feast_core.interfaces import Authenticator
from feast_core.store import FeatureStore
from feast_http import handlers
from feast_http.handlers import Handler
from feast_http.materializing import INCREMENTAL, JOBS, MATERIALIZE, Materializing
from feast_http.problems import problem_of
from feast_http.responses import problem_response
from feast_http.runs import Runs
from feast_http.settings import ServeSettings
from feast_http.writing import PUSH, WRITE_TO_ONLINE_STORE, Writing

App = Sanic[Config, SimpleNamespace]

_CLIENT_CLOSED_REQUEST = 499
#: A body that is too large is read to its end and thrown away up to so many times the limit.
_DISCARDED_BODIES = 4
#: How long a connection that is for one request may take to begin it.
_FIRST_REQUEST_SECONDS = 30


def make_app(store: FeatureStore, settings: ServeSettings, runs: Runs | None = None) -> App:
    """The application that answers from `store`. One per process; without `runs` nobody does those that are asked for.
    Raises PluginError, ConfigurationError."""
    server = store.config.feature_server
    default = settings.response_format or server.response_format
    max_body_bytes = server.limits.max_body_bytes
    app: App = Sanic(
        "feast",
        env_prefix=None,  # variables named SANIC_... are not settings of this server
        router=_PathRouter(),
        error_handler=_ErrorAnswers(default, max_body_bytes),
        configure_logging=False,
    )
    app.config.update(
        ACCESS_LOG=settings.access_log,
        AUTO_EXTEND=False,
        KEEP_ALIVE=settings.keep_alive_timeout_seconds > 0,
        # Sanic waits as long for the first request of a connection, too.
        KEEP_ALIVE_TIMEOUT=settings.keep_alive_timeout_seconds or _FIRST_REQUEST_SECONDS,
        REQUEST_MAX_SIZE=max_body_bytes,
    )
    authenticate: Authenticator | None = store.plugins.hook.feast_authenticator(store=store)
    online = handlers.online_features(store, authenticate, default)
    app.add_route(online, handlers.ONLINE_FEATURES, ["POST"], name="get_online_features")
    writing = Writing(store, authenticate)
    app.add_route(writing.push(), PUSH, ["POST"], name="push")
    app.add_route(writing.write_to_online_store(), WRITE_TO_ONLINE_STORE, ["POST"], name="write_to_online_store")
    materializing = Materializing(store, runs or Runs(store, lambda message: None), authenticate)
    app.add_route(materializing.window(), MATERIALIZE, ["POST"], name="materialize")
    app.add_route(materializing.incremental(), INCREMENTAL, ["POST"], name="materialize_incremental")
    app.add_route(materializing.job(), f"{JOBS}/<id>", ["GET"], name="materialize_job")
    app.add_route(handlers.health, "/health", ["GET", "HEAD"], name="health")
    app.add_route(handlers.ready(store, default), "/ready", ["GET", "HEAD"], name="ready")
    for _, route in store.plugins.offers(store.plugins.hook.feast_routes, Route, store=store):
        _add_plugin_route(app, route, authenticate)
    return app


async def start_app(app: App) -> None:
    """What Sanic does before it serves: routes are fixed, and code for events that nobody waits for is left out."""
    # Sanic writes an `alt-svc` header into every answer unless it knows that there is one version of HTTP only.
    app.state.server_info.append(ApplicationServerInfo(settings={"version": HTTP.VERSION_1}))
    await app._startup()  # type: ignore[no-untyped-call]


def _add_plugin_route(app: App, route: Route, authenticate: Authenticator | None) -> None:
    path = route.path.strip("/")
    if any(known.path == path and route.method in known.methods for known in app.router.routes):
        raise PluginError(f"two plugins answer {route.method} {route.path}, or the server does already")
    handler = route.handler if route.public or authenticate is None else _authenticated(route.handler, authenticate)
    app.add_route(handler, route.path, [route.method], name=f"{route.method.lower()}:{path}")


def _authenticated(handler: Any, authenticate: Authenticator) -> Handler:
    """A handler that is called for known users only, who then are `request.ctx.user`."""

    async def answer(request: Request, **parameters: Any) -> HTTPResponse:
        request.ctx.user = await authenticate(request.headers)
        response: HTTPResponse = await handler(request, **parameters)
        return response

    return answer


class _PathRouter(Router):
    """Takes `/health/` and `//health` for `/health`: Feast's client doubles the slash where its URL ends in one."""

    def _get(self, path: str, method: str, host: str | None) -> tuple[Any, Any, dict[str, Any]]:
        return super()._get(f"/{path.strip('/')}", method, host)


class _ErrorAnswers(ErrorHandler):
    """Every error, also of Sanic itself, as a problem in the format that the client reads."""

    def __init__(self, default: ResponseFormat, max_body_bytes: int) -> None:
        super().__init__()
        self._default = default
        self._max_body_bytes = max_body_bytes

    def response(self, request: Request, exception: BaseException) -> HTTPResponse:
        """The answer to a request that failed."""
        if isinstance(exception, asyncio.CancelledError):  # the client has gone
            return HTTPResponse(status=_CLIENT_CLOSED_REQUEST)
        if isinstance(exception, PayloadTooLarge) and isinstance(request.stream, Http):
            # Otherwise the connection is closed while the client still sends, and it never reads the answer.
            most = _DISCARDED_BODIES * self._max_body_bytes
            request.stream.request_max_size = request.stream.protocol.request_max_size = most
        if isinstance(exception, ServiceUnavailable) and isinstance(request.stream, Http):
            if request.stream.request_body:
                # Sanic's word for an answer that takes too long; but the handler still waits for the client.
                exception = RequestTimeout("the body did not arrive")
            # Sanic would go on to wait for the rest of it, this time for ever.
            request.stream.request_body = None
        problem = problem_of(exception, request.path, self._max_body_bytes)
        return problem_response(problem, handlers.error_format(request, self._default))
