"""Timestamps: as people write them to aware UTC times, and these to microseconds since 1970 and back."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from feast_core.errors import InvalidInput, shown

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EXAMPLE = "2026-11-22T10:30:00Z"

_NAIVE_EPOCH = EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)
# Stricter than datetime.fromisoformat, which also takes 20261122 and week dates such as 2026-W47-7.
_ISO_8601 = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](?P<time>(?!24)\d{2}:\d{2}(?::\d{2})?)(?:[.,](?P<fraction>\d+))?"
    r" ?(?P<offset>[Zz]|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_FINER = re.compile(r"\.\d{7}", re.ASCII)
# Behind an offset of hours alone, as DuckDB and PostgreSQL write it, which RFC 3339 does not have.
_HOURS = re.compile(r"(?<=[+-]\d{2})$", re.ASCII | re.MULTILINE)

# What programs write, read in a quarter of the time.
_COMMON = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ](?!24)\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}(?::\d{2})?)?", re.ASCII
).fullmatch


def parse_timestamp(text: str) -> datetime:
    """ISO 8601 with `T` or a space, with or without an offset (none is UTC), or a date alone (midnight UTC).

    Digits after the microseconds are cut off. Raises InvalidInput; for a bare number too, since nobody can tell seconds
    from milliseconds or nanoseconds.
    """
    if _COMMON(text):
        try:
            found = datetime.fromisoformat(text)
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise InvalidInput(f"{shown(text)} is not a time that exists: {error}") from error
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


def microseconds_of(texts: Sequence[str]) -> list[int] | None:
    """Timestamps of the forms that programs write, as `to_microseconds(parse_timestamp(text))` in a fourth of the time;
    None where one of them has another form, or is none."""
    joined = "\n".join(texts)
    if _FINER.search(joined):
        return None  # msgspec rounds it, and it is to be cut off
    try:
        moments = msgspec.convert(texts, list[datetime])
    except msgspec.ValidationError:
        whole = _HOURS.sub(":00", joined).split("\n")
        if len(whole) != len(texts):
            return None
        try:
            moments = msgspec.convert(whole, list[datetime])
        except msgspec.ValidationError:
            return None
    found = [(moment - EPOCH if moment.tzinfo else moment - _NAIVE_EPOCH) // _MICROSECOND for moment in moments]
    return found if min(found) >= _FIRST_US and max(found) <= _LAST_US else None


def to_microseconds(moment: datetime) -> int:
    """Microseconds from 1970 to an aware time, exactly; negative before it."""
    return (moment - EPOCH) // _MICROSECOND


_FIRST_US, _LAST_US = (to_microseconds(end.replace(tzinfo=UTC)) for end in (datetime.min, datetime.max))


def from_microseconds(microseconds: int) -> datetime:
    """The time in UTC. Raises OverflowError outside the years 1 to 9999."""
    return EPOCH + microseconds * _MICROSECOND
