"""Queues rows that are pushed to a batch source over HTTP, on disk, so that they are written many at once.

In feature_store.yaml:

    feature_server:
      offline_push_batching_enabled: true
      offline_push_batching_batch_size: 100
      offline_push_batching_batch_interval_seconds: 10

It only queues. What is queued is brought on by the core, in every worker, also where this is switched off or blocked.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING

from feast_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from feast_core.definitions import DataSource
    from feast_core.interfaces import OfflineWriter
    from feast_core.store import FeatureStore


@hookimpl(wrapper=True, tryfirst=True)
def feast_offline_writer(
    store: "FeatureStore", source: "DataSource"
) -> "Generator[None, OfflineWriter, OfflineWriter]":
    """A writer that queues, where batching is switched on and this is a worker of the server, which empties the queue:
    code in Python and commands write at once."""
    from feast_push_batching.writer import QueuedWriter

    writer = yield
    if not (store.config.feature_server.offline_push_batching_enabled and store.flusher.is_running):
        return writer
    return QueuedWriter(writer, store.push_queue, store.project, source.name)
