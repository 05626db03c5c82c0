"""Telling observers of what was done."""

import logging
from collections.abc import Iterable
from time import perf_counter

from feast_core.interfaces import Call, Observer, User
from feast_core.security import ANYONE

logger = logging.getLogger("feast")


def finished(
    operation: str,
    started: float,
    rows: int,
    error: BaseException | None = None,
    user: User = ANYONE,
    request_id: str = "",
) -> Call:
    """An operation that ends now, and began when the clock of `time.perf_counter` was at `started`."""
    outcome = "success" if error is None else type(error).__name__
    return Call(operation, perf_counter() - started, user, request_id, rows, outcome, error)


def tell(observers: Iterable[Observer], call: Call) -> None:
    """Tell each of a call that has ended. One that raises is logged, and keeps neither the others nor the caller."""
    for observe in observers:
        try:
            observe(call)
        except Exception:  # boundary: an observer must not cost anybody anything
            logger.exception("an observer of %s failed", call.operation)
