"""Bodies of requests to typed values, with the path of everything that is wrong with them."""

import codecs
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar, get_args

import msgspec

from feast_core.errors import InvalidInput

_MOST_PROBLEMS = 20
_EXAMPLE = '{"features": ["driver_hourly_stats:conv_rate"], "entities": {"driver_id": [1001]}}'
_COLUMNS_EXAMPLE = '{"driver_id": [1001, 1002]}'
_GZIP = b"\x1f\x8b"
_decode_any = msgspec.json.Decoder().decode


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


class PushBody(msgspec.Struct, frozen=True, gc=False):
    """Body of POST /push. `df` is a frame (see `feast_core.frames`). Of `transform_on_write` nothing depends yet:
    on-demand views are not computed."""

    push_source_name: str
    df: dict[str, Any]
    to: Literal["online", "offline", "online_and_offline"] = "online"
    allow_registry_cache: bool = True
    transform_on_write: bool = True


class WriteBody(msgspec.Struct, frozen=True, gc=False):
    """Body of POST /write-to-online-store."""

    feature_view_name: str
    df: dict[str, Any]
    allow_registry_cache: bool = True
    transform_on_write: bool = True


class MaterializeBody(msgspec.Struct, frozen=True, gc=False):
    """Body of POST /materialize. `feature_views` None: all. `full_feature_names` means nothing, as in Feast for views
    that are not computed on demand."""

    start_ts: str | None = None
    end_ts: str | None = None
    feature_views: list[str] | None = None
    disable_event_timestamp: bool = False
    full_feature_names: bool = False
    version: str | None = None


class IncrementalBody(msgspec.Struct, frozen=True, gc=False):
    """Body of POST /materialize-incremental."""

    end_ts: str
    feature_views: list[str] | None = None
    full_feature_names: bool = False
    version: str | None = None


Check = Callable[[Any, str, list[tuple[str, str]]], Any]
"""Value and path to the typed value; appends to the problems (path, message) what is wrong, 20 in all at most: a client
may send a million."""

Body = TypeVar("Body", bound=msgspec.Struct)


class BodyDecoder(Generic[Body]):
    """Bytes to one type of body. `checks` are its fields, in the order in which problems are told; `needed` says of
    those that must be there what to send; `example` is a whole body."""

    def __init__(
        self, struct: type[Body], checks: Mapping[str, Check], needed: Mapping[str, str], example: str
    ) -> None:
        self._struct = struct
        self._decode = msgspec.json.Decoder(struct).decode
        self._checks = checks
        self._needed = needed
        self._example = example

    def __call__(self, body: bytes) -> Body:
        """Raises InvalidInput with all problems (at most 20)."""
        try:
            return self._decode(body)
        except (ValueError, RecursionError):
            return self._checked(body)

    def _checked(self, body: bytes) -> Body:
        """The slow way, for bodies that are not exactly as declared: finds all problems, and takes what Feast takes too
        (booleans as texts and numbers, a wrong value of a key that comes again)."""
        data = _parsed(body, self._example)
        problems: list[tuple[str, str]] = []
        if not isinstance(data, dict):
            raise _invalid([("body", f"expected an object such as {self._example}, got {_shown(data)}")])
        values = {}
        for name, check in self._checks.items():
            if name in data:
                values[name] = check(data[name], name, problems)
            elif name in self._needed:
                problems.append((name, f"is missing; send {self._needed[name]}"))
        if problems:
            raise _invalid(problems)
        return self._struct(**values)


def online_request(body: bytes) -> OnlineRequest:
    """The request in a body. Raises InvalidInput with all problems (at most 20), in the order of the fields."""
    request = _online_body(body)
    if not request.features and not request.feature_service:
        raise InvalidInput.at("features", "name some, such as `driver_hourly_stats:conv_rate`, or a feature_service")
    return request


def query_flag(text: str | None, name: str) -> bool:
    """A boolean of the query of a URL, False where it is not there. Raises InvalidInput."""
    problems: list[tuple[str, str]] = []
    flag = text is not None and _check_flag(text, name, problems)
    if problems:
        raise _invalid(problems)
    return flag


