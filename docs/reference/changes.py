"""What differs from Feast in answers, and what a change of definitions means for stored rows."""

import importlib.util
import sys
import typing
from pathlib import Path

from feast_core.consequences import Consequence, Effect
from reference.markdown import doc, table

RECORDED = Path(__file__).parents[2] / "tests" / "http" / "test_recorded_answers.py"


def answers_that_differ() -> str:
    """The deliberate differences that the replay of Feast's recorded answers knows."""
    spec = importlib.util.spec_from_file_location("recorded_answers", RECORDED)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.difference_table())


def effects() -> str:
    """What a change of definitions can mean for stored rows, from the table in the docstring."""
    rows = [line.split(maxsplit=1) for line in doc(Consequence).splitlines() if line.startswith("    ")]
    assert [effect for effect, _ in rows] == list(typing.get_args(Effect))
    return table(("effect", "meaning"), ((f"`{effect}`", meaning) for effect, meaning in rows))
