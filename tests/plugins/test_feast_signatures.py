"""Feast's names and signatures, recorded in tests/data/feast_signatures.txt, against what is offered here.

A name that is not offered stands in NOT_OFFERED with its reason.
"""

import ast
import enum
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import feast
import pytest

from feast_core import definitions as d

RECORDED = Path(__file__).parent.parent / "data" / "feast_signatures.txt"

#: What is not offered, as a pattern of "module name", and why.
NOT_OFFERED = {
    **{f"feast {name}": reason for name, reason in feast.NOT_HERE.items()},
    r"feast\.aggregation aggregation_specs_to_agg_ops": "a step of Feast's engines",
    r"feast\.base_feature_view BaseFeatureView": "an abstract class there; views are made by its subclasses",
    r"feast\.credentials (?!ConnectionRef$).*": "references to credentials are kept and not resolved",
    r"feast\.data_source \w+\.(resolve_credentials|validate|source_type|get_table_\w+|source_datatype\w+)": (
        "what Feast's offline stores ask of a source; here an offline store knows the sources it reads"
    ),
    r"feast\.infra\.\S+ \w+\.(validate|source_type|get_table_\w+|source_datatype\w+|to_data_source)": "the same",
    r"feast\.infra\.\S+ \w+\.(get_uri_for_file_path|create_filesystem_and_path|from_data_source)": "the same",
    r"feast\.infra\.\S+ (MsSqlServer|Oracle|Trino)Source\.\w+_options": "Feast's own place for the parameters",
    r"feast\.infra\.\S+ (get_ibis_connection|ch_type_to_feast_value_type|SUPPORTED_\w+)": "a step of Feast's stores",
    r"feast\.infra\.\S+ (MongoDBSource\.feature_view_name|SparkFileSourceFormat)": "a step of Feast's stores",
    r"feast\.infra\.\S+ MongoDB(RetrievalJob|OfflineStore).*": "no store here reads MongoDB",
    r"feast\.infra\.offline_stores\.offline_store .*": "what get_historical_features gives, which is not there yet",
    r"feast\.feature_logging (LoggingSource|FeatureServiceLoggingSource|LoggingDestination\.).*": "nothing logs here",
    r"feast\.feature_service FeatureService\.(resolve_\w+|infer_features|prepare_for_apply|build_apply_request)": (
        "steps of Feast's apply"
    ),
    r"feast\.feature_view FeatureViewState\.can_transition_to": "views have no stages here",
    r"feast\.feature_view FeatureView\.(update_materialization_intervals|most_recent_end_time)": (
        "intervals are kept by the registry: FeatureStore.intervals"
    ),
    r"feast\.feature_view_utils .*": "steps of Feast's engines",
    r"feast\.labeling\.conflict_resolver .*": "label views are not served",
    r"feast\.labeling\.label_view LabelView\.(labeling_method|annotation_config)": "read from tags by Feast's UI",
    r"feast\.on_demand_feature_view ODFVErrorMessages.*": "texts of Feast's errors",
    r"feast\.on_demand_feature_view OnDemandFeatureView\.(transform_\w+|infer_features|get_requested_odfvs)": (
        "steps of Feast's engines; the function is `udf`"
    ),
    r"feast\.online_response OnlineResponse": "made by a store, of what a store reads",
    r"feast\.permissions\.permission (Permission\.match_\w+|get_type_class\w+)": "asked by what enforces permissions",
    r"feast\.permissions\.policy (allow_all|empty_policy)": "the bodies of AllowAll",
    r"feast\.permissions\.user User": "made by who authenticates",
    r"feast\.repo_config (FeastBaseModel|FeastConfigBaseModel|McpRegistryConfig|OpenLineage\w+|DataQuality\w+).*": (
        "parts of Feast that are not here; RepoConfig takes mappings"
    ),
    r"feast\.repo_config (EmbeddingModelConfig|FeastConfigError|get_\w+_from_type|get_offline_store_type)": "the same",
    r"feast\.repo_config RegistryConfig\.validate_path": "a step of Feast's own parsing",
    r"feast\.repo_config RepoConfig\.\w+": "RepoConfig(...) gives this project's Config",
    r"feast\.saved_dataset (SavedDatasetStorage\.\w+|get_saved_dataset_storage\w+)": "no data sets are kept here",
    r"feast\.saved_dataset SavedDataset\.with_retrieval_job": "no data sets are kept here",
    r"feast\.table_format (\w+\.(to|from)_dict|create_table_format|table_format_from_\w+)": "steps of Feast's stores",
    r"feast\.transformation\.\S+ \w+\.(transform\w*|infer_features)": "steps of Feast's engines; the function is `udf`",
    r"feast\.transformation\.factory .*": "a step of Feast's engines",
    r"feast\.types (Struct\.to_pyarrow_type|from_feast_to_pyarrow_type)": "Arrow is not part of the install",
    r"feast\.errors (Aws|Docker|S3|Redshift|BigQuery|Snowflake)\w*": "errors of what is not here",
    r"feast\.errors Feast(Provider|Registry|Module|Class)\w*": "errors of what is not here",
    r"feast\.errors (FeastExtras|FeastFeatureServerType|FeastOfflineStoreInv|FeastOnlineStore|FeastInvalid)\w*": (
        "errors of what is not here: a wrong configuration is a ConfigurationError"
    ),
    r"feast\.errors (SavedDatasetLocation|EntitySQL|EntityDF|FeastEntityDF|DataFrameSerialization|Zero)\w*": (
        "errors of historical retrieval"
    ),
    r"feast\.errors ReadOnlyRegistryException": "registries are not read-only here",
}
#: Parameters that Feast requires and that may be left out here.
OPTIONAL_HERE = {("FeatureStore.apply", "objects"), ("FeatureStore.plan", "desired_repo_contents")}
#: Defaults that are called otherwise, and are the same.
SAME_DEFAULT = {"AllowAll()": "AllowAllPolicy()"}
#: Coroutines of Feast that are done when they return here, and may be awaited.
AWAITABLE = {"FeatureStore.close"}
#: Objects whose attributes are Feast's properties, where neither the class nor its constructor shows them.
INSTANCES: dict[str, Any] = {
    "FeatureView": d.FeatureView(name="view"),
    "OnDemandFeatureView": d.OnDemandFeatureView(name="view", sources=[]),
    "LabelView": d.LabelView(name="view"),
}


