"""`feast version`, `configuration` and `registry-dump`: what is installed, configured and applied."""

import platform
import re
from collections.abc import Mapping
from importlib.metadata import version as version_of
from typing import Any

import click

from feast_cli import output
from feast_cli.invocation import invocation_of
from feast_core.config import warn_of_ignored

MASK = "***"

_SECRET = ("password", "passwd", "secret", "token", "credential")
# The password in a URL, and in `host:port,password=...` as Redis is configured, or `AccountKey=...;` as Azure is.
_PASSWORD_IN_TEXT = re.compile(
    r"(://[^:/@\s]*:)[^\s]*(?=@)|((?:password|passwd|pwd|secret|token|account_?key|access_?key|api_?key)=)[^,&;\s]*",
    re.IGNORECASE,
)


@click.command(help="Show the version.")
@output.json_option
def version(as_json: bool) -> None:
    """Print the version of feastkit and of Python."""
    installed = version_of("feastkit")
    if as_json:
        output.print_json({"feastkit": installed, "python": platform.python_version()})
    else:
        output.say(f"feastkit {installed} (Python {platform.python_version()})")


@click.command(help="Show feature_store.yaml as it was read, environment variables in place and secrets masked.")
@output.json_option
@click.pass_context
def configuration(ctx: click.Context, as_json: bool) -> None:
    """Print the configuration as YAML."""
    invocation = invocation_of(ctx)
    read = invocation.config()
    warn_of_ignored(read, [setting.path for setting in invocation.plugins.settings()])
    config = masked(read.sections)
    if as_json:
        output.print_json(config)
    else:
        for line in output.yaml_lines(config):
            output.say(line)


@click.command(help="Print all that the registry holds of the project, as JSON.")
@output.json_option
@click.pass_context
def registry_dump(ctx: click.Context, as_json: bool) -> None:
    """Print specs by kind, and the materialized intervals; `--json` changes nothing."""
    output.only_json(ctx)
    with invocation_of(ctx).store() as store:
        snapshot = store.snapshot
        objects: dict[str, list[Any]] = {}
        for definition in snapshot.objects:
            objects.setdefault(definition.kind, []).append(definition.spec())
        intervals = {
            name: [{"start": found.start, "end": found.end} for found in store.intervals(name)]
            for name in snapshot.views
        }
        output.print_json(
            {
                "project": store.project,
                "generation": snapshot.generation,
                "objects": objects,
                "intervals": {name: found for name, found in intervals.items() if found},
            }
        )


def masked(value: Any) -> Any:
    """A copy in which the values of keys that name a secret, and passwords inside texts, are `***`."""
    if isinstance(value, Mapping):
        return {key: MASK if _is_secret(str(key), item) else masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    if isinstance(value, str):
        return _PASSWORD_IN_TEXT.sub(lambda found: f"{found[1] or found[2]}{MASK}", value)
    return value


def _is_secret(key: str, value: object) -> bool:
    if value is None or isinstance(value, bool):
        return False
    key = key.lower()
    # A number under a key such as key_ttl_seconds is a setting.
    return any(word in key for word in _SECRET) or ("key" in key and not isinstance(value, int | float))
