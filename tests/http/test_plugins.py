"""Plugins take part in the server through its hooks, in the parent and in the workers."""

import json
import os
import signal
from pathlib import Path
from typing import Any

from feast_cli.main import main

BODY = {"feature_service": "driver_activity", "entities": {"driver_id": [1001, 1002]}}

GATE = """
from feast_core import Route, User, hookimpl
from feast_core.errors import PermissionDenied, Unauthenticated
from sanic import json

@hookimpl
def feast_authenticator(store):
    async def authenticate(headers):
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            raise Unauthenticated("send a token: Authorization: Bearer ...")
        return User(token)
    return authenticate

@hookimpl
def feast_guard(store, action, resources):
    def only_ada(user):
        if user.name != "ada":
            raise PermissionDenied(f"{user.name} may not {action}")
    return only_ada

@hookimpl
def feast_routes(store):
    async def project(request):
        return json({"project": store.project})
    async def who(request):
        return json({"who": request.ctx.user.name})
    return [Route("GET", "/project", project, public=True), Route("GET", "/who", who)]
"""

OBSERVER = """
import json
from pathlib import Path
from feast_core import hookimpl

CALLS = (Path(__file__).parent / "calls.txt").open("a", buffering=1)

@hookimpl
def feast_observer(store, operation, labels):
    def observe(call):
        assert call.seconds > 0
        print(json.dumps([call.operation, call.user.name, call.request_id, call.rows, call.outcome]), file=CALLS)
        if call.request_id == "break":
            raise ValueError("broken observer")
    return observe
"""

INSTALLED = """
from pathlib import Path
from feast_core import hookimpl

@hookimpl
def feast_server_starting(config, settings):
    print("starting", config.project, settings.port > 0, file=Path("hooks.txt").open("a"))

@hookimpl
def feast_worker_exited(pid, code):
    print("exited", code, file=Path("hooks.txt").open("a"))
"""


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


def test_who_calls_and_what_they_may_is_asked_before_anything_is_told(start: Any, make: Any, tmp_path: Path) -> None:
    with start(make(tmp_path / "gated", plugins=GATE)) as server:
        for body in (BODY, {"feature_service": "nope", "entities": {}}, b"{"):
            answer = server.online(body)
            assert answer.status == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == "application/problem+json"
        refused = server.online(BODY, headers=bearer("bob"))
        assert (refused.status, refused.json["detail"]) == (403, "bob may not read_online")
        in_columns = server.online(BODY, "?response_format=columns", headers=bearer("bob"))
        assert json.loads(in_columns.json)["class"] == "FeastPermissionError"
        # Who may not read does not learn which names there are.
        assert server.online(BODY | {"feature_service": "nope"}, headers=bearer("bob")).status == 403
        assert server.online(BODY | {"feature_service": "nope"}, headers=bearer("ada")).status == 404
        assert server.online(BODY, headers=bearer("ada")).status == 200
        assert server.request("GET", "/health").status == 200
        assert server.request("GET", "/ready").status == 200


def test_routes_of_plugins_are_public_or_know_the_caller(start: Any, make: Any, tmp_path: Path) -> None:
    with start(make(tmp_path / "gated", plugins=GATE)) as server:
        assert server.request("GET", "/project").json == {"project": "drivers"}
        assert server.request("GET", "/who").status == 401
        assert server.request("GET", "/who", headers=bearer("bob")).json == {"who": "bob"}


def test_a_path_that_is_taken_is_an_error_at_start(make: Any, tmp_path: Path, capfd: Any) -> None:
    repository = make(tmp_path / "taken", plugins=GATE.replace('"/project"', '"/health"'))
    assert main(["-c", str(repository), "serve", "-p", "0"]) == 1
    assert "two plugins answer GET /health, or the server does already" in capfd.readouterr().err


