"""The quantities of a step that `record.tensors` can name, each recorded in its own dtype.

Parameters: `wte`, an untied `lm_head`, and all others by name; for each, `.grad` (the gradient that the optimizer
receives) and the optimizer state by torch's name (`.exp_avg`, `.momentum_buffer`, …).
Steps: `learning_rate`, `grad_norm` before and `grad_norm.clipped` after clipping; over the positions of all batches,
`hidden.mean` and `hidden.variance` of the last hidden state and `logits.mean` of each token.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn.utils import get_total_norm

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.errors import ConfigInvalid
from bh_bridge.models.families import embedding_of, head_of

OF_THE_FORWARD_PASS = ("hidden.mean", "hidden.variance", "logits.mean")
OF_THE_STEP = ("learning_rate", "grad_norm", "grad_norm.clipped", *OF_THE_FORWARD_PASS)


def needs_forward(request: TrainerCreate) -> bool:
    """Whether a run records results of the model's own forward pass."""
    return any(name in OF_THE_FORWARD_PASS for name in request["record"]["tensors"])


@dataclass(frozen=True)
class Quantity:
    """A recorded matrix."""

    rows: int
    columns: int
    dtype: torch.dtype
    is_by_token: bool  # row i belongs to token i, and `record.rows` selects rows
    read: Callable[[], torch.Tensor | None]  # any shape with these elements; None if it does not exist yet


@dataclass(frozen=True)
class OptimizerView:
    """The optimizer state and settings of a weight, its state as foreseen before the first step, and the norm."""

    state: Callable[[torch.Tensor], Mapping[str, Any]]
    settings: Callable[[torch.Tensor], Mapping[str, Any]]
    foresee: Callable[[nn.Parameter], Mapping[str, Any]]
    norm: Callable[[], torch.Tensor]  # of all present gradients


class Quantities:
    """The recorded quantities of a run by name. `capture` copies those that the optimizer step changes."""

    def __init__(self, model: Any, names: list[str], optimizer: OptimizerView) -> None:
        self.model = model
        self._optimizer = optimizer
        self._captured: dict[str, torch.Tensor] = {}
        self._gradients: dict[str, nn.Parameter] = {}
        self._foreseen: dict[int, Mapping[str, Any]] = {}
        self._norm_before: torch.Tensor | None = None
        self._forward: ForwardMeans | None = None
        self._weights = _weights(model)
        self.by_name = {name: self._quantity(name) for name in names}
        self._of_the_step = [name for name in names if name in OF_THE_STEP]
        if any(name in OF_THE_FORWARD_PASS for name in names):
            self._forward = ForwardMeans(model, with_logits="logits.mean" in names)

    def note_norm(self, norm: torch.Tensor) -> None:
        """Note the gradient norm before clipping."""
        self._norm_before = norm.detach().clone()

    @torch.no_grad()
    def capture(self) -> None:
        """Copy gradients, norms, learning rate and hidden states before the optimizer step."""
        for name, weight in self._gradients.items():
            if weight.grad is None:
                self._captured.pop(name, None)
            else:
                self._captured[name] = weight.grad.detach().clone()
        if "learning_rate" in self._of_the_step:
            rate = self._optimizer.settings(self._weights["wte"])["lr"]
            self._captured["learning_rate"] = torch.tensor(float(rate), dtype=torch.float64)
        if "grad_norm" in self._of_the_step or "grad_norm.clipped" in self._of_the_step:
            norm = self._optimizer.norm()
            self._captured["grad_norm"] = norm if self._norm_before is None else self._norm_before
            self._captured["grad_norm.clipped"] = norm
        self._norm_before = None
        if self._forward is not None:
            self._captured.update(self._forward.take())

    def close(self) -> None:
        """Remove the hook from the model."""
        if self._forward is not None:
            self._forward.close()

    def _quantity(self, name: str) -> Quantity:
        if name in OF_THE_STEP:
            return self._of_step(name)
        if name in self._weights:
            weight = self._weights[name]
            return self._of_weight(name, weight, weight, lambda: weight)
        for length in range(name.count("."), 0, -1):  # the longest parameter name that is a prefix
            parts = name.split(".")
            weight = self._weights.get(".".join(parts[:length]))
            if weight is not None:
                return self._belonging(name, weight, ".".join(parts[length:]), ".".join(parts[:length]))
        raise self._unknown(name)

    def _belonging(self, name: str, weight: nn.Parameter, part: str, owner: str) -> Quantity:
        """The gradient or the optimizer state of a weight."""
        if part == "grad":
            self._gradients[name] = weight
            return self._of_weight(name, weight, weight, lambda: self._captured.get(name))
        kept = self._foresee(weight)
        if part not in kept:
            there = ", ".join(f"{owner}.{key}" for key in ("grad", *kept))
            raise ConfigInvalid(f'record.tensors: "{name}": the optimizer has no {part} for {owner}. Use {there}')
        return self._of_weight(name, weight, kept[part], lambda: _as_tensor(self._optimizer.state(weight).get(part)))

    def _of_weight(
        self, name: str, weight: nn.Parameter, like: torch.Tensor, read: Callable[[], torch.Tensor | None]
    ) -> Quantity:
        """A quantity of a weight with the shape and dtype of `like`."""
        rows, columns = _as_matrix(like.shape)
        is_by_token = name.split(".")[0] in ("wte", "lm_head") and like.shape == weight.shape
        return Quantity(rows, columns, like.dtype, is_by_token, read)

    def _of_step(self, name: str) -> Quantity:
        vocab, hidden = self._weights["wte"].shape
        rows, columns = {"logits.mean": (vocab, 1), "hidden.mean": (1, hidden), "hidden.variance": (1, hidden)}.get(
            name, (1, 1)
        )
        dtype = self._norm_dtype() if name.startswith("grad_norm") else torch.float64
        return Quantity(rows, columns, dtype, name == "logits.mean", lambda: self._captured.get(name))

    def _foresee(self, weight: nn.Parameter) -> Mapping[str, torch.Tensor]:
        """The optimizer state that a weight will have."""
        key = id(weight)
        if key not in self._foreseen:
            found = self._optimizer.foresee(weight)
            self._foreseen[key] = {
                part: kept for part, value in found.items() if (kept := _as_tensor(value)) is not None
            }
        return self._foreseen[key]

    def _norm_dtype(self) -> torch.dtype:
        return get_total_norm([torch.zeros(1, dtype=p.dtype) for p in self.model.parameters()]).dtype

    def _unknown(self, name: str) -> ConfigInvalid:
        known = [*OF_THE_STEP, *self._weights, *(f"{weight}.grad" for weight in self._weights)]
        if name.split(".")[0] == "lm_head":
            return ConfigInvalid(
                f'record.tensors: "{name}": the head of this model is its embedding: record wte, '
                "or set model.tie_word_embeddings to false"
            )
        own = {full: short for short, full in _full_names(self.model).items()}
        for full, short in own.items():
            if name == full or name.startswith(f"{full}."):
                return ConfigInvalid(f'record.tensors: "{name}": use "{short}{name[len(full) :]}"')
        near = difflib.get_close_matches(name, known, 1, 0.5)
        hint = f'did you mean "{near[0]}"?' if near else f"use one of {', '.join(known[:20])}, …"
        return ConfigInvalid(f'record.tensors: "{name}" is not a tensor of this model: {hint}')


