"""Converts checkpoints of HF's Trainer to those of a run and back, without executing pickles."""

from __future__ import annotations

import functools
import json
import pickle
import shutil
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from bh_bridge.bridge.wire import encode
from bh_bridge.errors import ConfigInvalid
from bh_bridge.hf_internals import checkpoint_globals
from bh_bridge.models.model import save_model
from bh_bridge.recording.history import first_recorded_step
from bh_bridge.storage import checkpoints

_NEEDED = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")
_WEIGHTS = "model.safetensors"


class HfState(TypedDict):
    """The fields of transformers' trainer_state.json that are used here."""

    global_step: int


class HfOptimizer(TypedDict):
    """optimizer.pt of transformers."""

    state: dict[int, dict[str, object]]
    param_groups: list[dict[str, object]]


class HfRandomState(TypedDict):
    """rng_state.pth of transformers."""

    cpu: torch.Tensor
    cuda: NotRequired[torch.Tensor | list[torch.Tensor] | None]
    python: tuple[int, tuple[int, ...], float | None]
    numpy: tuple[str, Any, int, int, float]


def import_trainer_state(source: str, run_directory: Path, model: PreTrainedModel) -> int:
    """Convert a checkpoint of HF's Trainer or of another run into the first checkpoint of a run; return its step.

    model: the model of the checkpoint. Its weights are saved if the checkpoint has them in another form.
    A run that has a checkpoint of its own no longer needs the source. ConfigInvalid if a file is missing or contains
    more than tensors and plain values.
    """
    directory = Path(source)
    if any(checkpoints.problem_of(checkpoint) is None for checkpoint in checkpoints.all_of(run_directory)):
        first_step = first_recorded_step(run_directory / "history.safetensors")
        if first_step is not None:
            return first_step
    is_ours = (directory / checkpoints.MANIFEST).is_file() and (directory / "optimizer.safetensors").is_file()
    step = _step_of_ours(directory) if is_ours else _step_of_theirs(directory)
    write_state = (
        functools.partial(_copy_ours, directory) if is_ours else functools.partial(_convert_theirs, directory, model)
    )
    checkpoints.write_checkpoint(run_directory, step, write_state, history_step=step, events_bytes=0, to_stop=False)
    return step


def _step_of_ours(directory: Path) -> int:
    problem = checkpoints.problem_of(directory)
    if problem is not None:
        raise ConfigInvalid(f"{problem}. Start from another checkpoint")
    return checkpoints.read_manifest(directory)["global_step"]


def _copy_ours(directory: Path, folder: Path) -> None:
    for path in directory.iterdir():
        if path.name != checkpoints.MANIFEST:
            shutil.copyfile(path, folder / path.name)


def _step_of_theirs(directory: Path) -> int:
    missing = [name for name in _NEEDED if not (directory / name).is_file()]
    if (directory / "rng_state_0.pth").is_file():
        raise ConfigInvalid(
            f"cannot resume from {directory}: several processes wrote it, each with its own random streams. To "
            "start from its weights alone, omit --resume-state"
        )
    if missing:
        raise ConfigInvalid(
            f"cannot resume from {directory}: it has no {', '.join(missing)}. To start from its weights alone, "
            "omit --resume-state"
        )
    return _trainer_state(directory)["global_step"]


def _convert_theirs(directory: Path, model: PreTrainedModel, folder: Path) -> None:
    if (directory / _WEIGHTS).is_file():
        for name in (_WEIGHTS, "config.json"):
            shutil.copyfile(directory / name, folder / name)
    else:  # in several files, or as .bin
        save_model(model, folder)
    shutil.copyfile(directory / "trainer_state.json", folder / "trainer_state.json")
    _write_optimizer(_load(directory / "optimizer.pt"), folder)
    (folder / "scheduler.json").write_text(json.dumps(_load(directory / "scheduler.pt")), encoding="utf-8")
    _write_random_state(_load(directory / "rng_state.pth"), folder)
    (folder / "progress.json").write_text(json.dumps(_progress(_step_of_theirs(directory))), encoding="utf-8")


def _trainer_state(directory: Path) -> HfState:
    return json.loads((directory / "trainer_state.json").read_text(encoding="utf-8"))


