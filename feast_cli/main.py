"""Entry point of `feast`: the options before the command, the commands of all plugins, and the boundary for errors."""

import logging
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FrameType
from typing import Any

import click
from click.shell_completion import CompletionItem

from feast_cli import completing
from feast_cli.groups import HelpfulGroup
from feast_cli.invocation import invocation_of
from feast_core.errors import FeastError, PluginError

#: As shells count: 128 and the number of the signal, which is Ctrl-C's where a prompt was left.
INTERRUPTED = 130
TERMINATED = 143
#: Nobody reads what is printed.
UNREAD = 1
# Raised since click 8.2; before, click showed the help itself.
_NO_COMMAND: tuple[type[click.UsageError], ...] = (
    (click.exceptions.NoArgsIsHelpError,) if hasattr(click.exceptions, "NoArgsIsHelpError") else ()
)
_LEVELS = ("debug", "info", "warning", "error", "critical")


class Commands(HelpfulGroup):
    """A group whose commands come from the hook `feast_commands`, each imported when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, sorted."""
        return list(invocation_of(ctx).commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        return invocation_of(ctx).load_command(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line for each command, without importing it."""
        rows = [(name, offers[0][1].help) for name, offers in invocation_of(ctx).commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete names of commands without importing them."""
        offers = invocation_of(ctx).commands.items()
        found = [CompletionItem(name, help=offer[0][1].help) for name, offer in offers if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> None:
        """Run the command and drop what it returns, so that only `ctx.exit` decides the exit code."""
        super().invoke(ctx)


def _set_log_level(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger().setLevel(value.upper())
    return value


# Eager, so that `--help`, which is eager too, lists the commands of the repository that was named before it.
@click.group(cls=Commands, context_settings={"max_content_width": 120})
@click.option(
    "-c",
    "--chdir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    is_eager=True,
    help="Directory of the feature repository. Also FEATURE_REPO_DIR_ENV_VAR; the current one by default.",
)
@click.option(
    "-f",
    "--feature-store-yaml",
    type=click.Path(path_type=Path),
    is_eager=True,
    help="Configuration to use instead of the repository's feature_store.yaml. Also FEAST_FS_YAML_FILE_PATH.",
)
@click.option(
    "--log-level",
    type=click.Choice(_LEVELS, case_sensitive=False),
    default="warning",
    show_default=True,
    is_eager=True,
    callback=_set_log_level,
    help="What to log; debug also shows tracebacks.",
)
@click.version_option(package_name="feastkit", message="feastkit %(version)s")
def cli(chdir: Path | None, feature_store_yaml: Path | None, log_level: str) -> None:
    """Define features, load them into an online store, serve them to models."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `feast` with these arguments (default: those of the process); the exit code."""
    if sys.stdout is None:
        # Closed by who started us. Whatever is opened next would get its number, and what is printed to it.
        return UNREAD
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  (for as long as the process lives)
    try:
        return _run(arguments)
    except BrokenPipeError:  # as in `feast | head -0`; click sees to those of commands
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())  # for what is written when the process ends
        return UNREAD


def _run(arguments: Sequence[str] | None) -> int:
    from feast_cli import output

    output.be_forgiving()
    if completing.VARIABLE in os.environ:
        return completing.answer(cli)
    terminated = threading.Event()
    try:
        _refuse_feast()
        with _stopped_by_sigterm(terminated), warnings.catch_warnings():
            warnings.showwarning = _show_warning
            # Not standalone: click gives back the code of `ctx.exit` and leaves errors to us.
            code = cli.main(args=arguments, prog_name="feast", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except _NO_COMMAND as error:
        click.echo(error.format_message())  # the help of the group that was named without a command
        return 0
    except click.ClickException as error:
        usage = error.ctx if isinstance(error, click.UsageError) else None
        output.error(error.format_message(), f"see `{usage.command_path} --help`" if usage else "")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        output.error("interrupted")
        return TERMINATED if terminated.is_set() else INTERRUPTED
    except FeastError as error:
        _show_traceback()
        output.error(str(error))
        return error.exit_code
    except Exception as error:  # boundary: whatever went wrong, the person sees one line
        _show_traceback()
        output.error(
            f"unexpected {type(error).__name__}: {error}", "run with `feast --log-level debug` for the traceback"
        )
        return 1


@contextmanager
def _stopped_by_sigterm(terminated: threading.Event) -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does, so that it gives back what it holds; `terminated` tells the two apart,
    since what a signal raises may come out of other people's code as something else. A server does as it likes."""

    def stop(number: int, frame: FrameType | None) -> None:
        terminated.set()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # as where somebody calls `main` in a thread
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _refuse_feast() -> None:
    try:
        found = version("feast")
    except PackageNotFoundError:
        return
    raise PluginError(
        f"the package feast {found} is installed in this environment, and feastkit provides the same command and"
        " imports; keep one: `pip uninstall feast && pip install --force-reinstall --no-deps feastkit`, or install"
        " feastkit in an environment of its own"
    )


def _show_warning(message: Warning | str, *details: Any, **more: Any) -> None:
    from feast_cli import output

    output.warning(str(message))


def _show_traceback() -> None:
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        traceback.print_exc()
