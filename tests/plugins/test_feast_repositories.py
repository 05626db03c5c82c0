"""Repositories as Feast's documentation and templates have them: they load, apply and list, and what has no engine here
says so when it is used."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from feast_core import definitions as d
from feast_core.errors import DefinitionError, FeastError, MaterializationError, NotSupported, SourceError
from feast_core.store import FeatureStore

SAMPLES = Path(__file__).parent.parent / "data" / "feast_samples"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.py"))
#: Files that views are inferred from, or that are materialized: path -> columns.
DATA = {
    "on_demand": {"data/stats.parquet": "1::BIGINT AS driver_id, 0.5 AS conv_rate, 0.25 AS acc_rate"},
    "permissions": {"data/risk.parquet": "'a' AS customer, 1::BIGINT AS score"},
    "streaming": {"data/stats.parquet": "7::BIGINT AS driver_id, 1.5::FLOAT AS miles, 3 AS trips, now() AS created"},
    "view_forms": {"data/weather.parquet": "1::BIGINT AS location_id, 0.5::DOUBLE AS humidity, 21.5::DOUBLE AS temp"},
    "warehouses": {"data/plain.parquet": "'a' AS customer, 1::BIGINT AS x"},
}
LOCAL = {
    "data/deliveries.parquet": "1::BIGINT AS courier_id, now() AS created",
    "data/courier_labels.parquet": "1::BIGINT AS courier_id",
}


@pytest.fixture
def sample(make_store: Any, feature_repo: Any) -> Any:
    """`sample("name")`: a store of the sample's repository, with its data, applied."""

    def make(name: str) -> FeatureStore:
        root = feature_repo({})
        shutil.copy(SAMPLES / f"{name}.py", root)
        write(root, DATA.get(name, {}))
        store: FeatureStore = make_store()
        assert not store.apply().empty
        return store

    return make


def write(root: Path, files: dict[str, str]) -> None:
    """Parquet files of one row: path -> columns, as SQL."""
    for path, columns in files.items():
        (root / path).parent.mkdir(exist_ok=True)
        duckdb.execute(f"COPY (SELECT {columns}, now() AS event_timestamp) TO '{root / path}'")


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_applies_and_a_second_apply_changes_nothing(sample: Any, make_store: Any, name: str) -> None:
    """What the registry gives back equals what the files declare, kind by kind, also for who opens it anew."""
    first = sample(name)
    second = make_store()
    assert second.plan().empty
    assert second.apply().empty
    for declared in first.snapshot.objects:
        found = second.get_object(declared.kind, declared.name)
        assert found == declared
        assert found.spec() == declared.spec()
        assert found in second.objects(declared.kind)
        assert found.supported == declared.supported
        assert found.unsupported_reason == declared.unsupported_reason


def test_the_samples_have_every_class_of_object() -> None:
    from feast_core.repo import load_repo

    found = {type(item) for item in load_repo(SAMPLES.parent / "feast_local", "couriers").objects}
    for name in NAMES:
        found |= {type(item) for item in load_samples(name)}
    classes = [getattr(d, name) for name in d.__all__]
    kinds = {cls for cls in classes if isinstance(cls, type) and issubclass(cls, d.Definition)}
    assert kinds - found == {d.Definition, d.DataSource, d.BaseFeatureView}


def load_samples(name: str) -> list[d.Definition]:
    from feast_core.repo import collect

    space: dict[str, Any] = {"__name__": name}
    exec(compile((SAMPLES / f"{name}.py").read_text(), f"{name}.py", "exec"), space)
    return list(collect([item for item in space.values() if isinstance(item, d.Definition)], "p").objects)


def test_what_is_inferred_comes_from_the_files(sample: Any) -> None:
    view = sample("view_forms").get_feature_view("weather")
    assert {field.name: field.dtype for field in view.features} == {"humidity": d.Float64, "temperature": d.Float64}
    assert view.entity_columns[0].dtype == d.Int64


def test_functions_are_kept_as_text_and_run_from_the_repository(sample: Any) -> None:
    store = sample("on_demand")
    view = store.get_on_demand_feature_view("by_python")
    assert "def by_python" in view.udf_string
    assert store.get_on_demand_feature_view("by_class").udf_string == "def double(frame): ..."
    assert view.udf is None
    assert [store.get_on_demand_feature_view(name).singleton for name in ("by_row", "by_python")] == [True, False]
    assert store.get_on_demand_feature_view("from_request").get_request_data_schema() == {"text": d.ValueType.STRING}


# Use of what has no engine here.

WAREHOUSES = [
    source.name
    for source in load_samples("warehouses")
    if isinstance(source, d.DataSource) and not isinstance(source, d.PushSource) and source.name != "plain"
]


