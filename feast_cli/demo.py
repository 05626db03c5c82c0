"""`feast demo`: the driver example made, applied, materialized and served in one go."""

import socket
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import click

from feast_cli import output
from feast_cli.data import materialize_new
from feast_cli.init import make_repository, project_name
from feast_cli.invocation import Invocation
from feast_cli.repo import apply_repository
from feast_core.config import FILE_NAME
from feast_core.errors import ConfigurationError

HOST = "127.0.0.1"
PORT = 6566
REQUEST = """  curl -X POST "http://localhost:{port}/get-online-features" -d '{{
    "features": [
      "driver_hourly_stats:conv_rate",
      "driver_hourly_stats:acc_rate",
      "driver_hourly_stats:avg_daily_trips"
    ],
    "entities": {{"driver_id": [1001, 1002, 1003]}}
  }}'"""


@click.command(
    help="Make the driver example in DIRECTORY (default: feast-demo, or a free name beside it), apply it, materialize"
    " it and serve it. Overwrites nothing; Ctrl-C ends it."
)
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@click.option(
    "-p", "--port", type=click.IntRange(1, 65535), help=f"Port to serve on. By default {PORT}, or a free one."
)
@click.pass_context
def demo(ctx: click.Context, directory: Path | None, port: int | None) -> None:
    """One step after the other, each as its own command would do it."""
    port = _port_to_serve_on(port)
    target = (directory or _free_directory()).absolute()
    now = datetime.now(UTC)
    make_repository(target, project_name(target), "local", now)
    output.say(f"Created the driver example in {target}", "green")
    yaml_path = target / FILE_NAME
    with Invocation(target, yaml_path).store() as store:
        apply_repository(store)
        failed = materialize_new(store, now)
    if failed:
        ctx.exit(1)
    output.say("")
    output.say("Try it from another terminal, end it with Ctrl-C:")
    output.say("")
    output.say(REQUEST.format(port=port), "bold")
    output.say("")
    # The server is another plugin's command: run as if it had been typed, for the new repository.
    group = ctx.find_root().command
    with group.make_context("feast", ["-c", str(target), "-f", str(yaml_path), "serve", "-p", str(port)]) as serving:
        group.invoke(serving)


def _free_directory() -> Path:
    names = (Path("feast-demo" if number == 1 else f"feast-demo-{number}") for number in count(1))
    return next(path for path in names if not path.exists())


def _port_to_serve_on(wanted: int | None) -> int:
    """The wanted port, which must be free; else the default one, or any that is."""
    if _is_free(wanted or PORT):
        return wanted or PORT
    if wanted is not None:
        raise ConfigurationError(f"port {wanted} is in use; name another with --port, or leave it out for a free one")
    with socket.create_server((HOST, 0)) as server:
        free: int = server.getsockname()[1]
    output.note(f"Port {PORT} is in use; {free} is taken instead.")
    return free


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True
