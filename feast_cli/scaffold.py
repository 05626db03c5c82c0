"""A plugin package to begin with, from the templates beside this file: it loads, and its tests pass, as it is."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import click

from feast_cli.new_directory import new_directory

TEMPLATES = Path(__file__).parent / "templates" / "plugin"
#: What every plugin has, whatever it does.
EVERY = "every"
_SUFFIX = ".tmpl"


@dataclass(frozen=True, slots=True)
class Kind:
    """`help` is what a plugin of this kind does, `use` what its README says about using it."""

    help: str
    use: str


KINDS: Mapping[str, Kind] = {
    "hook": Kind("log slow reads", "It is at work as soon as it is installed: reads that take long are logged."),
    "online-store": Kind(
        "an online store in memory",
        "In feature_store.yaml: `online_store: @name@`. The tests hold the store to every promise of the interface.",
    ),
    "offline-store": Kind(
        "an offline store of tables in memory",
        "In feature_store.yaml: `offline_store: @name@`. The tests hold the store to every promise of the interface.",
    ),
    "auth": Kind("who is calling, from tokens that are listed", "In feature_store.yaml: `auth: {type: @name@, ...}`."),
    "command": Kind("a command that counts features", "In a feature repository: `feast @command@`."),
}


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A plugin to write: its name as an entry point, and what the templates call by it."""

    name: str
    kind: str
    version: str

    @classmethod
    def named(cls, name: str, kind: str, version: str) -> Self:
        """`version` is that of feastkit. Raises a usage error for what cannot name a package."""
        # As our own: the package is feast_NAME, whatever of that was given.
        plain = re.sub(r"[-_.]+", "_", name.lower()).removeprefix("feast_")
        if plain in ("core", "cli", "http"):
            raise click.BadParameter(f"feast_{plain} is a package of feastkit; take another name", param_hint="NAME")
        if not re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]|[a-z]", plain):
            raise click.BadParameter(
                f"{name!r} cannot name a plugin: use letters, digits and -, and start with a letter, as in 'audit-log'",
                param_hint="NAME",
            )
        return cls(plain, kind, version)

    @property
    def distribution(self) -> str:
        """What pip calls it."""
        return f"feast-{self.name.replace('_', '-')}"

    def write(self, target: Path) -> list[str]:
        """Write all files and return their paths within `target`. Raises ConfigurationError where something is in the
        way."""
        texts = {self._filled(path): self._filled(text) for path, text in self._templates()}
        with new_directory(target):
            for path, text in texts.items():
                file = target / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        return sorted(texts)

    def _templates(self) -> Iterator[tuple[str, str]]:
        for folder in (TEMPLATES / EVERY, TEMPLATES / self.kind):
            for file in sorted(folder.rglob(f"*{_SUFFIX}")):
                path = file.relative_to(folder).as_posix().removesuffix(_SUFFIX)
                yield re.sub("^package/", "@package@/", path), file.read_text(encoding="utf-8")

    def _filled(self, text: str) -> str:
        kind = KINDS[self.kind]
        words = {
            "use": kind.use,
            "what": kind.help[0].upper() + kind.help[1:],
            "name": self.name,
            "package": f"feast_{self.name}",
            "distribution": self.distribution,
            "command": self.name.replace("_", "-"),
            "Class": "".join(part.capitalize() for part in self.name.split("_")),
            "version": self.version,
        }
        for word, value in words.items():  # `use` is first: it holds others
            text = text.replace(f"@{word}@", value)
        return text
