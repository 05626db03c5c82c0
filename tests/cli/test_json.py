"""`--json`: what is printed has the documented shape, and nothing else is on standard output."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from feast_cli import OBJECT_GROUPS
from feast_cli.main import cli
from feast_cli.shapes import SHAPES, outline, shape_of

Run = Callable[..., Any]

#: One way to call each command.
EXAMPLES: Mapping[str, str] = {
    "apply": "",
    "compact": "",
    "configuration": "",
    "delete": "driver_activity",
    "explain": "driver_hourly_stats:conv_rate",
    "features describe": "conv_rate",
    "features list": "",
    "get-online-features": "-e driver_id=1001 -f driver_hourly_stats:conv_rate",
    "materialize": "2026-01-01 2026-01-02",
    "materialize-incremental": "2100-01-01",
    "permissions check": "",
    "permissions list-roles": "",
    "plan": "",
    "plugins list": "",
    "plugins new": "audit --kind online-store",
    "projects current_project": "",
    "projects delete": "driver_repo --yes",
    "push": "driver_stats_push_source data/driver_stats.parquet",
    "registry-dump": "",
    "version": "",
    "data-sources describe": "driver_stats_push_source",
    "entities describe": "driver",
    "feature-services describe": "driver_activity",
    "feature-views describe": "driver_hourly_stats",
    "label-views describe": "labels",
    "on-demand-feature-views describe": "doubled",
    "permissions describe": "reader",
    "projects describe": "driver_repo",
    "saved-datasets describe": "saved",
    "stream-feature-views describe": "streamed",
    "validation-references describe": "reference",
    **{f"{group} list": "" for group in OBJECT_GROUPS},
}
#: Commands that report nothing a program would read: they make files, serve, or print a script.
WITHOUT_JSON = {"completion", "demo", "init", "serve", "teardown"}

#: One object of each kind that the driver example lacks, and a file that prints.
KINDS = """
print("a definition file may print")

from feast import KafkaSource, LabelView, StreamFeatureView
from feast.data_format import JsonFormat
from feast.on_demand_feature_view import on_demand_feature_view
from feast.permissions.permission import Permission
from feast.permissions.policy import RoleBasedPolicy
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
from feast.saved_dataset import SavedDataset, ValidationReference
from feast.types import String

reader = Permission(name="reader", types=[FeatureView], policy=RoleBasedPolicy(["model"]))
saved = SavedDataset("saved", ["driver_hourly_stats:conv_rate"], ["driver_id"], SavedDatasetFileStorage("s.parquet"))
reference = ValidationReference("reference", "saved")
labels = LabelView(name="labels", entities=[driver], schema=[Field(name="label", dtype=String)])
kafka = KafkaSource(
    name="kafka",
    kafka_bootstrap_servers="localhost:9092",
    topic="drivers",
    timestamp_field="event_timestamp",
    message_format=JsonFormat(schema_json="driver_id integer"),
    batch_source=driver_stats_source,
)
streamed = StreamFeatureView(
    name="streamed",
    entities=[driver],
    source=kafka,
    schema=[Field(name="avg_daily_trips", dtype=Int64)],
    ttl=timedelta(days=3650),
)

@on_demand_feature_view(sources=[driver_hourly_stats], schema=[Field(name="twice", dtype=Int64)], mode="python")
def doubled(inputs):
    return {"twice": [2 * trips for trips in inputs["avg_daily_trips"]]}
"""


def commands(group: click.Group = cli, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """All commands, and those of groups, by what comes after `feast`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


def has_json(command: click.Command) -> bool:
    return any("--json" in parameter.opts for parameter in command.params)


def difference(value: Any, shape: Any, at: str = "$") -> str | None:
    """Where a value is not of a shape."""
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{at} is {value!r}, no list"
        found = (difference(item, shape[0], f"{at}[{position}]") for position, item in enumerate(value))
        return next((problem for problem in found if problem), None)
    if isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            return f"{at} is {value!r}, no object"
        named = {key for key in shape if key[0] != "<" and key != "..."}
        if named - value.keys():
            return f"{at} lacks {', '.join(sorted(named - value.keys()))}"
        rest = next((inner for key, inner in shape.items() if key not in named), None)
        if rest is None and value.keys() - named:
            return f"{at} has {', '.join(sorted(value.keys() - named))} too"
        found = (difference(item, shape.get(key, rest), f"{at}.{key}") for key, item in value.items())
        return next((problem for problem in found if problem), None)
    types = {
        "text": lambda: isinstance(value, str),
        "time": lambda: isinstance(value, str) and value[10] == "T" and value[-1] == "Z",
        "integer": lambda: type(value) is int,
        "number": lambda: type(value) in (int, float),
        "boolean": lambda: isinstance(value, bool),
        "value": lambda: True,
        "null": lambda: value is None,
    }
    return None if any(types[name]() for name in shape.split(" | ")) else f"{at} is {value!r}, not {shape}"


def test_every_command_that_reports_prints_json_of_a_documented_shape() -> None:
    every = dict(commands())
    assert {path for path, command in every.items() if not has_json(command)} == WITHOUT_JSON
    documented = {path for path in every if shape_of(path) is not None}
    assert documented == {path for path, command in every.items() if has_json(command)} == set(EXAMPLES)
    assert set(SHAPES) <= documented


