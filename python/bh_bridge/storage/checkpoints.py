"""Durable checkpoints: the model in HF layout; optimizer, scheduler and random streams as safetensors and JSON.

They contain no pickles. A checkpoint is complete when every size and SHA-256 in its MANIFEST.json matches. The states
and events up to its step (`history_step`, `events_bytes`) are durable before the checkpoint gets its name.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from bh_bridge.bridge.wire import encode
from bh_bridge.errors import ResumeMismatch
from bh_bridge.storage.durable import free_bytes, remove_directory, replace_directory, share_tensors, sync_directory

MANIFEST = "MANIFEST.json"
FORMAT = 1
FOLDER = "checkpoints"
HISTORY_PER_CHECKPOINTS = 10  # bytes of the history per byte of checkpoints beyond `checkpoint.keep`
HISTORY_PER_ALL = 5  # the same, with replay points


class FileFacts(TypedDict):
    size: int
    sha256: str


class Manifest(TypedDict):
    """MANIFEST.json of a directory: the checksums of its files and facts about it."""

    format: int
    files: dict[str, FileFacts]
    global_step: int  # checkpoints and final models; the next three only checkpoints
    events_bytes: int
    history_step: int
    to_stop: bool
    replay_point: NotRequired[bool]
    saved_by: NotRequired[str]


class Progress(TypedDict):
    """Progress that HF does not restore: the losses since the last log, and the position in a shortened epoch."""

    total_loss: float
    total_loss_before_last_log: float
    last_logged_step: int
    epoch: int | None  # None: the position that transformers computes
    steps_in_epoch: int


def checkpoint_path(run_directory: Path, step: int) -> Path:
    return run_directory / FOLDER / f"step-{step:06d}"


def step_of(checkpoint: Path) -> int:
    """The step of a checkpoint; -1 if a directory is not a checkpoint."""
    digits = checkpoint.name.removeprefix("step-")
    return int(digits) if digits.isdigit() else -1


def all_of(run_directory: Path) -> list[Path]:
    """The checkpoints of a run, oldest first, not verified (see `problem_of`).

    Directories with other names, such as `step-best`, belong to the user.
    """
    directories = (run_directory / FOLDER).glob("step-*")
    return sorted((path for path in directories if path == checkpoint_path(run_directory, step_of(path))), key=step_of)


def read_manifest(directory: Path) -> Manifest:
    if not (directory / MANIFEST).is_file():  # opening a pipe would block
        raise FileNotFoundError(f"{directory / MANIFEST} is not a file")
    return json.loads((directory / MANIFEST).read_text(encoding="utf-8"))


def write_checkpoint(
    run_directory: Path,
    step: int,
    write_state: Callable[[Path], None],
    *,
    history_step: int,
    events_bytes: int,
    to_stop: bool,
    replay_point: bool = False,
) -> None:
    """Write the checkpoint of a step atomically: the files of `write_state` and a manifest.

    to_stop: it was made only because the training was stopped.
    replay_point: it is one that `checkpoint.every` does not ask for. It counts as made to stop as well, because an
    uninterrupted run reports neither.
    """
    with replace_directory(checkpoint_path(run_directory, step)) as directory:
        write_state(directory)
        share_tensors(directory)
        facts = {"replay_point": True} if replay_point else {}
        write_manifest(
            directory,
            global_step=step,
            history_step=history_step,
            events_bytes=events_bytes,
            to_stop=to_stop or replay_point,
            **facts,
        )
        copy_foreign_files(checkpoint_path(run_directory, step), directory)


def write_manifest(directory: Path, **facts: Any) -> None:
    """Describe the files of a directory: size and SHA-256 of each."""
    files = {
        path.name: {"size": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(directory.iterdir())
        if path.name != MANIFEST
    }
    manifest = {"format": FORMAT, **facts, "files": files}
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def problem_of(directory: Path) -> str | None:
    """Describe what is wrong with a checkpoint; None if every file matches its manifest."""
    try:
        manifest = read_manifest(directory)
        if manifest["format"] > FORMAT:
            return f"{directory} has checkpoint format {manifest['format']}; this bh-bridge reads up to {FORMAT}"
        for name, facts in manifest["files"].items():
            path = directory / name
            if path.stat().st_size != facts["size"] or _sha256(path) != facts["sha256"]:
                return f"{path} differs from its manifest"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{directory} cannot be verified: {error}"
    return None


def newest_valid(run_directory: Path, is_recorded: Callable[[int], bool]) -> tuple[Path | None, list[str]]:
    """The newest valid checkpoint whose step is recorded, and the problems of newer ones."""
    problems: list[str] = []
    for directory in reversed(all_of(run_directory)):
        problem = problem_of(directory)
        if problem is None and not is_recorded(step_of(directory)):
            problem = f"{directory} is of a step that the history does not hold"
        if problem is None:
            return directory, problems
        problems.append(problem)
    return None, problems


def prune(run_directory: Path, keep: int) -> None:
    """Remove checkpoints older than the newest `keep` if the newest of all is valid, until the others are small.

    Others remain while together they take at most a tenth of the recorded history, spread over the training, so that
    the model of any step is a short training away. Replay points remain while all others take at most a fifth. Those
    with foreign files are kept.
    """
    directories = all_of(run_directory)
    points = [directory for directory in directories if _is_replay_point(directory)]
    asked = [directory for directory in directories if directory not in points]
    if not (asked[:-keep] or points) or problem_of(directories[-1]) is not None:
        return
    tenth, fifth = _most_bytes(run_directory, HISTORY_PER_CHECKPOINTS), _most_bytes(run_directory, HISTORY_PER_ALL)
    older = _thin_out(asked[:-keep], asked, tenth)
    _thin_out(points, all_of(run_directory), fifth - sum(_size(directory) for directory in older))
    sync_directory(run_directory / FOLDER)


def has_room_for_replay_point(run_directory: Path, size: int, keep: int) -> bool:
    """Whether a replay point of `size` bytes would remain, perhaps in place of others."""
    directories = [directory for directory in all_of(run_directory) if not _is_replay_point(directory)]
    taken = sum(_size(directory) for directory in directories[:-keep])
    return taken + size <= _most_bytes(run_directory, HISTORY_PER_ALL)


def _most_bytes(run_directory: Path, history_per_byte: int) -> int:
    most = sum(path.stat().st_size for path in run_directory.glob("history*.safetensors")) // history_per_byte
    return most if most <= free_bytes(run_directory) else 0


def _is_replay_point(directory: Path) -> bool:
    try:
        return read_manifest(directory).get("replay_point", False)
    except (OSError, ValueError, AttributeError):
        return False


def _thin_out(removable: list[Path], directories: list[Path], most: int) -> list[Path]:
    """Remove checkpoints where `directories` are densest, until the remaining ones take at most `most` bytes.

    Returns the remaining ones.
    """
    removable = [directory for directory in removable if not foreign_files(directory)]
    while removable and sum(_size(directory) for directory in removable) > most:
        least = _least_useful(removable, directories)
        remove_directory(least)
        removable = [directory for directory in removable if directory != least]
        directories = [directory for directory in directories if directory != least]
    return removable


def _least_useful(removable: list[Path], directories: list[Path]) -> Path:
    """The checkpoint whose neighbours are nearest to each other; the oldest of several. The newest comes last."""
    steps = [0, *(step_of(directory) for directory in directories), math.inf]
    apart = {path: after - before for path, before, after in zip(directories, steps[:-2], steps[2:], strict=True)}
    return min(removable, key=apart.__getitem__)


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.iterdir())


def foreign_files(directory: Path) -> list[Path]:
    """Files that are not in the manifest of a directory; all files if it has no readable manifest."""
    try:
        own = {MANIFEST, *read_manifest(directory)["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        own = set()
    return [path for path in directory.iterdir() if path.name not in own]


def copy_foreign_files(source: Path, target: Path) -> None:
    """Copy the foreign files of a directory that is about to be replaced."""
    for path in foreign_files(source) if source.is_dir() else []:
        if (target / path.name).exists():
            continue
        if path.is_dir():
            shutil.copytree(path, target / path.name, symlinks=True)
        else:
            shutil.copy2(path, target / path.name, follow_symlinks=False)


def save_optimizer(optimizer: torch.optim.Optimizer, directory: Path) -> None:
    """Write an optimizer's state: tensors to optimizer.safetensors, everything else to optimizer.json."""
    tensors: dict[str, torch.Tensor] = {}
    values: dict[str, object] = {}
    on_device: list[str] = []  # some optimizers keep scalars on the device of the parameter, others on the CPU
    for index, parameter in _numbered(optimizer):
        for name, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, torch.Tensor):
                tensors[f"{index}.{name}"] = value.detach().cpu().contiguous()
                if value.device == parameter.device:
                    on_device.append(f"{index}.{name}")
            else:
                values[f"{index}.{name}"] = value
    groups = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
    save_file(tensors, directory / "optimizer.safetensors")
    # Sorted, because a loaded state has the order of its file, not that of the optimizer.
    description = {
        "values": dict(sorted(values.items())),
        "groups": groups,
        "sizes": [len(group["params"]) for group in optimizer.param_groups],  # parameters of each group
        "on_device": sorted(on_device),
    }
    (directory / "optimizer.json").write_text(encode(description), encoding="utf-8")


