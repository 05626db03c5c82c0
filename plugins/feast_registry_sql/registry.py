"""Definitions, materialized intervals, leases, runs and a generation number per project, in tables of a database."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    cast,
    delete,
    extract,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from feast_core.definitions import Definition, from_spec
from feast_core.errors import DefinitionError, RegistryError
from feast_core.interfaces import Interval, Lease, Registry, RegistryContents, Run
from feast_core.processes import Process
from feast_core.timestamps import from_microseconds, to_microseconds
from feast_registry_sql import runs
from feast_registry_sql.database import Database
from feast_registry_sql.location import FileLocation, Location, UrlLocation
from feast_registry_sql.tables import dropped, intervals, leases, objects, projects
from feast_registry_sql.tables import runs as runs_table

#: What an object may refer to comes before it.
_ORDER = (
    "project",
    "entity",
    "data source",
    "feature view",
    "on demand feature view",
    "label view",
    "feature service",
    "permission",
)


class SqlRegistry(Registry):
    """A registry in any database that SQLAlchemy reaches; many processes may read and write it at once."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """`registry`, with `registry_type: sql`."""

        path: UrlLocation
        """URL of the database, as SQLAlchemy reads it: `postgresql+psycopg://user:${PASSWORD}@host/database`."""
        sqlalchemy_config_kwargs: dict[str, Any] = {}
        """Further arguments of `sqlalchemy.create_engine`."""
        lock_timeout_seconds: float = 30.0
        """Seconds to wait for another writer."""
        cache_ttl_seconds: int | None = 600
        """Seconds after which code in Python that reads features looks for a later apply; 0: never. A server looks
        every `--registry_ttl_sec`."""
        cache_mode: str | None = None
        """Accepted, without effect: every process keeps a snapshot and asks whether it is still the newest."""

    def __init__(self, options: Options) -> None:
        self._open(options.path, options.sqlalchemy_config_kwargs, options.lock_timeout_seconds)
        self.cache_ttl_seconds = options.cache_ttl_seconds or 0

    def _open(self, location: Location, engine_options: dict[str, Any], lock_timeout_seconds: float) -> None:
        self._database = Database(location, engine_options, lock_timeout_seconds)

    def generation(self, project: str) -> int:
        with self._database.read() as connection:
            return 0 if connection is None else _generation(connection, project)

    def load(self, project: str) -> RegistryContents:
        return self.reload(project, RegistryContents(0, ()))

    def reload(self, project: str, old: RegistryContents) -> RegistryContents:
        with self._database.read() as connection:
            if connection is None:
                return RegistryContents(0, ())
            generation = _generation(connection, project)
            rows = connection.execute(
                select(objects.c.kind, objects.c.name, objects.c.spec).where(objects.c.project == project)
            ).all()
            windows = connection.execute(
                select(intervals.c.view, intervals.c.start_us, intervals.c.end_us, intervals.c.recorded_us)
                .where(intervals.c.project == project)
                .order_by(intervals.c.view, intervals.c.start_us, intervals.c.end_us)
            ).all()
        by_view: dict[str, list[Interval]] = defaultdict(list)
        for view, *times in windows:
            by_view[view].append(Interval(*map(from_microseconds, times)))
        rows = sorted(rows, key=lambda row: (_rank(row.kind), row.kind, row.name))
        known = {(found.kind, found.name): found for found in old.objects}
        # The hash of a text has 64 bits and is the same in all of this process.
        stamps = {(kind, name): hash(spec) for kind, name, spec in rows}
        same = {key for key, stamp in stamps.items() if key in known and old.stamps.get(key) == stamp}
        return RegistryContents(
            generation,
            tuple(
                known[kind, name] if (kind, name) in same else _definition(kind, name, spec)
                for kind, name, spec in rows
            ),
            {view: tuple(found) for view, found in by_view.items()},
            stamps,
        )

    def apply(
        self, project: str, save: Sequence[Definition], delete: Sequence[Definition], drop: Sequence[str] = ()
    ) -> int:
        specs = {(definition.kind, definition.name): definition.spec() for definition in save}
        named = {(definition.kind, definition.name) for definition in delete}
        gone = named - specs.keys()
        with self._database.write() as connection:
            generation = _lock(connection, project)
            stored = _stored(connection, project)
            gone &= stored.keys()
            changed = {key: _text(spec) for key, spec in specs.items() if _differs(key, stored.get(key), spec)}
            if not changed and not gone:
                return generation
            _delete(connection, project, gone)
            _forget_rows(connection, project, named)
            _save(connection, project, changed, stored.keys())
            for place in set(drop) - set(_dropped(connection, project)):
                connection.execute(insert(dropped).values(project=project, place=place))
            return _bump(connection, project, generation)

    def drop_rows(self, project: str, drop: Callable[[Sequence[str]], None]) -> None:
        with self._database.read() as connection:
            # Not there yet in a registry of an earlier version that nobody has written since.
            if connection is None or not inspect(connection).has_table(dropped.name):
                return
            if not _dropped(connection, project):
                return
        with self._database.write() as connection:
            _lock(connection, project)
            places = _dropped(connection, project)
            if places:
                drop(places)
                connection.execute(delete(dropped).where(dropped.c.project == project))

    def record_interval(self, project: str, view: str, interval: Interval, lease: Lease | None = None) -> bool:
        """Remember that a window of a view is materialized, as of `interval.recorded` (default: now).

        It takes the place of windows that it contains, and continues one that it starts in, so that a view which is
        materialized every five minutes for years has one window, not a hundred thousand. A view that was deleted
        meanwhile is not recorded.
        """
        start_us, end_us = to_microseconds(interval.start), to_microseconds(interval.end)
        recorded_us = _now_us() if interval.recorded is None else to_microseconds(interval.recorded)
        with self._database.write() as connection:
            _lock(connection, project)
            if lease is not None and not connection.execute(delete(leases).where(_is(lease))).rowcount:
                return False
            if not _has_view(connection, project, view):
                return True
            of_view = and_(intervals.c.project == project, intervals.c.view == view)
            contained = and_(of_view, intervals.c.start_us >= start_us, intervals.c.end_us <= end_us)
            connection.execute(delete(intervals).where(contained))
            # A window whose end was still to come when it was recorded holds what there was then, and no more.
            continued = and_(
                of_view,
                intervals.c.start_us <= start_us,
                intervals.c.end_us.between(start_us, end_us),
                intervals.c.recorded_us >= start_us,
            )
            earliest = connection.execute(select(func.min(intervals.c.start_us)).where(continued)).scalar()
            connection.execute(delete(intervals).where(continued))
            row = {"project": project, "view": view, "start_us": start_us if earliest is None else earliest}
            same = and_(of_view, intervals.c.start_us == row["start_us"], intervals.c.end_us == end_us)
            connection.execute(delete(intervals).where(same))
            connection.execute(insert(intervals).values(**row, end_us=end_us, recorded_us=recorded_us))
        return True

    def take_lease(self, lease: Lease, seconds: float) -> Lease | None:
        of_view = and_(leases.c.project == lease.project, leases.c.view == lease.view)
        with self._database.write() as connection:
            _lock(connection, lease.project)
            now_us = _clock_us(connection)
            # A renewal does not wait for the project, so that none comes too late; but it is waited for.
            found = connection.execute(select(leases).where(of_view).with_for_update()).one_or_none()
            if found is not None and _holds(found, now_us):
                return _lease(found)
            connection.execute(delete(leases).where(of_view))
            row = {"project": lease.project, "view": lease.view, "token": lease.token, **asdict(lease.holder)}
            until_us = now_us + int(seconds * 1e6)
            connection.execute(insert(leases).values(**row, since_us=now_us, until_us=until_us))
        return None

    def renew_lease(self, lease: Lease, seconds: float) -> bool:
        with self._database.write() as connection:
            until_us = _clock_us(connection) + int(seconds * 1e6)
            return bool(connection.execute(update(leases).where(_is(lease)).values(until_us=until_us)).rowcount)

    def end_lease(self, lease: Lease) -> None:
        with self._database.write() as connection:
            connection.execute(delete(leases).where(_is(lease)))

    def add_run(self, run: Run, force: bool, silence: float) -> tuple[str, ...]:
        of_views = and_(leases.c.project == run.project, leases.c.view.in_(sorted(run.to_do)))
        with self._database.write() as connection:
            _lock(connection, run.project)
            now_us = _clock_us(connection)
            runs.fail_lost(connection, run.project, silence, now_us)
            others = runs.that_do(connection, run.project, run.to_do)
            taken = {view for other in others for view in other.to_do & run.to_do}
            held = connection.execute(select(leases).where(of_views).with_for_update()).all()
            taken |= {lease.view for lease in held if _holds(lease, now_us)}
            if taken and not force:
                return tuple(sorted(taken))
            connection.execute(delete(leases).where(of_views))
            for other in others:
                runs.end(
                    connection, replace(other, state="failed", error=f"job {run.id} took its views by force"), now_us
                )
            runs.add(connection, run, now_us)
        return ()

    def begin_run(self, project: str, id: str, holder: Process) -> Run | None:
        with self._database.write() as connection:
            return runs.begin(connection, project, id, holder, _clock_us(connection))

    def report_run(self, run: Run, waiting: Process) -> bool:
        with self._database.write() as connection:
            return runs.report(connection, run, waiting, _clock_us(connection))

    def end_run(self, run: Run) -> bool:
        with self._database.write() as connection:
            return runs.end(connection, run, _clock_us(connection))

    def find_run(self, project: str, id: str, silence: float) -> Run | None:
        with self._database.read() as connection:
            # Not there yet in a registry of an earlier version that nobody has written since.
            if connection is None or not inspect(connection).has_table(runs_table.name):
                return None
            if not runs.is_lost(connection, project, id, silence, _clock_us(connection)):
                return runs.found(connection, project, id)
        with self._database.write() as connection:
            _lock(connection, project)
            runs.fail_lost(connection, project, silence, _clock_us(connection))
            return runs.found(connection, project, id)

    def projects(self) -> list[str]:
        with self._database.read() as connection:
            if connection is None:
                return []
            return sorted(connection.execute(select(objects.c.project).distinct()).scalars())

    def teardown(self, project: str) -> None:
        """Forget the project. Its generation grows, so that who holds a snapshot sees that it is old."""
        with self._database.read() as connection:
            if connection is None:
                return
        with self._database.write() as connection:
            generation = _lock(connection, project)
            for table in (intervals, leases, dropped, runs_table):
                connection.execute(delete(table).where(table.c.project == project))
            if connection.execute(delete(objects).where(objects.c.project == project)).rowcount:
                _bump(connection, project, generation)

    def check(self) -> None:
        self._database.check()

    def set_aside(self) -> Path | None:
        """Rename a registry file that Feast wrote, so that a new one can be made, and return the new name: that with
        .bak, or .bak1 and so on, never that of a file which exists. None where there is nothing to set aside."""
        return self._database.set_aside()

    def close(self) -> None:
        self._database.close()


class FileRegistry(SqlRegistry):
    """A registry in a SQLite file beside the repository: the default."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """`registry: data/registry.db`, or the mapping with `path`."""

        path: FileLocation
        """A SQLite file, relative to the repository."""
        lock_timeout_seconds: float = 30.0
        """Seconds to wait for another writer."""
        cache_ttl_seconds: int | None = 600
        """Seconds after which code in Python that reads features looks for a later apply; 0: never. A server looks
        every `--registry_ttl_sec`."""
        cache_mode: str | None = None
        """Accepted, without effect: every process keeps a snapshot and asks whether it is still the newest."""

    def __init__(self, options: Options) -> None:
        self._open(options.path, {}, options.lock_timeout_seconds)
        self.cache_ttl_seconds = options.cache_ttl_seconds or 0


def _has_view(connection: Connection, project: str, name: str) -> bool:
    named = and_(objects.c.project == project, objects.c.name == name)
    return any(_is_view(kind) for kind in connection.execute(select(objects.c.kind).where(named)).scalars())


def _is(lease: Lease) -> ColumnElement[bool]:
    of_view = and_(leases.c.project == lease.project, leases.c.view == lease.view)
    return and_(of_view, leases.c.token == lease.token)


def _holds(row: Row[Any], now_us: int) -> bool:
    return bool(row.until_us > now_us) and not _lease(row).holder.is_gone


def _lease(row: Row[Any]) -> Lease:
    holder = Process(row.host, row.machine, row.pid, row.started)
    return Lease(
        row.project, row.view, row.token, holder, from_microseconds(row.since_us), from_microseconds(row.until_us)
    )


def _clock_us(connection: Connection) -> int:
    """One clock for all machines, where the database has one."""
    if connection.dialect.name == "postgresql":
        clock = select(cast(extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger))
        return int(connection.execute(clock).scalar_one())
    return _now_us()


def _generation(connection: Connection, project: str) -> int:
    found = connection.execute(select(projects.c.generation).where(projects.c.project == project)).scalar()
    return int(found or 0)


def _dropped(connection: Connection, project: str) -> list[str]:
    found = select(dropped.c.place).where(dropped.c.project == project).order_by(dropped.c.place)
    return list(connection.execute(found).scalars())


def _lock(connection: Connection, project: str) -> int:
    """Hold the project's row until the transaction ends, and return the generation."""
    locked = select(projects.c.generation).where(projects.c.project == project).with_for_update()
    generation = connection.execute(locked).scalar()
    if generation is None:
        try:
            with connection.begin_nested():
                connection.execute(insert(projects).values(project=project, generation=0))
        except IntegrityError:
            pass  # another first apply was faster; its row is there now
        generation = connection.execute(locked).scalar_one()
    return int(generation)


