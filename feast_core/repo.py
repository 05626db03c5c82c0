"""Import the files of a feature repository and collect what they define.

    contents = load_repo(Path("feature_repo"), "my_project")
    contents.feature_views, contents.objects

A file is imported once, as Python would import it with the repository on `sys.path` and as working directory; only the
program that is running, where it is one of them, is not imported again: it defines what it has so far. When all are
collected, the repository's modules leave `sys.modules`: another repository in the same process starts clean.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb
from types import ModuleType

from feast_core.definitions import (
    BaseFeatureView,
    DataSource,
    Definition,
    Entity,
    FeatureService,
    FeatureView,
    LabelView,
    OnDemandFeatureView,
    Permission,
    Project,
    SavedDataset,
    ValidationReference,
)
from feast_core.errors import DefinitionError, FeastError
from feast_core.neighbours import others_away

IGNORE_FILE = ".feastignore"
ALWAYS_IGNORED = (".git", ".venv", "**/.ipynb_checkpoints", "**/.pytest_cache", "**/__pycache__", "**/__init__.py")
#: Files beside feature_store.yaml that others read, and that define no features.
NOT_DEFINITIONS = ("feast_plugins.py", "static_artifacts.py")


@dataclass(frozen=True)
class RepoContents:
    """Everything that a repository defines, each object once, by kind; within a kind in dependency order."""

    projects: tuple[Project, ...] = ()
    entities: tuple[Entity, ...] = ()
    data_sources: tuple[DataSource, ...] = ()
    feature_views: tuple[FeatureView, ...] = ()
    on_demand_feature_views: tuple[OnDemandFeatureView, ...] = ()
    label_views: tuple[LabelView, ...] = ()
    feature_services: tuple[FeatureService, ...] = ()
    saved_datasets: tuple[SavedDataset, ...] = ()
    validation_references: tuple[ValidationReference, ...] = ()
    permissions: tuple[Permission, ...] = ()

    @property
    def project(self) -> Project:
        """The one project."""
        return self.projects[0]

    @property
    def objects(self) -> tuple[Definition, ...]:
        """All of it, in the order in which it can be applied: nothing comes before what it needs."""
        return (
            *self.projects,
            *self.entities,
            *self.data_sources,
            *self.feature_views,
            *self.on_demand_feature_views,
            *self.label_views,
            *self.feature_services,
            *self.saved_datasets,
            *self.validation_references,
            *self.permissions,
        )


def load_repo(path: Path, project: str) -> RepoContents:
    """Import every definition file under `path` and collect what it defines for the project of feature_store.yaml.

    DefinitionError names the file and line of what failed, or both places of a name that is used twice.
    """
    root = path.resolve()
    if not root.is_dir():
        raise DefinitionError(f"{path} is not a folder; a feature repository is the folder of feature_store.yaml")
    found: list[tuple[Definition, str]] = []
    with others_away(root), _importable(root):
        for file in definition_files(root):
            for name, value in list(vars(_import(file, root)).items()):
                if isinstance(value, Definition):
                    found.append((value, f"{file.relative_to(root)} ({name})"))
    return _collect(found, project)


def collect(definitions: Iterable[Definition], project: str) -> RepoContents:
    """The same for objects that are already here: adds what they reach, and checks names and project."""
    return _collect([(definition, "the objects given") for definition in definitions], project)


def definition_files(root: Path) -> list[Path]:
    """Python files of the repository that may define something, in sorted order of their paths."""
    patterns = list(ALWAYS_IGNORED)
    ignore_file = root / IGNORE_FILE
    if ignore_file.is_file():
        lines = (line.partition("#")[0].strip().strip("/") for line in ignore_file.read_text().splitlines())
        patterns += [line for line in lines if line]
    ignored = {match for pattern in patterns for match in root.glob(pattern)} | {
        root / name for name in NOT_DEFINITIONS
    }
    files = (file for file in root.glob("**/*.py") if file.is_file())
    return sorted(file for file in files if ignored.isdisjoint({file, *file.parents}))


def _collect(found: Iterable[tuple[Definition, str]], project: str) -> RepoContents:
    known: dict[tuple[str, str], tuple[Definition, str]] = {}
    for definition, where in found:
        _add(definition, where, known)
    objects = [definition for definition, _ in known.values()]
    entities = {entity.name: entity for entity in objects if isinstance(entity, Entity)}
    objects = [
        view.resolve_entities(entities) if isinstance(view, BaseFeatureView) and view.unresolved_entities else view
        for view in objects
    ]
    return RepoContents(
        projects=_one_project([item for item in objects if isinstance(item, Project)], project),
        entities=tuple(entities.values()),
        data_sources=tuple(item for item in objects if isinstance(item, DataSource)),
        feature_views=tuple(item for item in objects if isinstance(item, FeatureView)),
        on_demand_feature_views=tuple(item for item in objects if isinstance(item, OnDemandFeatureView)),
        label_views=tuple(item for item in objects if isinstance(item, LabelView)),
        feature_services=tuple(item for item in objects if isinstance(item, FeatureService)),
        saved_datasets=tuple(item for item in objects if isinstance(item, SavedDataset)),
        validation_references=tuple(item for item in objects if isinstance(item, ValidationReference)),
        permissions=tuple(item for item in objects if isinstance(item, Permission)),
    )


def _add(definition: Definition, where: str, known: dict[tuple[str, str], tuple[Definition, str]]) -> None:
    # As Feast: all kinds of views share one space of names, in which case does not matter, as it does not for sources.
    if isinstance(definition, BaseFeatureView):
        key = ("view", definition.name.lower())
    elif isinstance(definition, DataSource):
        key = (definition.kind, definition.name.lower())
    else:
        key = (definition.kind, definition.name)
    if key in known:
        other, elsewhere = known[key]
        # Equal objects are one: a file may be imported under two names, and a source may be written out twice.
        if other is definition or other == definition:
            return
        raise DefinitionError(
            f"two different objects have one name: {other.label} in {elsewhere} and {definition.label} in {where};"
            " rename one of them"
        )
    for part in _reached(definition):
        _add(part, f"{where}, through {definition.label}", known)
    known[key] = (definition, where)


def _reached(definition: Definition) -> Iterator[Definition]:
    """What comes along with an object although no file has it as an attribute."""
    if isinstance(definition, BaseFeatureView):
        yield from definition.entity_objects
    if isinstance(definition, OnDemandFeatureView):
        yield from definition.request_sources
    source = getattr(definition, "source", None)
    parts = [*(source if isinstance(source, list) else [source])]
    parts += [getattr(definition, "batch_source", None), getattr(definition, "sink_source", None)]
    yield from (part for part in parts if isinstance(part, DataSource | BaseFeatureView))


def _one_project(declared: Sequence[Project], project: str) -> tuple[Project, ...]:
    if len(declared) > 1:
        names = ", ".join(repr(item.name) for item in declared)
        raise DefinitionError(
            f"the repository declares {len(declared)} projects, {names}; keep the one of feature_store.yaml"
        )
    if declared and declared[0].name != project:
        raise DefinitionError(
            f"the repository declares project {declared[0].name!r}, feature_store.yaml {project!r}; make them agree"
        )
    return tuple(declared) or (Project(name=project),)


@contextmanager
def _importable(root: Path) -> Iterator[None]:
    """The repository on sys.path and as working directory; afterwards everything is as before."""
    before, path, bytecode = set(sys.modules), list(sys.path), sys.dont_write_bytecode
    # As Feast: `from feature_repo.entities import driver` works when run from the folder above.
    sys.path[:] = [str(root), *path, os.getcwd()]
    # An edit within the same second must not be hidden by bytecode of the first load.
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        with chdir(root):
            yield
    finally:
        sys.path[:], sys.dont_write_bytecode = path, bytecode
        # All are found before any is removed: a package without __init__ asks its parent where it is.
        for name in [name for name in set(sys.modules) - before if _is_of(root, sys.modules[name])]:
            del sys.modules[name]


def _import(file: Path, root: Path) -> ModuleType:
    name = ".".join(file.relative_to(root).with_suffix("").parts)
    program = sys.modules.get("__main__")
    if program and getattr(program, "__file__", None) and Path(str(program.__file__)).resolve() == file.resolve():
        return program  # who calls us is in the repository, and would do everything twice
    try:
        top = sys.modules.get(name.partition(".")[0])
        if "." not in file.stem and (top is None or _is_of(root, top)):
            module = importlib.import_module(name)
            if module.__file__ and Path(module.__file__).resolve() == file.resolve():
                return module
        # The name is taken, by the standard library (types.py) or a package: import the file under one of its own.
        spec = importlib.util.spec_from_file_location(f"_feature_repository_.{name}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # boundary: the repository's own code
        raise _import_error(error, file, root) from error
    return module


def _is_of(root: Path, module: ModuleType) -> bool:
    """Whether a module comes from the repository, and not from an environment that lies inside it."""
    file = getattr(module, "__file__", None)
    places = [file] if file else list(getattr(module, "__path__", []))
    for place in places:
        parts = Path(place).resolve()
        if parts.is_relative_to(root) and "site-packages" not in parts.relative_to(root).parts:
            return True
    return False


def _import_error(error: BaseException, file: Path, root: Path) -> DefinitionError:
    place, line = file, 0
    for frame, number in walk_tb(error.__traceback__):
        if (code_file := Path(frame.f_code.co_filename)).is_relative_to(root):
            place, line = code_file, number
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(root):
        place, line = Path(error.filename), error.lineno or 0
    at = f"{place.relative_to(root)}:{line}" if line else str(place.relative_to(root))
    return DefinitionError(f"{at}: {_told(error, str(file.relative_to(root)))}")


def _told(error: BaseException, file: str) -> str:
    """What went wrong while `file` was imported, and what to do where we know."""
    leave_out = f"leave {file} out with a line in {IGNORE_FILE}"
    match error:
        case FeastError():
            return str(error)
        case ModuleNotFoundError(name=str(name)) if name.startswith("feast."):
            return f"{name} of Feast is not in feastkit; do without it, or {leave_out}"
        case ModuleNotFoundError(name=str(name)):
            return f"there is no module {name}; install the package that it comes with, or {leave_out}"
        case ImportError():
            return f"{error}; do without it, or {leave_out}"
        case SystemExit():
            what = "the file ends the program when it is imported"
            return f"{what}; put that under `if __name__ == '__main__':`, or {leave_out}"
    return f"{type(error).__name__}: {error}"
