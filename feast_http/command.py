"""The command `feast serve`: its options, and what it says when it starts."""

import asyncio
import ipaddress
import logging
import os
import socket
from pathlib import Path

import click
import msgspec

from feast_core.config import Config, ResponseFormat, find_config, warn_of_ignored
from feast_core.errors import ConfigurationError
from feast_core.plugins import REPOSITORY_PLUGIN, load_plugins
from feast_http.control import Start
from feast_http.cores import available_cores
from feast_http.settings import ServeSettings
from feast_http.supervisor import Supervisor, open_listener

#: The variable that says how many processes materialize at once.
_MOST_RUNS = "FEAST_MATERIALIZE_MAX_WORKERS"


def _check_type(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    if value != "http":
        raise click.BadParameter(f"this server only speaks http, got {value!r}")
    return value


def _count_workers(ctx: click.Context, parameter: click.Parameter, value: int) -> int:
    if value == 0 or value < -1:
        raise click.BadParameter(f"expected a number above 0, or -1 for 2 x cores + 1, got {value}")
    return 2 * available_cores() + 1 if value == -1 else value


@click.command()
@click.option("-h", "--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65_535),
    default=6566,
    show_default=True,
    help="Port to listen on; 0 picks a free one.",
)
@click.option(
    "-t", "--type", "protocol", default="http", show_default=True, callback=_check_type, help="Only http is there."
)
@click.option("--no-access-log", is_flag=True, help="Do not write a line for every request.")
@click.option(
    "-w",
    "--workers",
    type=int,
    default=1,
    show_default=True,
    callback=_count_workers,
    help="Worker processes; -1 means 2 x cores + 1.",
)
@click.option(
    "--worker-connections",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Clients that a worker serves at once; further ones wait.",
)
@click.option(
    "--keep-alive-timeout",
    type=click.IntRange(0),
    default=30,
    show_default=True,
    help="Seconds that a connection may be idle; 0 closes it after every answer.",
)
@click.option(
    "-r",
    "--registry_ttl_sec",
    type=int,
    default=60,
    show_default=True,
    help="Seconds between two looks for changes in the registry; 0 looks only at start.",
)
@click.option(
    "--response-format",
    type=click.Choice(["rows", "columns"]),
    envvar="FEAST_RESPONSE_FORMAT",
    help="Layout of the answers, instead of what feature_store.yaml says; also FEAST_RESPONSE_FORMAT.",
)
@click.pass_context
def serve(
    ctx: click.Context,
    host: str,
    port: int,
    protocol: str,
    no_access_log: bool,
    workers: int,
    worker_connections: int,
    keep_alive_timeout: int,
    registry_ttl_sec: int,
    response_format: ResponseFormat | None,
) -> None:
    """Answer requests for features over HTTP, until SIGTERM or Ctrl-C."""
    before = ctx.find_root().params
    yaml_file: Path | None = before.get("feature_store_yaml")
    config = find_config(before.get("chdir"), yaml_file)
    settings = ServeSettings(
        repo_path=str(config.repo_path),
        yaml_file=str(yaml_file.expanduser().absolute()) if yaml_file else None,
        host=host,
        port=port,
        workers=workers,
        worker_connections=worker_connections,
        keep_alive_timeout_seconds=keep_alive_timeout,
        registry_ttl_seconds=registry_ttl_sec,
        response_format=response_format,
        access_log=not no_access_log,
        log_level=logging.getLogger().getEffectiveLevel(),
        most_runs=_most_runs(),
    )
    ctx.exit(asyncio.run(_serve(config, settings)))


def _most_runs() -> int:
    """As Feast. Raises ConfigurationError."""
    text = os.environ.get(_MOST_RUNS, "2")
    if not text.isascii() or not text.isdecimal() or int(text) == 0:
        raise ConfigurationError(f"{_MOST_RUNS}: expected a number above 0, got {text!r}")
    return int(text)


async def _serve(config: Config, settings: ServeSettings) -> int:
    """The exit code. Raises what keeps the server from starting."""
    plugins = load_plugins()  # the repository's own plugin is for the workers
    if not (config.repo_path / f"{REPOSITORY_PLUGIN}.py").is_file():  # which may read any section
        warn_of_ignored(config, [setting.path for setting in plugins.settings()])
    hook = plugins.hook
    with open_listener(settings.host, settings.port) as listener:
        settings = msgspec.structs.replace(settings, port=listener.getsockname()[1])
        hook.feast_server_starting(config=config, settings=settings)
        supervisor = Supervisor(
            listener,
            Start(settings, config.feature_server.shutdown_timeout_seconds),
            lambda pid, code: hook.feast_worker_exited(pid=pid, code=code),
        )
        return await supervisor.run(lambda: _announce(config, settings, listener))


def _announce(config: Config, settings: ServeSettings, listener: socket.socket) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    noun = "worker" if settings.workers == 1 else "workers"
    click.echo(
        f"serving {config.project} on http://{host}:{settings.port} with {settings.workers} {noun}, pid {os.getpid()}"
    )
    if config.auth.type == "no_auth" and not ipaddress.ip_address(listener.getsockname()[0]).is_loopback:
        click.echo("note: other machines can reach this server, and `auth` in feature_store.yaml is no_auth", err=True)
