"""feature_store.yaml to frozen structs; says where and what when it is wrong.

Environment variables are expanded in the text, as in Feast; then YAML; then structs. A section with a `type` stays a
`Section` until its component is chosen, since its options belong to that component's class.
"""

import base64
import difflib
import os
import re
import shlex
import types
import typing
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml

from feast_core.errors import ConfigurationError

FILE_NAME = "feature_store.yaml"

ResponseFormat = Literal["rows", "columns"]
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`feature_server.limits`: what one request may bring before it is refused with 413."""

    max_body_bytes: AtLeastOne = 32 * 1024 * 1024
    """Bytes of the body of one request."""
    max_entity_rows: AtLeastOne = 100_000
    """Entity rows of one request, and rows of one push."""


class FeatureServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`feature_server`: how requests are answered. The keys of Feast, and `response_format`, `enforce_ttl`, `limits`,
    `shutdown_timeout_seconds`, `offline_push_queue_path` of this project."""

    type: str = "local"
    """Only `local` is there; Feast's `mcp` is refused."""
    enabled: bool = False
    """Accepted, without effect: `feast serve` is what starts the server."""
    response_format: ResponseFormat = "rows"
    """Format of answers and errors where neither the request nor `--response-format` chooses one."""
    enforce_ttl: bool = False
    """Whether a value that is older than the ttl of its view is null with the status OUTSIDE_MAX_AGE. Feast serves it
    however old it is, and so does this by default."""
    limits: Limits = Limits()
    """What one request may bring before it is refused with 413."""
    shutdown_timeout_seconds: Annotated[float, msgspec.Meta(ge=0)] = 30.0
    """Seconds that requests have to finish when the server ends or a worker is replaced."""
    transformation_service_endpoint: str = ""
    """Accepted, without effect."""
    offline_push_batching_enabled: bool = False
    """Whether rows that are pushed to a batch source over HTTP are queued on disk, answered with 202, and written to
    the source in batches."""
    offline_push_batching_batch_size: AtLeastOne | None = None
    """A batch is written as soon as so many rows for one batch source are queued; 100 where nothing is said."""
    offline_push_batching_batch_interval_seconds: AtLeastOne | None = None
    """A batch is written when its oldest row has been queued for so many seconds, however few rows there are; 10 where
    nothing is said."""
    offline_push_queue_path: Path = Path("data/push_queue.db")
    """Where rows are queued: a SQLite file, relative to the repository, made with the first row. All workers share
    it."""
    feature_logging: dict[str, Any] | None = None
    """Accepted, without effect."""
    audit_logging: dict[str, Any] | None = None
    """Not there: a warning says so where its `enabled` is true."""
    metrics: dict[str, Any] | None = None
    """Not there yet: a warning says so where its `enabled` is true."""