def load_optimizer(optimizer: torch.optim.Optimizer, directory: Path) -> None:
    """Restore the exact state of an optimizer; torch's own load would round moments to the dtype of the weights."""
    tensors = load_file(directory / "optimizer.safetensors")
    description = json.loads((directory / "optimizer.json").read_text(encoding="utf-8"))
    parameters = dict(_numbered(optimizer))
    on_device = set(description["on_device"])
    for key, value in {**tensors, **description["values"]}.items():
        index, name = key.split(".", 1)
        parameter = parameters[int(index)]
        optimizer.state[parameter][name] = value.to(parameter.device) if key in on_device else value
    for group, saved in zip(optimizer.param_groups, description["groups"], strict=True):
        group.update({key: tuple(value) if isinstance(value, list) else value for key, value in saved.items()})


def save_random_state(directory: Path) -> None:
    """Write every random stream: Python, NumPy, and torch on the CPU and each GPU."""
    python_version, python_words, python_gauss = random.getstate()
    kind, words, position, has_gauss, gauss = np.random.get_state()
    tensors = {"torch.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        for index, state in enumerate(torch.cuda.get_rng_state_all()):
            tensors[f"torch.cuda.{index}"] = state
    if torch.backends.mps.is_available():
        tensors["torch.mps"] = torch.mps.get_rng_state()
    save_file(tensors, directory / "random_state.safetensors")
    streams = {
        "python": [python_version, list(python_words), python_gauss],
        "numpy": [kind, np.asarray(words).tolist(), int(position), int(has_gauss), float(gauss)],
    }
    (directory / "random_state.json").write_text(json.dumps(streams), encoding="utf-8")


def load_random_state(directory: Path) -> None:
    """Restore every random stream that `save_random_state` wrote.

    ResumeMismatch if it was written with more GPUs than are available.
    """
    streams = json.loads((directory / "random_state.json").read_text(encoding="utf-8"))
    version, words, gauss = streams["python"]
    random.setstate((version, tuple(words), gauss))
    kind, numpy_words, position, has_gauss, numpy_gauss = streams["numpy"]
    np.random.set_state((kind, np.array(numpy_words, dtype=np.uint32), position, has_gauss, numpy_gauss))
    tensors = load_file(directory / "random_state.safetensors")
    torch.set_rng_state(tensors["torch.cpu"])
    if torch.cuda.is_available():
        _load_gpu_states(tensors, directory)
    if torch.backends.mps.is_available() and "torch.mps" in tensors:
        torch.mps.set_rng_state(tensors["torch.mps"])


def _load_gpu_states(tensors: dict[str, torch.Tensor], directory: Path) -> None:
    states = {int(name.rpartition(".")[2]): state for name, state in tensors.items() if name.startswith("torch.cuda.")}
    count = torch.cuda.device_count()
    if len(states) > count:
        raise ResumeMismatch(
            f"{directory} has the random streams of {len(states)} GPUs, but PyTorch sees {count}. Make as many visible "
            "(CUDA_VISIBLE_DEVICES), or start a new run from the weights alone with --from"
        )
    for index, state in states.items():
        torch.cuda.set_rng_state(state, index)


def _numbered(optimizer: torch.optim.Optimizer) -> Iterator[tuple[int, torch.Tensor]]:
    """The parameters in the order of their groups: the numbering that torch's own state_dict uses."""
    index = 0
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            yield index, parameter
            index += 1


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
