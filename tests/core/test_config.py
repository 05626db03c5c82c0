"""feature_store.yaml: what loads, and what is said of what does not, with file and line."""

import base64
import textwrap
import warnings
from pathlib import Path
from typing import Any

import msgspec
import pytest

from feast_core.config import Config, Section, decode_section, find_config, parse_config, warn_of_ignored
from feast_core.errors import ConfigurationError

REPO = Path("/somewhere/repo")


def parse(text: str) -> Config:
    return parse_config(textwrap.dedent(text), REPO)


def parsed(extra: str = "") -> Config:
    return parse("project: p\nregistry: data/registry.db\n" + textwrap.dedent(extra))


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options of a component, as a plugin declares them."""

    path: Path = Path("data/default.db")
    size: int = 1
    names: list[str] = []


# What loads.


def test_the_smallest_configuration() -> None:
    config = parse("{project: p, registry: data/registry.db}")
    assert (config.project, config.repo_path) == ("p", REPO)
    assert (config.registry.type, dict(config.registry.options)) == ("file", {"path": "data/registry.db"})
    assert [found and found.type for found in (config.online_store, config.offline_store)] == ["sqlite", "file"]
    assert (config.batch_engine.type, config.auth.type) == ("local", "no_auth")
    server = config.feature_server
    assert (server.response_format, server.enforce_ttl) == ("rows", False)
    assert (server.limits.max_body_bytes, server.limits.max_entity_rows) == (32 * 1024 * 1024, 100_000)


def test_a_configuration_written_for_feast_loads_without_a_word() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config = parsed(
            """
            project_description: ours
            provider: local
            entity_key_serialization_version: 3
            coerce_tz_aware: true
            flags: {alpha_features: true}
            online_store: {type: sqlite, path: data/online_store.db}
            offline_store: {type: file}
            batch_engine: {type: local}
            auth: {type: no_auth}
            feature_server:
              enabled: true
              type: local
              transformation_service_endpoint: "localhost:6569"
              offline_push_batching_enabled: false
              offline_push_batching_batch_size: 100
              offline_push_batching_batch_interval_seconds: 5
              feature_logging: {enabled: false}
              metrics: {enabled: false}
            materialization: {pull_latest_features: true, online_write_batch_size: 10000}
            """
        )
    assert config.project_description == "ours"
    assert config.feature_server.offline_push_batching_batch_size == 100
    assert config.materialization.online_write_batch_size == 10000


@pytest.mark.parametrize("value", ["redis", "{type: redis}"])
def test_a_component_is_a_name_or_a_mapping(value: str) -> None:
    section = parsed(f"online_store: {value}").online_store
    assert section is not None
    assert (section.type, dict(section.options)) == ("redis", {})


@pytest.mark.parametrize("value", ["null", "none", "None", "", "~"])
def test_a_store_can_be_switched_off(value: str) -> None:
    config = parsed(f"online_store: {value}\noffline_store: {value}")
    assert (config.online_store, config.offline_store) == (None, None)


def test_a_registry_is_a_path_or_a_mapping() -> None:
    config = parse("project: p\nregistry:\n  registry_type: sql\n  path: postgresql://x/y\n  cache_ttl_seconds: 60\n")
    assert config.registry.type == "sql"
    assert config.registry.options["cache_ttl_seconds"] == 60


def test_variables_of_the_environment_are_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJECT", "from_env")
    monkeypatch.setenv("REDIS", "redis://somewhere")
    config = parse("project: $PROJECT\nregistry: r\nonline_store: {type: redis, url: '${REDIS}/0', other: $NOT_THERE}")
    assert config.project == "from_env"
    assert config.online_store is not None
    assert config.online_store.options == {"url": "redis://somewhere/0", "other": "$NOT_THERE"}


# Paths.


@pytest.mark.parametrize(
    ("option", "path"),
    [
        ("path: data/x.db", REPO / "data" / "x.db"),
        ("path: ./x.db", REPO / "x.db"),
        ("path: /else/where.db", Path("/else/where.db")),
        ("path: ~/x.db", Path.home() / "x.db"),
        ("size: 2", REPO / "data" / "default.db"),
    ],
)
def test_paths_are_meant_against_the_repository(option: str, path: Path) -> None:
    """Also the default ones: where the command is run does not matter."""
    section = parsed(f"online_store: {{type: x, {option}}}").online_store
    assert section is not None
    assert decode_section(Options, section).path == path


class Place:
    """A type that is neither plain nor a path."""

    def __init__(self, text: str) -> None:
        self.text = text

    @classmethod
    def from_option(cls, value: object, repo_path: Path) -> "Place":
        if value == "nowhere":
            raise ValueError("there is no such place")
        return cls(f"{repo_path.name}:{value}")


class WithPlace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Options with a type of their own."""

    place: Place


