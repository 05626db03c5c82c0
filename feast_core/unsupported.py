"""What Feast's store does and this one does not: it is there, with Feast's parameters, and says what to do."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from feast_core.definitions import (
    FeatureService,
    FeatureViewState,
    SavedDataset,
    SavedDatasetStorage,
    ValidationReference,
)
from feast_core.errors import NotSupported

if TYPE_CHECKING:
    import pandas as pd

HISTORY = "point-in-time joins are not part of this version; join the batch sources yourself"
SEARCH = "vector search is not part of this version; read the vectors with get_online_features"
DATASETS = "saved datasets are not kept here; read and write their files yourself"
VALIDATION = "data is not validated here; check it in a program of your own"
LOGS = "served features are not logged here; log the answers where you use them"
STAGES = "views have no stages here; set enabled=... in the definition and apply it"
VERSIONS = "versions of views are not kept here; keep them in the history of the repository"
PROJECT = "a store is of one project; open another one for another project"
EMBEDDINGS = "text is not embedded here; embed it yourself"
SERVERS = "only the feature server is part of feastkit, which `feast serve` starts"


class Unsupported:
    """Methods that raise NotSupported, whatever they are given; `FeatureStore` inherits them."""

    # Writing.

    async def update_online_store(
        self,
        feature_view_name: str,
        df: "pd.DataFrame",
        update_expressions: Mapping[str, str],
        allow_registry_cache: bool = True,
    ) -> NoReturn:
        """Not supported."""
        raise _error("update_online_store", "rows are replaced whole here; materialize the new ones")

    def precompute_feature_service(self, feature_service_name: str | None = None, batch_size: int = 1000) -> NoReturn:
        """Not supported, and not needed: rows are stored in the form in which they are served."""
        raise _error("precompute_feature_service", "services need no preparation here; ask for them")

    # Reading.

    def get_historical_features(
        self,
        entity_df: "pd.DataFrame | str | None" = None,
        features: Sequence[str] | FeatureService = (),
        full_feature_names: bool = False,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        filter_by_created_timestamp: bool = False,
    ) -> NoReturn:
        """Not supported."""
        raise _error("get_historical_features", HISTORY)

    def retrieve_online_documents(
        self, query: str | list[float], top_k: int, features: list[str], distance_metric: str | None = "L2"
    ) -> NoReturn:
        """Not supported."""
        raise _error("retrieve_online_documents", SEARCH)

    def retrieve_online_documents_v2(
        self,
        features: list[str],
        top_k: int,
        query: list[float] | None = None,
        query_string: str | None = None,
        distance_metric: str | None = "L2",
        query_image_bytes: bytes | None = None,
        query_image_model: str | None = "resnet34",
        combine_with_text: bool = False,
        text_weight: float = 0.5,
        image_weight: float = 0.5,
        combine_strategy: str = "weighted_sum",
        include_feature_view_version_metadata: bool = False,
        filters: Any = None,
    ) -> NoReturn:
        """Not supported."""
        raise _error("retrieve_online_documents_v2", SEARCH)

    async def openai_search(
        self,
        vector_store_id: str,
        query: str | list[str],
        *,
        vs_id: str | None = None,
        max_num_results: int = 10,
        filters: Any = None,
        ranking_options: dict[str, Any] | None = None,
        rewrite_query: bool | None = None,
        features_to_retrieve: list[str] | None = None,
    ) -> NoReturn:
        """Not supported."""
        raise _error("openai_search", SEARCH)

    # Data sets, logs, validation.

    def create_saved_dataset(
        self,
        from_: Any,
        name: str,
        storage: SavedDatasetStorage,
        tags: dict[str, str] | None = None,
        feature_service: FeatureService | None = None,
        allow_overwrite: bool = False,
    ) -> SavedDataset:
        """Not supported."""
        raise _error("create_saved_dataset", DATASETS)

    def create_dataset_from_retrieval(
        self,
        name: str,
        entity_df: "pd.DataFrame",
        features: list[str] | FeatureService,
        storage: SavedDatasetStorage,
        tags: dict[str, str] | None = None,
        allow_overwrite: bool = False,
    ) -> SavedDataset:
        """Not supported."""
        raise _error("create_dataset_from_retrieval", DATASETS)

    def retrieve_dataset_data(self, name: str, limit: int = 10) -> NoReturn:
        """Not supported."""
        raise _error("retrieve_dataset_data", DATASETS)

    def validate_logged_features(
        self,
        source: FeatureService,
        start: datetime,
        end: datetime,
        reference: ValidationReference,
        throw_exception: bool = True,
        cache_profile: bool = True,
    ) -> NoReturn:
        """Not supported."""
        raise _error("validate_logged_features", VALIDATION)

    def write_logged_features(self, logs: Any | Path, source: FeatureService) -> NoReturn:
        """Not supported."""
        raise _error("write_logged_features", LOGS)

    # Stages, versions, projects.

    def enable_feature_view(self, name: str) -> NoReturn:
        """Not supported."""
        raise _error("enable_feature_view", STAGES)

    def disable_feature_view(self, name: str) -> NoReturn:
        """Not supported."""
        raise _error("disable_feature_view", STAGES)

    def set_feature_view_state(self, name: str, state: FeatureViewState) -> NoReturn:
        """Not supported."""
        raise _error("set_feature_view_state", STAGES)

    def list_feature_view_versions(self, name: str) -> NoReturn:
        """Not supported."""
        raise _error("list_feature_view_versions", VERSIONS)

    def set_current_project(self, project: str | None) -> NoReturn:
        """Not supported."""
        raise _error("set_current_project", PROJECT)

    def reset_current_project(self, token: Any) -> NoReturn:
        """Not supported."""
        raise _error("reset_current_project", PROJECT)

    # Servers and what else hangs on Feast's store.

    def serve(
        self,
        host: str,
        port: int,
        type_: str = "http",
        no_access_log: bool = True,
        workers: int = 1,
        worker_connections: int = 1000,
        max_requests: int = 1000,
        max_requests_jitter: int = 50,
        metrics: bool = False,
        keep_alive_timeout: int = 30,
        tls_key_path: str = "",
        tls_cert_path: str = "",
        registry_ttl_sec: int = 60,
    ) -> NoReturn:
        """Not supported: the server is a program of its own, which holds the processes that load stores."""
        raise _error("serve", f"a store does not serve; run `feast serve --host {host} --port {port}`")

    def serve_ui(
        self,
        host: str,
        port: int,
        root_path: str = "",
        tls_key_path: str = "",
        tls_cert_path: str = "",
        cors_origins: list[str] | None = None,
    ) -> NoReturn:
        """Not supported."""
        raise _error("serve_ui", SERVERS)

    def serve_registry(
        self, port: int, tls_key_path: str = "", tls_cert_path: str = "", rest_api: bool = False, host: str = "::"
    ) -> NoReturn:
        """Not supported."""
        raise _error("serve_registry", SERVERS)

    def serve_offline(self, host: str, port: int, tls_key_path: str = "", tls_cert_path: str = "") -> NoReturn:
        """Not supported."""
        raise _error("serve_offline", SERVERS)

    def serve_transformations(self, port: int) -> NoReturn:
        """Not supported."""
        raise _error("serve_transformations", SERVERS)

    @property
    def embedding_provider(self) -> NoReturn:
        """Not supported."""
        raise _error("embedding_provider", EMBEDDINGS)

    @property
    def mlflow(self) -> NoReturn:
        """Not supported."""
        raise _error("mlflow", "runs are not logged to MLflow here; log them yourself")

    @property
    def openlineage_emitter(self) -> NoReturn:
        """Not supported."""
        raise _error("openlineage_emitter", "lineage is not emitted here")

    @property
    def provider(self) -> NoReturn:
        """Not supported."""
        raise _error("provider", "there are no providers here; the stores are `online`, `offline` and `registry`")


def _error(name: str, what_to_do: str) -> NotSupported:
    return NotSupported(f"FeatureStore.{name} is not supported: {what_to_do}")