def _parsed(body: bytes, example: str) -> Any:
    # As Feast: what some editors put before UTF-8 does not matter.
    body = body.removeprefix(codecs.BOM_UTF8)
    if not body.strip():
        raise _invalid([("body", f"is empty; send JSON such as {example}")])
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
        _refuse_constants(body)
        reason = "is not UTF-8" if b"\0" in body[:4] else f"is not JSON: {_malformed(body, error)}"
    raise _invalid([("body", reason)])


class _Constant(str):
    """NaN, Infinity or -Infinity, which Python writes into JSON and JSON does not know."""


def _refuse_constants(body: bytes) -> None:
    """Raise InvalidInput naming where these are, if they are all that is wrong with the body."""
    problems: list[tuple[str, str]] = []
    try:
        _note(problems, _constants(json.loads(body, parse_constant=_Constant), ""))
    except (ValueError, RecursionError):
        return
    if problems:
        raise _invalid(problems)


def _constants(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, _Constant):
        yield path or "body", f"{value} is no JSON; send null for a value that is missing"
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _constants(item, f"{path}[{position}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _constants(item, f"{path}.{name}" if path else name)


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


def _check_frame(value: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    if not isinstance(value, dict):
        problems.append((path, f"expected columns such as {_COLUMNS_EXAMPLE}, got {_shown(value)}"))
    return value


def _check_text(value: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    if not isinstance(value, str):
        problems.append((path, f"expected a text, got {_shown(value)}"))
    return value


def _check_mode(value: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    if value not in get_args(PushBody.__annotations__["to"]):
        problems.append((path, f"expected online, offline or online_and_offline, got {_shown(value)}"))
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


def _check_optional_texts(value: Any, path: str, problems: list[tuple[str, str]]) -> Any:
    return value if value is None else _check_texts(value, path, problems)


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


_online_body = BodyDecoder(
    OnlineRequest,
    {
        "features": _check_texts,
        "feature_service": _check_optional_text,
        "entities": _check_columns,
        "full_feature_names": _check_flag,
        "include_feature_view_version_metadata": _check_flag,
    },
    {"entities": f"columns such as {_COLUMNS_EXAMPLE}"},
    _EXAMPLE,
)

_WRITE_FLAGS: Mapping[str, Check] = {"allow_registry_cache": _check_flag, "transform_on_write": _check_flag}
_FRAME = f"columns such as {_COLUMNS_EXAMPLE}"

push_body = BodyDecoder(
    PushBody,
    {"push_source_name": _check_text, "df": _check_frame, "to": _check_mode, **_WRITE_FLAGS},
    {"push_source_name": "the name of a push source", "df": _FRAME},
    '{"push_source_name": "driver_stats_push_source", "df": {"driver_id": [1001], ...}, "to": "online"}',
)
write_body = BodyDecoder(
    WriteBody,
    {"feature_view_name": _check_text, "df": _check_frame, **_WRITE_FLAGS},
    {"feature_view_name": "the name of a feature view", "df": _FRAME},
    '{"feature_view_name": "driver_hourly_stats", "df": {"driver_id": [1001], ...}}',
)

_RUN_FIELDS: Mapping[str, Check] = {
    "feature_views": _check_optional_texts,
    "full_feature_names": _check_flag,
    "version": _check_optional_text,
}
materialize_body = BodyDecoder(
    MaterializeBody,
    {
        "start_ts": _check_optional_text,
        "end_ts": _check_optional_text,
        "disable_event_timestamp": _check_flag,
        **_RUN_FIELDS,
    },
    {},
    '{"start_ts": "2026-11-21T00:00:00Z", "end_ts": "2026-11-22T00:00:00Z"}',
)
incremental_body = BodyDecoder(
    IncrementalBody,
    {"end_ts": _check_text, **_RUN_FIELDS},
    {"end_ts": "a time such as 2026-11-22T00:00:00Z"},
    '{"end_ts": "2026-11-22T00:00:00Z"}',
)


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
