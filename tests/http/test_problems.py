"""Errors become responses that tell a client what to do, in the format it reads, and nothing about the server."""

import json
import logging

import pytest
from sanic.exceptions import MethodNotAllowed, NotFound, PayloadTooLarge

from feast_core.errors import (
    ConfigurationError,
    Conflict,
    FeastError,
    FeatureViewNotFound,
    InvalidInput,
    NameCollision,
    NotSupported,
    PermissionDenied,
    SourceError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from feast_http.problems import Problem, problem_of

SECRET = "postgresql://user:secret@10.0.0.7/features"


def problem(error: BaseException) -> Problem:
    return problem_of(error, "/get-online-features", 1000)


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (FeatureViewNotFound("Feature view x does not exist"), 404, "feature-view-not-found"),
        (InvalidInput.at("features[3]", "expected a text, got 5"), 422, "invalid-input"),
        (TooLarge("too many"), 413, "too-large"),
        (PermissionDenied("no"), 403, "permission-denied"),
        (Conflict("busy"), 409, "conflict"),
        (NotSupported("not here"), 501, "not-supported"),
    ],
)
def test_an_error_that_the_caller_can_mend_is_told_in_full(error: FeastError, status: int, slug: str) -> None:
    content_type, body = problem(error).body("rows")
    assert content_type == "application/problem+json"
    told = json.loads(body)
    errors = told.pop("errors", [])
    assert told == {"type": f"/errors/{slug}", "title": error.title, "status": status, "detail": str(error)}
    if isinstance(error, InvalidInput):
        assert errors == [{"path": "features[3]", "message": "expected a text, got 5"}]


def test_a_request_of_which_all_is_wrong_is_told_the_beginning() -> None:
    wrong = [(f"df.c{number}", "is no column of the batch source") for number in range(100_000)]
    _, body = problem(InvalidInput("df.c0: is no column of the batch source (and 99999 more)", wrong)).body("rows")
    told = json.loads(body)
    assert told["detail"].endswith("(and 99999 more)")
    assert [found["path"] for found in told["errors"]] == [f"df.c{number}" for number in range(20)]


def test_columns_double_encode_errors_that_feast_has_a_class_for() -> None:
    content_type, body = problem(FeatureViewNotFound("Feature view é does not exist")).body("columns")
    assert content_type == "application/json"
    inner = json.loads(body)
    assert inner.startswith('{"module": "feast.errors", "class": "FeatureViewNotFoundException", "message": "')
    assert json.loads(inner)["message"] == "Feature view é does not exist"
    assert json.loads(json.loads(problem(NameCollision("twice")).body("columns")[1]))["class"] == (
        "FeatureNameCollisionError"
    )


def test_columns_tell_the_others_as_feast_does() -> None:
    assert json.loads(problem(TooLarge("too many")).body("columns")[1]) == {"detail": "too many"}
    assert json.loads(problem(NotFound("x")).body("columns")[1]) == {"detail": "Not Found"}
    wrong = InvalidInput.at("entities.driver_id[3]", "is null")
    assert json.loads(problem(wrong).body("columns")[1]) == {
        "detail": [{"type": "value_error", "loc": ["body", "entities", "driver_id", 3], "msg": "is null"}]
    }


def test_headers_say_how_to_go_on() -> None:
    assert problem(Unauthenticated("no token")).headers == {"WWW-Authenticate": "Bearer"}
    assert problem(Unavailable("gone")).headers == {"Retry-After": "1"}
    assert problem(MethodNotAllowed("no", "GET", ["POST"])).headers == {"Allow": "POST"}


@pytest.mark.parametrize("response_format", ["rows", "columns"])
@pytest.mark.parametrize(
    "error",
    [
        Unavailable(SECRET),
        ConfigurationError(SECRET),
        SourceError(SECRET),
        RuntimeError(SECRET),
        KeyError(SECRET),
    ],
)
def test_what_is_not_the_callers_fault_is_in_the_log_only(
    error: Exception, response_format: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "feast"):
        told = problem(error)
    assert told.status == (503 if isinstance(error, Unavailable) else 500)
    _, body = told.body("rows" if response_format == "rows" else "columns")
    assert b"secret" not in body
    assert SECRET in caplog.text
    if told.status == 500:
        number = told.detail.rsplit(" ", 1)[1]
        assert number in caplog.text


def test_a_batch_source_that_cannot_be_used_is_told_as_such_and_logged_in_a_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "feast"):
        told = problem(SourceError(SECRET))
    assert told.title == "Data source error"
    assert told.detail.startswith("the batch source cannot be read or written; the server's log has the reason under ")
    assert [record.exc_info for record in caplog.records] == [None]


def test_a_body_that_is_too_large_names_the_limit_and_where_to_set_it() -> None:
    told = problem(PayloadTooLarge("Request body exceeds the size limit"))
    assert told.status == 413
    assert "1000 bytes" in told.detail
    assert "feature_server.limits.max_body_bytes" in told.detail
