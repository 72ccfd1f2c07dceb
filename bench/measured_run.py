"""Run one command and print a line of JSON: its wall and processor time, and the time that other processes took.

usage: measured_run.py OUTPUT COMMAND [ARG ...]; the command's stdout goes to the file OUTPUT.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path


def busy_seconds():
    """Processor time of the whole machine since it started; 0 where /proc/stat is missing."""
    try:
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    except OSError:
        return 0.0
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


before, wall_before, started = busy_seconds(), time.time(), time.perf_counter()
with open(sys.argv[1], "wb") as output:
    quiet = {"stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    code = subprocess.run(sys.argv[2:], stdout=output, **quiet).returncode
wall = time.perf_counter() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
own = usage.ru_utime + usage.ru_stime
answer = {
    "code": code,
    "started": wall_before,
    "wall": wall,
    "cpu": own,
    "other": max(0.0, busy_seconds() - before - own),
}
print(json.dumps({**answer, "peak_mb": usage.ru_maxrss / 1024}))
