"""What the figures were measured on: processor, cores, versions, date."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .load import find_wrk
from .servers import Environment, clean_environment

VERSIONS = """
import importlib.metadata, json, platform, sys
versions = {"python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(versions))
"""
PACKAGES = ("feast", "feastkit", "sanic", "uvloop", "fastapi", "gunicorn", "uvicorn", "pandas", "pyarrow", "duckdb")


def facts() -> dict[str, Any]:
    """The machine and the moment. `load_1_minute` well above 0 says that others were using the machine."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
        "load_1_minute": os.getloadavg()[0],
        "wrk": subprocess.run([find_wrk(), "-v"], capture_output=True, text=True, check=False).stdout.split(" [")[0],
    }


def versions(environment: Environment) -> dict[str, str]:
    """The versions of Python and of the packages that matter, those that are installed in `environment`."""
    command = [str(environment.python), "-I", "-c", VERSIONS, *PACKAGES]
    finished = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(finished.stdout)
    return found


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
