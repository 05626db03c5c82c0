"""RetrievalPlan: what one shape of online request needs, compiled once and run many times."""

import asyncio
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from feast_core.config import ResponseFormat
from feast_core.definitions import Bytes, FeastType
from feast_core.errors import FeastError, InvalidInput, NameCollision, NotFound
from feast_core.interfaces import Guard, Observer, Reader, ViewRead
from feast_core.keys import KEY_TYPES, Coerce, KeyEncoder, coerced, coercion_of
from feast_core.refs import Projection, Resolved, resolve
from feast_core.render import ColumnsLayout, RowsLayout, UnknownSchema
from feast_core.security import fold_guards
from feast_core.snapshot import Snapshot
from feast_core.values import Wire, codec_of

if TYPE_CHECKING:
    from feast_core.store import FeatureStore

#: Rows that are read and rendered between two turns of the event loop. What is left of a request of 100,000 rows and 50
#: features is 0.2 to 0.5 s at its ends: coercing and echoing all keys, joining the body.
SLICE = 500


class RetrievalRequest(NamedTuple):
    """The shape of a request, which is the key of its plan: `columns` are the names in `entities`, in request order."""

    features: tuple[str, ...]
    feature_service: str | None
    full_feature_names: bool
    columns: tuple[str, ...]
    response_format: ResponseFormat


@dataclass(frozen=True, slots=True)
class _Key:
    """How the keys of some reads are made: the encoder, the request column of each of its join keys, and where the
    plan has the coerced values of each."""

    encoder: KeyEncoder
    columns: tuple[str, ...]
    coerced: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Echo:
    """A join key that the answer repeats: the request column, its name in the answer, how it becomes JSON, and where
    the plan has its coerced values."""

    column: str
    name: str
    dtype: FeastType
    coerced: int


class _Coercions:
    """How columns of the request become values of a type. Each used column is there once per type that it is read as:
    views may disagree on the type of a join key."""

    def __init__(self) -> None:
        self.all: list[tuple[str, Coerce]] = []
        self._known: dict[tuple[str, FeastType], int] = {}

    def of(self, column: str, dtype: FeastType) -> int:
        """The place of a column's values as this type."""
        if (column, dtype) not in self._known:
            self._known[column, dtype] = len(self.all)
            # As Feast: an entity that no view uses may be of any type, and its column may come along.
            coerce = coercion_of(dtype, column) if dtype in KEY_TYPES else codec_of(dtype).encode_column
            self.all.append((column, coerce))
        return self._known[column, dtype]


