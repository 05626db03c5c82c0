"""What a plugin may implement: hooks, interfaces, and what a store must promise."""

import dataclasses
import inspect
from typing import Any

from feast_core import hookspecs, interfaces, testing
from reference.markdown import annotation, doc, fence, first_sentence, line, sentences, table
from reference.ours import our_plugins


def hooks() -> str:
    """A table of all hooks, then each with its arguments, what becomes of its results, and its example."""
    found = {name: spec for name, spec in vars(hookspecs).items() if name.startswith("feast_")}
    rows = [(f"[{name}](#{name})", first_sentence(doc(spec))) for name, spec in found.items()]
    return "\n\n".join([table(("hook", "what it is for"), rows), *(_hook(name, spec) for name, spec in found.items())])


def _hook(name: str, spec: Any) -> str:
    text, has_example, code = doc(spec).partition("::\n")
    assert has_example, f"{name} has no example"
    returned = annotation(inspect.signature(spec).return_annotation)
    if spec.feast_spec["firstresult"]:
        results = "The first result that is not None is used; it may be wrapped."
    elif returned == "None":
        results = "Results are not looked at."
    else:
        results = "All results are used."
    signature = f"`{name}({', '.join(inspect.signature(spec).parameters)}) -> {returned}`"
    return f"## {name}\n\n{signature}. {results}\n\n{text.rstrip()}:\n\n{fence('python', code)}"


def plugins_of_ours() -> str:
    """The plugins that come along, by the names that FEAST_BLOCK_PLUGINS takes."""
    found = {state.name: our_plugins().get_plugin(state.name) for state in our_plugins().states}
    rows = [
        (f"`{name}`", f"`{plugin.__name__}`", first_sentence(doc(plugin))) for name, plugin in found.items() if plugin
    ]
    return table(("plugin", "package", "what it is"), rows)


def component_interfaces() -> str:
    """The methods of every interface, and the shapes of what they take and give."""
    parts = []
    defined = [found for found in vars(interfaces).values() if getattr(found, "__module__", "") == interfaces.__name__]
    for interface in filter(inspect.isabstract, defined):
        rows = [
            (f"`{name}({', '.join(list(inspect.signature(method).parameters)[1:])})`", line(doc(method)))
            for name, method in vars(interface).items()
            if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_"))
        ]
        parts += [f"### {interface.__name__}", doc(interface), table(("method", "what it does"), rows)]
    rows = [(f"`{name}`", line(text)) for name, text in sentences(interfaces).items()]
    rows += [
        (f"`{found.__name__}({', '.join(field.name for field in dataclasses.fields(found))})`", line(doc(found)))
        for found in defined
        if dataclasses.is_dataclass(found)
    ]
    return "\n\n".join([*parts, "### What they take and give", table(("name", "what it is"), rows)])


def promises() -> str:
    """The numbered promises of every contract, each with the test that holds a component to it."""
    parts = []
    for name in testing.__all__:
        contract = getattr(testing, name)
        parts.append(f"### {name}")
        rows = [(f"`{flag}`", _capability(vars(contract)[flag]), text) for flag, text in sentences(contract).items()]
        if rows:
            parts.append(table(("capability", "unless overridden", "what it says"), rows))
        numbered = sorted(
            _promise(test, attribute) for attribute, test in vars(contract).items() if attribute.startswith("test_")
        )
        assert [number for number, _ in numbered] == list(range(1, len(numbered) + 1)), f"{name}: number its promises"
        parts.append("\n".join(text for _, text in numbered))
    return "\n\n".join(parts)


def _promise(test: object, name: str) -> tuple[int, str]:
    """The number of a promise; its line, which begins with the name of its test as a sentence."""
    number, _, text = line(doc(test)).partition(". ")
    return int(number), f"{number}. **{name.removeprefix('test_').replace('_', ' ').capitalize()}.** {text}"


def _capability(value: object) -> str:
    return f"`{value}`" if isinstance(value, bool) else "all that the contract knows"
