"""Runs one command and writes what it took: `python timed.py RESULT COMMAND...`, standard library only.

It is a process of its own because Linux counts the memory of whoever forks a command as the command's peak until it
has begun: started from a large process, a small command would look large.
"""

import json
import os
import subprocess
import sys
import time

if __name__ == "__main__":
    result, command = sys.argv[1], sys.argv[2:]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    peak = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)  # macOS: bytes, Linux: KiB
    record = {"seconds": seconds, "cpu_seconds": usage.ru_utime + usage.ru_stime, "peak_rss_mib": peak}
    with open(result, "w") as file:
        json.dump(record, file)
    sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)
