"""The store in memory of the test kit keeps the same contract as those that are served from."""

from collections.abc import Callable

import pytest

from feast_core.interfaces import OnlineStore
from feast_core.testing import OnlineStoreContract
from feast_core.testing.memory import MemoryOnlineStore


class TestMemory(OnlineStoreContract):
    is_shared = False
    is_embedded = False

    @pytest.fixture
    def make_store(self) -> Callable[[], OnlineStore]:
        return lambda: MemoryOnlineStore(MemoryOnlineStore.Options(turns=2))
