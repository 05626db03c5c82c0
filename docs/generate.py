"""The parts of these pages that the code knows best: hooks, settings, commands, errors, types, interfaces, promises.

    python docs/generate.py           # write them into the pages
    python docs/generate.py --check   # say which pages are not as they would be written; exit code 1 if any

A page holds `<!-- generated: NAME -->`, what `NAME` makes (a function of this module), and `<!-- end -->`. The result
is committed, so that the pages can be read where the repository is; tests/test_docs.py compares.
"""

import ast
import difflib
import importlib.util
import inspect
import json
import re
import sys
import textwrap
import typing
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType, UnionType
from typing import Any

import click
import duckdb
import msgspec
from feast_offline_file.columns import feast_type

from feast_cli.groups import NOT_HERE
from feast_cli.invocation import Invocation, invocation_of
from feast_cli.main import cli
from feast_cli.shapes import shape_of
from feast_core import config, errors, hookspecs, interfaces, keys, testing
from feast_core.components import Component
from feast_core.consequences import Consequence, Effect
from feast_core.definitions import Array, FeastType, Set, Struct, types
from feast_core.plugins import GROUP, load_plugins
from feast_core.values import codec_of

DOCS = Path(__file__).parent
PAGES = (*sorted(DOCS.glob("*.md")), DOCS.parent / "README.md")
_MARKED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

Rows = Iterable[Sequence[str]]


def written(text: str) -> str:
    """The text of a page with its generated parts made anew. Raises KeyError for a part that nobody makes."""
    return _MARKED.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]().strip()}\n\n{found[3]}", text)


def main(arguments: Sequence[str]) -> int:
    """Write or check all pages; the exit code."""
    stale = []
    for page in PAGES:
        before = page.read_text(encoding="utf-8")
        after = written(before)
        if before != after:
            stale.append(page)
            if "--check" in arguments:
                print(
                    *difflib.unified_diff(before.splitlines(), after.splitlines(), page.name, "generated", n=1),
                    sep="\n",
                )
            else:
                page.write_text(after, encoding="utf-8")
    return 1 if stale and "--check" in arguments else 0


# Hooks.


def hooks() -> str:
    """A table of all hooks, then each with its arguments, what becomes of its results, and its example."""
    found = {name: spec for name, spec in vars(hookspecs).items() if name.startswith("feast_")}
    rows = [(f"[{name}](#{name})", _first_sentence(_doc(spec))) for name, spec in found.items()]
    return "\n\n".join([_table(("hook", "what it is for"), rows), *(_hook(name, spec) for name, spec in found.items())])


def _hook(name: str, spec: Any) -> str:
    text, has_example, code = _doc(spec).partition("::\n")
    assert has_example, f"{name} has no example"
    returned = _annotation(inspect.signature(spec).return_annotation)
    if spec.feast_spec["firstresult"]:
        results = "The first result that is not None is used; it may be wrapped."
    elif returned == "None":
        results = "Results are not looked at."
    else:
        results = "All results are used."
    signature = f"`{name}({', '.join(inspect.signature(spec).parameters)}) -> {returned}`"
    return f"## {name}\n\n{signature}. {results}\n\n{text.rstrip()}:\n\n{_fence('python', code)}"


# Interfaces and promises.


def plugins_of_ours() -> str:
    """The plugins that come along, by the names that FEAST_BLOCK_PLUGINS takes."""
    found = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    rows = [
        (f"`{point.name}`", f"`{point.value}`", _first_sentence(_doc(point.load())))
        for point in found
        if point.dist is not None and point.dist.name == "feastkit"
    ]
    return _table(("plugin", "package", "what it is"), rows)


def component_interfaces() -> str:
    """The methods of every interface, and the shapes of what they take and give."""
    parts = []
    for interface in (interfaces.OnlineStore, interfaces.OfflineStore, interfaces.Registry, interfaces.Engine):
        rows = [
            (f"`{name}({', '.join(list(inspect.signature(method).parameters)[1:])})`", _line(_doc(method)))
            for name, method in vars(interface).items()
            if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_"))
        ]
        parts += [f"### {interface.__name__}", _doc(interface), _table(("method", "what it does"), rows)]
    rows = [(f"`{name}`", _line(text)) for name, text in _sentences(interfaces).items()]
    rows += [
        (f"`{name}({', '.join(vars(found)['__annotations__'])})`", _line(_doc(found)))
        for name, found in vars(interfaces).items()
        if inspect.isclass(found) and found.__module__ == interfaces.__name__ and hasattr(found, "__dataclass_fields__")
    ]
    return "\n\n".join([*parts, "### What they take and give", _table(("name", "what it is"), rows)])


