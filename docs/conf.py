"""The site: these pages and those of the repository's root, as they are, with Furo. `nox -s docs` builds it.

The source folder is the root of the repository, so that links are the same in the repository and on the site.
Nothing is fetched from elsewhere, when the site is built or when it is read.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx

project = "feastkit"
author = "the feastkit authors"
extensions = ["myst_parser"]
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "docs/*.md"]
exclude_patterns = [".*", "docs/_site"]
root_doc = "README"
html_theme = "furo"
html_title = "feastkit"
html_copy_source = False
html_static_path = ["static"]
html_css_files = ["pages.css"]
myst_heading_anchors = 4
# An example in an error's text need not be JSON to the last letter.
suppress_warnings = ["misc.highlighting_failure"]

#: The order of the pages in the margin.
PAGES = (
    "docs/concepts",
    "docs/from-feast",
    "docs/cli",
    "docs/settings",
    "docs/http",
    "docs/pushing",
    "docs/types",
    "docs/errors",
    "docs/operations",
    "docs/plugins",
    "docs/hooks",
    "CONTRIBUTING",
    "benchmarks/README",
    "CHANGELOG",
)


def _list_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """What Sphinx needs and a reader of the repository does not: the pages, listed in the first one."""
    if docname == root_doc:
        source[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join(PAGES) + "\n```\n"


def _name_the_first_page(app: Sphinx, exception: Exception | None) -> None:
    if exception is None:
        shutil.copy(Path(app.outdir) / f"{root_doc}.html", Path(app.outdir) / "index.html")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _list_pages)
    app.connect("build-finished", _name_the_first_page)