def test_a_type_of_its_own_reads_its_option() -> None:
    def section(value: str) -> Any:
        return parsed(f"online_store: {{type: x, place: {value}}}").online_store

    assert decode_section(WithPlace, section("here")).place.text == "repo:here"
    with pytest.raises(ConfigurationError, match=r"line 3, online_store.place: there is no such place"):
        decode_section(WithPlace, section("nowhere"))


# Where it is found.

YAML = "project: found\nregistry: data/registry.db\n"


@pytest.fixture(autouse=True)
def _no_variables(clean_environment: None) -> None:
    """Tests say where the configuration is."""


def test_it_is_found_in_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "feature_store.yaml").write_text(YAML)
    assert find_config(tmp_path).repo_path == tmp_path
    monkeypatch.chdir(tmp_path)
    assert find_config().repo_path == tmp_path
    assert find_config(Path()).repo_path == tmp_path


def test_the_environment_may_name_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "feature_store.yaml").write_text(YAML)
    monkeypatch.setenv("FEATURE_REPO_DIR_ENV_VAR", str(tmp_path))
    assert find_config().repo_path == tmp_path


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_a_file_of_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """As Feast: the repository is not where the file is, but the directory that is named, or the current one."""
    file = tmp_path / "conf" / "staging.yaml"
    file.parent.mkdir()
    repo = tmp_path / "repo"
    repo.mkdir()
    monkeypatch.chdir(repo)
    file.write_text(YAML)
    if how == "variable":
        monkeypatch.setenv("FEAST_FS_YAML_FILE_PATH", str(file))
    named = file if how == "argument" else None
    assert find_config(yaml_path=named).repo_path == repo
    assert find_config(tmp_path, named).repo_path == tmp_path
    monkeypatch.setenv("FEATURE_REPO_DIR_ENV_VAR", str(tmp_path))
    assert find_config(yaml_path=named).repo_path == tmp_path


def test_the_whole_file_may_be_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEATURE_STORE_YAML_BASE64", base64.b64encode(YAML.encode()).decode())
    monkeypatch.chdir(tmp_path)
    assert find_config().repo_path == tmp_path
    repo = tmp_path / "repo"
    monkeypatch.setenv("FEATURE_REPO_DIR_ENV_VAR", str(repo))
    config = find_config()
    assert (config.project, config.repo_path) == ("found", repo)
    (tmp_path / "other.yaml").write_text(YAML.replace("found", "other"))
    assert find_config(yaml_path=tmp_path / "other.yaml").project == "other"


@pytest.mark.parametrize("value", ["not base64!", base64.b64encode(b"\xff\xfe").decode()])
def test_what_is_not_base64_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FEATURE_STORE_YAML_BASE64", value)
    with pytest.raises(ConfigurationError, match="FEATURE_STORE_YAML_BASE64 is not base64 of a text"):
        find_config()


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no .*feature_store.yaml; .*feast -c DIR.*feast init"):
        find_config(tmp_path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "feature_store.yaml").mkdir()
    with pytest.raises(ConfigurationError, match="cannot read"):
        find_config(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"project: \xff\n")
    with pytest.raises(ConfigurationError, match="cannot read"):
        find_config(yaml_path=tmp_path / "latin.yaml")