def promises() -> str:
    """The numbered promises of every contract, each with the test that holds a component to it."""
    parts = []
    for name in testing.__all__:
        contract = getattr(testing, name)
        parts.append(f"### {name}")
        rows = [(f"`{flag}`", _capability(vars(contract)[flag]), text) for flag, text in _sentences(contract).items()]
        if rows:
            parts.append(_table(("capability", "unless overridden", "what it says"), rows))
        numbered = sorted(
            _promise(test, attribute) for attribute, test in vars(contract).items() if attribute.startswith("test_")
        )
        assert [number for number, _ in numbered] == list(range(1, len(numbered) + 1)), f"{name}: number its promises"
        parts.append("\n".join(text for _, text in numbered))
    return "\n\n".join(parts)


def _promise(test: object, name: str) -> tuple[int, str]:
    """The number of a promise; its line, which begins with the name of its test as a sentence."""
    number, _, text = _line(_doc(test)).partition(". ")
    return int(number), f"{number}. **{name.removeprefix('test_').replace('_', ' ').capitalize()}.** {text}"


def _capability(value: object) -> str:
    return f"`{value}`" if isinstance(value, bool) else "all that the contract knows"


# Settings.


def settings() -> str:
    """Every key of feature_store.yaml, section by section."""
    parts = [
        "## The keys of the file",
        _table(("key", "default", "meaning"), _top_level()),
        "Feast's keys " + ", ".join(f"`{key}`" for key in sorted(config._TOLERATED)) + " are accepted, without effect.",
    ]
    for path, struct in [*_core_sections(), *_plugin_sections()]:
        parts += [f"## {path}", _first_sentence(_doc(struct)), _options(struct)]
    for component, offered in _components():
        names = " or ".join(f"`{found.type}`" for found in offered)
        key = "registry_type" if component.role == "registry" else "type"
        parts += [
            f"## {component.role}: {component.type}",
            f"`{key}`: {names}. {component.help[:1].upper()}{component.help[1:].rstrip('.')}.",
            _options(_class(component).Options),
        ]
    return "\n\n".join(part for part in parts if part)


def _top_level() -> Rows:
    said = _sentences(config.Config)
    defaults = config.parse_config("project: p\nregistry: r", Path())
    for name, text in said.items():
        value = getattr(defaults, name)
        needed = name in ("project", "registry")
        default = "" if needed else f"`{value.type}`" if isinstance(value, config.Section) else ""
        yield f"`{name}`", default, text


def _core_sections() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    for name, kind in typing.get_type_hints(config.Config).items():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield name, kind
            for field in msgspec.structs.fields(kind):
                if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
                    yield f"{name}.{field.encode_name}", field.type


def _plugin_sections() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    for found in load_plugins().hook.feast_settings():
        for setting in found:
            yield setting.path, setting.struct


def _components() -> list[tuple[Component, list[Component]]]:
    """One component for each class, and all that share it, by role."""
    by_class: dict[tuple[str, str], list[Component]] = defaultdict(list)
    for found in load_plugins().hook.feast_components():
        for component in found:
            by_class[component.role, component.target].append(component)
    order = list(typing.get_type_hints(config.Config))
    return sorted(((found[0], found) for found in by_class.values()), key=lambda pair: order.index(pair[0].role))


def _class(component: Component) -> Any:
    module, _, name = component.target.partition(":")
    return getattr(__import__(module, fromlist=[name]), name)


def _options(struct: type[msgspec.Struct]) -> str:
    said = _sentences(struct)
    rows = []
    for field in msgspec.structs.fields(struct):
        text = said.get(field.name)
        assert text, f"{struct.__qualname__}.{field.name} has no sentence: write one under it"
        rows.append((f"`{field.encode_name}`", _type(field.type), _default(field), text))
    return _table(("key", "value", "default", "meaning"), rows) if rows else ""


