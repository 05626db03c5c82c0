"""`feast demo` makes, applies, materializes and serves the driver example."""

import json
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def read_until(running: "subprocess.Popen[str]", text: str) -> str:
    """What it prints until, and with, the line that has the text."""
    printed = ""
    assert running.stdout
    assert running.stderr
    for line in running.stdout:
        printed += line
        if text in line:
            return printed
    raise AssertionError(f"{text!r} was not printed: {printed}{running.stderr.read()}")


def test_demo_serves_the_example_and_ctrl_c_ends_it(start: Run, tmp_path: Path) -> None:
    (tmp_path / "feast-demo").mkdir()
    with socket.socket() as taken:
        # Whoever has the default port, the demo must find another one.
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 6566))
            taken.listen()
        except OSError:
            pass
        running = start("demo", cwd=tmp_path)
        printed = read_until(running, "serving ")
    repo = tmp_path / "feast-demo-2"
    assert f"Created the driver example in {repo}" in printed
    assert "Created feature view driver_hourly_stats" in printed
    assert re.search(r"driver_hourly_stats: 5 rows in \d", printed)
    # The very request that it prints.
    command = re.search(
        r'curl -X POST "(http://localhost:(\d+)/get-online-features)" -d \'(.*?)\'\n', printed, re.DOTALL
    )
    assert command
    url, port, body = command.groups()
    assert port != "6566"
    with urllib.request.urlopen(url.replace("localhost", "127.0.0.1"), body.encode(), timeout=10) as response:
        answer = json.load(response)
    assert answer["metadata"]["feature_names"] == ["driver_id", "conv_rate", "acc_rate", "avg_daily_trips"]
    assert [row["statuses"] for row in answer["results"]] == [["PRESENT"] * 4] * 3
    running.send_signal(signal.SIGINT)
    assert running.wait(20) in (0, 130)
    assert "Traceback" not in running.stderr.read()
    assert list((tmp_path / "feast-demo").iterdir()) == []


def test_demo_overwrites_nothing(call: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "features.py").write_text("# mine")
    done = call("demo", "mine", cwd=tmp_path)
    assert done.code == 1
    assert "is there already and not empty" in done.err
    assert (tmp_path / "mine" / "features.py").read_text() == "# mine"


def test_a_port_that_was_asked_for_and_is_in_use_is_an_error(call: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = call("demo", "--port", port, cwd=tmp_path)
    assert done.code == 1
    assert done.err == f"error: port {port} is in use; name another with --port, or leave it out for a free one\n"
    assert list(tmp_path.iterdir()) == []