@dataclass(frozen=True)
class Recorded:
    """One line: `text` is what follows the name: parameters, members of an enumeration, " property" or nothing."""

    module: str
    name: str
    text: str
    is_async: bool

    def __str__(self) -> str:
        return f"{self.module} {self.name}"


def recorded() -> Iterator[Recorded]:
    module = ""
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            module = line.strip("[]")
        elif line and not line.startswith("#"):
            is_async = line.startswith("async ")
            found = re.match(r"[\w.]+", line.removeprefix("async "))
            assert found
            yield Recorded(module, found[0], line.removeprefix("async ")[found.end() :], is_async)


def offered(line: Recorded) -> Any:
    """The object here, or None."""
    try:
        found: Any = importlib.import_module(line.module)
        for part in line.name.split("."):
            found = inspect.getattr_static(found, part) if inspect.isclass(found) else getattr(found, part)
    except (ImportError, AttributeError):
        return None
    return found


def reason(line: Recorded) -> str | None:
    return next((pattern for pattern in NOT_OFFERED if re.fullmatch(pattern, str(line))), None)


LINES = list(recorded())


@pytest.mark.parametrize("line", [line for line in LINES if reason(line) is None], ids=str)
def test_what_feast_has_is_here_and_called_alike(line: Recorded) -> None:
    assert obstacles(line) == []


def test_every_reason_is_needed() -> None:
    used = {reason(line) for line in LINES if obstacles(line)}
    assert set(NOT_OFFERED) == used - {None}


