"""Operation `hello`: the first exchange. Sets the process up, then says what it found."""

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
    """Prepare the process in the order that matters, import torch, and describe the environment.

    request: protocol, channel {path, token}, threads (None = PyTorch's own choice), device, cores (None = any).
    """
    if request["protocol"] != PROTOCOL_VERSION:
        return {"protocol": PROTOCOL_VERSION, "python": platform.python_version()}  # TypeScript names both versions
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
    """Undo pythonia's change to the json module, for objects that never come here: it hides what cannot be encoded."""
    patch = sys.modules.get("json_patch")
    if patch is not None:
        json.JSONEncoder.default = patch._default.default


def _make_spawn_safe() -> None:
    """Keep child processes (DataLoader workers with spawn) from running the bridge's main module again.

    multiprocessing re-imports the file of `__main__` in a spawned child, and pythonia's has no guard: it would read
    the parent's requests. A main module without a file is left alone.
    """
    main = sys.modules["__main__"]
    if hasattr(main, "__file__"):
        del main.__file__
    os.environ.pop("NODE_CHANNEL_FD", None)


def _leave_terminal() -> None:
    """Ctrl-C in the terminal is for Node, which asks over the channel; a SIGINT that arrives here was sent on purpose.

    Until now it was ignored: the launcher starts Python that way. The group is this process and its workers, so that
    they can be ended together.
    """
    os.setpgid(0, 0)
    interrupts.listen()


def _keep_offline() -> None:
    """Nothing leaves the machine: no hub look-ups, no telemetry, no trackers."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["TRANSFORMERS_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"


def _stay_on(cores: list[int] | None) -> None:
    """Keep this process and its threads on these cores, where the system can: processes side by side share no cache."""
    if cores is not None and sys.platform == "linux":
        os.sched_setaffinity(0, cores)


def _select_cuda_device(device: str) -> None:
    """Make the chosen GPU the only visible one, before torch is imported: Trainer would use them all in parallel."""
    if not device.startswith("cuda"):
        return
    index = int(device.partition(":")[2] or 0)
    visible = [part for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part]
    if not visible:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(index)
    else:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible[index] if index < len(visible) else "-1"


def write_environment(run_directory: Path) -> None:
    """Write the environment of this process into a run, once: it is for people, `run.json` has the pin."""
    path = run_directory / RECORD_FILE
    if not path.exists():
        path.write_text(json.dumps(describe_environment(), indent=2) + "\n", encoding="utf-8")


def describe_environment() -> dict[str, object]:
    """What a run is computed with, in full: every installed package, the processor, the BLAS."""
    import torch

    # What setuptools carries inside itself is seen only once something has imported setuptools.
    found = [each for each in metadata.distributions() if Path(str(each.locate_file(""))).name != "_vendor"]
    installed = {(each.metadata["Name"] or "").lower(): each.version for each in found}
    return {
        "python": sys.version,
        "executable": sys.executable,
        "platform": platform.platform(),
        "processor": processor.model_name(),
        "cores": os.cpu_count(),
        "allowed_cores": sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else None,
        "threads": {"intra_op": torch.get_num_threads(), "inter_op": torch.get_num_interop_threads()},
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch_build": torch.__config__.show().strip().splitlines(),  # the BLAS and its version are in here
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
        "packages": {name: version for name, version in sorted(installed.items()) if name},
    }
