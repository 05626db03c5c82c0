"""Sessions: tests (each Python that is there), lint, types, wheel, docs, bench. `nox -s tests` is all a newcomer
needs."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests", "lint", "types", "wheel", "docs"]
nox.options.error_on_missing_interpreters = False

ROOT = Path(__file__).parent
TEST_DEPENDENCIES = (
    "pytest>=8.3",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "hypothesis>=6.115",
    "psycopg[binary]>=3.2",
)
#: On all cores; the tests of one file share their servers.
ON_ALL_CORES = ("-q", "-n", "auto", "--dist", "loadfile")
PACKAGES = ("feast_core", "feast_cli", "feast_http", "plugins")
SOURCES = (*PACKAGES, "tests", "benchmarks", "docs", "noxfile.py")
FEAST = "feast==0.67.0"


def _pythons() -> list[str]:
    """The supported Pythons that start here; the one that runs nox always does."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = {running} if running in ("3.11", "3.12", "3.13") else set()
    for version in ("3.11", "3.12", "3.13"):
        command = shutil.which(f"python{version}")
        # A version manager may put a command there that only says that it has no such Python.
        if command and subprocess.run([command, "-c", ""], capture_output=True, check=False).returncode == 0:
            found.add(version)
    return sorted(found)


@nox.session(python=_pythons())
def tests(session: nox.Session) -> None:
    """The tests, on the installed package."""
    session.install("-e", ".", *TEST_DEPENDENCIES)
    session.run("pytest", *(session.posargs or ON_ALL_CORES))


@nox.session
def pandas2(session: nox.Session) -> None:
    """The tests that touch DataFrames, with pandas 2: functions people have were written for it."""
    session.install("-e", ".", "pandas<3", *TEST_DEPENDENCIES)
    session.run("pytest", *ON_ALL_CORES, "tests/core", "tests/plugins")


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    session.install("ruff>=0.9")
    session.run("ruff", "check", *SOURCES)
    session.run("ruff", "format", "--check", *SOURCES)


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict."""
    session.install("-e", ".", "mypy>=1.14", "types-PyYAML", "pandas-stubs", "pytest", "hypothesis", "nox")
    for package in ("feast_core", "feast_cli", "feast_http"):
        session.run("mypy", package)
    for folder in sorted(path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").is_file()):
        session.run("mypy", "-p", folder)
    session.run("mypy", "-p", "benchmarks")
    session.run("mypy", "docs/generate.py")


@nox.session
def wheel(session: nox.Session) -> None:
    """The wheel holds every file that git tracks under the packages, and works in an environment of its own."""
    session.install("build>=1.2")
    target = Path(session.create_tmp()) / "dist"
    shutil.rmtree(target, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(target), ".", silent=True)
    (built,) = target.glob("*.whl")
    tracked = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = {name.removeprefix("plugins/") for name in tracked.stdout.splitlines()}
    held = set(zipfile.ZipFile(built).namelist())
    missing = sorted(wanted - held)
    if missing or not wanted:
        session.error(f"the wheel lacks {missing or 'everything: git tracks no package'}")
    strange = sorted(name for name in held - wanted if ".dist-info/" not in name)
    if strange:
        session.error(f"the wheel holds what git does not track: {strange}")
    session.install(str(built))
    folder = Path(session.create_tmp()) / "try"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with session.chdir(folder):
        session.run("feast", "version")
        session.run("feast", "init", "shop")
        session.run("feast", "-c", "shop", "apply")


@nox.session
def docs(session: nox.Session) -> None:
    """The site of README and docs/, in docs/_site: any warning is an error, and nothing comes from elsewhere."""
    session.install("sphinx>=8.2,<10", "myst-parser>=4,<6", "furo>=2025.7")
    site = ROOT / "docs" / "_site"
    shutil.rmtree(site, ignore_errors=True)
    options = ("-W", "--keep-going", "-q", "-E", "-d", session.create_tmp())
    session.run("sphinx-build", *options, "-c", "docs", ".", str(site))
    session.log(f"{site / 'index.html'}")


@nox.session
def bench(session: nox.Session) -> None:
    """Side by side with Feast and with a bare Sanic handler; see benchmarks/README.md."""
    if shutil.which("wrk") is None:
        session.error("wrk is missing: apt-get install wrk")
    session.install(".", "numpy")
    feast = ROOT / ".nox" / "feast-0.67"
    python = feast / "bin" / "python"
    if not python.exists():
        session.run("python", "-m", "venv", str(feast))
        session.run(str(python), "-m", "pip", "install", "-q", FEAST, external=True)
    own = str(Path(session.bin) / "python")
    session.run("python", "-m", "benchmarks", "--feast-python", str(python), "--python", own, *session.posargs)
