"""Markdown, and what the code says of itself: docstrings, and sentences about attributes."""

import ast
import inspect
import itertools
import re
import textwrap
import typing
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

Rows = Iterable[Sequence[str]]


def table(header: Sequence[str], rows: Rows) -> str:
    """Rows of cells under a header."""
    every = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in every)


def fence(language: str, code: str) -> str:
    """A block of code, dedented."""
    return f"```{language}\n{textwrap.dedent(code).strip()}\n```"


def doc(thing: object) -> str:
    """The docstring; pages that it names are linked to."""
    text = inspect.getdoc(thing)
    assert text, f"{thing} has no docstring"
    return re.sub(r"\bdocs/([\w-]+\.md)", r"[\1](\1)", text.replace("``", "`"))


def line(text: str) -> str:
    """The text on one line."""
    return " ".join(text.split())


def first_sentence(text: str) -> str:
    """Up to the first full stop or question mark."""
    return re.split(r"(?<=[.?])\s", line(text))[0]


def annotation(kind: Any) -> str:
    """A type as a signature shows it."""
    return kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))


def sentences(owner: type | ModuleType) -> dict[str, str]:
    """What is said of each attribute of a class or module: a text under it, or lines with `#:` above it."""
    lines = textwrap.dedent(inspect.getsource(owner)).splitlines()
    tree = ast.parse("\n".join(lines))
    body = tree.body if isinstance(owner, ModuleType) else typing.cast("ast.ClassDef", tree.body[0]).body
    said = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                said[node.target.id] = line(str(after.value.value))
            else:
                above = itertools.takewhile(
                    lambda text: text.startswith("#:"), map(str.strip, lines[node.lineno - 2 :: -1])
                )
                comment = [text.removeprefix("#:") for text in above]
                if comment:
                    said[node.target.id] = line(" ".join(reversed(comment)))
    return said
