"""The import surface: every path that repositories import, the same objects on all of them, and nothing heavy."""

import importlib
import os
import subprocess
import sys

import feast
import pytest

from feast_core import definitions

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
PATHS = {
    "feast": "Aggregation AthenaSource BatchFeatureView BigQuerySource ChrononSource ConflictPolicy Entity Feature "
    "FeatureService FeatureView FeatureViewState Field FileSource KafkaSource KinesisSource LabelView "
    "OnDemandFeatureView OracleSource Project PushSource RedshiftSource RequestSource SnowflakeSource "
    "StreamFeatureView ValueType",
    "feast.aggregation": "Aggregation",
    "feast.base_feature_view": "BaseFeatureView",
    "feast.batch_feature_view": "BatchFeatureView batch_feature_view",
    "feast.credentials": "ConnectionRef",
    "feast.data_format": "AvroFormat DeltaFormat FileFormat JsonFormat ParquetFormat ProtoFormat StreamFormat",
    "feast.data_source": "DataSource KafkaSource KinesisSource PushMode PushSource RequestSource",
    "feast.entity": "Entity",
    "feast.feast_object": "ALL_FEATURE_VIEW_TYPES ALL_RESOURCE_TYPES",
    "feast.feature": "Feature",
    "feast.feature_logging": "FileLoggingDestination LoggingConfig LoggingDestination",
    "feast.feature_service": "FeatureService",
    "feast.feature_view": "FeatureView FeatureViewState",
    "feast.feature_view_projection": "FeatureViewProjection",
    "feast.field": "Field",
    "feast.infra.offline_stores.bigquery_source": "BigQueryLoggingDestination BigQuerySource",
    "feast.infra.offline_stores.contrib.athena_offline_store.athena_source": "AthenaLoggingDestination AthenaSource",
    "feast.infra.offline_stores.contrib.chronon_offline_store.chronon_source": "ChrononSource",
    "feast.infra.offline_stores.contrib.clickhouse_offline_store.clickhouse_source": "ClickhouseSource",
    "feast.infra.offline_stores.contrib.couchbase_offline_store.couchbase_source": "CouchbaseColumnarSource",
    "feast.infra.offline_stores.contrib.mssql_offline_store.mssqlserver_source": "MsSqlServerSource",
    "feast.infra.offline_stores.contrib.oracle_offline_store.oracle_source": "OracleSource",
    "feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source": "PostgreSQLSource",
    "feast.infra.offline_stores.contrib.ray_offline_store.ray_source": "RaySource",
    "feast.infra.offline_stores.contrib.spark_offline_store.spark_source": "SparkSource",
    "feast.infra.offline_stores.contrib.trino_offline_store.trino_source": "TrinoSource",
    "feast.infra.offline_stores.file": "FileLoggingDestination FileSource SavedDatasetFileStorage",
    "feast.infra.offline_stores.file_source": "FileLoggingDestination FileSource SavedDatasetFileStorage",
    "feast.infra.offline_stores.redshift_source": "RedshiftLoggingDestination RedshiftSource",
    "feast.infra.offline_stores.snowflake_source": "SnowflakeLoggingDestination SnowflakeSource",
    "feast.labeling": "ConflictPolicy LabelView",
    "feast.labeling.conflict_policy": "ConflictPolicy",
    "feast.labeling.label_view": "LabelView",
    "feast.on_demand_feature_view": "OnDemandFeatureView PandasTransformation PythonTransformation "
    "on_demand_feature_view",
    "feast.permissions.action": "ALL_ACTIONS AuthzedAction CRUD READ WRITE",
    "feast.permissions.permission": "Permission",
    "feast.permissions.policy": "AllowAll CombinedGroupNamespacePolicy GroupBasedPolicy NamespaceBasedPolicy Policy "
    "RoleBasedPolicy",
    "feast.project": "Project",
    "feast.saved_dataset": "SavedDataset SavedDatasetStorage ValidationReference",
    "feast.stream_feature_view": "StreamFeatureView stream_feature_view",
    "feast.transformation.base": "Transformation transformation",
    "feast.transformation.mode": "TransformationMode",
    "feast.transformation.pandas_transformation": "PandasTransformation",
    "feast.transformation.python_transformation": "PythonTransformation",
    "feast.types": "Array Bool Bytes ComplexFeastType Decimal FeastType Float32 Float64 ImageBytes Int32 Int64 Invalid "
    "Json Map PdfBytes PrimitiveFeastType ScalarMap Set String Struct TimeUuid UnixTimestamp Uuid ZonedTimestamp "
    "from_value_type",
    "feast.value_type": "ValueType",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_of_feast_gives_the_objects_of_the_core(path: str) -> None:
    module = importlib.import_module(path)
    assert sorted(module.__all__) == sorted(PATHS[path].split())
    for name in module.__all__:
        assert getattr(module, name) is getattr(definitions, name)
    assert module.__doc__


def test_a_star_import_of_types_gives_the_types() -> None:
    names: dict[str, object] = {}
    exec("from feast.types import *", names)
    assert names["Int64"] is definitions.Int64
    assert names["Array"] is definitions.Array


def test_the_configuration_and_the_version_are_looked_up_when_asked_for() -> None:
    from feast.repo_config import RepoConfig

    from feast_core.config import Config

    assert RepoConfig is Config is feast.RepoConfig
    assert isinstance(feast.__version__, str)
    assert feast.__version__


def test_the_store_is_the_one_of_the_core() -> None:
    store = pytest.importorskip("feast_core.store")
    from feast.feature_store import FeatureStore

    assert FeatureStore is store.FeatureStore is feast.FeatureStore


@pytest.mark.parametrize("path", ["feast", "feast.feature_store", "feast.repo_config", "feast.online_response"])
def test_a_name_that_is_not_there_is_an_import_error(path: str) -> None:
    assert not hasattr(importlib.import_module(path), "nonsense")
    with pytest.raises(ImportError, match="nonsense"):
        exec(f"from {path} import nonsense")


def test_errors_have_the_names_that_code_around_feast_catches() -> None:
    from feast import errors

    from feast_core.errors import FeastError

    assert all(issubclass(getattr(errors, name), FeastError) for name in errors.__all__)
    assert {"FeatureViewNotFoundException", "PushSourceNotFoundException", "FeastPermissionError"} <= set(
        errors.__all__
    )


def test_importing_feast_imports_neither_the_store_nor_pandas() -> None:
    code = "import sys, feast, feast.types, feast.feature_store, feast.online_response; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    modules = set(run.stdout.split())
    assert "feast_core.definitions" in modules
    assert not modules & {"feast_core.store", "pandas", "duckdb", "sqlalchemy", "sanic", "click"}
