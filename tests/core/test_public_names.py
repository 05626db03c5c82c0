"""What a plugin or a program imports from `feast_core`."""

import inspect

import pytest

import feast_core
import feast_core.testing
from feast_core import errors
from feast_core.store import FeatureStore


def test_every_public_name_is_there() -> None:
    for name in feast_core.__all__:
        assert getattr(feast_core, name).__doc__ or name == "hookimpl"
    assert feast_core.FeatureStore is FeatureStore
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        feast_core.Nothing  # noqa: B018


def test_the_test_kit_has_a_contract_for_every_kind_of_store() -> None:
    for name in feast_core.testing.__all__:
        contract = getattr(feast_core.testing, name)
        promises = [found for attribute, found in vars(contract).items() if attribute.startswith("test_")]
        assert len(promises) > 10
        assert all(inspect.getdoc(promise) for promise in promises), "every test says what it promises"


def test_the_tree_of_errors_is_as_drawn() -> None:
    """Name, HTTP status and exit code of every error stand in the docstring of its module."""
    drawn = {}
    for line in (errors.__doc__ or "").splitlines():
        words = line.replace("├──", "").replace("└──", "").replace("│", "").split()
        if words and hasattr(errors, words[0]) and inspect.isclass(getattr(errors, words[0])):
            status = int(words[1]) if len(words) > 1 and words[1].isdigit() else None
            drawn[words[0]] = (status, int(words[3]) if status else None)
    classes = {
        name: found
        for name, found in vars(errors).items()
        if inspect.isclass(found) and issubclass(found, errors.FeastError)
    }
    assert set(drawn) == set(classes)
    for name, (status, exit_code) in drawn.items():
        found = classes[name]
        assert status in (None, found.http_status), name
        assert exit_code in (None, found.exit_code), name
        assert found.title != errors.FeastError.title or found is errors.FeastError, f"{name} has a title of its own"
        assert inspect.getdoc(found)