class ForwardMeans:
    """Means of the inputs and outputs of a model's head over the positions of all batches of a step."""

    def __init__(self, model: Any, with_logits: bool) -> None:
        self._with_logits = with_logits
        self._model = model
        self._batches: list[tuple[int, torch.Tensor, torch.Tensor, torch.Tensor | None]] = []
        head = head_of(model)
        if head is None:
            raise ConfigInvalid(
                "record.tensors: hidden states and logits are recorded at the output head, and this model names none: "
                "let its get_output_embeddings() return the module that computes the logits"
            )
        self._handle = head.register_forward_hook(self._look)

    def take(self) -> dict[str, torch.Tensor]:
        """Return the means of the batches since the last call, in float64."""
        batches, self._batches = self._batches, []
        if not batches:
            return {}
        count, mean, variance, logits = batches[0]
        for more, other_mean, other_variance, other_logits in batches[1:]:  # Chan, Golub & LeVeque 1983
            total, apart = count + more, other_mean - mean
            share = more / total
            variance = variance * (count / total) + other_variance * share + apart * apart * (count / total * share)
            mean = mean + apart * share
            if logits is not None and other_logits is not None:
                logits = logits + (other_logits - logits) * share
            count = total
        found = {"hidden.mean": mean, "hidden.variance": variance}
        return found if logits is None else {**found, "logits.mean": logits}

    def close(self) -> None:
        self._handle.remove()

    @torch.no_grad()
    def _look(self, _: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        if not self._model.training:
            return
        hidden = _wide(inputs[0].detach()).flatten(0, -2)
        variance, mean = torch.var_mean(hidden, dim=0, correction=0)
        logits = self._mean_logits(output.detach()) if self._with_logits else None
        self._batches.append((len(hidden), mean, variance, logits))

    def _mean_logits(self, logits: torch.Tensor) -> torch.Tensor:
        """Sum row by row, because all logits of a large vocabulary in float64 would take gigabytes."""
        rows = logits.flatten(0, -3) if logits.dim() > 2 else logits.unsqueeze(0)
        total = torch.zeros(
            rows.shape[-1], dtype=torch.float64, device="cpu" if rows.device.type == "mps" else rows.device
        )
        for row in rows:
            total += _wide(row).sum(0)
        return total / (rows.shape[0] * rows.shape[1])


def _wide(values: torch.Tensor) -> torch.Tensor:
    """Convert to float64, on the CPU for MPS, which lacks it."""
    return (values.cpu() if values.device.type == "mps" else values).to(torch.float64)


def _as_tensor(value: Any) -> torch.Tensor | None:
    """A value of optimizer state as a tensor: numbers (`step`) in float64, other types as None."""
    if isinstance(value, torch.Tensor):
        return value
    return torch.tensor(float(value), dtype=torch.float64) if isinstance(value, int | float) else None


def _as_matrix(shape: torch.Size) -> tuple[int, int]:
    """The shape as a matrix: scalars [1, 1], vectors [1, n], others [first dimension, rest]."""
    if len(shape) < 2:
        return 1, shape.numel()
    return shape[0], shape[1:].numel()


def _full_names(model: Any) -> dict[str, str]:
    """The full names of the parameters with short names, by short name."""
    embedding, head = embedding_of(model), cast("Any", head_of(model))
    short = {"wte": embedding, **({} if head is None or head.weight is embedding else {"lm_head": head.weight})}
    named: list[tuple[str, nn.Parameter]] = list(model.named_parameters())
    return {name: full for name, weight in short.items() for full, each in named if each is weight}


def _weights(model: Any) -> dict[str, nn.Parameter]:
    """All parameters by the names under which they are recorded."""
    short: dict[str, str] = {full: name for name, full in _full_names(model).items()}
    named: list[tuple[str, nn.Parameter]] = list(model.named_parameters())
    return {short.get(name, name): weight for name, weight in named}
