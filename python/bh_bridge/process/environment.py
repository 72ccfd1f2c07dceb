"""Operation `hello`, the first request: sets up the process and describes its environment."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

from bh_bridge import PROTOCOL_VERSION
from bh_bridge.bridge import channel
from bh_bridge.bridge.messages import Hello
from bh_bridge.bridge.protocol import check_request
from bh_bridge.process import interrupts, processor
from bh_bridge.process.parent_death import ends_with_node
from bh_bridge.process.quick_import import quick_import

RECORD_FILE = "environment.python.json"  # of a run


def hello(request: Hello) -> dict[str, object]:
    """Prepare the process, import torch, and describe the environment. The order matters.

    request: protocol, channel {path, token}, threads (None: chosen by PyTorch), device, cores (None: any).
    """
    if request["protocol"] != PROTOCOL_VERSION:
        return {"protocol": PROTOCOL_VERSION, "python": platform.python_version()}  # TypeScript reports both versions
    check_request("hello", request)
    _restore_json()
    _make_spawn_safe()
    _leave_terminal()
    channel.open_channel(request["channel"]["path"], request["channel"]["token"])
    _keep_offline()
    _select_cuda_device(request["device"])
    _stay_on(request["cores"])
    with ends_with_node():
        return describe(request["threads"])


def describe(threads: int | None) -> dict[str, object]:
    """Versions, devices and threads of this process; imports torch."""
    with quick_import():
        import torch

    if threads is not None:
        torch.set_num_threads(threads)
    cuda = torch.cuda.is_available()
    return {
        "protocol": PROTOCOL_VERSION,
        "python": platform.python_version(),
        "executable": sys.executable,
        "pid": os.getpid(),
        "torch": torch.__version__,
        "packages": {name: _version(name) for name in ("transformers", "accelerate", "safetensors", "numpy")},
        "platform": platform.platform(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "processor": processor.kind(),
        "threads": torch.get_num_threads(),
        "devices": {
            "cuda": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())] if cuda else [],
            "mps": torch.backends.mps.is_available(),
        },
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _restore_json() -> None:
    """Undo pythonia's change to the json module, which hides values that cannot be encoded."""
    patch = sys.modules.get("json_patch")
    if patch is not None:
        json.JSONEncoder.default = patch._default.default


def _make_spawn_safe() -> None:
    """Keep spawned child processes (DataLoader workers) from running the main module again.

    multiprocessing imports the file of `__main__` in a spawned child, and pythonia's would read the requests of the
    parent. It ignores a main module without a file.
    """
    main = sys.modules["__main__"]
    if hasattr(main, "__file__"):
        del main.__file__
    os.environ.pop("NODE_CHANNEL_FD", None)


def _leave_terminal() -> None:
    """Join a new process group, so that Ctrl-C in the terminal reaches only Node, which sends interrupts itself.

    The group contains this process and its workers, so that they can be ended together. Until now SIGINT was ignored.
    """
    os.setpgid(0, 0)
    interrupts.listen()


def _keep_offline() -> None:
    """Disable hub requests, telemetry and trackers."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def _stay_on(cores: list[int] | None) -> None:
    """Pin this process to these cores on Linux, so that parallel processes do not share caches."""
    if cores is not None and sys.platform == "linux":
        os.sched_setaffinity(0, cores)


def _select_cuda_device(device: str) -> None:
    """Make the chosen GPU the only visible one before torch is imported, because Trainer would use all."""
    if not device.startswith("cuda"):
        return
    index = int(device.partition(":")[2] or 0)
    visible = [part for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part]
    if not visible:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(index)
    else:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible[index] if index < len(visible) else "-1"


def write_environment(run_directory: Path) -> None:
    """Write the environment of this process into a run once, for people; `run.json` contains the pinned versions."""
    path = run_directory / RECORD_FILE
    if not path.exists():
        path.write_text(json.dumps(describe_environment(), indent=2) + "\n", encoding="utf-8")


def describe_environment() -> dict[str, object]:
    """The environment of a run in full: every installed package, the processor, the BLAS."""
    import torch

    # The packages vendored by setuptools are visible only after setuptools was imported.
    found = [each for each in metadata.distributions() if Path(str(each.locate_file(""))).name != "_vendor"]
    fields = [each.metadata for each in found]  # each access parses the file
    installed = {(each["Name"] or "").lower(): each["Version"] for each in fields}
    return {
        "python": sys.version,
        "executable": sys.executable,
        "platform": platform.platform(),
        "processor": processor.model_name(),
        "cores": os.cpu_count(),
        "allowed_cores": sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else None,
        "threads": {"intra_op": torch.get_num_threads(), "inter_op": torch.get_num_interop_threads()},
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch_build": torch.__config__.show().strip().splitlines(),  # includes the BLAS and its version
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "packages": {name: version for name, version in sorted(installed.items()) if name},
    }
