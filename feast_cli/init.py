"""`feast init`: a new feature repository from a template. What is there already is never overwritten."""

import random
import re
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path

import click

from feast_cli import output
from feast_cli.sample import write_driver_stats
from feast_core.errors import ConfigurationError

TEMPLATES = Path(__file__).parent / "templates"
NAME_IN_TEMPLATE = "PROJECT_NAME"
#: What to run in a new repository.
NEXT = {
    "local": ("feast apply", "feast materialize-incremental $(date +%Y-%m-%d)", "feast serve"),
    "minimal": ("edit features.py", "feast apply"),
}

_ADJECTIVES = (
    "able brave bright calm clever daring eager fair gentle grand happy keen kind lively lucky merry noble proud"
)
_ANIMALS = (
    "badger beaver crane dolphin falcon ferret gecko heron ibis jackal koala lemur lynx marmot newt otter owl seal"
)


@click.command(
    help="Make a new feature repository in PROJECT_DIRECTORY, by default one with a random name. Overwrites nothing."
)
@click.argument("project_directory", required=False)
@click.option(
    "-t",
    "--template",
    type=click.Choice(list(NEXT)),
    default="local",
    show_default=True,
    help="local: the driver example with data; minimal: no definitions.",
)
@click.option("-m", "--minimal", is_flag=True, help="The same as --template minimal.")
@click.option(
    "--repo-path",
    type=click.Path(path_type=Path),
    help="Directory to make the repository in, if it is not called as the project.",
)
def init(project_directory: str | None, template: str, minimal: bool, repo_path: Path | None) -> None:
    """Make the repository and say what to do next."""
    # As Feast: without a name, one is made up.
    directory = Path(project_directory) if project_directory else repo_path or Path(random_name())
    target = repo_path or directory
    project = project_name(directory)
    template = "minimal" if minimal else template
    make_repository(target, project, template, datetime.now(UTC))
    output.say(f"Created the feature repository {project} in {target}", "green")
    output.say("")
    output.say("Next:")
    if target.resolve() != Path.cwd():
        output.say(f"  cd {shlex.quote(str(target))}", "bold")
    for step in NEXT[template]:
        output.say(f"  {step}", "bold")


def make_repository(target: Path, project: str, template: str, now: datetime) -> None:
    """Copy a template to a directory that is not there or is empty; the local one gets data up to `now`.

    Raises ConfigurationError where something is in the way, and leaves nothing behind then.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigurationError(
            f"{target} is there already and not empty; name another directory, nothing was changed"
        )
    was_there = target.exists()
    try:
        _copy_template(target, project, template)
        if template == "local":
            write_driver_stats(target / "data" / "driver_stats.parquet", now)
    except OSError as error:
        _remove(target, was_there)
        place = f": {error.filename}" if error.filename else ""
        raise ConfigurationError(f"cannot make {target}: {error.strerror or error}{place}") from error
    except KeyboardInterrupt:
        _remove(target, was_there)
        raise


def _copy_template(target: Path, project: str, template: str) -> None:
    (target / "data").mkdir(parents=True)
    for source in sorted((TEMPLATES / template).iterdir()):
        if source.is_file():
            # Under its real name the file would be obeyed by git in the template's own directory.
            name = ".gitignore" if source.name == "gitignore" else source.name
            text = source.read_text(encoding="utf-8").replace(NAME_IN_TEMPLATE, project)
            (target / name).write_text(text, encoding="utf-8")


def _remove(target: Path, but_itself: bool) -> None:
    """Remove what was made in a directory that was not there or was empty."""
    if but_itself:
        for path in target.iterdir():
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    else:
        shutil.rmtree(target, ignore_errors=True)


def project_name(directory: Path) -> str:
    """The project that a directory's name stands for: `-` becomes `_`. Raises a usage error for what cannot be one."""
    name = directory.expanduser().resolve().name
    project = name.replace("-", "_")
    # As Feast: letters, digits and _, and no _ at the start.
    if not re.fullmatch(r"[A-Za-z0-9]\w*", project, re.ASCII):
        raise click.BadParameter(
            f"{name!r} cannot be the name of a project: use letters, digits and _, and start with a letter or digit",
            param_hint="PROJECT_DIRECTORY",
        )
    return project


def random_name() -> str:
    """A name such as `keen_otter`, of which there is no file or directory here."""
    names = [f"{adjective}_{animal}" for adjective in _ADJECTIVES.split() for animal in _ANIMALS.split()]
    return random.choice([name for name in names if not Path(name).exists()])
