"""The spec of an object as people read it: types and durations by name, nothing that is empty."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any


def readable(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The spec of one object for `output.print_outline`: `type` is its class, a schema maps names to types, entities
    that are part of it are only named."""
    return {"type": spec.get("class", ""), **_parts(spec)}


def duration(span: timedelta) -> str:
    """`3650 days`, `2:00:00`; zero, as a ttl, is `for ever`."""
    return str(span).removesuffix(", 0:00:00") if span else "for ever"


def _parts(spec: Mapping[str, Any]) -> dict[str, Any]:
    parts = {key: _value(item) for key, item in spec.items() if key != "class"}
    return {key: item for key, item in parts.items() if not _is_empty(item)}


def _value(value: Any) -> Any:
    if isinstance(value, list):
        if value and all(isinstance(item, Mapping) and item.get("class") == "Field" for item in value):
            return {item["name"]: _field(item) for item in value}
        return [_value(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    match value.get("class"):
        case None:
            return {key: _value(item) for key, item in value.items()}
        case "dict":
            return {key: _value(item) for key, item in value["items"].items()}
        case "FeastType":
            return value["type"]
        case "timedelta":
            return duration(timedelta(microseconds=value["microseconds"]))
        case "datetime":
            return value["iso"]
        case "type" | "Entity":
            return value["name"]
        case "FeatureViewProjection":
            parts = _parts({key: item for key, item in value.items() if key != "view_type"})
            return parts if len(parts) > 1 else value["name"]
    return value["member"] if "member" in value and len(value) == 2 else readable(value)


def _field(spec: Mapping[str, Any]) -> Any:
    """The type alone where nothing else is known."""
    dtype = _value(spec["dtype"])
    more = {key: item for key, item in _parts(spec).items() if item and key not in ("name", "dtype")}
    return {"type": dtype, **more} if more else dtype


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)