class RetrievalPlan:
    """Compiled from a snapshot; holds callables only, so that running it asks no plugin and no registry.

    `names` are those of the answer and `types` their types, join keys first. `guard` is None where everybody may read.
    """

    def __init__(self, store: "FeatureStore", snapshot: Snapshot, request: RetrievalRequest) -> None:
        resolved = resolve(snapshot, request.features, request.feature_service, request.full_feature_names)
        self.request = request
        #: Asked for again since it was made, or since the store last looked for plans to drop. Not yet when it is new:
        #: a client that makes up shapes asks for each of them once.
        self.used = False
        self.reads = [ViewRead(found.view, snapshot.schema(found.view)) for found in resolved.projections]
        self.guard: Guard | None = fold_guards(store.guards("read_online", _resources(snapshot, request, resolved)))
        self.observers: list[Observer] = store.observers("get-online-features", _labels(request))
        self._read: Reader = store.plugins.hook.feast_reader(store=store, reads=self.reads)
        self._schemas = store.online.schemas
        self._project = store.project
        coercions = _Coercions()
        self._keys, self._key_of_read = _keys(snapshot, resolved.projections, request.columns, coercions)
        self._echoes = _echoes(snapshot, resolved.projections, request.columns, coercions)
        self._coercions = coercions.all
        self._layout = self._make_layout(store, snapshot, resolved, request)
        self.names = self._layout.names
        self.types: tuple[FeastType, ...] = (
            *(echo.dtype for echo in self._echoes),
            *(self.reads[read].schema.types[position] for read, position in self._layout.outputs),
        )

    def _make_layout(
        self, store: "FeatureStore", snapshot: Snapshot, resolved: Resolved, request: RetrievalRequest
    ) -> RowsLayout | ColumnsLayout:
        echoed = [echo.name for echo in self._echoes]
        features = [output.name for output in resolved.outputs]
        clash = sorted(set(echoed) & set(features))
        if clash:
            raise NameCollision(
                f"{', '.join(clash)} would be both a join key and a feature of the answer; "
                "set full_feature_names to true"
            )
        positions = [snapshot.positions(read.view) for read in self.reads]
        outputs = [(output.projection, positions[output.projection][output.feature]) for output in resolved.outputs]
        enforce = store.config.feature_server.enforce_ttl
        ages = [_microseconds(read) if enforce else None for read in self.reads]
        layout = RowsLayout if request.response_format == "rows" else ColumnsLayout
        return layout([*echoed, *features], len(echoed), outputs, [read.schema for read in self.reads], ages)

    async def run(self, entities: Mapping[str, list[Any]]) -> bytes:
        """Columns of entity values (names as in `request.columns`) to the body of the response.

        Raises InvalidInput for ragged columns, nulls and values that are not of the declared type; Unavailable.
        """
        rows = _rows_of(entities)
        columns = [coerced(coerce, entities[name], f"entities.{name}") for name, coerce in self._coercions]
        keys = [key.encoder.encode([columns[at] for at in key.coerced], rows) for key in self._keys]
        echo = [_json_of(echoed, columns[echoed.coerced]) for echoed in self._echoes]
        answer = self._layout.begin()
        if rows <= SLICE:
            await self._add(answer, [keys[at] for at in self._key_of_read], echo, rows)
            return b"".join(answer.parts())
        for start in range(0, rows, SLICE):
            end = min(start + SLICE, rows)
            part = [key[start:end] for key in keys]
            await self._add(
                answer, [part[at] for at in self._key_of_read], [column[start:end] for column in echo], end - start
            )
            await asyncio.sleep(0)
        body = []
        for piece in answer.parts():
            body.append(piece)
            await asyncio.sleep(0)
        return b"".join(body)

    async def _add(self, answer: Any, keys: list[list[bytes]], echo: list[list[bytes]], rows: int) -> None:
        stored = await self._read(keys)
        while True:
            try:
                return answer.add(echo, stored, rows)  # type: ignore[no-any-return]
            except UnknownSchema as unknown:
                known = await self._schemas(self._project, sorted(unknown.fingerprints))
                for fingerprint in unknown.fingerprints:
                    self._layout.foreign[fingerprint] = known.get(fingerprint)

    def describe(self) -> dict[str, Any]:
        """What the plan is made of, as plain data: the views in the order they are read, and the columns of the answer.
        `explaining.explain` adds which plugins have their hands in it."""
        keys = [self._keys[at] for at in self._key_of_read]
        taken = [{position for read, position in self._layout.outputs if read == at} for at in range(len(keys))]
        origins = [f"entities.{echo.column}" for echo in self._echoes] + [
            f"{self.reads[read].view.name}:{self.reads[read].schema.names[position]}"
            for read, position in self._layout.outputs
        ]
        return {
            "views": [
                {
                    "name": read.view.name,
                    "class": type(read.view).__name__,
                    "join_keys": [
                        {"name": name, "type": str(key.encoder.types[name]), "column": column}
                        for name, column in zip(key.encoder.join_keys, key.columns, strict=True)
                    ],
                    "ttl_seconds": read.view.ttl.total_seconds() or None,
                    "schema": {
                        "fingerprint": f"{read.schema.fingerprint & 0xFFFF_FFFF_FFFF_FFFF:016x}",
                        "features": {
                            name: str(dtype) for name, dtype in zip(read.schema.names, read.schema.types, strict=True)
                        },
                    },
                    "features": [name for position, name in enumerate(read.schema.names) if position in positions],
                }
                for read, key, positions in zip(self.reads, keys, taken, strict=True)
            ],
            "columns": [
                {"name": name, "type": str(dtype), "from": origin}
                for name, dtype, origin in zip(self.names, self.types, origins, strict=True)
            ],
        }


class UnresolvedPlan:
    """Stands in for a plan that cannot be compiled, where guards are in force: they see the names as they were sent,
    and only who passes learns what is wrong with them."""

    def __init__(self, store: "FeatureStore", request: RetrievalRequest, guard: Guard, error: FeastError) -> None:
        self.request = request
        self.guard = guard
        self.observers: list[Observer] = store.observers("get-online-features", _labels(request))
        self.types: tuple[FeastType, ...] = ()
        self._error = error

    async def run(self, entities: Mapping[str, list[Any]]) -> bytes:
        """Raises the error that kept the plan from being compiled."""
        raise self._error


def compile_plan(
    store: "FeatureStore", snapshot: Snapshot, request: RetrievalRequest
) -> RetrievalPlan | UnresolvedPlan:
    """The plan of a request. Raises what `RetrievalPlan` does, where there is no guard to answer first."""
    try:
        return RetrievalPlan(store, snapshot, request)
    except FeastError as error:
        guard = fold_guards(store.guards("read_online", _named(snapshot, request)))
        if guard is None:
            raise
        # A hint tells of other names, which the caller may not be allowed to know of.
        told = type(error)(error.message) if isinstance(error, NotFound) else error
        return UnresolvedPlan(store, request, guard, told)