@pytest.fixture(scope="module")
def everything(served: Path, feast: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver example, applied and materialized, with an object of every kind that can be declared."""
    repo = tmp_path_factory.mktemp("everything") / "driver_repo"
    shutil.copytree(served, repo)
    with (repo / "features.py").open("a") as file:
        file.write(KINDS)
    done = feast("apply", cwd=repo)
    assert done.code == 0, done.err
    return repo


@pytest.mark.parametrize("path", EXAMPLES)
def test_the_output_has_its_shape(path: str, call: Run, everything: Path, tmp_path: Path) -> None:
    repo = tmp_path / "driver_repo"
    shutil.copytree(everything, repo)
    with (repo / "features.py").open("a") as file:
        file.write("\nmore = Entity(name='more')\n")
    done = call(*path.split(), *EXAMPLES[path].split(), "--json", cwd=repo)
    assert done.code == 0, done.err
    printed = json.loads(done.out, parse_constant=pytest.fail)
    assert difference(printed, shape_of(path)) is None
    assert printed, "an example that shows something"
    if path in ("apply", "plan"):
        assert printed["changes"]
        assert "a definition file may print" in done.err


@pytest.mark.parametrize("path", EXAMPLES)
def test_the_help_shows_the_shape(path: str, call: Run, tmp_path: Path) -> None:
    shown = " ".join(call(*path.split(), "--help", cwd=tmp_path).out.split())
    assert outline(shape_of(path)).split("{")[0] in shown
    assert "Print JSON: " in shown


def test_a_shape_is_outlined_in_a_line() -> None:
    assert outline({"a": "text", "<name>": ["integer"], "b": [{"c": {"d": "text"}}]}) == (
        "{a, <name>: [integer], b: [{c: {...}}]}"
    )
    assert outline(["text"]) == "[text]"


@pytest.mark.parametrize(
    ("value", "shape", "problem"),
    [
        ({"a": 1}, {"a": "text"}, "$.a is 1, not text"),
        ({}, {"a": "text"}, "$ lacks a"),
        ({"a": "x", "b": 1}, {"a": "text"}, "$ has b too"),
        ([{"a": None}], [{"a": "text | null"}], None),
        ({"x": 1, "y": "z"}, {"<any>": "integer"}, "$.y is 'z', not integer"),
        ({"n": True}, {"n": "integer"}, "$.n is True, not integer"),
        ({"n": {}}, {"n": ["text"]}, "$.n is {}, no list"),
        ([], {"...": "value"}, "$ is [], no object"),
    ],
)
def test_a_difference_is_found(value: Any, shape: Any, problem: str | None) -> None:
    assert difference(value, shape) == problem


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("feature-views describe nothing", 1, "nothing does not exist"),
        ("explain driver_hourly_stat:conv_rate", 1, "did you mean 'driver_hourly_stats'"),
        ("get-online-features -e driver_id=x -f driver_hourly_stats:conv_rate", 2, "driver_id"),
        ("get-online-features -e driver_id=1 -f driver_hourly_stats:rate", 1, "rate does not exist"),
        ("materialize 2026-01-02 2026-01-01", 2, "error: "),
        ("features list --tags x", 2, "KEY:VALUE"),
        ("-c /tmp plan", 1, "there is no /tmp/feature_store.yaml"),
        ("plugins list nobody", 1, "there is no plugin nobody"),
    ],
)
def test_an_error_is_in_words_on_stderr(arguments: str, code: int, message: str, call: Run, served: Path) -> None:
    done = call(*arguments.split(), "--json", cwd=served)
    assert (done.code, done.out) == (code, "")
    assert message in done.err


def test_a_view_that_fails_is_in_the_json_and_in_words_on_stderr(call: Run, served: Path, tmp_path: Path) -> None:
    repo = tmp_path / "driver_repo"
    shutil.copytree(served, repo)
    (repo / "data" / "driver_stats.parquet").unlink()
    done = call("materialize", "2026-01-01", "2026-01-02", "--json", cwd=repo)
    assert done.code == 1
    (outcome,) = done.json
    assert difference([outcome], shape_of("materialize")) is None
    assert done.err == f"error: driver_hourly_stats: {outcome['error']}\n"


def test_what_a_plugin_prints_is_not_on_standard_output(call: Run, served: Path, tmp_path: Path) -> None:
    repo = tmp_path / "driver_repo"
    shutil.copytree(served, repo)
    (repo / "feast_plugins.py").write_text("print('a plugin may print')")
    done = call("entities", "list", "--json", cwd=repo)
    assert json.loads(done.out)[0]["name"] == "driver"
    assert done.err == "a plugin may print\n"


def test_where_the_encoding_lacks_characters_json_is_escaped_and_text_too(feast: Run, fresh: Path) -> None:
    definitions = fresh / "features.py"
    definitions.write_text(definitions.read_text() + "\nother = Entity(name='fahrer', description='日本')\n")
    western = {"PYTHONIOENCODING": "latin-1"}
    assert feast("apply", cwd=fresh, env=western).code == 0
    as_json = feast("entities", "describe", "fahrer", "--json", cwd=fresh, env=western)
    assert as_json.json["description"] == "日本"
    listed = feast("entities", "list", cwd=fresh, env=western)
    assert (listed.code, listed.err) == (0, "")
    assert r"\u65e5\u672c" in listed.out
