"""Offline pushes in batches: a row that was answered with 202 reaches its batch source once, whoever is killed."""

import contextlib
import http.client
import itertools
import json
import os
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest
from feast_offline_file.source import OpenSource

from feast_core.definitions import FileSource
from feast_core.interfaces import EncodedRows
from feast_core.push_queue import PushQueue
from feast_core.store import FeatureStore

YAML = """\
project: drivers
registry: registry.db
online_store:
  type: sqlite
  path: online.db
feature_server:
  shutdown_timeout_seconds: 5
  offline_push_batching_enabled: true
  offline_push_batching_batch_size: 1000
"""
SOON = YAML + "  offline_push_batching_batch_interval_seconds: 1\n"
LATE = YAML + "  offline_push_batching_batch_interval_seconds: 3600\n"

FEATURES = """\
from feast import Entity, FeatureView, Field, FileSource, PushSource, ValueType
from feast.types import Int64

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64)


def view(name):
    batch = FileSource(name=name, path=f"{name}.parquet", timestamp_field="event_timestamp")
    source = PushSource(name=f"{name}_push", batch_source=batch)
    return FeatureView(name=f"{name}_view", entities=[driver], schema=[Field(name="n", dtype=Int64)], source=source)


stats, trips = view("stats"), view("trips")
"""

#: Batch sources as files of lines, each with the id of a batch and its rows; what files beside them say happens.
PLUGIN = """
import fcntl
import json
import os
import signal
import time
from pathlib import Path

from feast_core import hookimpl
from feast_core.errors import InvalidInput, SourceError
from feast_core.interfaces import EncodedRows, OfflineReceipt, OfflineWriter


class Lines(OfflineWriter):
    def __init__(self, path):
        self.path = path

    def encode(self, columns):
        wrong = sorted({"driver_id", "n", "event_timestamp"} ^ set(columns))
        if wrong:
            raise InvalidInput.at(wrong[0], "is missing or unknown")
        return EncodedRows(len(columns["n"]), json.dumps(columns["n"]).encode())

    def write(self, encoded, batch_id):
        rows = [row for body in encoded for row in json.loads(body)]
        while self.path.with_suffix(".hang").exists():
            hangs = self.path.with_suffix(".hangs")
            hangs.mkdir(exist_ok=True)
            (hangs / batch_id).touch()
            time.sleep(0.05)
        if self.path.with_suffix(".gone").exists():
            raise SourceError("the file is gone")
        with self.path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            if not any(json.loads(line)["id"] == batch_id for line in file):
                file.write(json.dumps({"id": batch_id, "rows": rows}) + "\\n")
        kill = self.path.with_suffix(".kill")
        if kill.exists():
            kill.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return OfflineReceipt(len(rows))


@hookimpl
def feast_offline_writer(store, source):
    return Lines(store.repo_path / f"{source.name}.lines")
"""

GET = {"features": ["stats_view:n"], "entities": {"driver_id": [1]}}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "repository"
    path.mkdir()
    (path / "features.py").write_text(FEATURES)
    (path / "feast_plugins.py").write_text(PLUGIN)
    (path / "feature_store.yaml").write_text(SOON)
    with FeatureStore(repo_path=path) as store:
        store.apply()
    return path


def configure(repository: Path, yaml: str) -> None:
    (repository / "feature_store.yaml").write_text(yaml)


def push(server: Any, *rows: int, to: str = "offline", source: str = "stats", **columns: Any) -> Any:
    frame = {"driver_id": [1] * len(rows), "n": list(rows), "event_timestamp": ["2026-01-01"] * len(rows), **columns}
    return server.request("POST", "/push", {"push_source_name": f"{source}_push", "df": frame, "to": to})


def written(repository: Path, source: str = "stats") -> list[int]:
    """Rows of a batch source, in their order."""
    path = repository / f"{source}.lines"
    lines = path.read_text().splitlines() if path.exists() else []
    return [row for line in lines for row in json.loads(line)["rows"]]


def queued(repository: Path) -> int:
    queue = PushQueue(repository / "data" / "push_queue.db")
    try:
        return sum(source.rows for source in queue.status("drivers"))
    finally:
        queue.close()


def kill_all(server: Any) -> None:
    """The parent first, so that it starts no other worker."""
    processes = [server.process.pid, *server.workers()]
    for pid in processes:
        os.kill(pid, signal.SIGKILL)
    server.process.wait()
    psutil.wait_procs([psutil.Process(pid) for pid in processes[1:] if psutil.pid_exists(pid)], timeout=10)