class Materialization(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`materialization`: the keys of Feast."""

    pull_latest_features: bool = False
    """Accepted, without effect: the offline store always reduces the source to the newest row of each entity."""
    online_write_batch_size: int | None = None
    """Accepted, without effect: the offline store chooses the size of a batch, which bounds the memory of a run."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a piece of configuration stands: file, and the line of each dotted path in it."""

    file: str
    lines: Mapping[str, int] = field(default_factory=dict)

    def of(self, path: str) -> str:
        """`feature_store.yaml line 7, online_store.path`, with the line of the closest parent where there is none."""
        parent = path
        while parent and parent not in self.lines:
            parent = parent.rpartition("[" if parent.endswith("]") else ".")[0]
        line = f" line {self.lines[parent]}" if parent in self.lines else ""
        return f"{self.file}{line}, {path}" if path else self.file


@dataclass(frozen=True, slots=True)
class Section:
    """A component's part of the configuration, not decoded yet: its path, the chosen type and the options."""

    path: str
    type: str
    options: Mapping[str, Any]
    repo_path: Path
    place: Place
    #: As Feast: unknown options of these sections are ignored, so that a repository written for it loads.
    tolerant: bool = False

    def where(self, option: str = "") -> str:
        """File, line and path, for a message."""
        return self.place.of(f"{self.path}.{option}" if option else self.path)


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """One feature_store.yaml. Sections of components are None where they are switched off."""

    project: str
    """Name of the project: letters, digits, `_` and `-`. Needed."""
    project_description: str
    """A text about it."""
    repo_path: Path
    registry: Section
    """Where definitions are kept: a path, or a mapping with `path` and `registry_type`. Needed."""
    online_store: Section | None
    """Where the newest values are kept: a name, or a mapping with `type`; `null` switches it off."""
    offline_store: Section | None
    """What reads batch sources: a name, or a mapping with `type`; `null` switches it off."""
    batch_engine: Section
    """What runs materializations: a name, or a mapping with `type`."""
    auth: Section
    """Who is asked who is calling: `no_auth`, which is nobody, or a mapping with the `type` of a plugin."""
    feature_server: FeatureServer
    """How requests are answered."""
    materialization: Materialization
    """How data is brought to the online store."""
    sections: Mapping[str, Any]
    place: Place
    text: str


# Keys of Feast 0.67 that have no meaning here or belong to a plugin; they load without a word.
_TOLERATED = frozenset(
    {
        "coerce_tz_aware",
        "data_quality_monitoring",
        "embedding_model",
        "entity_key_serialization_version",
        "flags",
        "go_feature_retrieval",
        "go_feature_serving",
        "mlflow",
        "openlineage",
        "provider",
        "repo_path",
    }
)
_READ = frozenset(
    {
        "auth",
        "batch_engine",
        "feature_server",
        "materialization",
        "offline_store",
        "online_store",
        "project",
        "project_description",
        "registry",
    }
)


def find_config(repo_path: Path | None = None, yaml_path: Path | None = None) -> Config:
    """The configuration of a repository directory: `repo_path`, or FEATURE_REPO_DIR_ENV_VAR, or the current one.

    As Feast: FEATURE_STORE_YAML_BASE64 holds the whole file; else `yaml_path`, or FEAST_FS_YAML_FILE_PATH; else
    feature_store.yaml in that directory. Where the file stands does not change which directory is the repository.
    Raises ConfigurationError.
    """
    directory = Path(repo_path or os.environ.get("FEATURE_REPO_DIR_ENV_VAR") or Path.cwd()).expanduser().absolute()
    encoded = os.environ.get("FEATURE_STORE_YAML_BASE64")
    if encoded and yaml_path is None:
        try:
            text = base64.b64decode(encoded, validate=True).decode()
        except ValueError as error:
            raise ConfigurationError("FEATURE_STORE_YAML_BASE64 is not base64 of a text") from error
        return parse_config(text, directory, "FEATURE_STORE_YAML_BASE64")
    named = yaml_path or os.environ.get("FEAST_FS_YAML_FILE_PATH")
    path = Path(named).expanduser().absolute() if named else directory / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        above = None if named else next((found for found in directory.parents if (found / FILE_NAME).is_file()), None)
        raise ConfigurationError(
            f"there is no {path}; there is one in {above}: run this there, or as `feast -c {shlex.quote(str(above))}`"
            if above
            else f"there is no {path}; run this in a feature repository, name one with `feast -c DIR`, "
            "or make one with `feast init`"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {path}: {error}") from error
    return parse_config(text, directory, path.name)


def parse_config(text: str, repo_path: Path, file: str = FILE_NAME) -> Config:
    """Text of a feature_store.yaml to a Config; relative paths are meant against `repo_path`. Raises
    ConfigurationError."""
    text = os.path.expandvars(text)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: what looks like a date and is none
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise ConfigurationError(f"{file}{line} is not YAML: {problem}") from error
    lines: dict[str, int] = {}
    if node is not None:
        _collect_lines(node, "", lines, set())
    place = Place(file, lines)
    if not isinstance(data, dict):
        raise ConfigurationError(f"{file} must be a mapping with at least `project` and `registry`")

    def section(path: str, default: str, type_key: str = "type", tolerant: bool = False) -> Section:
        value = data.get(path, default)
        if isinstance(value, str):
            value = {type_key: value}
        if not isinstance(value, dict):
            raise ConfigurationError(f"{place.of(path)}: expected a name or a mapping with `{type_key}`")
        options = {str(key): item for key, item in value.items() if key != type_key}
        chosen = value.get(type_key, default)
        if not isinstance(chosen, str):
            raise ConfigurationError(f"{place.of(f'{path}.{type_key}')}: expected a text, got {_shown(chosen)}")
        return Section(path, chosen, options, repo_path, place, tolerant)

    def optional(path: str, default: str) -> Section | None:
        # As Feast: `online_store: null` or "none" switches the store off.
        if path in data and (data[path] is None or str(data[path]).lower() in ("none", "null")):
            return None
        return section(path, default)

    auth = section("auth", "no_auth")
    return Config(
        project=_project(data, place),
        project_description=str(data.get("project_description") or ""),
        repo_path=repo_path,
        registry=_registry(data, repo_path, place),
        online_store=optional("online_store", "sqlite"),
        offline_store=optional("offline_store", "file"),
        batch_engine=section("batch_engine", "local"),
        auth=Section(auth.path, auth.type, auth.options, repo_path, place, tolerant=auth.type == "kubernetes"),
        feature_server=_feature_server(data, repo_path, place),
        materialization=decode(Materialization, data.get("materialization") or {}, "materialization", repo_path, place),
        sections=data,
        place=place,
        text=text,
    )


def _project(data: Mapping[str, Any], place: Place) -> str:
    project = data.get("project")
    if project is not None and not isinstance(project, str):
        raise ConfigurationError(f"{place.of('project')}: must be a text, got {_shown(project)}; put it in quotes")
    if not project:
        raise ConfigurationError(f"{place.of('project')}: name the project, for example `project: my_project`")
    # As Feast: letters, digits, _ and -, not starting with one of the last two.
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*", project, re.ASCII):
        raise ConfigurationError(
            f"{place.of('project')}: {project!r} may hold letters, digits, _ and - only, "
            "and must start with a letter or digit"
        )
    return project


def _registry(data: Mapping[str, Any], repo_path: Path, place: Place) -> Section:
    value = data.get("registry")
    if value is None:
        raise ConfigurationError(f"{place.file}: `registry` is missing; add for example `registry: data/registry.db`")
    if isinstance(value, (str, Path)):
        value = {"path": str(value)}
    if not isinstance(value, dict):
        raise ConfigurationError(f"{place.of('registry')}: expected a path or a mapping with `path`")
    options = {str(key): item for key, item in value.items() if key != "registry_type"}
    chosen = value.get("registry_type", "file")
    if not isinstance(chosen, str):
        raise ConfigurationError(f"{place.of('registry.registry_type')}: expected a text, got {_shown(chosen)}")
    return Section("registry", chosen, options, repo_path, place, tolerant=True)


def _feature_server(data: Mapping[str, Any], repo_path: Path, place: Place) -> FeatureServer:
    settings = decode(FeatureServer, data.get("feature_server") or {}, "feature_server", repo_path, place)
    if settings.type != "local":
        raise ConfigurationError(
            f"{place.of('feature_server.type')}: {settings.type!r} is not supported here, only 'local' is: "
            "this server has no MCP endpoint"
        )
    return settings


def warn_of_ignored(config: Config, declared: Collection[str] = ()) -> None:
    """Warn of what feature_store.yaml says and nobody reads. `declared` are the dotted paths of sections that plugins
    read, so plugins are loaded first."""
    ours = {path.partition(".")[0] for path in declared} | _READ
    for key in config.sections:
        if key not in ours | _TOLERATED:
            close = difflib.get_close_matches(str(key), sorted(ours), 1)
            hint = f", did you mean {close[0]!r}?" if close else ""
            warnings.warn(f"{config.place.of(str(key))}: unknown key, ignored{hint}", stacklevel=2)
    server = config.feature_server
    switched_on = {
        "metrics.enabled": (server.metrics or {}).get("enabled"),
        "audit_logging.enabled": (server.audit_logging or {}).get("enabled"),
    }
    for key, on in switched_on.items():
        path = f"feature_server.{key}"
        if on and not {path, path.rpartition(".")[0]} & set(declared):
            warnings.warn(f"{config.place.of(path)}: not supported by this version, ignored", stacklevel=2)


T = TypeVar("T", bound=msgspec.Struct)
_BOUNDS = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}


def decode_section(struct: type[T], section: Section) -> T:
    """Options of a section as the struct of its component."""
    options = section.options
    if section.tolerant:
        known = {found.encode_name for found in msgspec.structs.fields(struct)}
        for key in [key for key in options if key not in known]:
            warnings.warn(f"{section.where(key)}: not used here, ignored", stacklevel=2)
        options = {key: value for key, value in options.items() if key in known}
    return decode(struct, options, section.path, section.repo_path, section.place)


def decode(struct: type[T], data: object, path: str, repo_path: Path, place: Place) -> T:
    """Plain data to a struct; `pathlib.Path` fields become absolute against `repo_path`.

    A field of a type with a class method `from_option(value, repo_path)`, such as one that is a path or a URL, is
    made by it; its ValueError says what is wrong.
    Raises ConfigurationError with file, line, path and, for an unknown key, the closest known one.
    """
    _refuse_unknown(struct, data, path, place)

    def hook(wanted: type, value: object) -> object:
        if wanted is Path and isinstance(value, str):
            return repo_path / Path(value).expanduser()
        if hasattr(wanted, "from_option"):
            return wanted.from_option(value, repo_path)
        raise TypeError(f"expected {'a path' if wanted is Path else wanted.__name__}, got {_shown(value)}")

    try:
        return _anchored(msgspec.convert(data, struct, dec_hook=hook), repo_path)
    except msgspec.ValidationError as error:
        message, _, inner = str(error).partition(" - at `$")
        inner = inner.rstrip("`").lstrip(".")
        raise ConfigurationError(f"{place.of(f'{path}.{inner}' if inner else path)}: {_readable(message)}") from error


def _readable(message: str) -> str:
    """What msgspec says, with a bound (``Expected `int` >= 1``) in words."""
    bound = re.fullmatch(r"Expected `\w+` (>=|>|<=|<) (\S+)", message)
    return f"must be {_BOUNDS[bound[1]]} {bound[2].removesuffix('.0')}" if bound else message


def _shown(value: object) -> str:
    """A value as people write it in YAML, short."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return repr(value)
    return "a mapping" if isinstance(value, Mapping) else "a list" if isinstance(value, list) else str(value)


def _anchored(found: T, repo_path: Path) -> T:
    """Relative paths that are defaults, which no hook has seen, made absolute too."""
    relative = {}
    for name in found.__struct_fields__:
        value = getattr(found, name)
        if isinstance(value, Path) and not value.is_absolute():
            relative[name] = repo_path / value
    return msgspec.structs.replace(found, **relative) if relative else found


def _refuse_unknown(struct: Any, data: object, path: str, place: Place) -> None:
    if not isinstance(data, Mapping) or not (isinstance(struct, type) and issubclass(struct, msgspec.Struct)):
        return
    known = {found.encode_name: found for found in msgspec.structs.fields(struct)}
    for key, value in data.items():
        if key not in known:
            close = difflib.get_close_matches(str(key), list(known), 1)
            hint = f", did you mean {close[0]!r}?" if close else f"; known: {', '.join(known) or 'none'}"
            raise ConfigurationError(f"{place.of(f'{path}.{key}')}: unknown key {key!r}{hint}")
        _refuse_unknown(_struct_in(known[key].type), value, f"{path}.{key}", place)


def _struct_in(annotation: Any) -> Any:
    """The struct in `Struct` or `Struct | None`, else the annotation itself."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for inner in typing.get_args(annotation):
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                return inner
    return annotation


def _collect_lines(node: yaml.Node, path: str, lines: dict[str, int], seen: set[int]) -> None:
    # An alias stands for the node it names, which may hold itself, or many others many times over.
    if isinstance(node, yaml.MappingNode) and id(node) not in seen:
        seen.add(id(node))
        for key, value in node.value:
            name = f"{path}.{key.value}" if path else str(key.value)
            lines[name] = key.start_mark.line + 1
            _collect_lines(value, name, lines, seen)
