"""Recover a run directory in this process, as `bh-bridge resume` does it, and compare it with the whole run."""

from __future__ import annotations

import json
import re
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

HEADER_BYTES = 4096
RECORD = struct.Struct("<QIId")
OWN_MODEL_FIELDS = ("norm", "dtype", "from")
# What tells of an interruption, and what is told at times of its own.
NOT_COMPARED = ("resumed", "checkpoint_rejected", "usage", "alert", "step_method")


def committed_step(files: dict[str, bytes | None], run: str) -> int:
    """The newest step that an image has committed; -1 for none. Read from the format, not with the code under test."""
    history, index = files.get(f"{run}/history.safetensors"), files.get(f"{run}/history.idx")
    if not history or not index or len(history) < HEADER_BYTES + 8:
        return -1
    header = json.loads(history[8:HEADER_BYTES])
    begin, end = header["embedding_history"]["data_offsets"]
    state_bytes = (end - begin) // header["embedding_history"]["shape"][0]
    done = struct.unpack_from("<q", history, HEADER_BYTES)[0]
    step, crc, _, _ = RECORD.unpack_from(index, done * RECORD.size)
    at = HEADER_BYTES + begin + done * state_bytes
    if zlib.crc32(history[at : at + state_bytes]) != crc:
        if done == 0:
            return -1
        raise AssertionError(f"state {done} is committed, and its bytes are not there")
    return int(step)


def run_of(root: Path) -> Path | None:
    """The run directory in an image; None when the run had not begun."""
    return next((path for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith(".")), None)


def recover(root: Path, certain_step: int, whole: Path) -> str:
    """Resume what an image holds and train to the end; "" when it is the whole run, else what is wrong."""
    run = run_of(root)
    if run is None:
        return "" if certain_step < 0 else "the run is gone"
    manifest, config = (json.loads((run / name).read_text()) for name in ("run.json", "config.json"))
    if manifest["config_hash"] != json.loads((whole / "run.json").read_text())["config_hash"]:
        return "run.json is of another run"
    recorded_step = _resume(run, config, manifest)
    if recorded_step < certain_step:
        return f"step {certain_step} was committed, and step {recorded_step} is the newest"
    return ", ".join(differences(run, whole))


def differences(run: Path, whole: Path) -> list[str]:
    """Names of the files in which two runs differ."""
    names = ["history.safetensors", "history.idx", "final/model.safetensors"]
    unequal = [
        name for name in names if not (run / name).exists() or (run / name).read_bytes() != (whole / name).read_bytes()
    ]
    return unequal if _events(run) == _events(whole) else [*unequal, "events.jsonl"]


def _events(run: Path) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    clock = ("seq", "mono", "wall")
    return [
        {key: value for key, value in event.items() if key not in clock}
        for event in events
        if event["type"] not in NOT_COMPARED
    ]


def _resume(run: Path, config: dict[str, Any], manifest: dict[str, Any]) -> int:
    import silent_node
    from bh_bridge.bridge import channel
    from bh_bridge.operations import model_operations, trainer_operations

    channel.open_channel(silent_node.listen(Path(tempfile.mkdtemp())), "token")
    model = config["model"]
    handle = model_operations.create(
        {
            "from": model["from"],
            "config": {name: value for name, value in model.items() if name not in OWN_MODEL_FIELDS},
            "norm": model["norm"],
            "dtype": model["dtype"],
            "init": config["init"],
            "seed": config["seed"],
            "init_seed": config["seed"],
            "draws": "torch",
        }
    )["handle"]
    data = config["data"]
    created = trainer_operations.create(
        {
            "model": handle,
            "run_directory": str(run),
            "data": {
                "corpus": manifest["corpus"]["path"],
                "label_shift": data["label_shift"],
                "documents": data["documents"],
                "held_out": data["held_out"],
                "windows": data["windows"],
                "tokenizer": None,
                "window_length": model["n_positions"],
            },
            "training": config["training"],
            "dtype": model["dtype"],
            "seed": config["seed"],
            "data_seed": config["seed"],
            "device": "cpu",
            "engine": config["engine"],
            "noise": config["noise"],
            "record": config["record"],
            "checkpoint": config["checkpoint"],
            "events": [],
            "deciders": [],
            "resume": "exact",
            "start_from": None,
            "track": [],
            "until": None,
            "trace": None,
        }
    )
    trainer_operations.train({"handle": created["handle"], "training": 1})
    return int(created["recorded_step"])


def file_names(image: dict[str, bytes | None]) -> str:
    """The run directory's name in an image, or nothing."""
    return next((match.group(0) for name in sorted(image) if (match := re.match(r"^[^./][^/]*", name))), "")