def _bump(connection: Connection, project: str, generation: int) -> int:
    """The clock in microseconds, and more than before: a registry that was removed and made anew does not come to a
    number that a running server has seen of the one before it."""
    later = max(generation + 1, _now_us())
    connection.execute(update(projects).where(projects.c.project == project).values(generation=later))
    return later


def _stored(connection: Connection, project: str) -> dict[tuple[str, str], str]:
    """Texts of specs by kind and name."""
    rows = connection.execute(
        select(objects.c.kind, objects.c.name, objects.c.spec).where(objects.c.project == project)
    ).all()
    return {(kind, name): spec for kind, name, spec in rows}


def _differs(key: tuple[str, str], stored: str | None, spec: Any) -> bool:
    return stored is None or (stored != _text(spec) and _parsed(*key, stored) != spec)


def _text(spec: Any) -> str:
    return json.dumps(spec, ensure_ascii=False, separators=(",", ":"))


# Many rows go to the database in one call: a project may have thousands of objects.


def _delete(connection: Connection, project: str, gone: set[tuple[str, str]]) -> None:
    if gone:
        connection.execute(delete(objects).where(_SAME), [_key(project, kind, name) for kind, name in sorted(gone)])


def _forget_rows(connection: Connection, project: str, named: set[tuple[str, str]]) -> None:
    """What is known of rows of these views, and the right of runs under way to say that they have written some."""
    views = [{"of_project": project, "of_name": name} for kind, name in sorted(named) if _is_view(kind)]
    for table in (intervals, leases) if views else ():
        of_view = and_(table.c.project == bindparam("of_project"), table.c.view == bindparam("of_name"))
        connection.execute(delete(table).where(of_view), views)


