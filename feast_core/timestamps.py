"""Timestamps: as people write them to aware UTC times, and these to microseconds since 1970 and back."""

import re
from datetime import UTC, datetime, timedelta

from feast_core.errors import InvalidInput, shown

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXAMPLE = "2026-11-22T10:30:00Z"

_MICROSECOND = timedelta(microseconds=1)
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
# Stricter than datetime.fromisoformat, which also takes 20261122 and week dates such as 2026-W47-7.
_ISO_8601 = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](?P<time>(?!24)\d{2}:\d{2}(?::\d{2})?)(?:[.,](?P<fraction>\d+))?"
    r" ?(?P<offset>[Zz]|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)


def parse_timestamp(text: str) -> datetime:
    """ISO 8601 with `T` or a space, with or without an offset (none is UTC), or a date alone (midnight UTC).

    Digits after the microseconds are cut off. Raises InvalidInput; for a bare number too, since nobody can tell seconds
    from milliseconds or nanoseconds.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        raise InvalidInput(
            f"{shown(text)} is a bare number, which could mean seconds, milliseconds or nanoseconds;"
            f" write it as ISO 8601, for example {EXAMPLE}"
        )
    parts = _ISO_8601.fullmatch(text)
    # A fraction belongs to seconds: 10:30.5 is refused.
    if parts is None or (parts["fraction"] and len(parts["time"]) < len("10:30:00")):
        raise InvalidInput(f"{shown(text)} is not a timestamp; write it as ISO 8601, for example {EXAMPLE}")
    time = f"{parts['time'] or '00:00'}:00"[: len("10:30:00")]
    microseconds = (parts["fraction"] or "")[:6].ljust(6, "0")
    offset = (parts["offset"] or "Z").upper()
    try:
        return datetime.fromisoformat(f"{parts['date']}T{time}.{microseconds}{offset}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{shown(text)} is not a time that exists: {error}") from error


def to_microseconds(moment: datetime) -> int:
    """Microseconds from 1970 to an aware time, exactly; negative before it."""
    return (moment - EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The time in UTC. Raises OverflowError outside the years 1 to 9999."""
    return EPOCH + microseconds * _MICROSECOND
