"""What HF's Trainer is told of a run: its TrainingArguments, under their own names and with the seeds of the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from importlib import metadata
from typing import Any

from transformers import TrainingArguments

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.errors import ConfigInvalid
from bh_bridge.hf_internals import use_one_gpu
from bh_bridge.process.device import resolve_device

OWN_FIELDS = ("decay_norms", "optimizer_state_dtype", "data_seed")  # of `training`: told to HF in other ways


def training_arguments(request: TrainerCreate) -> TrainingArguments:
    """HF's arguments of a run. `request` is that of `trainer.create`."""
    training: dict[str, Any] = {name: value for name, value in request["training"].items() if name not in OWN_FIELDS}
    _require_fields(training)
    args = TrainingArguments(
        **training,
        output_dir=request["run_directory"],
        seed=request["seed"],  # of what draws during the steps
        data_seed=None if request["data_seed"] == request["seed"] else request["data_seed"],
        use_cpu=resolve_device(request["device"]) == "cpu",
        logging_nan_inf_filter=False,  # HF's default puts 0 or an older mean in place of a loss that is not a number
        save_strategy="no",  # checkpoints are asked for by the RunStep
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,  # batches come ready from Windows
    )
    use_one_gpu(args)
    return args


def _require_fields(training: Iterable[str]) -> None:
    """ConfigInvalid for settings that the installed transformers does not have: those of the newest can be written."""
    known = {field.name for field in dataclasses.fields(TrainingArguments)}
    if unknown := sorted(set(training) - known):
        fields = ", ".join(f"training.{name}" for name in unknown)
        version = metadata.version("transformers")
        raise ConfigInvalid(f"{fields}: transformers {version} does not have it. Leave it out, or install a newer one")