def test_observers_are_told_of_every_outcome(start: Any, make: Any, tmp_path: Path) -> None:
    repository = make(tmp_path / "observed", plugins=OBSERVER)
    with start(repository) as server:
        assert server.online(BODY, headers={"X-Request-ID": "abc"}).status == 200
        assert server.online(b"{").status == 422
        assert server.online(BODY | {"feature_service": "nope"}).status == 404
        assert server.online(BODY | {"entities": {"driver_id": ["x"]}}).status == 422
        assert server.online(BODY, headers={"X-Request-ID": "break"}).status == 200
        calls = [json.loads(line) for line in (repository / "calls.txt").read_text().splitlines()]
        assert calls == [
            ["get-online-features", "anyone", "abc", 2, "success"],
            ["get-online-features", "anyone", "", 0, "InvalidInput"],
            ["get-online-features", "anyone", "", 2, "FeatureServiceNotFound"],
            ["get-online-features", "anyone", "", 1, "InvalidInput"],
            ["get-online-features", "anyone", "break", 2, "success"],
        ]
        assert "broken observer" in server.errors()


def test_installed_plugins_are_told_of_the_start_and_of_workers_that_end(
    start: Any, repository: Path, tmp_path: Path, wait_until: Any
) -> None:
    packages = tmp_path / "packages"
    (packages / "told-1.0.dist-info").mkdir(parents=True)
    (packages / "told.py").write_text(INSTALLED)
    (packages / "told-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: told\nVersion: 1.0\n")
    (packages / "told-1.0.dist-info" / "entry_points.txt").write_text("[feast]\ntold = told\n")
    path = os.pathsep.join(filter(None, (str(packages), os.environ.get("PYTHONPATH"))))
    with start(repository, env={"PYTHONPATH": path}) as server:
        hooks = repository / "hooks.txt"
        assert hooks.read_text() == "starting drivers True\n"
        os.kill(server.workers()[0], signal.SIGKILL)
        wait_until(lambda: server.online(BODY).status == 200)
        assert server.stop() == 0
        assert hooks.read_text() == "starting drivers True\nexited -9\nexited 0\n"


def test_a_store_that_fails_is_503_and_a_plugin_that_fails_is_500_without_a_word_more(
    start: Any, make: Any, tmp_path: Path
) -> None:
    plugins = """
from feast_core import hookimpl
from feast_core.errors import Unavailable

@hookimpl
def feast_reader(store, reads):
    async def broken(keys):
        if len(keys[0]) == 1:
            raise Unavailable("cannot reach postgresql://user:secret@10.0.0.7")
        raise RuntimeError("secret")
    return broken
"""
    with start(make(tmp_path / "broken", plugins=plugins)) as server:
        gone = server.online(BODY | {"entities": {"driver_id": [1]}})
        assert (gone.status, gone.headers["retry-after"]) == (503, "1")
        broken = server.online(BODY)
        assert (broken.status, broken.json["title"]) == (500, "Internal error")
        assert server.online(BODY, "?response_format=columns").json.keys() == {"detail"}
        assert b"secret" not in gone.body + broken.body
        number = broken.json["detail"].rsplit(" ", 1)[1]
        assert number in server.errors()
        assert "RuntimeError: secret" in server.errors()
        assert "cannot reach postgresql://" in server.errors()


def test_a_worker_waits_for_what_plugins_do_at_its_start(start: Any, make: Any, tmp_path: Path) -> None:
    plugins = """
import asyncio
from feast_core import Route, hookimpl
from sanic import text

@hookimpl
async def feast_worker_started(store, settings):
    await asyncio.sleep(0.2)
    store.warm = settings.registry_ttl_seconds

@hookimpl
def feast_routes(store):
    async def warm(request):
        return text(str(store.warm))
    return [Route("GET", "/warm", warm, public=True)]
"""
    with start(make(tmp_path / "warm", plugins=plugins), "-r", 7) as server:
        assert server.request("GET", "/warm").body == b"7"
