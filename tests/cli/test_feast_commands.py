"""Every command and option of Feast 0.67: it is here with the same meaning, or it says in words why not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from feast_cli.groups import NOT_HERE
from feast_cli.main import cli

Run = Callable[..., Any]

#: Options and arguments (without dashes) of Feast's commands, of those that are here.
COMMANDS = {
    "apply": "--skip-source-validation --skip-feature-view-validation --no-progress --no-promote",
    "configuration": "",
    "data-sources describe": "name",
    "data-sources list": "--tags",
    "delete": "object_id",
    "entities describe": "name",
    "entities list": "--tags",
    "feature-services describe": "name",
    "feature-services list": "--tags",
    "feature-views describe": "name",
    "feature-views list": "--tags",
    "features describe": "name",
    "features list": "--output",
    "get-online-features": "--entities -e --features -f",
    "init": "project_directory --minimal -m --template -t --repo-path",
    "label-views describe": "name",
    "label-views list": "--tags",
    "materialize": "start_ts end_ts --views -v --disable-event-timestamp --version",
    "materialize-incremental": "end_ts --views -v --version",
    "on-demand-feature-views describe": "name",
    "on-demand-feature-views list": "--tags",
    "permissions check": "",
    "permissions describe": "name",
    "permissions list": "--tags --verbose -v",
    "permissions list-roles": "--verbose -v",
    "plan": "--skip-source-validation --skip-feature-view-validation",
    "projects current_project": "",
    "projects delete": "name --yes -y",
    "projects describe": "name",
    "projects list": "--tags",
    "registry-dump": "",
    "saved-datasets describe": "name",
    "saved-datasets list": "--tags",
    "serve": "--host -h --port -p --type -t --no-access-log --workers -w --worker-connections --max-requests"
    " --max-requests-jitter --keep-alive-timeout --registry_ttl_sec -r --key -k --cert -c --metrics -m",
    "stream-feature-views describe": "name",
    "stream-feature-views list": "--tags",
    "teardown": "",
    "validation-references describe": "name",
    "validation-references list": "--tags",
    "version": "",
}

#: The other commands of Feast, each of which says why it is left out.
LEFT_OUT = """
dbt, dbt import, dbt list, demo-notebooks, endpoint, feature-views disable, feature-views enable,
feature-views list-versions, feature-views set-state, get-historical-features, listen, mcp, mlflow, mlflow list-sources,
mlflow preview-dataset, mlflow sync-dataset, mlflow validate-source, monitor, monitor run, registry,
registry create-schema, serve_lineage, serve_offline, serve_registry, serve_transformations, ui, validate
"""

#: Options that are not there yet, and why.
NOT_YET = {
    ("serve", "--max-requests"): "workers are not recycled by this version",
    ("serve", "--max-requests-jitter"): "workers are not recycled by this version",
    ("serve", "--key"): "this version serves without TLS",
    ("serve", "-k"): "this version serves without TLS",
    ("serve", "--cert"): "this version serves without TLS",
    ("serve", "-c"): "this version serves without TLS",
    ("serve", "--metrics"): "this version has no metrics endpoint",
    ("serve", "-m"): "this version has no metrics endpoint",
}


def found(path: str) -> click.Command:
    command: Any = cli
    context = click.Context(cli)
    for name in path.split():
        command = command.get_command(context, name)
        assert command is not None, f"there is no command {path}"
    return command  # type: ignore[no-any-return]


def words_of(command: click.Command) -> set[str]:
    """Names of options with their dashes, and of arguments."""
    return {word for parameter in command.params for word in parameter.opts}


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_of_feast_takes_what_feasts_does(path: str) -> None:
    missing = set(COMMANDS[path].split()) - words_of(found(path))
    assert missing == {option for command, option in NOT_YET if command == path}


def test_the_options_before_the_command_are_there() -> None:
    assert {"--chdir", "-c", "--log-level", "--feature-store-yaml", "-f"} <= words_of(cli)


@pytest.mark.parametrize("path", [" ".join(part.split()) for part in LEFT_OUT.split(",")])
def test_a_command_that_is_left_out_says_why(path: str, call: Run, tmp_path: Path) -> None:
    done = call(*path.split(), "--some-option", "x", cwd=tmp_path)
    assert (done.code, done.out) == (1, "")
    (line,) = done.err.splitlines()
    reason = NOT_HERE.get(path) or NOT_HERE[path.split()[0]]
    assert line.startswith("error: feast ")
    assert line.endswith(reason)
    assert ";" in reason, "what to do instead"


def test_nothing_that_is_here_counts_as_left_out() -> None:
    context = click.Context(cli)
    for path in NOT_HERE:
        group: Any = cli
        *groups, name = path.split()
        for part in groups:
            group = group.get_command(context, part)
        assert name not in group.list_commands(context), path


@pytest.mark.parametrize("command", ["materialize", "materialize-incremental"])
def test_a_version_of_a_view_is_refused_in_words(command: str, call: Run, tmp_path: Path) -> None:
    done = call(command, "2026-01-01", "-v", "x", "--version", "v2", cwd=tmp_path)
    assert done.code == 1
    assert done.err == "error: --version: versions of feature views are not kept here; leave it out\n"


def test_without_promoting_a_changed_view_is_refused_and_anything_else_applied(call: Run, fresh: Path) -> None:
    definitions = fresh / "features.py"
    assert call("apply", "--no-promote", cwd=fresh).code == 0
    definitions.write_text(definitions.read_text().replace('"Made up"', '"Other"') + "\n")
    assert call("apply", "--no-promote", cwd=fresh).code == 0
    definitions.write_text(definitions.read_text().replace("Int64", "Int32"))
    done = call("apply", "--no-promote", cwd=fresh)
    assert done.code == 1
    assert "driver_hourly_stats would change" in done.err
    assert "feature view driver_hourly_stats" in call("plan", cwd=fresh).out