def _type(kind: Any) -> str:
    """A type as people name it: `integer, at least 1`."""
    if typing.get_origin(kind) is typing.Annotated:
        inner, *details = typing.get_args(kind)
        bounds = [f", at least {detail.ge}" for detail in details if getattr(detail, "ge", None) is not None]
        return _type(inner) + "".join(bounds)
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(f"`{choice}`" for choice in typing.get_args(kind))
    if isinstance(kind, UnionType):
        return " or ".join(_type(inner) for inner in typing.get_args(kind) if inner is not type(None))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return "mapping, see below"
    names = {bool: "`true` or `false`", int: "integer", float: "number", str: "text", Path: "path", dict: "mapping"}
    plain = typing.get_origin(kind) or kind
    if plain in (list, tuple, frozenset, set):
        return f"list of {_type(typing.get_args(kind)[0])}"
    return names.get(plain, "text")


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    if value is msgspec.NODEFAULT:
        return "needed"
    if isinstance(value, msgspec.Struct) or value in (None, "", {}):
        return ""
    return f"`{value if isinstance(value, str | Path) else json.dumps(value)}`"


# Commands.


def commands() -> str:
    """Every command with its arguments and options; groups that are alike stand together."""
    context = click.Context(cli, info_name="feast", obj=Invocation(Path("/nonexistent")))
    loaded = {name: _loaded(context, name) for name in cli.list_commands(context)}
    alike: dict[str, list[str]] = defaultdict(list)
    for name, command in loaded.items():
        alike[_shape(command) if isinstance(command, click.Group) else name].append(name)
    titles = {name: names[0] if len(names) == 1 else "KIND" for names in alike.values() for name in names}
    rows = [
        (f"[`feast {name}`](#feast-{titles[name].lower()})", command.get_short_help_str(200))
        for name, command in loaded.items()
    ]
    parts = [_table(("command", "what it does"), rows), "## Options before the command", _parameters(cli)]
    parts += [_command(f"feast {names[0]}", names, loaded[names[0]]) for names in alike.values()]
    return "\n\n".join(parts)


def _loaded(context: click.Context, name: str) -> click.Command:
    command = invocation_of(context).load_command(name)
    assert command is not None
    return command


def _shape(command: click.Command) -> str:
    """What is the same for two groups that differ in their objects only."""
    if isinstance(command, click.Group):
        return repr({name: _shape(inner) for name, inner in sorted(command.commands.items())})
    return repr([(found.name, found.opts) for found in command.params])


def _command(title: str, names: Sequence[str], command: click.Command) -> str:
    if not isinstance(command, click.Group):
        return "\n\n".join(part for part in (f"## {title}", *_usage(title, command, names)) if part)
    parts = [f"## {title}" if len(names) == 1 else "## feast KIND"]
    if len(names) > 1:
        parts.append("`KIND` is one of " + ", ".join(f"`{name}`" for name in names) + ".")
    for name, inner in sorted(command.commands.items()):
        parts += _usage(f"{title if len(names) == 1 else 'feast KIND'} {name}", inner, names)
    return "\n\n".join(part for part in parts if part)


def _usage(title: str, command: click.Command, groups: Sequence[str]) -> list[str]:
    """How it is called, what it does, its options, what `--json` prints. The help of one group of many would name its
    kind only."""
    arguments = [
        found.make_metavar(click.Context(command)) if _wants_context(found) else found.make_metavar()  # type: ignore[call-arg]
        for found in command.params
        if isinstance(found, click.Argument)
    ]
    text = inspect.cleandoc(command.help or "") if len(groups) == 1 else ""
    return [f"`{' '.join([title, *arguments])}`", _line(text), _parameters(command), _json_shapes(title, groups)]


def _json_shapes(title: str, groups: Sequence[str]) -> str:
    """What `--json` prints; where not all groups print the same, each with their names. Nothing for those without."""
    _, _, *verb = title.split()
    by_shape: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        shape = shape_of(" ".join([group, *verb]))
        if shape is not None:
            by_shape[_compact(shape)].append(group)
    parts = []
    for text, names in sorted(by_shape.items(), key=lambda pair: -len(pair[1])):
        which = "" if len(names) == max(map(len, by_shape.values())) else f", for {' and '.join(names)}"
        parts.append(f"`--json` prints{which}:\n\n{_fence('json', text)}")
    return "\n\n".join(parts)


