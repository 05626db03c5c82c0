"""What `--json` prints, command by command: the shapes that programs may rely on.

A shape is written as the JSON it describes. A text in the place of a value names its type: `text`, `integer`, `number`,
`boolean`, `time` (ISO 8601 in UTC), `value` (anything); `| null` where it may be missing. `[x]` is a list of x. A key
in angle brackets stands for any number of keys, and `...` for more that depends on the object's class. A command that
is not in the table prints no JSON.
"""

from collections.abc import Mapping
from typing import Any

_SPEC = {"class": "text", "name": "text", "...": "value"}
_INTERVAL = {"start": "time", "end": "time"}
_OUTCOME = {
    "name": "text",
    "rows": "integer",
    "superseded": "integer",
    "start": "time",
    "end": "time",
    "seconds": "number",
    "error": "text | null",
}
_CHANGES = {
    "project": "text",
    "changes": [
        {
            "action": "text",
            "kind": "text",
            "name": "text",
            "details": ["text"],
            "consequences": [{"effect": "text", "subject": "text", "text": "text", "rows": "integer | null"}],
            "next_step": "text | null",
        }
    ],
}

SHAPES: Mapping[str, Any] = {
    "apply": _CHANGES,
    "compact": [{"name": "text", "parts": "integer", "rows": "integer", "error": "text | null"}],
    "configuration": {"project": "text", "registry": "value", "...": "value"},
    "delete": {"project": "text", "kind": "text | null", "name": "text"},
    "explain": {
        "project": "text",
        "registry_generation": "integer",
        "request": {
            "features": ["text"],
            "feature_service": "text | null",
            "full_feature_names": "boolean",
            "response_format": "text",
            "entities": ["text"],
        },
        "enforce_ttl": "boolean",
        "views": [
            {
                "name": "text",
                "class": "text",
                "join_keys": [{"name": "text", "type": "text", "column": "text"}],
                "ttl_seconds": "number | null",
                "schema": {"fingerprint": "text", "features": {"<feature>": "text"}},
                "features": ["text"],
            }
        ],
        "columns": [{"name": "text", "type": "text", "from": "text"}],
        "reader": {
            "function": "text",
            "plugin": "text",
            "online_store": "text | null",
            "wrapped_by": ["text"],
        },
        "guards": ["text"],
        "observers": ["text"],
    },
    "features describe": [{"feature_view": "text", "class": "text", "name": "text", "dtype": "value", "...": "value"}],
    "features list": [{"name": "text", "feature_view": "text", "dtype": "text"}],
    "get-online-features": {"<column>": ["value"]},
    "materialize": [_OUTCOME],
    "materialize-incremental": [_OUTCOME],
    "permissions check": [{"kind": "text", "name": "text", "actions": ["text"]}],
    "permissions list-roles": [{"role": "text", "resources": [{"kind": "text", "name": "text", "actions": ["text"]}]}],
    "plan": _CHANGES,
    "plugins list": [
        {
            "name": "text",
            "distribution": "text",
            "version": "text | null",
            "state": "text",
            "hooks": ["text"],
            "components": [{"role": "text", "type": "text", "extra": "text | null", "help": "text"}],
            "error": "text | null",
        }
    ],
    "plugins new": {"name": "text", "kind": "text", "directory": "text", "files": ["text"]},
    "projects current_project": _SPEC,
    "projects delete": {"project": "text"},
    "push": {
        "feature_views": {"<feature view>": {"online": "integer", "superseded": "integer", "offline": "integer"}},
        "queued": "boolean",
        "rows": "integer",
        "refused": "integer",
        "seconds": "number",
    },
    "registry-dump": {
        "project": "text",
        "generation": "integer",
        "objects": {"<kind>": [_SPEC]},
        "intervals": {"<feature view>": [_INTERVAL]},
    },
    "version": {"feastkit": "text", "python": "text"},
}

#: Every group of objects has these two.
LIST_SHAPE: Any = [_SPEC]
DESCRIBE_SHAPE: Any = _SPEC
#: And views of these groups say what is materialized.
MATERIALIZED_SHAPE: Any = {**_SPEC, "materialization_intervals": [_INTERVAL]}
MATERIALIZED_GROUPS = ("feature-views", "stream-feature-views")


def shape_of(command: str) -> Any:
    """The shape of what `feast COMMAND --json` prints, None for a command that is not in the table."""
    if command in SHAPES:
        return SHAPES[command]
    group, _, verb = command.partition(" ")
    if verb == "list":
        return LIST_SHAPE
    if verb == "describe":
        return MATERIALIZED_SHAPE if group in MATERIALIZED_GROUPS else DESCRIBE_SHAPE
    return None


def outline(shape: Any) -> str:
    """A shape in a line, names only and two levels deep: `[{name, hooks: [text]}]`."""
    return _outline(shape, 2)


def _outline(shape: Any, depth: int) -> str:
    if isinstance(shape, list):
        return f"[{_outline(shape[0], depth)}]"
    if not isinstance(shape, Mapping):
        return str(shape)
    if not depth:
        return "{...}"
    parts = [_part(key, value, depth - 1) for key, value in shape.items()]
    return f"{{{', '.join(parts)}}}"


def _part(key: str, value: Any, depth: int) -> str:
    if isinstance(value, str) and not key.startswith("<"):
        return key
    return f"{key}: {_outline(value, depth)}"
