"""Every error, with its status, its exit code, and what to do."""

import inspect

from feast_core import errors
from reference.markdown import doc, fence


def error_tree() -> str:
    """The classes, as the module draws them."""
    drawing = [line for line in doc(errors).splitlines() if line.startswith(("FeastError", "├", "│", "└"))]
    return fence("text", "\n".join(drawing))


def error_entries() -> str:
    """Every error: its title, which names it on the wire, its status, exit code and what to do."""
    parts = []
    for name, found in vars(errors).items():
        if not (inspect.isclass(found) and issubclass(found, errors.FeastError)):
            continue
        what, said, to_do = doc(found).partition("What to do: ")
        assert said, f"{name} does not say what to do"
        sdk = f" Feast's SDK raises `{found.feast_class}`." if found.feast_class else ""
        parts += [
            f"### {found.title}",
            f"`{name}`: HTTP {found.http_status}, exit code {found.exit_code}.{sdk}",
            what.strip(),
            f"What to do: {to_do}",
        ]
    return "\n\n".join(parts)