def _compact(shape: Any, indent: str = "") -> str:
    """JSON with what fits into a line on one line."""
    line = json.dumps(shape)
    if len(line) + len(indent) <= 100 or not isinstance(shape, list | Mapping):
        return line
    deeper = f"{indent}  "
    items = [f"{json.dumps(key)}: " for key in shape] if isinstance(shape, Mapping) else [""] * len(shape)
    values = shape.values() if isinstance(shape, Mapping) else shape
    inner = ",\n".join(f"{deeper}{key}{_compact(value, deeper)}" for key, value in zip(items, values, strict=True))
    start, end = "{}" if isinstance(shape, Mapping) else "[]"
    return f"{start}\n{inner}\n{indent}{end}"


def _wants_context(parameter: click.Parameter) -> bool:
    """Since click 8.2."""
    return "ctx" in inspect.signature(parameter.make_metavar).parameters


def _parameters(command: click.Command) -> str:
    rows = []
    for found in command.params:
        if isinstance(found, click.Option) and not found.hidden:
            names = ", ".join(f"`{name}`" for name in found.opts)
            value = "" if found.is_flag else f" {_value(found)}"
            default = found.default
            # `default` may be a sentinel of click's for none.
            shown = f"`{default}`" if isinstance(default, int | str) and not found.is_flag and default != "" else ""
            shown = "needed" if found.required else shown
            meaning = "Print JSON, see below." if found.name == "as_json" else _line(found.help or "")
            assert meaning, f"{command.name}: {names} does not say what it does"
            rows.append((names + value, shown, meaning))
    return _table(("option", "default", "meaning"), rows) if rows else ""


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return " or ".join(f"`{choice}`" for choice in option.type.choices)
    return (option.metavar or option.type.name.partition(" ")[0]).upper()


# Errors.


def error_tree() -> str:
    """The classes, as the module draws them."""
    drawing = [line for line in _doc(errors).splitlines() if line.startswith(("FeastError", "├", "│", "└"))]
    return _fence("text", "\n".join(drawing))


def error_entries() -> str:
    """Every error: its title, which names it on the wire, its status, exit code and what to do."""
    parts = []
    for name, found in vars(errors).items():
        if not (inspect.isclass(found) and issubclass(found, errors.FeastError)):
            continue
        what, said, to_do = _doc(found).partition("What to do: ")
        assert said, f"{name} does not say what to do"
        sdk = f" Feast's SDK raises `{found.feast_class}`." if found.feast_class else ""
        parts += [
            f"### {found.title}",
            f"`{name}`: HTTP {found.http_status}, exit code {found.exit_code}.{sdk}",
            what.strip(),
            f"What to do: {to_do}",
        ]
    return "\n\n".join(parts)


# Types.

_INSTANT = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
_UUID = uuid.UUID("6f6f1f8a-94d1-4b7e-9d0b-3f0d6c1f2a10")
#: A value of every type, as Python has it.
SAMPLES: Mapping[FeastType, Any] = {
    types.Int32: 42,
    types.Int64: 9_007_199_254_740_993,
    types.Float32: 0.1,
    types.Float64: 0.1,
    types.String: "Grüße",
    types.Bool: True,
    types.Bytes: b"\x00\xff",
    types.ImageBytes: b"\x89PNG",
    types.PdfBytes: b"%PDF",
    types.UnixTimestamp: _INSTANT,
    types.ZonedTimestamp: _INSTANT,
    types.Json: '{"a": 1}',
    types.Map: {"a": 1},
    types.ScalarMap: {"a": 1.5},
    types.Uuid: _UUID,
    types.TimeUuid: uuid.UUID("f3c5e7d0-c77b-11f0-8de9-0242ac120002"),
    types.Decimal: Decimal("1.2300"),
    Array(types.Float64): [1.5, float("nan"), float("inf"), None],
    Array(Array(types.Int64)): [[1, 2], []],
    Set(types.Int64): [1, 2, 2],
    Struct({"name": types.String, "age": types.Int64}): {"name": "Ada", "age": 36},
}


def type_table() -> str:
    """Every type with a value in Python, in an answer, and as `to_dict()` gives it back."""
    missing = [name for name, found in types.PRIMITIVES.items() if found not in SAMPLES and found != types.Invalid]
    assert not missing, f"no sample of {missing}"
    rows = []
    for dtype, value in SAMPLES.items():
        codec = codec_of(dtype)
        (wire,) = codec.encode_column([value])
        shown = wire if dtype != types.Float32 else float(wire)
        text = json.dumps(shown, ensure_ascii=False)
        rows.append((f"`{dtype}`", _python(value), f"`{text}`", _python(codec.decode(shown))))
    return _table(("type", "value", "JSON", "`to_dict()`"), rows)


