"""One figure of ours beside what it is compared with, its target, and the table of all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rich.table import Table

from .servers import Environment


@dataclass(frozen=True)
class Bench:
    """What every part is given: the environments under test (feast, ours; either may be left out), a folder that is
    removed at the end, where to say how far it is, and whether to do as little as shows that it works."""

    sides: Mapping[str, Environment]
    work: Path
    say: Callable[[str], None]
    quick: bool


@dataclass(frozen=True)
class Target:
    """`bound` for ours itself, for ours divided by the other (ratio), or for what ours is more than the other."""

    of: Literal["ours", "ratio", "more"]
    bound: float
    at_least: bool = False

    def __str__(self) -> str:
        times = {"ours": "", "ratio": "x", "more": " more"}[self.of]
        return f"{'>=' if self.at_least else '<='} {shown(self.bound)}{times}"


@dataclass(frozen=True)
class Figure:
    """`ours` and `other`, both in `unit`; `against` names the other. None where it was not measured."""

    part: str
    name: str
    unit: str
    ours: float | None
    other: float | None = None
    against: str = "Feast"
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """Ours divided by the other."""
        return self.ours / self.other if self.ours is not None and self.other else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none, or nothing to compare."""
        if self.target is None or self.ours is None:
            return None
        value: float | None = self.ours
        if self.target.of == "ratio":
            value = self.ratio
        elif self.target.of == "more":
            value = None if self.other is None else self.ours - self.other
        if value is None:
            return None
        return value >= self.target.bound if self.target.at_least else value <= self.target.bound

    def document(self) -> dict[str, Any]:
        """As plain data."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def table(figures: Sequence[Figure]) -> Table:
    """All figures, in the order in which they were measured."""
    made = Table(title="start, size, memory, scale and writes")
    for name in ("part", "figure"):
        made.add_column(name, no_wrap=True)
    for name in ("ours", "other", "ratio", "target"):
        made.add_column(name, justify="right", no_wrap=True)
    for figure in figures:
        target = "" if figure.target is None else str(figure.target)
        if figure.met is not None:
            target = f"[green]{target} met[/]" if figure.met else f"[red]{target} missed[/]"
        made.add_row(
            figure.part,
            f"{figure.name}, {figure.unit}",
            shown(figure.ours),
            "" if figure.other is None else f"{shown(figure.other)} ({figure.against})",
            "" if figure.ratio is None else f"{figure.ratio:,.2f}",
            target,
        )
    return made


def shown(value: float | None) -> str:
    """Three digits or more, without what the measurement does not hold."""
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