def _load(path: Path) -> Any:
    """Load tensors, NumPy arrays and plain values of a torch.save file; anything else is refused, not executed."""
    try:
        with checkpoint_globals():
            return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ConfigInvalid(f"{path} contains more than plain data and is not loaded: {error}") from error


def _write_optimizer(saved: HfOptimizer, folder: Path) -> None:
    tensors: dict[str, torch.Tensor] = {}
    values: dict[str, object] = {}
    for index, entry in saved["state"].items():
        for name, value in entry.items():
            key = f"{index}.{name}"
            if isinstance(value, torch.Tensor):
                tensors[key] = value.contiguous()
            else:
                values[key] = value
    groups = [{key: value for key, value in group.items() if key != "params"} for group in saved["param_groups"]]
    on_device = [key for key, value in tensors.items() if value.ndim > 0]  # torch keeps step counts on the CPU
    save_file(tensors, folder / "optimizer.safetensors")
    description = {"values": values, "groups": groups, "on_device": on_device}
    (folder / "optimizer.json").write_text(encode(description), encoding="utf-8")


def _write_random_state(saved: HfRandomState, folder: Path) -> None:
    tensors = {"torch.cpu": saved["cpu"]}
    cuda = saved.get("cuda")
    for index, state in enumerate([cuda] if isinstance(cuda, torch.Tensor) else cuda or []):
        tensors[f"torch.cuda.{index}"] = state
    save_file(tensors, folder / "random_state.safetensors")
    version, words, gauss = saved["python"]
    kind, numpy_words, position, has_gauss, numpy_gauss = saved["numpy"]
    streams = {
        "python": [version, list(words), gauss],
        "numpy": [kind, numpy_words.tolist(), int(position), int(has_gauss), float(numpy_gauss)],
    }
    (folder / "random_state.json").write_text(json.dumps(streams), encoding="utf-8")


def _progress(step: int) -> checkpoints.Progress:
    """Progress as HF restores it: the mean loss starts again at 0, and the position follows from the step."""
    return {
        "total_loss": 0.0,
        "total_loss_before_last_log": 0.0,
        "last_logged_step": step,
        "epoch": None,
        "steps_in_epoch": 0,
    }


def export_trainer_state(checkpoint: Path, folder: Path) -> None:
    """Write optimizer, scheduler and random streams of a run's checkpoint as HF's Trainer loads them."""
    description = json.loads((checkpoint / "optimizer.json").read_text(encoding="utf-8"))
    state: dict[int, dict[str, object]] = {}
    for key, value in {**load_file(checkpoint / "optimizer.safetensors"), **description["values"]}.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    groups, first = [], 0
    for group, size in zip(description["groups"], description["sizes"], strict=True):
        plain = {key: tuple(value) if isinstance(value, list) else value for key, value in group.items()}
        groups.append({**plain, "params": list(range(first, first + size))})
        first += size
    torch.save({"state": dict(sorted(state.items())), "param_groups": groups}, folder / "optimizer.pt")
    torch.save(json.loads((checkpoint / "scheduler.json").read_text(encoding="utf-8")), folder / "scheduler.pt")
    torch.save(_read_random_state(checkpoint), folder / "rng_state.pth")
    shutil.copyfile(checkpoint / "trainer_state.json", folder / "trainer_state.json")


def _read_random_state(checkpoint: Path) -> HfRandomState:
    streams = json.loads((checkpoint / "random_state.json").read_text(encoding="utf-8"))
    tensors = load_file(checkpoint / "random_state.safetensors")
    version, words, gauss = streams["python"]
    kind, numpy_words, position, has_gauss, numpy_gauss = streams["numpy"]
    gpus = sorted((name for name in tensors if name.startswith("torch.cuda.")), key=lambda name: int(name[11:]))
    saved: HfRandomState = {
        "python": (version, tuple(words), gauss),
        "numpy": (kind, np.array(numpy_words, dtype=np.uint32), position, has_gauss, numpy_gauss),
        "cpu": tensors["torch.cpu"],
    }
    if gpus:
        saved["cuda"] = tensors[gpus[0]] if len(gpus) == 1 else [tensors[name] for name in gpus]
    return saved