# What is wrong.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("project: [", r"feature_store.yaml line 1, column \d+ is not YAML"),
        ("project: p\n\tregistry: r", "line 2, column 1 is not YAML"),
        ("project: p\nregistry: r\nonline_store: {type: sqlite", r"line 3.* is not YAML"),
        ("project: p\n---\nproject: q", r"line 2.* is not YAML"),
        ("project: !!python/object:os.system x", r"line 1.* is not YAML"),
        ("project: 2020-13-45\nregistry: r", "is not YAML"),
        ("project: \x00", "is not YAML"),
        ("", "must be a mapping with at least `project` and `registry`"),
        ("- a\n- b", "must be a mapping"),
        ("just text", "must be a mapping"),
        ("registry: r", "feature_store.yaml, project: name the project"),
        ("project: ''\nregistry: r", "line 1, project: name the project"),
        ("project: null\nregistry: r", "line 1, project: name the project"),
        ("project: 123\nregistry: r", "line 1, project: must be a text, got 123; put it in quotes$"),
        ("project: no\nregistry: r", "line 1, project: must be a text, got false;"),
        ("project: 2026-01-02\nregistry: r", "line 1, project: must be a text, got 2026-01-02;"),
        ("project: {a: true}\nregistry: r", "line 1, project: must be a text, got a mapping;"),
        ("project: _p\nregistry: r", "line 1, project: '_p' may hold letters, digits, _ and - only"),
        ("project: 'a b'\nregistry: r", "line 1, project: 'a b' may hold"),
        ("project: é\nregistry: r", "may hold letters"),
        ("project: p", "feature_store.yaml: `registry` is missing"),
        ("project: p\nregistry: 5", "line 2, registry: expected a path or a mapping"),
        ("project: p\nregistry: [a]", "line 2, registry: expected a path or a mapping"),
        ("project: p\nregistry: r\nonline_store: 5", "line 3, online_store: expected a name or a mapping with `type`"),
        ("project: p\nregistry: r\nonline_store: [sqlite]", "line 3, online_store: expected a name or a mapping"),
        ("project: p\nregistry: r\nonline_store:\n  type: 5", "line 4, online_store.type: expected a text, got 5"),
        ("project: p\nregistry: r\nauth: {type: [a]}", "line 3, auth.type: expected a text, got a list$"),
        ("project: p\nregistry: r\nauth: {type: true}", "line 3, auth.type: expected a text, got true$"),
        ("project: p\nregistry: r\nauth: {type: null}", "line 3, auth.type: expected a text, got null$"),
        ("project: p\nregistry: {registry_type: true}", "line 2, registry.registry_type: expected a text, got true$"),
        ("project: p\nregistry: r\nfeature_server: 5", r"line 3, feature_server: .*object"),
    ],
)
def test_a_wrong_configuration_names_file_line_and_key(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        parse_config(text, REPO)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("feature_store.yaml")


@pytest.mark.parametrize(
    ("server", "message"),
    [
        ("respnse_format: rows", r"respnse_format: unknown key 'respnse_format', did you mean 'response_format'\?"),
        ("response_format: xml", "response_format: Invalid enum value 'xml'"),
        ("limits: {max_body_bytes: many}", "limits.max_body_bytes: Expected `int`, got `str`"),
        ("limits: {max_bodies: 1}", r"limits.max_bodies: unknown key 'max_bodies', did you mean 'max_body_bytes'\?"),
        ("limits: {max_body_bytes: -5}", "limits.max_body_bytes: must be at least 1$"),
        ("limits: {max_body_bytes: 0}", "limits.max_body_bytes: must be at least 1$"),
        ("limits: {max_entity_rows: 0}", "limits.max_entity_rows: must be at least 1$"),
        ("shutdown_timeout_seconds: -0.5", "shutdown_timeout_seconds: must be at least 0$"),
        ("shutdown_timeout_seconds: .nan", "shutdown_timeout_seconds: must be at least 0$"),
        ("limits: 5", "limits: Expected `object`"),
        ("enforce_ttl: 1", "enforce_ttl: Expected `bool`"),
        ("type: mcp", "type: 'mcp' is not supported here, only 'local' is"),
    ],
)
def test_a_wrong_server_setting_names_file_line_and_key(server: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^feature_store.yaml line 4, feature_server\.{message}"):
        parsed(f"feature_server:\n  {server}")
    with pytest.raises(ConfigurationError, match=r"line 3, materialization.xyz: unknown key 'xyz'; known: pull_latest"):
        parsed("materialization: {xyz: 1}")


def test_aliases_are_followed_once() -> None:
    """A section may hold itself, or another one a million times."""
    nested = "".join(f"  x{n}: &x{n} {{a: *x{n - 1}, b: *x{n - 1}}}\n" for n in range(1, 30))
    config = parse(f"project: p\nregistry: r\nflags:\n  loop: &loop {{again: *loop}}\n  x0: &x0 {{a: 1}}\n{nested}")
    assert config.place.of("flags.loop.again") == "feature_store.yaml line 4, flags.loop.again"
    assert config.place.of("flags.x29.a") == "feature_store.yaml line 34, flags.x29.a"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("sise: 3", r"feature_store.yaml line 4, online_store.sise: unknown key 'sise', did you mean 'size'\?"),
        ("zzz: 3", r"line 4, online_store.zzz: unknown key 'zzz'; known: path, size, names"),
        ("size: three", "line 4, online_store.size: Expected `int`, got `str`"),
        ("path: 5", "line 4, online_store.path: expected a path, got 5$"),
        ("path: true", "line 4, online_store.path: expected a path, got true$"),
        ("names: [a, 5]", r"line 4, online_store.names.*: Expected `str`, got `int`"),
    ],
)
def test_a_wrong_option_of_a_component_names_file_line_and_key(option: str, message: str) -> None:
    section = parsed(f"online_store:\n  {option}").online_store
    assert section is not None
    with pytest.raises(ConfigurationError, match=message):
        decode_section(Options, section)


