"""Completing words in a shell: names of objects from the registry, quickly, and never with an error.

click has the machinery; here are the names, and a bash script that lets words hold colons, as VIEW:FEATURE does.
"""

import contextlib
import os
import re
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from feast_cli.invocation import invocation_of

if TYPE_CHECKING:
    from feast_core.definitions import BaseFeatureView
    from feast_core.store import FeatureStore

VARIABLE = "_FEAST_COMPLETE"
#: A registry of this type is a file of this machine, which is read in no time; others are not asked while somebody
#: types.
QUICK_REGISTRY = "file"

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


class Bash(ShellComplete):
    """For bash, which breaks words at `:` and `=`: the script sends the whole line, and the answer is the last piece of
    a word. click's own script sends pieces."""

    name: ClassVar[str] = "bash"
    source_template: ClassVar[str] = """\
%(complete_func)s() {
    local IFS=$'\\n' line
    COMPREPLY=()
    while read -r line; do
        case "${line%%%%,*}" in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            *) COMPREPLY+=("${line#*,}")
                [[ $line == *= ]] && compopt -o nospace 2>/dev/null ;;
        esac
    done < <(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null || complete -F %(complete_func)s %(prog_name)s
"""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Words before the one that is being typed, and that one."""
        line = os.environ["COMP_WORDS"]
        words = split_arg_string(line)[1:]
        return (words, "") if not words or line[-1:].isspace() else (words[:-1], words[-1])

    def format_completion(self, item: CompletionItem) -> str:
        """`type,value`, without what stands before the last break of the word."""
        _, typed = self.get_completion_args()
        breaks = [found for found in ":=" if found in os.environ.get("COMP_BREAKS", "")]
        before = max((typed.rfind(found) + 1 for found in breaks), default=0)
        return f"{item.type},{item.value[before:] if item.value.startswith(typed) else item.value}"


add_completion_class(Bash)


def answer(cli: click.Command) -> int:
    """What the script of a shell asks for: the exit code. Nothing but completions is printed."""
    shell, _, wanted = os.environ[VARIABLE].partition("_")
    found = get_completion_class(shell)
    if found is None or wanted not in ("source", "complete"):
        return 1
    complete = found(cli, {}, "feast", VARIABLE)
    if wanted == "source":
        click.echo(ShellComplete.source(complete))
        return 0
    with open(os.devnull, "w") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
            try:
                text = complete.complete()
            except Exception:  # boundary: somebody is typing, and did not ask for our errors
                return 1
    if text:
        click.echo(text)
    return 0


def completing(names: "Callable[[FeatureStore], Iterable[str]]") -> Complete:
    """A completion from the repository's registry: nothing outside of one, or where the registry is not a file."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            invocation = invocation_of(ctx)
            if invocation.config().registry.type != QUICK_REGISTRY:
                return []
            with invocation.store() as store:
                return [CompletionItem(name) for name in sorted(set(names(store))) if name.startswith(incomplete)]
        except Exception:  # boundary: somebody is typing, and did not ask for our errors
            return []

    return complete


def _views(store: "FeatureStore") -> "list[BaseFeatureView]":
    return [*store.snapshot.views.values(), *store.snapshot.on_demand_views.values()]


names_of_views = completing(lambda store: store.snapshot.views)
names_of_services = completing(lambda store: store.snapshot.services)
names_of_batch_sources = completing(lambda store: store.snapshot.batch_sources)
names_of_push_sources = completing(lambda store: store.snapshot.fed_by)
names_of_features = completing(
    lambda store: (f"{view.name}:{field.name}" for view in _views(store) for field in view.features)
)
#: A feature alone, or with its view.
names_of_fields = completing(
    lambda store: (
        name for view in _views(store) for field in view.features for name in (field.name, f"{view.name}:{field.name}")
    )
)
names_of_all = completing(lambda store: (found.name for found in store.snapshot.objects))
join_keys = completing(lambda store: (f"{name}=" for name in store.snapshot.join_keys))


def names_of_plugins(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the plugins that were found."""
    found = (state.name for state in invocation_of(ctx).plugins.states)
    return [CompletionItem(name) for name in found if name.startswith(incomplete)]


#: How to install the script, by shell. Printed after it: zsh looks for `#compdef` in the first line.
INSTALL = {
    "bash": """\
# To install, once:
#   mkdir -p ~/.local/share/bash-completion/completions
#   feast completion bash > ~/.local/share/bash-completion/completions/feast
# Without the package bash-completion, add to ~/.bashrc: eval "$(feast completion bash)"
""",
    "zsh": """\
# To install, once:
#   mkdir -p ~/.zfunc
#   feast completion zsh > ~/.zfunc/_feast
# and in ~/.zshrc, before other completions are set up: fpath+=(~/.zfunc); autoload -Uz compinit; compinit
""",
    "fish": """\
# To install, once:
#   mkdir -p ~/.config/fish/completions
#   feast completion fish > ~/.config/fish/completions/feast.fish
""",
}


@click.command(help="Print the script that makes a shell complete commands, options and names of objects.")
@click.argument("shell", type=click.Choice(list(INSTALL)))
def completion(shell: str) -> None:
    """The script, and how to install it."""
    found = get_completion_class(shell)
    assert found is not None
    root = click.get_current_context().find_root().command
    script = ShellComplete.source(found(root, {}, "feast", VARIABLE))
    click.echo(re.sub(r"\n+\Z", "", script))
    click.echo(INSTALL[shell], nl=False)
