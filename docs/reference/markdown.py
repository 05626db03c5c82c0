"""Markdown, and what the code says of itself: docstrings, and sentences about attributes."""

import ast
import inspect
import re
import textwrap
import typing
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

Rows = Iterable[Sequence[str]]


def table(header: Sequence[str], rows: Rows) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def fence(language: str, code: str) -> str:
    return f"```{language}\n{textwrap.dedent(code).strip()}\n```"


def doc(thing: object) -> str:
    text = inspect.getdoc(thing)
    assert text, f"{thing} has no docstring"
    return re.sub(r"\bdocs/([\w-]+\.md)", r"[\1](\1)", text.replace("``", "`"))


def line(text: str) -> str:
    return " ".join(text.split())


def first_sentence(text: str) -> str:
    return re.split(r"(?<=[.?])\s", line(text))[0]


def annotation(annotation: Any) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def sentences(owner: type | ModuleType) -> dict[str, str]:
    """What is said of each attribute of a class or module: a text under it, or a comment `#:` above it."""
    lines = textwrap.dedent(inspect.getsource(owner)).splitlines()
    tree = ast.parse("\n".join(lines))
    body = tree.body if isinstance(owner, ModuleType) else typing.cast("ast.ClassDef", tree.body[0]).body
    said = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                said[node.target.id] = line(str(after.value.value))
            elif lines[node.lineno - 2].strip().startswith("#:"):
                said[node.target.id] = line(lines[node.lineno - 2].strip().removeprefix("#:"))
    return said
