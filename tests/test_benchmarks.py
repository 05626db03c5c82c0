"""What the benchmarks say of a figure: met, missed, or nothing to compare."""

import pytest

from benchmarks.figures import Figure, Target


def figure(ours: float | None, other: float | None, target: Target | None) -> Figure:
    return Figure("start", "feast --help", "s", ours, other, target=target)


@pytest.mark.parametrize(
    ("target", "other", "met", "missed"),
    [
        (Target("ours", 2.0), None, 2.0, 2.1),
        (Target("ours", 2.0, at_least=True), None, 2.0, 1.9),
        (Target("ratio", 1.05), 100.0, 105.0, 106.0),
        (Target("ratio", 20.0, at_least=True), 10.0, 200.0, 199.0),
        (Target("more", 0.25), 1.0, 1.25, 1.26),
    ],
)
def test_a_figure_is_held_to_its_target(target: Target, other: float | None, met: float, missed: float) -> None:
    assert figure(met, other, target).met is True
    assert figure(missed, other, target).met is False


@pytest.mark.parametrize(
    ("ours", "other", "target"),
    [
        (1.0, 1.0, None),
        (None, 1.0, Target("ours", 2.0)),
        (1.0, None, Target("ratio", 2.0)),
        (1.0, None, Target("more", 2.0)),
    ],
)
def test_what_was_not_measured_is_neither_met_nor_missed(
    ours: float | None, other: float | None, target: Target | None
) -> None:
    assert figure(ours, other, target).met is None
