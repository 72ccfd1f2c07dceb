"""What a run was computed with, in full: every installed package, processor, BLAS. Written once, beside the run."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

import torch

from bh_bridge.process.processor import model_name

FILE_NAME = "environment.python.json"


def write_environment(run_directory: Path) -> None:
    """Write the environment of this process into a run, once: it is for people, `run.json` has the pin."""
    path = run_directory / FILE_NAME
    if not path.exists():
        path.write_text(json.dumps(describe_environment(), indent=2) + "\n", encoding="utf-8")


def describe_environment() -> dict[str, object]:
    # What setuptools carries inside itself is seen only once something has imported setuptools.
    found = [each for each in metadata.distributions() if Path(str(each.locate_file(""))).name != "_vendor"]
    installed = {(each.metadata["Name"] or "").lower(): each.version for each in found}
    return {
        "python": sys.version,
        "executable": sys.executable,
        "platform": platform.platform(),
        "processor": model_name(),
        "cores": os.cpu_count(),
        "allowed_cores": sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else None,
        "threads": {"intra_op": torch.get_num_threads(), "inter_op": torch.get_num_interop_threads()},
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch_build": torch.__config__.show().strip().splitlines(),  # the BLAS and its version are in here
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "packages": {name: version for name, version in sorted(installed.items()) if name},
    }
