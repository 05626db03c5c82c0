"""Runs in the tables of a registry: what a transaction does with them. The project's row is locked by who calls."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, insert, select, update

from feast_core.errors import RegistryError
from feast_core.interfaces import Run, RunView
from feast_core.processes import Process
from feast_core.timestamps import from_microseconds, to_microseconds
from feast_registry_sql.tables import runs

#: Runs of a project that are kept.
_KEPT = 1000
_NOT_OVER = runs.c.state.in_(["queued", "running"])
_LOST = "the process that saw to it is gone; ask for it again"


def found(connection: Connection, project: str, id: str) -> Run | None:
    """The run of this id."""
    row = connection.execute(select(runs).where(_is(project, id))).one_or_none()
    return None if row is None else _run(row)


def fail_lost(connection: Connection, project: str, silence: float, now_us: int) -> None:
    """Record that runs failed which nobody sees to any more."""
    for row in connection.execute(select(runs).where(runs.c.project == project, _NOT_OVER)).all():
        if _is_lost(row, silence, now_us):
            end(connection, replace(_run(row), state="failed", error=_LOST), now_us)


def that_do(connection: Connection, project: str, views: Collection[str]) -> list[Run]:
    """Runs that are not over and have one of these views to do."""
    rows = connection.execute(select(runs).where(runs.c.project == project, _NOT_OVER)).all()
    return [run for run in map(_run, rows) if not run.to_do.isdisjoint(views)]


def add(connection: Connection, run: Run, now_us: int) -> None:
    """Keep a new run, and forget those that are older than the latest so many."""
    ended_us = now_us if run.is_over else None
    connection.execute(
        insert(runs).values(
            project=run.project,
            id=run.id,
            ignore_event_time=run.ignore_event_time,
            created_us=now_us,
            ended_us=ended_us,
            told_us=now_us,
            **_changing(run),
            **asdict(run.holder),
        )
    )
    of_project = runs.c.project == run.project
    created_us = select(runs.c.created_us).where(of_project).order_by(runs.c.created_us.desc())
    oldest_us = connection.execute(created_us.offset(_KEPT - 1).limit(1)).scalar()
    if oldest_us is not None:
        connection.execute(delete(runs).where(of_project, runs.c.created_us < oldest_us, runs.c.ended_us.is_not(None)))


def begin(connection: Connection, project: str, id: str, holder: Process, now_us: int) -> Run | None:
    """The run, running from now on; None where it is not queued."""
    changed = connection.execute(
        update(runs)
        .where(_is(project, id), runs.c.state == "queued")
        .values(state="running", begun_us=now_us, told_us=now_us, **asdict(holder))
    )
    return found(connection, project, id) if changed.rowcount else None


def report(connection: Connection, run: Run, waiting: Process, now_us: int) -> bool:
    """Keep how far it is, and that the server's queued runs are still there; False where it is over."""
    of_server = and_(*(runs.c[name] == value for name, value in asdict(waiting).items()))
    queued = and_(runs.c.project == run.project, runs.c.state == "queued", of_server)
    connection.execute(update(runs).where(queued).values(told_us=now_us))
    running = and_(_is(run.project, run.id), runs.c.state == "running")
    changed = connection.execute(update(runs).where(running).values(views=_views_text(run.views), told_us=now_us))
    return bool(changed.rowcount)


def end(connection: Connection, run: Run, now_us: int) -> bool:
    """Keep what became of it; False where it was over."""
    of_run = and_(_is(run.project, run.id), _NOT_OVER)
    return bool(connection.execute(update(runs).where(of_run).values(ended_us=now_us, **_changing(run))).rowcount)


def is_lost(connection: Connection, project: str, id: str, silence: float, now_us: int) -> bool:
    """Whether nobody sees to it any more, and that is not recorded."""
    row = connection.execute(select(runs).where(_is(project, id), _NOT_OVER)).one_or_none()
    return row is not None and _is_lost(row, silence, now_us)


def _is(project: str, id: str) -> ColumnElement[bool]:
    return and_(runs.c.project == project, runs.c.id == id)


def _is_lost(row: Row[Any], silence: float, now_us: int) -> bool:
    holder = _holder(row)
    if holder.is_gone:
        return True
    may_be_silent = holder.is_here and row.state == "running"
    return not may_be_silent and row.told_us + silence * 1e6 < now_us


def _changing(run: Run) -> dict[str, Any]:
    return {"state": run.state, "error": run.error, "views": _views_text(run.views)}


def _run(row: Row[Any]) -> Run:
    return Run(
        row.project,
        row.id,
        _views(row.id, row.views),
        _holder(row),
        row.ignore_event_time,
        row.state,
        row.error,
        *(None if us is None else from_microseconds(us) for us in (row.created_us, row.begun_us, row.ended_us)),
    )


def _holder(row: Row[Any]) -> Process:
    return Process(row.host, row.machine, row.pid, row.started)


def _views_text(views: Sequence[RunView]) -> str:
    """JSON: a list of objects with the fields of RunView, times in microseconds."""
    return json.dumps([asdict(view) for view in views], default=to_microseconds)


def _views(id: str, text: str) -> tuple[RunView, ...]:
    try:
        plain = json.loads(text)
        times = [{name: from_microseconds(view[name]) for name in ("start", "end")} for view in plain]
        return tuple(RunView(**{**view, **window}) for view, window in zip(plain, times, strict=True))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RegistryError(f"the registry holds a run {id} that this version cannot read: {error!r}") from error
