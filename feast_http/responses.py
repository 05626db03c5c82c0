"""Responses: JSON that is bytes already, and problems."""

from typing import Any

from sanic import HTTPResponse

from feast_core.config import ResponseFormat
from feast_http.problems import Problem


class JsonBytes(HTTPResponse):
    """200 with JSON that is bytes already."""

    __slots__ = ()

    def __init__(self, body: bytes) -> None:
        # What the base classes set, without the multidict for headers, which nobody adds to.
        self.asgi = False
        self.body: bytes = body
        self.content_type = "application/json"
        self.stream = None
        self.status = 200
        self.headers: dict[str, Any] = {}  # type: ignore[assignment]
        self._cookies = None


def problem_response(problem: Problem, response_format: ResponseFormat) -> HTTPResponse:
    """The response that tells a client of a problem."""
    content_type, body = problem.body(response_format)
    return HTTPResponse(body, problem.status, dict(problem.headers), content_type)