def _named(snapshot: Snapshot, request: RetrievalRequest) -> list[Any]:
    """What a request names: its service, or its views; the bare name of what is not there."""
    if request.feature_service:
        return [snapshot.services.get(request.feature_service, request.feature_service)]
    names = dict.fromkeys(reference.partition(":")[0] for reference in request.features)
    return [snapshot.views.get(name, name) for name in names]


def _labels(request: RetrievalRequest) -> dict[str, str]:
    return {"feature_service": request.feature_service or "", "response_format": request.response_format}


def _resources(snapshot: Snapshot, request: RetrievalRequest, resolved: Resolved) -> list[Any]:
    """The service and its views, or the views: a guard decides what a grant on which of them means."""
    views = [projection.view for projection in resolved.projections]
    return [snapshot.service(request.feature_service), *views] if request.feature_service else list(views)


def _microseconds(read: ViewRead) -> int | None:
    seconds = read.view.ttl.total_seconds()
    return int(seconds * 1_000_000) if seconds else None


def _keys(
    snapshot: Snapshot, projections: Sequence[Projection], columns: Sequence[str], coercions: _Coercions
) -> tuple[list[_Key], list[int]]:
    """Distinct ways to make keys, and which of them each read uses. Raises InvalidInput where a join key is missing."""
    keys: list[_Key] = []
    known: dict[tuple[Any, ...], int] = {}
    of_read = []
    for projection in projections:
        types = snapshot.key_types(projection.view)
        sources = tuple(_column_for(snapshot, projection, join_key, columns) for join_key in sorted(types))
        identity = (sources, tuple(sorted((name, str(dtype)) for name, dtype in types.items())))
        if identity not in known:
            known[identity] = len(keys)
            encoder = KeyEncoder(types)
            places = zip(sources, encoder.join_keys, strict=True)
            keys.append(_Key(encoder, sources, tuple(coercions.of(column, types[name]) for column, name in places)))
        of_read.append(known[identity])
    return keys, of_read


def _column_for(snapshot: Snapshot, projection: Projection, join_key: str, columns: Sequence[str]) -> str:
    wanted = projection.column_of(join_key)
    if wanted in columns:
        return wanted
    # As Feast: a request may name the entity instead of its join key.
    for entity, key in snapshot.join_key_of_entity.items():
        if key == wanted and entity in columns:
            return entity
    given = ", ".join(columns) if any(columns) else "nothing"
    raise InvalidInput.at(
        f"entities.{wanted}", f"feature view {projection.alias} needs values of the join key {wanted!r}; given: {given}"
    )


def _echoes(
    snapshot: Snapshot, projections: Sequence[Projection], columns: Sequence[str], coercions: _Coercions
) -> list[_Echo]:
    """Columns that the answer repeats: all join keys of the project, in request order, under the name of the join
    key. Where views disagree on the type, the first one of the request speaks."""
    mapped: dict[str, FeastType] = {}
    for projection in projections:
        for join_key, dtype in snapshot.key_types(projection.view).items():
            mapped.setdefault(projection.column_of(join_key), dtype)
    echoes = []
    for column in columns:
        name = column if column in mapped or column in snapshot.join_keys else snapshot.join_key_of_entity.get(column)
        if name is None:
            continue
        dtype = mapped.get(name) or snapshot.join_keys[name]
        echoes.append(_Echo(column, name, dtype, coercions.of(column, dtype)))
    names = [echo.name for echo in echoes]
    for echo in echoes:
        if names.count(echo.name) > 1:
            raise InvalidInput.at(
                f"entities.{echo.column}", f"gives values of the join key {echo.name!r} a second time; send one of them"
            )
    return echoes


def _rows_of(entities: Mapping[str, list[Any]]) -> int:
    """The number of entity rows. Raises InvalidInput for ragged columns, over all columns that were sent (as Feast)."""
    if not entities:
        return 1  # views without entities only: one row, the same for everybody
    lengths = {len(values) for values in entities.values()}
    if len(lengths) > 1:
        shown = ", ".join(f"{name}: {len(values)}" for name, values in entities.items())
        raise InvalidInput.at("entities", f"all columns must have the same number of values; got {shown}")
    return lengths.pop()


def _json_of(echo: _Echo, values: Wire) -> list[bytes]:
    if echo.dtype == Bytes:
        values = codec_of(Bytes).encode_column(list(values))
    try:
        if isinstance(values, array):  # of numbers, which no comma is in
            return orjson.dumps(values.tolist())[1:-1].split(b",") if values else []
        dumps: Callable[[Any], bytes] = orjson.dumps
        return [dumps(value) for value in values]
    except TypeError as error:
        raise InvalidInput.at(f"entities.{echo.column}", "holds a text that is not valid Unicode") from error
