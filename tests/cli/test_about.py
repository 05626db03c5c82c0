"""`feast version`, `configuration` and `registry-dump`."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from feast_cli.about import masked

Run = Callable[..., Any]

SECRETS = """
project: p
registry:
  registry_type: sql
  path: postgresql+psycopg://user:hunter2@db:5432/feast
online_store:
  type: redis
  connection_string: "redis:6379,password=hunter2,ssl=true"
  key_ttl_seconds: 60
auth:
  type: oidc
  client_secret: hunter2
  token: $SOME_TOKEN
entity_key_serialization_version: 3
"""


def test_version_is_shown_as_text_and_json(call: Run, tmp_path: Path) -> None:
    installed = version("feastkit")
    assert call("version", cwd=tmp_path).out.startswith(f"feastkit {installed} (Python 3.")
    assert call("version", "--json", cwd=tmp_path).json["feastkit"] == installed


def test_configuration_masks_secrets_and_expands_variables(call: Run, tmp_path: Path) -> None:
    (tmp_path / "feature_store.yaml").write_text(SECRETS)
    done = call("configuration", cwd=tmp_path, env={"SOME_TOKEN": "hunter2"})
    assert done.code == 0
    assert "hunter2" not in done.out
    expected = {
        "project": "p",
        "registry": {"registry_type": "sql", "path": "postgresql+psycopg://user:***@db:5432/feast"},
        "online_store": {
            "type": "redis",
            "connection_string": "redis:6379,password=***,ssl=true",
            "key_ttl_seconds": 60,
        },
        "auth": {"type": "oidc", "client_secret": "***", "token": "***"},
        "entity_key_serialization_version": 3,
    }
    assert yaml.safe_load(done.out) == expected
    assert call("configuration", "--json", cwd=tmp_path, env={"SOME_TOKEN": "hunter2"}).json == expected


def test_a_password_with_special_characters_is_masked_whole() -> None:
    assert masked("postgresql://u:p@ss:w@host/db") == "postgresql://u:***@host/db"
    assert masked(["redis://:pw@host:6379"]) == ["redis://:***@host:6379"]
    assert masked({"api_key": "abc", "keys": ["a"], "password": 12345}) == {
        "api_key": "***",
        "keys": "***",
        "password": "***",
    }
    assert masked("http://localhost:6566") == "http://localhost:6566"
    assert masked("AccountName=a;AccountKey=abc==;Suffix=x") == "AccountName=a;AccountKey=***;Suffix=x"
    assert masked("postgresql://db/feast?user=u&password=p&x=y") == "postgresql://db/feast?user=u&password=***&x=y"


def test_registry_dump_is_json_of_all_that_was_applied(call: Run, served: Path) -> None:
    dump = call("registry-dump", cwd=served).json
    assert dump["project"] == "driver_repo"
    assert dump["generation"] > 0
    assert [entity["name"] for entity in dump["objects"]["entity"]] == ["driver"]
    assert [view["name"] for view in dump["objects"]["feature view"]] == ["driver_hourly_stats"]
    assert list(dump["intervals"]) == ["driver_hourly_stats"]