def test_what_is_for_both_is_online_at_once_and_offline_soon(start: Any, repository: Path, wait_until: Any) -> None:
    with start(repository) as server:
        answer = push(server, 5, to="online_and_offline")
        assert answer.status == 202
        assert answer.json == {"feature_views": {"stats_view": {"online": 1, "superseded": 0, "offline": 1}}}
        assert server.online(GET).json["results"][0]["values"] == [1, 5]
        assert push(server, 6, to="offline").status == 202
        assert push(server, 7, to="online").status == 200
        wait_until(lambda: written(repository) == [5, 6])
        wait_until(lambda: server.request("GET", "/ready").json == {"status": "ready"})


def test_a_row_now_and_then_is_written_by_every_worker(start: Any, repository: Path, wait_until: Any) -> None:
    with start(repository, "-w", 2) as server:
        wait_until(lambda: len(server.workers()) == 2)
        for row, suspended in enumerate(server.workers(), 1):
            os.kill(suspended, signal.SIGSTOP)
            try:
                assert push(server, row).status == 202
                wait_until(lambda row=row: row in written(repository))
            finally:
                os.kill(suspended, signal.SIGCONT)
        assert written(repository) == [1, 2]


def test_many_rows_do_not_wait_for_the_interval(start: Any, repository: Path, wait_until: Any) -> None:
    configure(repository, LATE)
    with start(repository) as server:
        assert push(server, *range(999)).status == 202
        assert push(server, 999).status == 202
        wait_until(lambda: written(repository) == [*range(1000)])


@pytest.mark.parametrize("yaml", [SOON, YAML.replace("enabled: true", "enabled: false")], ids=["on", "off"])
def test_rows_outlive_a_server_that_is_killed_and_a_restart_without_batching(
    start: Any, repository: Path, wait_until: Any, yaml: str
) -> None:
    configure(repository, LATE)
    with start(repository, "-w", 2) as server:
        for row in range(20):
            assert push(server, row).status == 202
        kill_all(server)
    assert written(repository) == []
    configure(repository, yaml)
    with start(repository) as server:
        wait_until(lambda: sorted(written(repository)) == [*range(20)])
        wait_until(lambda: not queued(repository))
        assert push(server, 20).status == (202 if yaml == SOON else 200)


def test_rows_outlive_the_worker_that_took_them(start: Any, repository: Path, wait_until: Any) -> None:
    with start(repository) as server:
        assert push(server, 1).status == 202
        os.kill(server.workers()[0], signal.SIGKILL)
        wait_until(lambda: written(repository) == [1])


def test_a_worker_killed_between_writing_and_forgetting_writes_nothing_twice(
    start: Any, repository: Path, wait_until: Any
) -> None:
    kill = repository / "stats.kill"
    kill.touch()
    with start(repository) as server:
        (worker,) = server.workers()
        assert push(server, 1, 2).status == 202
        wait_until(lambda: written(repository) == [1, 2])
        wait_until(lambda: server.workers() not in ([], [worker]))
        wait_until(lambda: push(server, 3).status == 202)
        wait_until(lambda: not queued(repository))
        assert not kill.exists()
    assert written(repository) == [1, 2, 3]


def test_a_server_that_ends_writes_what_is_queued(start: Any, repository: Path) -> None:
    configure(repository, LATE)
    with start(repository, "-w", 2) as server:
        assert push(server, 1).status == 202
        assert push(server, 2, source="trips").status == 202
        assert server.stop() == 0
    assert written(repository) == [1]
    assert written(repository, "trips") == [2]


def test_a_source_that_hangs_holds_up_neither_another_nor_the_end(
    start: Any, repository: Path, wait_until: Any
) -> None:
    (repository / "stats.hang").touch()
    with start(repository) as server:
        assert push(server, 1).status == 202
        wait_until(lambda: (repository / "stats.hangs").exists())
        assert push(server, 2, source="trips").status == 202
        wait_until(lambda: written(repository, "trips") == [2])
        assert push(server, 3, source="trips").status == 202
        assert server.stop() == 0
    assert "did not end in time" not in server.errors()
    assert written(repository, "trips") == [2, 3]
    (repository / "stats.hang").unlink()
    with start(repository):
        wait_until(lambda: written(repository) == [1])
        wait_until(lambda: not queued(repository))