def _save(connection: Connection, project: str, texts: dict[tuple[str, str], str], known: Any) -> None:
    now_us = _now_us()
    added, updated = [], []
    for (kind, name), text in sorted(texts.items()):
        if (kind, name) in known:
            updated.append({**_key(project, kind, name), "spec": text, "updated_us": now_us})
        else:
            row = {"project": project, "kind": kind, "name": name, "spec": text}
            added.append({**row, "created_us": now_us, "updated_us": now_us})
    if updated:
        connection.execute(update(objects).where(_SAME), updated)
    if added:
        connection.execute(insert(objects), added)


#: The object whose key is `_key(...)`.
_SAME = and_(
    objects.c.project == bindparam("of_project"),
    objects.c.kind == bindparam("of_kind"),
    objects.c.name == bindparam("of_name"),
)


def _key(project: str, kind: str, name: str) -> dict[str, str]:
    return {"of_project": project, "of_kind": kind, "of_name": name}


def _parsed(kind: str, name: str, spec: str) -> Any:
    try:
        return json.loads(spec)
    except ValueError as error:
        raise RegistryError(f"the registry holds something that is not JSON as {kind} {name!r}") from error


def _definition(kind: str, name: str, spec: str) -> Definition:
    try:
        return from_spec(_parsed(kind, name, spec))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RegistryError(f"the registry holds a {kind} {name!r} that this version cannot read: {error!r}") from error
    except DefinitionError as error:
        raise RegistryError(f"the registry holds a {kind} {name!r} that this version cannot read: {error}") from error


def _rank(kind: str) -> int:
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _is_view(kind: str) -> bool:
    return kind.endswith("view")


def _now_us() -> int:
    return time.time_ns() // 1000
