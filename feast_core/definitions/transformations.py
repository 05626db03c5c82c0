"""Functions that make features of others, and how they are kept: as source text, never pickled."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, ClassVar, NoReturn

from feast_core.definitions.definition import Declared, checked_tags, declared_enum
from feast_core.errors import DefinitionError, NotSupported

Udf = Callable[..., Any]


@declared_enum
class TransformationMode(StrEnum):
    """What a transformation takes and gives. A member equals its text: `"python" == TransformationMode.PYTHON`."""

    PYTHON = "python"
    PANDAS = "pandas"
    SPARK_SQL = "spark_sql"
    SPARK = "spark"
    FLINK = "flink"
    RAY = "ray"
    SQL = "sql"
    TRINO_SQL = "trino_sql"
    SUBSTRAIT = "substrait"


class Transformation(Declared):
    """A user's function with its mode. `udf` is None where it came from the registry; `udf_string` is its source."""

    not_in_spec = frozenset({"udf"})

    def __init__(
        self,
        mode: TransformationMode | str,
        udf: Udf | None,
        udf_string: str | None,
        name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str = "",
        owner: str = "",
    ) -> None:
        called = name or getattr(udf, "__name__", None)
        label = f"transformation {called or ''!r}"
        if udf is not None and not callable(udf):
            raise DefinitionError(f"{label}: udf must be a function, not {udf!r}")
        self.mode = checked_mode(label, mode)
        self.udf = udf
        self.udf_string = udf_string or (source_of(udf) if udf else "")
        self.name = called
        self.tags = checked_tags(label, tags)
        self.description = description
        self.owner = owner

    @property
    def location(self) -> str:
        """Where the function is written, as `features.py:12`; "" if that is not known."""
        code = getattr(self.udf, "__code__", None)
        return f"{code.co_filename}:{code.co_firstlineno}" if code else ""


class _OfOneMode(Transformation):
    """A transformation whose class says its mode."""

    of_mode: ClassVar[TransformationMode]

    def __init__(
        self,
        udf: Udf | None = None,
        udf_string: str | None = None,
        name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str = "",
        owner: str = "",
    ) -> None:
        super().__init__(self.of_mode, udf, udf_string, name, tags, description, owner)


class PandasTransformation(_OfOneMode):
    """A function from DataFrame to DataFrame."""

    of_mode = TransformationMode.PANDAS


class RayTransformation(_OfOneMode):
    """A function from Ray data set to Ray data set. Kept, and run by nothing here."""

    of_mode = TransformationMode.RAY


class FlinkTransformation(_OfOneMode):
    """A function from Flink table to Flink table. Kept, and run by nothing here."""

    of_mode = TransformationMode.FLINK


class PythonTransformation(Transformation):
    """A function from dict of lists to dict of lists; with `singleton`, from dict of values to dict of values."""

    def __init__(
        self,
        udf: Udf | None,
        udf_string: str | None,
        singleton: bool = False,
        name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str = "",
        owner: str = "",
    ) -> None:
        super().__init__(TransformationMode.PYTHON, udf, udf_string, name, tags, description, owner)
        self.singleton = bool(singleton)


class SQLTransformation(Transformation):
    """A function that returns a query. Kept, and run by nothing here."""


class TrinoTransformation(Transformation):
    """A function that returns a query for Trino. Kept, and run by nothing here."""

    def __init__(
        self,
        mode: TransformationMode | str = TransformationMode.TRINO_SQL,
        udf: Udf | None = None,
        udf_string: str | None = "",
        name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str = "",
        owner: str = "",
    ) -> None:
        super().__init__(mode, udf, udf_string, name, tags, description, owner)


class SparkTransformation(Transformation):
    """A function from Spark frame to Spark frame, or one that returns a query. Kept, and run by nothing here."""

    def __init__(
        self,
        mode: TransformationMode | str,
        udf: Udf | None,
        udf_string: str | None,
        spark_config: dict[str, Any] | None = None,
        name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str = "",
        owner: str = "",
    ) -> None:
        super().__init__(mode, udf, udf_string, name, tags, description, owner)
        self.spark_config: dict[str, Any] = dict(spark_config or {})


class SubstraitTransformation(Transformation):
    """A Substrait plan, and the function it was made of. Kept, and run by nothing here."""

    def __init__(
        self,
        substrait_plan: bytes,
        udf: Udf | None,
        name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str = "",
        owner: str = "",
    ) -> None:
        super().__init__(TransformationMode.SUBSTRAIT, udf, None, name, tags, description, owner)
        self.substrait_plan = bytes(substrait_plan)

    @classmethod
    def from_ibis(cls, user_function: Udf, sources: Sequence[Any]) -> NoReturn:
        """Raises NotSupported: a plan is made of a function by Ibis, which is not part of this project."""
        raise NotSupported(
            f"transformation {getattr(user_function, '__name__', '')!r}: mode 'substrait' is not run here;"
            " use mode='python' or mode='pandas'"
        )


def transformation(
    mode: TransformationMode | str,
    name: str | None = None,
    tags: dict[str, str] | None = None,
    description: str = "",
    owner: str = "",
) -> Callable[[Udf], Transformation]:
    """Decorator: the function becomes a Transformation, called as the function unless a name is given."""

    def decorate(function: Udf) -> Transformation:
        called = name or function.__name__
        return Transformation(mode, function, "", called, tags, description, owner)

    return decorate


def checked_mode(label: str, mode: object) -> str:
    """The mode as plain text; DefinitionError if there is no such mode."""
    text = str(getattr(mode, "value", mode)).lower()
    if text not in list(TransformationMode):
        known = ", ".join(TransformationMode)
        raise DefinitionError(f"{label}: mode {mode!r} is not known; use one of {known}")
    return text


def source_of(function: Udf) -> str:
    """The source text of a function with its decorators, dedented; a comment naming it where there is no source."""
    from inspect import getsource
    from textwrap import dedent

    try:
        return dedent(getsource(function))
    except (OSError, TypeError):
        return f"# no source text of {getattr(function, '__qualname__', function)}"


def transformation_of(
    label: str, mode: str, udf: Udf | None, udf_string: str | None, given: Transformation | None
) -> Transformation | None:
    """The one transformation of a view, however it was given; None if it has none."""
    if given is not None:
        if not isinstance(given, Transformation):
            raise DefinitionError(f"{label}: feature_transformation must be a Transformation, not {given!r}")
        return given
    if isinstance(udf, Transformation):
        return udf
    if udf is not None and not callable(udf):
        raise DefinitionError(f"{label}: udf must be a function, not {udf!r}")
    return Transformation(mode, udf, udf_string) if udf is not None or udf_string else None
