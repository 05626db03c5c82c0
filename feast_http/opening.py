"""What every child of the server begins with: its log, and the store of the repository."""

import logging
import warnings
from pathlib import Path

from feast_core.config import find_config
from feast_core.errors import FeastError
from feast_core.store import FeatureStore
from feast_http.settings import ServeSettings

logger = logging.getLogger("feast.server")


def log_to_stderr(settings: ServeSettings) -> None:
    """Lines with time, level, logger and process."""
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s [%(process)d]: %(message)s"
    )


def open_store(settings: ServeSettings) -> FeatureStore:
    """The store with its registry loaded. Raises what is wrong with the repository."""
    with warnings.catch_warnings():
        # The parent, and the commands that applied the repository, have told of them.
        warnings.simplefilter("ignore")
        yaml_file = Path(settings.yaml_file) if settings.yaml_file else None
        store = FeatureStore(config=find_config(Path(settings.repo_path), yaml_file))
        try:
            generation = store.snapshot.generation
            store.online  # noqa: B018  (made now, so that a wrong option is told now)
        except FeastError:
            store.close()
            raise
    if generation == 0:
        logger.warning("nothing was applied to project %s yet; run `feast apply`", store.project)
    return store
