"""Every command with its options and what its `--json` prints; and those of Feast that are left out."""

import inspect
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import click

from feast_cli.groups import NOT_HERE
from feast_cli.main import cli
from feast_cli.shapes import shape_of
from reference.markdown import fence, line, table
from reference.ours import our_commands


def commands() -> str:
    """Every command with its arguments and options; groups that are alike stand together."""
    loaded = our_commands()
    alike: dict[str, list[str]] = defaultdict(list)
    for name, command in loaded.items():
        alike[_shape(command) if isinstance(command, click.Group) else name].append(name)
    titles = {name: names[0] if len(names) == 1 else "KIND" for names in alike.values() for name in names}
    rows = [
        (f"[`feast {name}`](#feast-{titles[name].lower()})", command.get_short_help_str(200))
        for name, command in loaded.items()
    ]
    parts = [table(("command", "what it does"), rows), "## Options before the command", _parameters(cli)]
    parts += [_command(f"feast {names[0]}", names, loaded[names[0]]) for names in alike.values()]
    return "\n\n".join(parts)


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
    return [f"`{' '.join([title, *arguments])}`", line(text), _parameters(command), _json_shapes(title, groups)]


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
        parts.append(f"`--json` prints{which}:\n\n{fence('json', text)}")
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
            meaning = "Print JSON, see below." if found.name == "as_json" else line(found.help or "")
            assert meaning, f"{command.name}: {names} does not say what it does"
            rows.append((names + value, shown, meaning))
    return table(("option", "default", "meaning"), rows) if rows else ""


def _value(option: click.Option) -> str:
    if isinstance(option.type, click.Choice):
        return " or ".join(f"`{choice}`" for choice in option.type.choices)
    return (option.metavar or option.type.name.partition(" ")[0]).upper()


def commands_not_here() -> str:
    """Commands of Feast that are left out, and why."""
    return table(
        ("command of Feast", "why it is not here"), ((f"`feast {name}`", why) for name, why in NOT_HERE.items())
    )
