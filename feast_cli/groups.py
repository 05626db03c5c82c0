"""Groups of commands that say which command may have been meant, and why one of Feast's is not here."""

import difflib
from collections.abc import Mapping

import click

from feast_core.errors import NotSupported

#: Commands of Feast 0.67 that are not here, by what comes after `feast`, with the reason and the way out.
NOT_HERE: Mapping[str, str] = {
    "dbt": "models of dbt are not imported here; declare feature views over the tables that dbt makes",
    "demo-notebooks": "there are no notebooks here; `feast demo` makes and serves the example",
    "endpoint": "no address of a server is kept; `feast serve` prints the one that it listens on",
    "feature-views disable": "view states are not kept here; declare the view with enabled=False and run `feast apply`",
    "feature-views enable": "view states are not kept here; declare the view with enabled=True and run `feast apply`",
    "feature-views list-versions": "versions of feature views are not kept here; the repository's history has them",
    "feature-views set-state": "view states are not kept here; a view is served when it is applied",
    "get-historical-features": "history is not read by this version; `feast get-online-features` reads the newest",
    "listen": "there is no gRPC server here; send rows with `feast push`, or to POST /push of `feast serve`",
    "mcp": "there is no MCP server here; `feast serve` answers over HTTP",
    "mlflow": "datasets of MLflow are not read here; declare a feature view over a file or table",
    "monitor": "data quality is not monitored here; a plugin may add it with the hook feast_observer",
    "registry": "there is nothing to prepare; the first `feast apply` makes the tables, with the rights of who runs it",
    "serve_lineage": "there is no lineage server here; a plugin may add it with the hook feast_routes",
    "serve_offline": "there is no server of offline data here; the offline store reads the sources where they are",
    "serve_registry": "there is no registry server here; name one database for all: registry: {registry_type: sql}",
    "serve_transformations": "there is no server of transformations here; they run where the features are served",
    "ui": "there is no web interface here; `feast registry-dump` prints what is applied",
    "validate": "logged features are not validated here; validation references load and list only",
}

#: More characters than a first sentence has.
LONG = 1000


class HelpfulGroup(click.Group):
    """A group that tells of the nearest command where there is none of a name, and of each what it does."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """As click, with the first sentence of each command, where click cuts it off to fit a line."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, found.get_short_help_str(LONG)) for name, found in commands if found and not found.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click. Raises NotSupported for a command of Feast that is left out on purpose."""
        name = args[0]
        known = self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            path = " ".join([*ctx.command_path.split()[1:], name])
            if path in NOT_HERE:
                raise NotSupported(f"feast {path}: {NOT_HERE[path]}")
            close = difflib.get_close_matches(name, known, 1)
            hint = f", did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"no such command {name!r}{hint}")
        return super().resolve_command(ctx, args)