def test_pushes_that_hang_hold_up_none_that_is_online_only(start: Any, repository: Path, wait_until: Any) -> None:
    configure(repository, SOON.replace("enabled: true", "enabled: false"))
    hang, hangs = repository / "stats.hang", repository / "stats.hangs"
    hang.touch()
    with start(repository) as server, ThreadPoolExecutor(8) as clients:
        answers = [clients.submit(push, server, n) for n in range(8)]
        wait_until(lambda: hangs.exists() and list(hangs.iterdir()))
        many = push(server, *range(1000), to="online", driver_id=list(range(1000)))
        hang.unlink()
        assert many.json == {"feature_views": {"stats_view": {"online": 1000, "superseded": 0, "offline": 0}}}
        assert [answer.result().status for answer in answers] == [200] * 8


def test_a_push_whose_client_goes_while_it_waits_is_not_written(start: Any, repository: Path, wait_until: Any) -> None:
    """It was told nothing, and may send it again."""
    configure(repository, SOON.replace("enabled: true", "enabled: false"))
    hang, hangs = repository / "stats.hang", repository / "stats.hangs"
    hang.touch()
    frame = {"driver_id": [1], "n": [2], "event_timestamp": ["2026-01-01"]}
    body = json.dumps({"push_source_name": "stats_push", "df": frame, "to": "offline"}).encode()
    with start(repository) as server, ThreadPoolExecutor(2) as clients:
        first = clients.submit(push, server, 1)
        wait_until(lambda: hangs.exists() and list(hangs.iterdir()))
        with server.socket() as client:
            client.sendall(b"POST /push HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            assert server.request("GET", "/health").status == 200
        wait_until(lambda: server.errors().count("499") == 1)
        third = clients.submit(push, server, 3)
        hang.unlink()
        assert [first.result().status, third.result().status] == [200, 200]
    assert written(repository) == [1, 3]


def test_a_source_that_is_gone_is_told_and_holds_up_no_other(start: Any, repository: Path, wait_until: Any) -> None:
    gone = repository / "stats.gone"
    gone.touch()
    with start(repository) as server:
        assert push(server, 1, 2, 3).status == 202
        wait_until(lambda: server.request("GET", "/ready").json.get("offline_push", {}).get("failing"))
        ready = server.request("GET", "/ready")
        assert ready.status == 200
        told = ready.json["offline_push"]
        assert told["queued_rows"] == 3
        assert told["oldest_seconds"] > 0
        (failing,) = told["failing"]
        assert (failing["data_source"], failing["queued_rows"]) == ("stats", 3)
        assert failing["attempts"] >= 1
        assert push(server, 4, source="trips").status == 202
        wait_until(lambda: written(repository, "trips") == [4])
        assert written(repository) == []
        gone.unlink()
        wait_until(lambda: written(repository) == [1, 2, 3])
        wait_until(lambda: server.request("GET", "/ready").json == {"status": "ready"})
    said = "stats: pushed rows cannot be written and stay in the queue: the file is gone"
    assert server.errors().count(said) == 2, "once, and when it was over"


def test_what_is_refused_is_not_queued(start: Any, repository: Path) -> None:
    with start(repository) as server:
        for to in ("offline", "online_and_offline"):
            assert push(server, 1, to=to, more=[1]).status == 422
            assert push(server, 1, to=to, driver_id=[1, 2]).status == 422
            assert push(server, 1, to=to, source="nope").status == 404
        assert push(server, 1, to="online_and_offline", event_timestamp=["yesterday"]).status == 422
        assert server.online(GET).json["results"][0]["statuses"] == ["PRESENT", "NOT_FOUND"]
    assert not (repository / "data" / "push_queue.db").exists()


def test_a_queue_that_cannot_be_used_is_503_and_reads_go_on(start: Any, repository: Path) -> None:
    (repository / "data" / "push_queue.db").mkdir(parents=True)
    with start(repository) as server:
        answer = push(server, 1)
        assert answer.status == 503
        assert "push_queue" not in answer.body.decode()
        assert "the push queue push_queue.db cannot be opened: it is a directory" in server.errors()
        ready = server.request("GET", "/ready")
        problem = "the push queue cannot be used; the log says why"
        assert (ready.status, ready.json) == (200, {"status": "ready", "offline_push": {"problem": problem}})
        assert server.online(GET).status == 200


# The same with parquet files.

KILLED_AFTER_WRITING = """
import os
import signal
from pathlib import Path

from feast_core import hookimpl
from feast_core.interfaces import OfflineWriter


class Dying(OfflineWriter):
    def __init__(self, writer):
        self.writer = writer

    def encode(self, columns):
        return self.writer.encode(columns)

    def write(self, encoded, batch_id):
        receipt = self.writer.write(encoded, batch_id)
        if Path("kill").exists():
            Path("kill").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return receipt


@hookimpl(wrapper=True)
def feast_offline_writer(store, source):
    return Dying((yield))
"""


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    """A repository whose batch sources are files of parquet, with no row."""
    path = tmp_path / "repository"
    path.mkdir()
    (path / "features.py").write_text(FEATURES)
    (path / "feature_store.yaml").write_text(SOON.replace("batch_size: 1000", "batch_size: 7"))
    for source in ("stats", "trips"):
        row = "1::BIGINT AS driver_id, 0::BIGINT AS n, TIMESTAMPTZ '2026-01-01 00:00:00Z' AS event_timestamp"
        duckdb.sql(f"COPY (SELECT {row} LIMIT 0) TO '{path}/{source}.parquet' (FORMAT parquet)")
    with FeatureStore(repo_path=path) as store:
        store.apply()
    return path


def in_parquet(repository: Path, source: str = "stats") -> list[int]:
    """Rows that are read of a batch source, sorted."""
    declared = FileSource(name=source, path=f"{source}.parquet", timestamp_field="event_timestamp")
    with duckdb.connect() as connection, OpenSource(declared, repository, connection) as opened:
        return sorted(row for (row,) in connection.execute(f"SELECT n FROM {opened.table}").fetchall())


def compact(repository: Path) -> None:
    with FeatureStore(repo_path=repository) as store:
        for source in ("stats", "trips"):
            store.offline.compact(store.snapshot.data_sources[source], repository)


def test_a_server_killed_between_writing_and_forgetting_writes_nothing_twice_after_compaction(
    start: Any, parquet: Path, wait_until: Any
) -> None:
    (parquet / "feast_plugins.py").write_text(KILLED_AFTER_WRITING)
    (parquet / "kill").touch()
    with start(parquet) as server:
        assert push(server, 1, 2).status == 202
        wait_until(lambda: not (parquet / "kill").exists())
        kill_all(server)
    assert queued(parquet) == 2
    assert in_parquet(parquet) == [1, 2]
    compact(parquet)
    with start(parquet):
        wait_until(lambda: not queued(parquet))
    assert in_parquet(parquet) == [1, 2]


def test_every_202_is_in_the_parquet_once_whatever_is_killed_or_compacted_meanwhile(
    start: Any, parquet: Path, wait_until: Any
) -> None:
    numbers = itertools.count()
    accepted: list[int] = []
    over = threading.Event()

    def send(server: Any) -> None:
        while not over.is_set():
            row = next(numbers)
            with contextlib.suppress(OSError, http.client.HTTPException):  # its worker was killed
                if push(server, row, source=("stats", "trips")[row % 2]).status == 202:
                    accepted.append(row)

    with start(parquet, "-w", 2) as server:
        senders = [threading.Thread(target=send, args=(server,)) for _ in range(3)]
        for sender in senders:
            sender.start()
        for _ in range(3):
            many = len(accepted) + 40
            wait_until(lambda many=many: len(accepted) > many and len(server.workers()) == 2)
            os.kill(server.workers()[0], signal.SIGKILL)
            compact(parquet)
        kill_all(server)
        over.set()
        for sender in senders:
            sender.join()
    configure(parquet, YAML.replace("enabled: true", "enabled: false"))
    with start(parquet):
        wait_until(lambda: not queued(parquet))
    found = Counter(in_parquet(parquet) + in_parquet(parquet, "trips"))
    assert set(accepted) <= set(found)
    assert set(found.values()) == {1}


def test_compaction_begins_with_what_is_queued(parquet: Path) -> None:
    with FeatureStore(repo_path=parquet) as store:
        writer = store.offline.writer(store.snapshot.data_sources["stats"], parquet)
        encoded = writer.encode({"driver_id": [1, 2], "n": [5, 6], "event_timestamp": ["2026-01-01"] * 2})
        store.push_queue.put("drivers", "stats", [encoded])
        assert store.compact("stats_push").rows == 2
    assert not queued(parquet)
    assert duckdb.sql(f"SELECT n FROM '{parquet}/stats.parquet'").fetchall() == [(5,), (6,)]


def test_python_and_commands_write_at_once_and_begin_with_what_is_queued(repository: Path) -> None:
    queue = PushQueue(repository / "data" / "push_queue.db")
    queue.put("drivers", "stats", [EncodedRows(2, b"[1, 2]")])
    queue.close()
    with FeatureStore(repo_path=repository) as store:
        receipt = store.write_to_offline_store(
            "stats_view", {"driver_id": [1], "n": [3], "event_timestamp": ["2026-01-01"]}
        )
        assert not receipt.queued
        assert written(repository) == [3]
        store.flush_pushes()
    assert written(repository) == [3, 1, 2]
