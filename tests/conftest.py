"""Fixtures of all tests: those of the shipped test kit, and what keeps tests apart."""

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

pytest_plugins = ["feast_core.testing.fixtures"]

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2


@pytest.fixture(autouse=True)
def modules_of_temporary_directories_leave() -> Iterator[None]:
    """A repository's `feast_plugins.py`, and what it imports, stay for as long as the process runs. The next test is
    another process."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if "/pytest-of-" in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture(scope="session")
def without_privileges() -> Callable[[], None]:
    """To be called between fork and exec: the command obeys permissions, also that of root."""

    def drop() -> None:
        if os.geteuid() == 0:
            libc = ctypes.CDLL(None, use_errno=True)
            for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
                assert libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0, os.strerror(ctypes.get_errno())

    return drop


@pytest.fixture
def postgres() -> Iterator[str]:
    """The URL of an empty schema on the server that FEASTKIT_TEST_POSTGRES names, as postgresql+psycopg://..."""
    url = os.environ.get("FEASTKIT_TEST_POSTGRES")
    if not url:
        pytest.skip("FEASTKIT_TEST_POSTGRES is not set: name a database, as postgresql+psycopg://me@127.0.0.1/test")
    from sqlalchemy import create_engine, make_url, text

    schema = f"feastkit_{uuid4().hex[:12]}"
    server = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
        yield server.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()