def test_the_other_views_are_materialized_where_some_sources_are_not_read(sample: Any) -> None:
    store = sample("warehouses")
    with pytest.raises(MaterializationError) as caught:
        store.materialize_incremental(datetime.now(UTC))
    done = {outcome.job.view.name: outcome for outcome in caught.value.outcomes}  # type: ignore[attr-defined]
    assert done["plain"].error is None
    answer = store.get_online_features(["plain:x"], [{"customer": "a"}]).to_dict()
    assert answer == {"customer": ["a"], "x": [1]}
    for name in WAREHOUSES:
        assert isinstance(done[f"of_{name}"].error, SourceError)
        assert_says_what_to_do(done[f"of_{name}"].error, name)
        assert f"of_{name}: " in str(caught.value)


def test_a_join_key_that_only_a_source_that_is_not_read_could_type_is_a_text(
    sample: Any, caplog: pytest.LogCaptureFixture
) -> None:
    view = sample("fraud").get_feature_view("account_profile")
    assert [str(field.dtype) for field in view.entity_columns] == ["String"]
    assert "feature view 'account_profile': join key account_id is taken for a String, give its entity" in caplog.text
    assert "BigQuery is not read here" in caplog.text


@pytest.mark.parametrize("name", ["bigquery", "delta", "remote", "postgres"])
def test_a_schema_that_would_be_read_from_what_is_not_read_says_so(sample: Any, name: str) -> None:
    store = sample("warehouses")
    source = store.get_data_source(name)
    with pytest.raises(FeastError) as caught:
        store.plan(contents_with(store, d.FeatureView(name="undeclared", source=source)))
    assert_says_what_to_do(caught.value, f"feature view 'undeclared': declare its schema, .* data source {name!r}")


def contents_with(store: FeatureStore, view: d.FeatureView) -> Any:
    from feast_core.repo import collect

    return collect([*store.snapshot.objects, view], store.project)


def assert_says_what_to_do(error: BaseException, *names: str) -> None:
    text = str(error)
    assert all(re.search(name, text) for name in names), text
    assert any(word in text for word in ("not read", "not supported", "not run", "only local files")), text
    assert any(word in text for word in ("use FileSource", "write parquet", "copy it")), text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("name", "view", "message"),
    [
        ("streaming", "driver_stats_stream", "its transformation is not run here; write transformed rows"),
        ("streaming", "tiled", "its transformation is not run here; write transformed rows"),
        ("view_forms", "batch", "its transformation is not run here; write transformed rows"),
        ("view_forms", "of_view", "it is derived from other views"),
    ],
)
def test_a_view_that_would_have_to_be_computed_is_not_materialized(
    sample: Any, name: str, view: str, message: str
) -> None:
    store = sample(name)
    with pytest.raises(FeastError, match=f"{view} cannot be materialized: {message}"):
        store.materialize_incremental(datetime.now(UTC), [view])


def test_a_stream_is_read_from_the_batch_source_behind_it(sample: Any) -> None:
    store = sample("streaming")
    store.materialize_incremental(datetime.now(UTC), ["driver_stats", "from_kinesis"])
    found = store.get_online_features(["driver_stats:miles", "from_kinesis:trips"], [{"driver_id": 7}]).to_dict()
    assert found == {"driver_id": [7], "miles": [1.5], "trips": [3]}


def test_labels_and_computed_features_are_not_served(make_store: Any, feature_repo: Any) -> None:
    root = feature_repo({})
    shutil.copy(SAMPLES.parent / "feast_local" / "feature_definitions.py", root)
    write(root, LOCAL)
    store = make_store(project="couriers")
    store.apply()
    with pytest.raises(NotSupported, match=r"courier_labels is a label view; .*not served here"):
        store.get_online_features(["courier_labels:score"], [{"courier_id": 1}])
    with pytest.raises(NotSupported, match="with_bonus is an on demand feature view"):
        store.get_online_features(["with_bonus:on_time_and_bonus"], [{"courier_id": 1}])
    with pytest.raises(NotSupported, match="courier_labels is a label view"):
        store.materialize_incremental(datetime.now(UTC), ["courier_labels"])


def test_a_policy_of_the_repositorys_own_comes_back_as_itself_where_the_repository_is_read(sample: Any) -> None:
    store = sample("permissions")
    assert store.get_permission("listed").policy.spec()["class"] == "NamedPolicy"
    assert store.get_permission("admin").policy.get_roles() == ["feast-admin"]
    assert store.get_permission("both").policy.get_namespaces() == ["test"]


def test_an_error_of_a_definition_names_file_and_way_out(make_store: Any, feature_repo: Any) -> None:
    feature_repo({"views.py": "from feast import BigQuerySource\n\nsource = BigQuerySource(name='b')\n"})
    with pytest.raises(DefinitionError, match=r"^views.py:3: data source 'b': give it a table or a query$"):
        make_store().apply()
