"""The parts of these pages that the code knows best: hooks, settings, commands, errors, types, interfaces, promises.

    python docs/generate.py           # write them into the pages
    python docs/generate.py --check   # say which pages are not as they would be written; exit code 1 if any

A page holds `<!-- generated: NAME -->`, what `PARTS[NAME]` makes, and `<!-- end -->`. The result is committed, so that
the pages can be read where the repository is; tests/test_docs.py compares.
"""

import difflib
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from reference import changes, commands, errors, plugins, settings, types

PARTS: Mapping[str, Callable[[], str]] = {
    "answers_that_differ": changes.answers_that_differ,
    "column_types": types.column_types,
    "commands": commands.commands,
    "commands_not_here": commands.commands_not_here,
    "component_interfaces": plugins.component_interfaces,
    "effects": changes.effects,
    "error_entries": errors.error_entries,
    "error_tree": errors.error_tree,
    "hooks": plugins.hooks,
    "key_types": types.key_types,
    "plugins_of_ours": plugins.plugins_of_ours,
    "promises": plugins.promises,
    "settings": settings.settings,
    "type_table": types.type_table,
}

DOCS = Path(__file__).parent
_MARKED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(text: str) -> str:
    """The text of a page with its generated parts made anew. Raises KeyError for a part that nobody makes."""
    return _MARKED.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]().strip()}\n\n{found[3]}", text)


def main(arguments: Sequence[str]) -> int:
    """Write or check all pages; the exit code."""
    check = "--check" in arguments
    stale = False
    for page in sorted(DOCS.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = written(before)
        if before == after:
            continue
        stale = True
        if check:
            changed = difflib.unified_diff(before.splitlines(), after.splitlines(), page.name, "generated", n=1)
            print("\n".join(changed))
        else:
            page.write_text(after, encoding="utf-8")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