def test_unknown_sections_are_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"line 3, onlin_store: unknown key, ignored, did you mean 'online_store'"):
        warn_of_ignored(parsed("onlin_store: redis"))
    with pytest.warns(UserWarning, match=r"line 3, whatever: unknown key, ignored$"):
        warn_of_ignored(parsed("whatever: 5"))
    with pytest.warns(UserWarning, match=r"line 3, audits: unknown key, ignored, did you mean 'audit'"):
        warn_of_ignored(parsed("audits: 5"), ["audit.trail"])


def test_sections_that_a_plugin_reads_are_not_warned_of(recwarn: pytest.WarningsRecorder) -> None:
    warn_of_ignored(parsed("audit: {trail: 5}"), ["audit.trail"])
    warn_of_ignored(parsed("feature_server: {metrics: {enabled: true}}"), ["feature_server.metrics"])
    warn_of_ignored(
        parsed("feature_server: {audit_logging: {enabled: true}}"),
        ["feature_server.audit_logging.enabled"],
    )
    assert not recwarn.list


def test_unknown_options_of_tolerant_sections_are_warned_of() -> None:
    """As Feast, which ignores them in `registry` and `auth: kubernetes`."""
    config = parsed("auth: {type: kubernetes, size: 4, whatever: 1}")
    with pytest.warns(UserWarning, match="line 3, auth.whatever: not used here, ignored"):
        assert decode_section(Options, config.auth).size == 4
    registry = parse("project: p\nregistry: {path: x.db, purge_feast_metadata: true}").registry
    with pytest.warns(UserWarning, match="registry.purge_feast_metadata: not used here"):
        assert decode_section(Options, registry).path == REPO / "x.db"
    strict = parsed("auth: {type: oidc, whatever: 1}").auth
    with pytest.raises(ConfigurationError, match="unknown key 'whatever'"):
        decode_section(Options, strict)


def test_a_section_knows_where_it_stands() -> None:
    section = parsed("online_store:\n  type: x\n  path: y").online_store
    assert isinstance(section, Section)
    assert section.where() == "feature_store.yaml line 3, online_store"
    assert section.where("path") == "feature_store.yaml line 5, online_store.path"
    assert section.where("missing") == "feature_store.yaml line 3, online_store.missing"
    assert parsed().batch_engine.where() == "feature_store.yaml, batch_engine"


def test_what_is_switched_on_and_not_there_yet_is_told(tmp_path: Path) -> None:
    text = """
project: p
registry: r.db
feature_server:
  metrics: {enabled: true}
  offline_push_batching_enabled: true
  audit_logging:
    enabled: true
"""
    with pytest.warns(UserWarning, match="not supported by this version") as warned:
        warn_of_ignored(parse_config(text, tmp_path))
    assert sorted(str(found.message).partition(":")[0] for found in warned) == [
        "feature_store.yaml line 5, feature_server.metrics.enabled",
        "feature_store.yaml line 8, feature_server.audit_logging.enabled",
    ]


def test_below_a_repository_the_one_above_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FEATURE_STORE_YAML_BASE64", "FEAST_FS_YAML_FILE_PATH", "FEATURE_REPO_DIR_ENV_VAR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "my repo" / "notebooks").mkdir(parents=True)
    (tmp_path / "my repo" / "feature_store.yaml").touch()
    with pytest.raises(ConfigurationError) as raised:
        find_config(tmp_path / "my repo" / "notebooks")
    assert str(raised.value).endswith(
        f"there is one in {tmp_path}/my repo: run this there, or as `feast -c '{tmp_path}/my repo'`"
    )
    with pytest.raises(ConfigurationError, match="name one with `feast -c DIR`"):
        find_config(tmp_path)
