"""Errors to responses: problem+json (RFC 9457) with the `rows` format, Feast's own bodies with `columns`."""

import json
import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from sanic.config import DEFAULT_CONFIG
from sanic.exceptions import PayloadTooLarge, SanicException

from feast_core.config import ResponseFormat
from feast_core.errors import (
    Conflict,
    FeastError,
    InvalidInput,
    MaterializationError,
    SourceError,
    Unauthenticated,
    Unavailable,
)

logger = logging.getLogger("feast.server")

_RETRY_AFTER_SECONDS = "1"
#: What a client can do about errors of which the HTTP server says no more than their name.
_OF_THE_PROTOCOL = {
    HTTPStatus.BAD_REQUEST: "this is not a request of HTTP/1.1 or 1.0, or its length is not what its headers say",
    HTTPStatus.REQUEST_TIMEOUT: "the request did not arrive whole in time",
    HTTPStatus.EXPECTATION_FAILED: "of the header Expect, only 100-continue is known",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        f"the URL and the headers are larger than {DEFAULT_CONFIG['REQUEST_MAX_HEADER_SIZE']} bytes"
    ),
}
#: Characters of a message. What a client sent is in it: names of any length, or a million of them.
_LONGEST = 1000
#: Of what is wrong with a request. There may be a million columns that nobody knows.
_MOST_PROBLEMS = 20


class RunFailed(MaterializationError):
    """A run that was waited for has failed. The message is for the client; `views` are those that are not done."""

    def __init__(self, message: str, views: Sequence[str]) -> None:
        super().__init__(message)
        self.views = tuple(views)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a client is told about an error. `errors` are (path, message) pairs; `feast_class` is the class that Feast's
    SDK raises for it; `feast_detail` is what Feast says where clients may compare it; `feature_views` are those that it
    is about, where a client may want to go on with the others."""

    status: int
    title: str
    detail: str
    errors: tuple[tuple[str, str], ...] = ()
    feast_class: str | None = None
    feast_detail: str | None = None
    feature_views: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, response_format: ResponseFormat) -> tuple[str, bytes]:
        """Content type and body."""
        if response_format == "columns":
            return "application/json", self._as_feast()
        body = {
            "type": f"/errors/{self.title.lower().replace(' ', '-')}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [{"path": path, "message": message} for path, message in self.errors]
        if self.feature_views:
            body["feature_views"] = self.feature_views
        return "application/problem+json", orjson.dumps(body)

    def _as_feast(self) -> bytes:
        if self.feast_class:
            # As Feast: JSON in a JSON string, the inner one with spaces after its separators.
            named = {"module": "feast.errors", "class": self.feast_class, "message": self.detail}
            return orjson.dumps(json.dumps(named))
        if self.feature_views:
            return orjson.dumps({"error": self.detail, "feature_views": self.feature_views})
        if self.errors:
            listed = [{"type": "value_error", "loc": _location(path), "msg": text} for path, text in self.errors]
            return orjson.dumps({"detail": listed})
        return orjson.dumps({"detail": self.feast_detail or self.detail})


def problem_of(error: BaseException, path: str, max_body_bytes: int) -> Problem:
    """What to tell the client of `path` about an error. What is our fault is logged, and the client is told no more
    than where to look."""
    if isinstance(error, Unavailable):
        logger.warning("%s: %s", path, error)
        detail = "a store or the registry cannot be reached or is too busy; try again later"
        return Problem(error.http_status, error.title, detail, headers={"Retry-After": _RETRY_AFTER_SECONDS})
    if isinstance(error, FeastError) and error.http_status != HTTPStatus.INTERNAL_SERVER_ERROR:
        problems = error.problems[:_MOST_PROBLEMS] if isinstance(error, InvalidInput) else ()
        told = tuple((_shortened(where), _shortened(message)) for where, message in problems)
        headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else {}
        views = error.views if isinstance(error, Conflict) else ()
        detail = _shortened(str(error))
        return Problem(error.http_status, error.title, detail, told, error.feast_class, None, views, headers)
    if isinstance(error, SourceError):
        number = uuid.uuid4().hex
        logger.error("%s, request %s: %s", path, number, error)
        detail = f"the batch source cannot be read or written; the server's log has the reason under {number}"
        return Problem(error.http_status, error.title, detail)
    if isinstance(error, RunFailed):  # which its own process has logged
        return Problem(error.http_status, error.title, _shortened(str(error)), feature_views=error.views)
    if isinstance(error, PayloadTooLarge) and "body" in str(error):
        detail = (
            f"the body is larger than {max_body_bytes} bytes;"
            " send less at once, or raise feature_server.limits.max_body_bytes in feature_store.yaml"
        )
        return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", detail)
    if isinstance(error, SanicException) and error.status_code != HTTPStatus.INTERNAL_SERVER_ERROR:
        return _of_the_protocol(error, path)
    return _internal(error, path)


def _of_the_protocol(error: SanicException, path: str) -> Problem:
    """Unknown paths, wrong methods, broken requests, time-outs: what the HTTP server itself refuses."""
    status = HTTPStatus(error.status_code)
    headers = {name: str(value) for name, value in (error.headers or {}).items()}
    if isinstance(error, PayloadTooLarge):  # of the body: above
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    detail = _OF_THE_PROTOCOL.get(status, status.phrase)
    if status == HTTPStatus.NOT_FOUND:
        detail = f"there is nothing at {_shortened(path)}"
    elif status == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{path} takes {headers.get('Allow', 'other methods')} only"
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
    return Problem(status, status.phrase, detail, feast_detail=status.phrase, headers=headers)


def _shortened(text: str) -> str:
    """Its beginning, which says what is wrong, and its end, which says what to do."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 205]} ... {text[-200:]}"


def _internal(error: BaseException, path: str) -> Problem:
    number = uuid.uuid4().hex
    logger.error("%s failed, request %s", path, number, exc_info=error)
    detail = f"the server failed to answer; its log has the reason under {number}"
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error", detail)


def _location(path: str) -> list[str | int]:
    """`entities.driver_id[3]` as `["body", "entities", "driver_id", 3]`, `query.async` as `["query", "async"]`."""
    parts = re.findall(r"\[(\d+)\]|([^.\[\]]+)", path, re.ASCII)
    where = "query" if path.startswith("query.") else "body"
    return [where, *(int(position) if position else name for position, name in parts if name != where)]
