"""`feast init`: a new feature repository from a template. What is there already is never overwritten."""

import random
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import click

from feast_cli import output
from feast_cli.new_directory import new_directory
from feast_cli.sample import write_driver_stats

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
    with new_directory(target):
        (target / "data").mkdir()
        for source in sorted((TEMPLATES / template).iterdir()):
            if source.is_file():
                # Under its real name the file would be obeyed by git in the template's own directory.
                name = ".gitignore" if source.name == "gitignore" else source.name
                text = source.read_text(encoding="utf-8").replace(NAME_IN_TEMPLATE, project)
                (target / name).write_text(text, encoding="utf-8")
        if template == "local":
            write_driver_stats(target / "data" / "driver_stats.parquet", now)


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
