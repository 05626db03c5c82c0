"""The test kit for plugin authors: contracts to inherit, and fixtures.

    from feast_core.testing import OnlineStoreContract

    class TestMysql(OnlineStoreContract):
        @pytest.fixture
        def make_store(self, mysql_url):
            return lambda: MysqlOnlineStore(MysqlOnlineStore.Options(url=mysql_url))

Fixtures come with `pytest_plugins = ["feast_core.testing.fixtures"]` in conftest.py.
"""

import pytest

# Before they are imported, so that a failing contract shows what was compared.
pytest.register_assert_rewrite(
    "feast_core.testing.offline",
    "feast_core.testing.offline_writing",
    "feast_core.testing.online",
    "feast_core.testing.registry",
)

from feast_core.testing.offline import OfflineStoreContract  # noqa: E402
from feast_core.testing.offline_writing import OfflineWriterContract  # noqa: E402
from feast_core.testing.online import OnlineStoreContract  # noqa: E402
from feast_core.testing.registry import RegistryContract  # noqa: E402

__all__ = ["OfflineStoreContract", "OfflineWriterContract", "OnlineStoreContract", "RegistryContract"]