def obstacles(line: Recorded) -> list[str]:
    """Why code written for Feast could not use the name here."""
    if line.text == " property":
        return [] if is_readable(line) else ["there is no such attribute"]
    found = offered(line)
    if found is None:
        return ["it is not offered: offer it, or give the reason in NOT_OFFERED"]
    if line.text.startswith(":"):
        members = ", ".join(f"{member.name}={member.value!r}" for member in found)
        return [] if members == line.text[2:] else [f"it has {members}"]
    if not line.text:
        return []
    function = getattr(found, "__func__", found)
    told = differences(line, list(inspect.signature(function).parameters.values()))
    if inspect.iscoroutinefunction(function) != line.is_async and line.name not in AWAITABLE:
        told.append("one of the two is awaited")
    return told


def is_readable(line: Recorded) -> bool:
    class_name, _, name = line.name.partition(".")
    cls = offered(Recorded(line.module, class_name, "", False))
    if cls is None:
        return False
    holds = [vars(base) for base in cls.__mro__] + [inspect.signature(cls).parameters]
    holds += [getattr(base, "__annotations__", {}) for base in cls.__mro__]
    return any(name in found for found in holds) or hasattr(INSTANCES.get(class_name), name)


def differences(line: Recorded, ours: list[inspect.Parameter]) -> list[str]:
    """What a call written for Feast would meet: parameters that are missing, elsewhere, of another kind or default."""
    theirs = ast.parse(f"def f{line.text}: ...").body[0]
    assert isinstance(theirs, ast.FunctionDef)
    positional = theirs.args.args
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(theirs.args.defaults))
    defaults += theirs.args.defaults
    wanted = [(arg.arg, default, False) for arg, default in zip(positional, defaults, strict=True)]
    wanted += [(a.arg, v, True) for a, v in zip(theirs.args.kwonlyargs, theirs.args.kw_defaults, strict=True)]
    named = [found for found in ours if found.kind not in (found.VAR_KEYWORD, found.VAR_POSITIONAL)]
    told = []
    for (name, default, by_keyword), found in zip(wanted, named, strict=False):
        if found.name != name or (found.kind is found.KEYWORD_ONLY) != by_keyword:
            told.append(f"{found} stands where Feast has {name}")
        elif default is None and found.default is not found.empty and (line.name, name) not in OPTIONAL_HERE:
            told.append(f"{name} is required by Feast")
        elif default is not None and not same(ast.unparse(default), found.default):
            told.append(f"{name} is {found.default!r}, Feast has {ast.unparse(default)}")
    told += [f"{name} is missing" for name, _, _ in wanted[len(named) :]]
    more = named[len(wanted) :]
    return told + [f"{found} is more" for found in more if found.kind is not found.KEYWORD_ONLY]


def same(text: str, default: Any) -> bool:
    if text in ("{}", "[]"):
        return default in (None, [], {}, ())
    return shown(default) == SAME_DEFAULT.get(text, text)


def shown(value: Any) -> str:
    match value:
        case enum.Enum():
            return f"{type(value).__name__}.{value.name}"
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case None | str() | int() | float() | timedelta():
            return repr(value)
    return f"{type(value).__name__}()"


def test_a_signature_that_differs_is_told() -> None:
    """The comparison itself: it would be of no use if it could not fail."""

    def told(recorded: str, ours: Any) -> str:
        line = Recorded("m", "f", recorded, False)
        return "; ".join(differences(line, list(inspect.signature(ours).parameters.values())))

    assert told("(a, b=1)", lambda a, b=1: 0) == ""
    assert told("(a, b=1)", lambda a, b=1, *, c=2: 0) == ""
    assert "stands where" in told("(a, b=1)", lambda b, a=1: 0)
    assert "stands where" in told("(*, a)", lambda a: 0)
    assert "Feast has 1" in told("(a, b=1)", lambda a, b=2: 0)
    assert "required" in told("(a)", lambda a=1: 0)
    assert "missing" in told("(a, b=1)", lambda a: 0)
    assert "is more" in told("(a)", lambda a, b=1: 0)
    assert "Feast has []" in told("(a=[])", lambda a=1: 0)


def test_the_record_is_whole() -> None:
    assert len(LINES) > 700
    assert sum(line.module == "feast.feature_store" for line in LINES) > 70