def _python(value: object) -> str:
    """A value as Python shows it; of an instant, what it is."""
    return f"datetime `{value}`" if isinstance(value, datetime) else f"`{value!r}`"


#: Types of columns as SQL names them, and what files of parquet call them.
COLUMNS: Mapping[str, str] = {
    "BOOLEAN": "boolean",
    "TINYINT": "int8",
    "SMALLINT": "int16",
    "INTEGER": "int32",
    "BIGINT": "int64",
    "UTINYINT": "uint8",
    "USMALLINT": "uint16",
    "UINTEGER": "uint32",
    "UBIGINT": "uint64",
    "FLOAT": "float",
    "DOUBLE": "double",
    "DECIMAL(18,3)": "decimal",
    "VARCHAR": "string",
    "BLOB": "binary",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_NS": "timestamp of nanoseconds",
    "TIMESTAMPTZ": "timestamp with a zone",
    "TIME": "time",
    "UUID": "uuid",
    "JSON": "json",
    "BIGINT[]": "list of int64",
    "STRUCT(a BIGINT)": "struct of an int64 a",
    "MAP(VARCHAR, BIGINT)": "map",
}


def column_types() -> str:
    """What columns of parquet become where a view declares no schema."""
    by_type: dict[str, list[str]] = defaultdict(list)
    for sql, name in COLUMNS.items():
        by_type[str(feast_type(duckdb.sqltype(sql)))].append(name)
    return _table(("parquet", "feature"), ((", ".join(names), f"`{dtype}`") for dtype, names in by_type.items()))


def key_types() -> str:
    """Types that a join key may have."""
    return ", ".join(f"`{dtype}`" for dtype in keys.KEY_TYPES) + "."


# Differences.


def answers_that_differ() -> str:
    """The deliberate differences that the replay of Feast's recorded answers knows."""
    path = DOCS.parent / "tests" / "http" / "test_recorded_answers.py"
    spec = importlib.util.spec_from_file_location("recorded_answers", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.difference_table())


def commands_not_here() -> str:
    """Commands of Feast that are left out, and why."""
    return _table(
        ("command of Feast", "why it is not here"), ((f"`feast {name}`", why) for name, why in NOT_HERE.items())
    )


# Changes.


def effects() -> str:
    """What a change of definitions can mean for stored rows, from the table in the docstring."""
    rows = [line.split(maxsplit=1) for line in _doc(Consequence).splitlines() if line.startswith("    ")]
    assert [effect for effect, _ in rows] == list(typing.get_args(Effect))
    return _table(("effect", "meaning"), ((f"`{effect}`", meaning) for effect, meaning in rows))


# Markdown, and what the code says of itself.


def _table(header: Sequence[str], rows: Rows) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _fence(language: str, code: str) -> str:
    return f"```{language}\n{textwrap.dedent(code).strip()}\n```"


def _doc(thing: object) -> str:
    text = inspect.getdoc(thing)
    assert text, f"{thing} has no docstring"
    return re.sub(r"\bdocs/([\w-]+\.md)", r"[\1](\1)", text.replace("``", "`"))


def _line(text: str) -> str:
    return " ".join(text.split())


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.?])\s", _line(text))[0]


def _annotation(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _sentences(owner: type | ModuleType) -> dict[str, str]:
    """What is said of each attribute of a class or module: a text under it, or a comment `#:` above it."""
    lines = textwrap.dedent(inspect.getsource(owner)).splitlines()
    tree = ast.parse("\n".join(lines))
    body = tree.body if isinstance(owner, ModuleType) else typing.cast("ast.ClassDef", tree.body[0]).body
    said = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                said[node.target.id] = _line(str(after.value.value))
            elif lines[node.lineno - 2].strip().startswith("#:"):
                said[node.target.id] = _line(lines[node.lineno - 2].strip().removeprefix("#:"))
    return said


PARTS: Mapping[str, Callable[[], str]] = {
    part.__name__: part
    for part in (
        hooks,
        plugins_of_ours,
        component_interfaces,
        promises,
        settings,
        commands,
        error_tree,
        error_entries,
        type_table,
        column_types,
        key_types,
        answers_that_differ,
        commands_not_here,
        effects,
    )
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
