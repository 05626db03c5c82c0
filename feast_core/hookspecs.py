"""The hooks: what a plugin may implement, who calls it and when, and how results combine.

Hooks on the way of a request are called when a plan is compiled and return a callable; requests call that callable. So
a hook costs nothing per request, and everything pluggy can do (order, wrappers, blocking, tracing) holds.

A plugin is a module (or object) with functions named as below and marked with `hookimpl`; it takes any subset of the
arguments. It becomes a plugin by an entry point in the group `feast`, or by being the file `feast_plugins.py` of a
repository.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import msgspec

    from feast_core.components import Component
    from feast_core.definitions import DataSource
    from feast_core.diff import Diff
    from feast_core.interfaces import (
        Authenticator,
        Guard,
        Job,
        Observer,
        OfflineWriter,
        Outcome,
        Progress,
        Reader,
        ViewRead,
        Writer,
    )
    from feast_core.store import FeatureStore

hookspec = pluggy.HookspecMarker("feast")
hookimpl = pluggy.HookimplMarker("feast")


@dataclass(frozen=True, slots=True)
class Command:
    """One command of `feast`. `target` is "module:attribute" of a click command, imported when the command is run."""

    name: str
    target: str
    help: str


@dataclass(frozen=True, slots=True)
class Route:
    """One path of the HTTP server. `handler` is an async function from the server's request to its response; `public`
    routes are answered without asking who is calling."""

    method: str
    path: str
    handler: Any
    public: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A section of feature_store.yaml that belongs to a plugin: its dotted path and the msgspec struct it decodes
    to."""

    path: str
    struct: "type[msgspec.Struct]"


@hookspec
def feast_components() -> "Iterable[Component]":  # type: ignore[empty-body]
    """What this plugin offers for a section's `type`: stores, registries, engines, authenticators.

    Called once per process, plugin by plugin, so that messages can name the plugin; wrappers are not asked. Results are
    joined; two plugins with the same role and type are an error when that type is chosen, which names both.

    Example: `online_store: {type: dict}` keeps rows in a dictionary::

        from feast_core import Component, hookimpl

        @hookimpl
        def feast_components():
            return [Component("online_store", "dict", "feast_online_dict.store:DictOnlineStore")]
    """


@hookspec
def feast_settings() -> "Iterable[Setting]":  # type: ignore[empty-body]
    """Sections of feature_store.yaml that this plugin reads and that are not components.

    Called once per store. The section is decoded when the store is made, so that a wrong key is reported before
    anything runs; the plugin reads it with `store.setting(path)`.

    Example::

        import msgspec
        from feast_core import Setting, hookimpl

        class Audit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
            enabled: bool = False

        @hookimpl
        def feast_settings():
            return [Setting("audit", Audit)]
    """


@hookspec(firstresult=True)
def feast_reader(store: "FeatureStore", reads: "Sequence[ViewRead]") -> "Reader | None":
    """The callable that reads the rows of these views for one plan.

    Called when a plan is compiled. The first result is used; the default asks the configured online store. Wrap it to
    cache, count or fall back:

    Example: remember which keys were read last::

        from feast_core import hookimpl

        LAST = []

        @hookimpl(wrapper=True)
        def feast_reader(store, reads):
            read = yield

            async def remembering(keys):
                LAST[:] = keys
                return await read(keys)

            return remembering
    """


@hookspec(firstresult=True)
def feast_writer(store: "FeatureStore", view: "ViewRead") -> "Writer | None":
    """The callable that stores rows of one view.

    Called when a push plan is compiled and when a materialization job starts. The first result is used; the default
    asks the configured online store. The callable may block; it is never called on the event loop.

    Example: print what is written::

        from feast_core import hookimpl

        @hookimpl(wrapper=True)
        def feast_writer(store, view):
            write = yield

            def printing(rows):
                print(f"{view.view.name}: {len(rows)} rows")
                return write(rows)

            return printing
    """


@hookspec(firstresult=True)
def feast_offline_writer(store: "FeatureStore", source: "DataSource") -> "OfflineWriter | None":
    """What appends rows to one batch source.

    Called when a push plan with an offline part is compiled, and before queued rows are written. The first result is
    used; the default asks the configured offline store. Its methods may block; they are never called on the event loop.

    Example: refuse what is too much at once::

        from feast_core import hookimpl
        from feast_core.errors import TooLarge
        from feast_core.interfaces import OfflineWriter

        class Bounded(OfflineWriter):
            def __init__(self, writer):
                self._writer = writer

            def encode(self, columns):
                encoded = self._writer.encode(columns)
                if encoded.rows > 10_000:
                    raise TooLarge(f"{encoded.rows} rows at once; send 10,000 at most")
                return encoded

            def write(self, encoded, batch_id):
                return self._writer.write(encoded, batch_id)

        @hookimpl(wrapper=True)
        def feast_offline_writer(store, source):
            return Bounded((yield))
    """


