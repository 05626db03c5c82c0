"""The HTTP server: adds `feast serve`."""

from collections.abc import Iterable

from feast_core.hookspecs import Command, hookimpl


@hookimpl
def feast_commands() -> Iterable[Command]:
    """The one command of this package."""
    yield Command("serve", "feast_http.command:serve", "Answer requests for features over HTTP.")
