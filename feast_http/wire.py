"""Bodies of requests to typed values, with the path of everything that is wrong with them."""

import codecs
import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from feast_core.errors import InvalidInput

_MOST_PROBLEMS = 20
_EXAMPLE = '{"features": ["driver_hourly_stats:conv_rate"], "entities": {"driver_id": [1001]}}'
_COLUMNS_EXAMPLE = '{"driver_id": [1001, 1002]}'
_GZIP = b"\x1f\x8b"


class OnlineRequest(msgspec.Struct, frozen=True, gc=False):
    """Body of POST /get-online-features. `entities` maps names to columns of JSON values as they were sent.

    A `feature_service` wins over `features`; empty counts as absent. Of `include_feature_view_version_metadata` it only
    matters whether it is there: Feast's SDK sends it, and reads answers in columns.
    """

    entities: dict[str, list[Any]]
    features: list[str] = []
    feature_service: str | None = None
    full_feature_names: bool = False
    include_feature_view_version_metadata: bool | msgspec.UnsetType = msgspec.UNSET


_decode_online = msgspec.json.Decoder(OnlineRequest).decode
_decode_any = msgspec.json.Decoder().decode

Check = Callable[[Any, str, list[tuple[str, str]]], Any]
"""Value and path to the typed value; appends to the problems (path, message) what is wrong, 20 in all at most: a client
may send a million."""


def online_request(body: bytes) -> OnlineRequest:
    """The request in a body. Raises InvalidInput with all problems (at most 20), in the order of the fields."""
    try:
        request = _decode_online(body)
    except (ValueError, RecursionError):
        request = _checked(body)
    if not request.features and not request.feature_service:
        raise InvalidInput.at("features", "name some, such as `driver_hourly_stats:conv_rate`, or a feature_service")
    return request


def _checked(body: bytes) -> OnlineRequest:
    """The slow way, for bodies that are not exactly as declared: finds all problems, and takes what Feast takes too
    (booleans as texts and numbers, a wrong value of a key that comes again)."""
    data = _parsed(body)
    problems: list[tuple[str, str]] = []
    if not isinstance(data, dict):
        raise _invalid([("body", f"expected an object such as {_EXAMPLE}, got {_shown(data)}")])
    values = {}
    for name, check in _ONLINE_FIELDS.items():
        if name in data:
            values[name] = check(data[name], name, problems)
        elif name == "entities":
            problems.append((name, f"is missing; send columns such as {_COLUMNS_EXAMPLE}"))
    if problems:
        raise _invalid(problems)
    return OnlineRequest(**values)


def _parsed(body: bytes) -> Any:
    # As Feast: what some editors put before UTF-8 does not matter.
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        raise _invalid([("body", f"is empty; send JSON such as {_EXAMPLE}")])
    if body.startswith(_GZIP):
        raise _invalid([("body", "is compressed; send it as it is, without Content-Encoding")])
    try:
        return _decode_any(body)
    except UnicodeDecodeError:
        reason = "is not UTF-8"
    except RecursionError:
        reason = "is nested too deeply"
    except msgspec.ValidationError:
        reason = "holds a number that is out of range"
    except msgspec.DecodeError as error:
        # JSON has no null bytes; what a Windows tool calls Unicode has one in every character.
        reason = "is not UTF-8" if b"\0" in body[:4] else f"is not JSON: {_malformed(body, error)}"
    raise _invalid([("body", reason)])


def _malformed(body: bytes, error: msgspec.DecodeError) -> str:
    """Where it stops being JSON. msgspec takes an unpaired surrogate for the end of the data."""
    text = str(error).removeprefix("JSON is malformed: ")
    if text != "Input data was truncated":
        return text
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return "it ends too early"
    return "a text holds an unpaired surrogate (\\ud800 to \\udfff)"


def _note(problems: list[tuple[str, str]], found: Iterable[tuple[str, str]]) -> None:
    """Take as many as there is room for."""
    problems.extend(itertools.islice(found, max(0, _MOST_PROBLEMS - len(problems))))


def _check_columns(value: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    if not isinstance(value, dict):
        problems.append((path, f"expected an object of arrays such as {_COLUMNS_EXAMPLE}, got {_shown(value)}"))
        return value
    _note(
        problems,
        (
            (f"{path}.{name}", f"expected an array such as [1001, 1002], got {_shown(column)}")
            for name, column in value.items()
            if not isinstance(column, list)
        ),
    )
    return value


def _check_texts(value: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    if not isinstance(value, list):
        problems.append((path, f"expected an array of texts, got {_shown(value)}"))
        return value
    _note(
        problems,
        (
            (f"{path}[{position}]", f"expected a text, got {_shown(item)}")
            for position, item in enumerate(value)
            if not isinstance(item, str)
        ),
    )
    return value


def _check_optional_text(value: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    if value is not None and not isinstance(value, str):
        problems.append((path, f"expected a text or null, got {_shown(value)}"))
    return value


# As Feast: what pydantic takes for a boolean.
_TRUE = frozenset(["true", "t", "yes", "y", "on", "1"])
_FALSE = frozenset(["false", "f", "no", "n", "off", "0"])


def _check_flag(value: Any, path: str, problems: list[tuple[str, str]]) -> bool:
    known = isinstance(value, str | int | float)
    text = str(int(value) if value in (0, 1) else value).lower() if known else ""
    if text not in _TRUE and text not in _FALSE:
        problems.append((path, f"expected true or false, got {_shown(value)}"))
    return text in _TRUE


_ONLINE_FIELDS: dict[str, Check] = {
    "features": _check_texts,
    "feature_service": _check_optional_text,
    "entities": _check_columns,
    "full_feature_names": _check_flag,
    "include_feature_view_version_metadata": _check_flag,
}


def _shown(value: Any) -> str:
    """A JSON value in a message: numbers and texts as they are, cut when long."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array of objects" if value and isinstance(value[0], dict) else "an array"
    text = json.dumps(value[:60] if isinstance(value, str) else value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _invalid(problems: Sequence[tuple[str, str]]) -> InvalidInput:
    path, message = problems[0]
    more = len(problems) - 1
    known = "at least " if len(problems) >= _MOST_PROBLEMS else ""
    return InvalidInput(f"{path}: {message}{f' (and {known}{more} more)' if more else ''}", problems[:_MOST_PROBLEMS])