@hookspec(firstresult=True)
def feast_materialize(store: "FeatureStore", jobs: "Sequence[Job]", progress: "Progress") -> "list[Outcome] | None":
    """Run materialization jobs.

    Called once per `materialize` or `materialize-incremental`. The first result is used; the default gives the jobs
    to the configured engine. Who runs a job holds the lease of its view and records its interval, as
    `materialization.run_job` does.

    Example: say when a run is over, however it ends::

        from feast_core import hookimpl

        @hookimpl(wrapper=True)
        def feast_materialize(store, jobs, progress):
            try:
                return (yield)
            finally:
                print("materialization ended")
    """


@hookspec(firstresult=True)
def feast_apply(store: "FeatureStore", diff: "Diff") -> "bool | None":
    """Make the registry and the online store look as the diff says.

    Called once per `apply`, after everything was validated. The first True ends it; the default updates the online
    store, then the registry in one transaction. Wrap it to veto or to tell somebody.

    Example: refuse to delete anything::

        from feast_core import hookimpl
        from feast_core.errors import DefinitionError

        @hookimpl(wrapper=True)
        def feast_apply(store, diff):
            if any(change.action == "delete" for change in diff.changes):
                raise DefinitionError("deleting is done by hand here")
            return (yield)
    """


@hookspec(firstresult=True)
def feast_authenticator(store: "FeatureStore") -> "Authenticator | None":
    """The callable that tells who is calling from the headers of a request, or None where nobody is asked.

    Called once per process. The first result is used; the default is the component that `auth.type` names, which for
    `no_auth` is none at all.

    Example: trust a header of the proxy in front::

        from feast_core import User, hookimpl

        @hookimpl
        def feast_authenticator(store):
            async def from_proxy(headers):
                return User(headers.get("x-user", "nobody"))

            return from_proxy
    """


@hookspec
def feast_guard(store: "FeatureStore", action: str, resources: "Sequence[Any]") -> "Guard | None":
    """May the caller do this to these objects? `action` is Feast's: "read_online", "write_online", ...; `resources` are
    definitions, or the bare name of what could not be resolved.

    Called when a plan is compiled. None means no opinion; all guards that are given must pass.

    Example: only `ops` may read::

        from feast_core import hookimpl
        from feast_core.errors import PermissionDenied

        @hookimpl
        def feast_guard(store, action, resources):
            if action != "read_online":
                return None

            def ops_only(user):
                if user.name != "ops":
                    raise PermissionDenied(f"{user.name} may not {action}")

            return ops_only
    """


@hookspec
def feast_observer(store: "FeatureStore", operation: str, labels: "dict[str, str]") -> "Observer | None":
    """Be told of every finished operation of this kind, also of failed ones.

    Called when a plan is compiled, with the plan's labels, and once per operation at worker start for what fails before
    there is a plan. None means not interested. An observer that raises is logged and the answer goes out all the same.
    `offline-push-flush` is one batch of queued rows on its way to a batch source, with the label `data_source`.

    Example: print slow reads::

        from feast_core import hookimpl

        @hookimpl
        def feast_observer(store, operation, labels):
            def slow(call):
                if call.seconds > 0.1:
                    print(operation, call.seconds, call.outcome)

            return slow if operation == "get-online-features" else None
    """


@hookspec
def feast_server_starting(config: Any, settings: Any) -> None:
    """The parent process is about to start its workers. `config` is the repository's Config, `settings` what the
    command line chose. The parent never imports the repository; what a plugin does here should be light and must not
    start threads.

    Example::

        from feast_core import hookimpl

        @hookimpl
        def feast_server_starting(config, settings):
            print(f"serving {config.project} on port {settings.port}")
    """


@hookspec
def feast_worker_started(store: "FeatureStore", settings: Any) -> Any:
    """A worker has loaded its store and is about to accept.

    May return an awaitable, which is awaited before it does; an exception keeps the worker from starting.

    Example: warm a client up::

        from feast_core import hookimpl

        @hookimpl
        async def feast_worker_started(store, settings):
            await store.get_online_features_async(["driver_hourly_stats:conv_rate"], {"driver_id": [1001]})
    """


@hookspec
def feast_worker_exited(pid: int, code: int) -> None:
    """A worker process is gone; called in the parent. `code` is its exit status, negative for a signal.

    Example::

        from feast_core import hookimpl

        @hookimpl
        def feast_worker_exited(pid, code):
            print(f"worker {pid} ended with {code}")
    """


@hookspec
def feast_routes(store: "FeatureStore") -> "Iterable[Route]":  # type: ignore[empty-body]
    """Further paths of the HTTP server. Called once per worker; results are joined, a path that is already taken is an
    error at start.

    Example: GET /project::

        from feast_core import Route, hookimpl
        from sanic import json

        @hookimpl
        def feast_routes(store):
            async def project(request):
                return json({"project": store.project})

            return [Route("GET", "/project", project, public=True)]
    """


@hookspec
def feast_commands() -> "Iterable[Command]":  # type: ignore[empty-body]
    """Further commands of `feast`. Called once per process; the target is imported when the command is run.

    Example::

        from feast_core import Command, hookimpl

        @hookimpl
        def feast_commands():
            return [Command("hello", "feast_hello.command:hello", "Say hello.")]
    """
