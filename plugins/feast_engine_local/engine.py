"""Materialization jobs one after the other, in the process that asks for them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from feast_core.interfaces import Engine, Job, Outcome, Progress
from feast_core.materialization import run_job

if TYPE_CHECKING:
    from feast_core.store import FeatureStore


class LocalEngine(Engine):
    """One job at a time: each already uses every core to read, and a store takes one writer at a time."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
        """`batch_engine`, with `type: local`."""

        backend: str | None = None
        """Accepted, without effect: Feast's choice of a data frame library, and none is used here."""

    def __init__(self, options: Options) -> None:
        """Nothing to open."""

    def materialize(self, store: "FeatureStore", jobs: Sequence[Job], progress: Progress) -> list[Outcome]:
        """In the order of the jobs; `run_job` puts the error of a view into its outcome."""
        return [run_job(store, job, progress) for job in jobs]
