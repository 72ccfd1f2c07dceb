"""Traces the tensors of one step in the order of execution, to find where two trainings diverge.

Files: `trace.json` has the step and the parameter names; `states.bin` an 8-byte digest of every parameter and its
optimizer state after each step; `tensors.jsonl` a line per tensor of the traced step, in order of execution;
`tensors.bin` their elements, little-endian. Tracing does not change the training.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bh_bridge.tensors import DTYPE_NAMES

DIGEST_BYTES = 8

# A function from a weight to its optimizer state or settings.
OfWeight = Callable[[torch.Tensor], Mapping[str, Any]]


class StepTrace:
    """Writes the tensors of step `step` and digests of all states. Its methods correspond to those of RunStep.

    optimizer_state, optimizer_settings: of a weight (`exp_avg`, …; `lr`, …).
    """

    def __init__(
        self, directory: Path, step: int, model: nn.Module, optimizer_state: OfWeight, optimizer_settings: OfWeight
    ) -> None:
        self._directory = directory
        self._step = step
        self._model = model
        self._modules = dict(model.named_modules())
        self._parameters = dict(model.named_parameters())
        self._optimizer_state = optimizer_state
        self._optimizer_settings = optimizer_settings
        self._under_way = False
        self._batch = 0  # of the step, from 1; 0 outside of batches
        self._seen: dict[int, torch.Tensor] = {}  # tensors of this batch by id, kept alive so that ids stay unique
        self._hooks: list[Any] = []
        self._offset = 0
        self._states = (directory / "states.bin").open("wb")
        self._lines = (directory / "tensors.jsonl").open("w", encoding="utf-8")
        self._values = (directory / "tensors.bin").open("wb")

    def begin(self, step: int) -> None:
        """The training starts or resumes after `step`."""
        facts = {"step": self._step, "first_step": step, "parameters": list(self._parameters)}
        (self._directory / "trace.json").write_text(json.dumps(facts), encoding="utf-8")
        self._keep_state(step)

    def batch_made(self, inputs: Mapping[str, Any], loss: torch.Tensor) -> None:
        """Trace a batch whose gradients were computed without calling modules."""
        if not self._under_way:
            return
        self._batch += 1
        for name, value in _parts(inputs):
            self._write("batch", "", name, value)
        self._write("output", "", "loss", loss)
        for name, parameter in reversed(self._parameters.items()):  # in the order of a backward pass
            if parameter.grad is not None:
                self._write_of_parameter("gradient", name, "", parameter.grad)

    def capture_gradient(self) -> None:
        """Trace the gradients and settings for the optimizer step."""
        if not self._under_way:
            return
        self._unhook()
        self._batch = 0
        for name, parameter in self._parameters.items():
            if parameter.grad is not None:
                self._write_of_parameter("clipped gradient", name, "", parameter.grad)
        for name, parameter in self._parameters.items():
            for setting, value in _parts(self._optimizer_settings(parameter)):
                self._write_of_parameter("setting", name, setting, value)

    def step_made(self) -> None:
        """Trace the state after the optimizer step, before the noise."""
        if not self._under_way:
            return
        for name, parameter in self._parameters.items():
            for key, value in sorted(self._optimizer_state(parameter).items()):
                self._write_of_parameter("updated state", name, key, value)
            self._write_of_parameter("updated state", name, "", parameter)

    def end(self, step: int) -> None:
        """Trace the state after step `step`, including noise."""
        if self._under_way:
            self._under_way = False
            for name, parameter in self._parameters.items():
                self._write_of_parameter("state after noise", name, "", parameter)
            self._lines.flush()
            self._values.flush()
        self._keep_state(step)

    def close(self) -> None:
        self._unhook()
        for file in (self._states, self._lines, self._values):
            file.close()

    def _keep_state(self, step: int) -> None:
        for parameter in self._parameters.values():
            self._states.write(self._digest(parameter))
        self._states.flush()
        if step + 1 == self._step:
            self._begin_step()

    def _digest(self, parameter: torch.Tensor) -> bytes:
        digest = hashlib.blake2b(_bytes(parameter), digest_size=DIGEST_BYTES)
        for key, value in sorted(self._optimizer_state(parameter).items()):
            digest.update(key.encode())
            digest.update(_bytes(_tensor(value)))
        return digest.digest()

    def _begin_step(self) -> None:
        self._under_way = True
        for name, parameter in self._parameters.items():
            self._write_of_parameter("state", name, "", parameter)
            for key, value in sorted(self._optimizer_state(parameter).items()):
                self._write_of_parameter("state", name, key, value)
        for name, module in self._modules.items():
            if name == "":
                self._hooks.append(module.register_forward_pre_hook(self._on_batch, with_kwargs=True))
            elif next(module.children(), None) is None:
                self._hooks.append(module.register_forward_pre_hook(self._on_inputs(name)))
            self._hooks.append(module.register_forward_hook(self._on_outputs(name)))
        for name, parameter in self._parameters.items():
            if parameter.requires_grad:
                self._hooks.append(parameter.register_post_accumulate_grad_hook(self._on_gradient(name)))

    def _unhook(self) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._seen.clear()

    def _on_batch(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, object]) -> None:
        if not model.training:  # an evaluation
            return
        self._batch += 1
        self._seen.clear()
        for name, value in [*_parts(args), *_parts(kwargs)]:
            self._write("batch", "", name, value)

    def _on_inputs(self, name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        """Trace inputs that are not outputs of a module, such as residual sums. Token ids are traced with the batch."""

        def write(_: nn.Module, args: tuple[Any, ...]) -> None:
            if self._model.training:
                for part, value in _parts(args[0] if len(args) == 1 else args):
                    if isinstance(value, torch.Tensor) and value.is_floating_point() and id(value) not in self._seen:
                        self._write_with_gradient("input", name, part, value)

        return write

    def _on_outputs(self, name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        def write(_: nn.Module, args: tuple[Any, ...], output: Any) -> None:
            if self._model.training:
                for part, value in _parts(output):
                    if isinstance(value, torch.Tensor):
                        self._write_with_gradient("output", name, part, value)

        return write

    def _on_gradient(self, name: str) -> Callable[[torch.Tensor], None]:
        def write(parameter: torch.Tensor) -> None:
            if parameter.grad is not None:
                self._write_of_parameter("gradient", name, "", parameter.grad)

        return write

    def _write_with_gradient(self, quantity: str, module: str, part: str, value: torch.Tensor) -> None:
        self._write(quantity, module, part, value)
        if value.requires_grad and id(value) not in self._seen:
            batch = self._batch

            def write(gradient: torch.Tensor) -> None:
                self._write(f"{quantity} gradient", module, part, gradient, batch)

            self._hooks.append(value.register_hook(write))
        self._seen[id(value)] = value

    def _write_of_parameter(self, quantity: str, name: str, key: str, value: Any) -> None:
        module, _, weight = name.rpartition(".")
        self._write(quantity, module, f"{weight}.{key}" if key else weight, value)

    def _write(self, quantity: str, module: str, tensor: str, value: Any, batch: int | None = None) -> None:
        """Write the line and the elements of a tensor."""
        plain = _tensor(value)
        data = _bytes(plain)
        line = {
            "quantity": quantity,
            "batch": self._batch if batch is None else batch,
            "module": module,
            "type": type(self._modules[module]).__name__,
            "tensor": tensor,
            "dtype": DTYPE_NAMES[plain.dtype],
            "shape": list(plain.shape),
            "offset": self._offset,
        }
        self._lines.write(f"{json.dumps(line)}\n")
        self._values.write(data)
        self._offset += len(data)


def _parts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The tensors and numbers in a value with their paths: `loss`, `0`, `1.0`."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _parts(part, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _parts(part, f"{path}.{index}".removeprefix("."))
    elif isinstance(value, torch.Tensor | int | float):
        yield path, value


def _tensor(value: Any) -> torch.Tensor:
    return value if isinstance(value, torch.Tensor) else torch.tensor(float(value), dtype=torch.float64)


def _bytes(value: torch.Tensor) -> bytes:
    return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
