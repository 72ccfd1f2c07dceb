"""The private parts of transformers, accelerate and torch that bh-bridge uses, under public names.

No other module uses private parts of these libraries. Importing this module verifies them (0.3 ms), so an unsupported
version is refused before anything is trained.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Generator
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import accelerate.accelerator
import accelerate.optimizer
import torch
from accelerate.state import AcceleratorState, GradientState
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel, Trainer, TrainingArguments, masking_utils, trainer_pt_utils

from bh_bridge.errors import DependencyUnfit

# As in pyproject.toml; `npm run test:versions` trains with both ends of each.
RUN_WITH = {"transformers": ">=5.4,<5.25", "accelerate": ">=1.3,<1.16", "torch": ">=2.7,<2.16"}

_REPLACED = (  # by OpenTrainer, so Trainer must call them
    "_clip_grad_norm",
    "_get_grad_norm",
    "_get_num_items_in_batch",
    "_init_training_state",
    "_load_from_checkpoint",
    "_load_optimizer_and_scheduler",
    "_load_rng_state",
    "_save_checkpoint",
)
_CALLED = ("_prepare_inputs",)
_STATE = ("_globalstep_last_logged", "_total_loss_scalar", "_tr_loss")  # attributes that Trainer sets when it trains
_OPERATORS = (
    "_log_softmax_backward_data",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention_for_cpu_backward",
    "_softmax_backward_data",
)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def accept_tied_weights(model: nn.Module) -> None:
    """Let Trainer load weights that lack the second name of a tied one; it expects this of models of transformers."""
    if not hasattr(model, "_keys_to_ignore_on_save"):
        cast("Any", model)._keys_to_ignore_on_save = None


def missing_parts() -> dict[str, list[str]]:
    """The parts that the installed versions lack, by package."""
    used = _names_used_by(Trainer)
    trainer = [name for name in (*_REPLACED, *_CALLED) if not hasattr(Trainer, name)]
    trainer += [name for name in (*_REPLACED, *_STATE) if name not in used and name not in trainer]
    module = nn.Module()
    used_of_transformers: list[tuple[Any, str]] = [
        (PreTrainedConfig, "_attn_implementation"),
        (masking_utils, "find_packed_sequence_indices"),
        (trainer_pt_utils, "safe_globals"),
    ]
    return {
        "transformers": [
            *(f"Trainer.{name}" for name in sorted(trainer)),
            *([] if "_n_gpu" in _names_used_by(TrainingArguments) else ["TrainingArguments._n_gpu"]),
            *(
                f"{owner.__name__.removeprefix('transformers.')}.{name}"
                for owner, name in used_of_transformers
                if not hasattr(owner, name)
            ),
        ],
        "accelerate": [
            *([] if hasattr(GradientState, "_shared_state") else ["GradientState._shared_state"]),
            *(f"{kind.__name__}._reset_state" for kind in (AcceleratorState, GradientState) if not _can_reset(kind)),
        ],
        "torch": [
            *(f"ops.aten.{name}" for name in _OPERATORS if not hasattr(torch.ops.aten, name)),
            *(f"nn.Module.{name}" for name in _HOOKS if not hasattr(module, name)),
        ],
    }


def require_parts() -> None:
    """DependencyUnfit if a part is missing, with the command that installs a supported version."""
    for package, names in missing_parts().items():
        if names:
            raise DependencyUnfit(
                f"{package} {metadata.version(package)} has no {', '.join(names)}, which bh-bridge uses. Install a "
                f'supported version: {sys.executable} -m pip install "{package}{RUN_WITH[package]}"'
            )


def _names_used_by(kind: type) -> set[str]:
    """The attributes and globals used by the methods and properties of a class."""
    used: set[str] = set()
    for member in vars(kind).values():
        function = member.fget if isinstance(member, property) else member
        code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
        used.update(code.co_names if code else ())
    return used


def _can_reset(kind: type) -> bool:
    return hasattr(kind, "_reset_state")


require_parts()


class OpenTrainer(Trainer):
    """Trainer whose private methods and attributes have public names for subclasses to call or override."""

    # Subclasses may override these; `super()` is the behaviour of transformers.

    def clip_gradients(self, model: nn.Module) -> Any:
        """Clip the gradients; return their norm before clipping."""
        return super()._clip_grad_norm(model)

    def gradient_norm(self, model: nn.Module, norm: Any) -> Any:
        """The gradient norm to log; `norm` is the norm from clipping, or None."""
        return super()._get_grad_norm(model, norm)

    def items_of(self, batches: list[dict[str, torch.Tensor]]) -> torch.Tensor | int | None:
        """The number of labels in these batches, by which the loss of their step is divided."""
        return super()._get_num_items_in_batch(batches, self.args.device)

    def training_position(self, epoch: int, batches: int) -> tuple[int, int]:
        """The epoch to start in and its batches to skip, as computed by transformers."""
        return epoch, batches

    def write_checkpoint(self) -> None:
        """Write a checkpoint of this step."""
        raise NotImplementedError

    def load_optimizer(self, checkpoint: Path) -> None:
        """Restore the optimizer and the scheduler."""
        raise NotImplementedError

    def load_random_streams(self, checkpoint: Path) -> None:
        """Restore the random streams."""
        raise NotImplementedError

    def load_weights(self, checkpoint: Path) -> None:
        """Load the weights that have the model's own names."""
        super()._load_from_checkpoint(str(checkpoint))

    # Subclasses may use these.

    def on_device(self, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Move a batch to the device of the model."""
        return self._prepare_inputs(inputs)

    @property
    def loss_since_log(self) -> torch.Tensor:
        """Sum of the losses of the steps since the last log."""
        return self._tr_loss

    @loss_since_log.setter
    def loss_since_log(self, loss: torch.Tensor) -> None:
        self._tr_loss = loss

    @property
    def loss_before_log(self) -> float:
        """Sum of the losses of the steps up to the last log."""
        return self._total_loss_scalar

    @loss_before_log.setter
    def loss_before_log(self, loss: float) -> None:
        self._total_loss_scalar = loss

    @property
    def last_logged_step(self) -> int:
        return self._globalstep_last_logged

    @last_logged_step.setter
    def last_logged_step(self, step: int) -> None:
        self._globalstep_last_logged = step

    # Trainer calls these.

    def _clip_grad_norm(self, model: nn.Module) -> Any:
        return self.clip_gradients(model)

    def _get_grad_norm(self, model: nn.Module, grad_norm: Any = None) -> Any:
        return self.gradient_norm(model, grad_norm)

    def _get_num_items_in_batch(
        self, batch_samples: list[dict[str, torch.Tensor]], device: torch.device
    ) -> torch.Tensor | int | None:
        return self.items_of(batch_samples)

    def _init_training_state(self, *args: Any, **options: Any) -> tuple[int, int]:
        return self.training_position(*super()._init_training_state(*args, **options))

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        self.write_checkpoint()

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        self.load_weights(Path(resume_from_checkpoint))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            self.load_optimizer(Path(checkpoint))

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            self.load_random_streams(Path(checkpoint))


def use_one_gpu(args: TrainingArguments) -> None:
    """Keep Trainer from splitting a batch over all visible GPUs."""
    vars(args)["_n_gpu"] = min(args.n_gpu, 1)


def attention_of(config: PreTrainedConfig) -> str | None:
    """The attention implementation that a model was built with, for example `sdpa`."""
    return config._attn_implementation


def recomputes_activations(model: PreTrainedModel) -> bool:
    """Whether activation checkpointing is on; supported versions of transformers name the property differently."""
    return any(getattr(module, "gradient_checkpointing", False) for module in model.modules())


def checkpoint_globals() -> contextlib.AbstractContextManager[Any]:
    """Allow `torch.load(weights_only=True)` the NumPy types that Trainer's own checkpoints contain."""
    return trainer_pt_utils.safe_globals()


@contextlib.contextmanager
def one_text_a_row() -> Generator[None]:
    """Assume one text per row while a step is captured.

    Otherwise transformers would use an attention mask for packed texts, and the bits would differ.
    """

    def one_text(position_ids: torch.Tensor) -> None:
        """Report no packed texts."""

    look = masking_utils.find_packed_sequence_indices
    masking_utils.find_packed_sequence_indices = one_text
    try:
        yield
    finally:
        masking_utils.find_packed_sequence_indices = look


def gradient_state() -> dict[str, object]:
    """The state of accelerate's gradient accumulation, which exists once per process."""
    return GradientState._shared_state


def forget_accelerate() -> None:
    """Reset the process-wide state of accelerate: device, precision, gradient accumulation."""
    AcceleratorState._reset_state(reset_partial_state=True)
    GradientState._reset_state()


def look_for_lomo_once() -> None:
    """Cache accelerate's search for this package, which otherwise costs 0.4 ms in every step."""
    for module in (accelerate.accelerator, accelerate.optimizer):
        look = vars(module).get("is_lomo_available")
        if look is not None and not hasattr(look, "cache_info"):
            vars(module)["is_lomo_available"] = functools.cache(look)


softmax_backward: Any = torch.ops.aten._softmax_backward_data
log_softmax_backward: Any = torch.ops.aten._log_softmax_backward_data
flash_attention: Any = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
flash_attention_backward: Any = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def has_hooks(model: nn.Module) -> bool:
    """Whether any module has a forward or backward hook."""
    return any(getattr(module, kind) for module in model.modules() for kind in _HOOKS)
