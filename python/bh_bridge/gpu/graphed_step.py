"""A whole step (windows, forward, backward, clipping, optimizer) replayed from one CUDA graph.

A step of a small model calls hundreds of kernels, and launching them takes longer than computing. A graph contains all
of them with fixed addresses, so window numbers, learning rates, weights and moments stay in place. Every training
verifies the replay: it computes its first steps both ways.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import NamedTuple, TypeVar

import torch
from torch import nn
from transformers import GPT2Config, PreTrainedConfig, TrainingArguments

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.data.corpus import Windows
from bh_bridge.engines.step_method import Proof, StepMethod
from bh_bridge.hf_internals import one_text_a_row
from bh_bridge.recording.quantities import needs_forward
from bh_bridge.training.optimizers import wide_part

WARM_UPS = 3  # steps before the capture, in which libraries initialize; as in PyTorch's notes on CUDA graphs
KEPT = ("step", "exp_avg", "exp_avg_sq")  # by AdamW, for each weight
NOT_CAPTURED = ("fp16", "torch_compile", "gradient_checkpointing", "neftune_noise_alpha", "torch_empty_cache_steps")


class Made(NamedTuple):
    """Results of a step besides weights and moments. The next replay overwrites them."""

    loss: torch.Tensor
    norm: torch.Tensor  # of all gradients before clipping
    grads: list[torch.Tensor]  # as used by the optimizer, in its order


Replay = Callable[[], Made]
Result = TypeVar("Result")


def obstacle(request: TrainerCreate, args: TrainingArguments, config: PreTrainedConfig | None) -> str | None:
    """Why the steps of a run cannot be captured; None if they can.

    request: of `trainer.create`; args and config: derived from it.
    """
    engine = request["engine"]
    if engine["name"] == "portable":
        return "engine portable computes on the CPU"
    if engine["graph"] == "off":
        return "engine.graph is off"
    if args.device.type != "cuda":
        return "it requires CUDA"
    if not isinstance(config, GPT2Config):
        return "it supports only GPT-2"
    if "compute_loss_func" in request["training"]:
        return "it supports only the plain loss"
    if engine.get("batched_runs", 1) > 1:
        return "batched runs share the graph of their gradients"
    if any((config.resid_pdrop, config.embd_pdrop, config.attn_pdrop)):
        return "it does not support dropout"
    if engine["processes"] > 1:
        return "it supports only one process"
    if args.gradient_accumulation_steps > 1:
        return "it supports only one batch per step"
    if args.optim != "adamw_torch_fused" or wide_part(request) is not None:
        return "it supports only PyTorch's fused AdamW with moments in the weights' dtype"
    if request["trace"] is not None:
        return "a step is traced"
    if needs_forward(request):
        return "hidden states can be recorded only in the model's own forward pass"
    unknown = next((name for name in NOT_CAPTURED if getattr(args, name)), None)
    return None if unknown is None else f"it does not support training.{unknown}"


def capture(step: Callable[[], Result]) -> Callable[[], Result]:
    """Record the kernels of a step after some warm-up steps, which change weights and moments."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UPS):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    # A data-loading thread may allocate CUDA memory during the capture.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        made = step()

    def replay() -> Result:
        graph.replay()
        return made

    return replay


class GraphedStep:
    """Computes the steps of a training, both ways until there is a verdict."""

    def __init__(
        self,
        make: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
        optimizer: torch.optim.Optimizer,
        numbers: torch.Tensor,
    ) -> None:
        """make: computes a whole step on numbered windows, returns loss and norm. The optimizer must have made a step.

        numbers: window numbers of a batch of the captured shape, int64 [batch], on the device.
        """
        self._proof = Proof("graphed", wait=self._wait)
        self._make = make
        self._optimizer = optimizer
        self._weights: list[torch.Tensor] = [weight for group in optimizer.param_groups for weight in group["params"]]
        self._numbers = numbers.clone()
        # AdamW rounds a learning rate to float32 on CUDA, but not on the CPU.
        dtype = torch.float32 if numbers.is_cuda else torch.float64
        self._rates = [torch.zeros((), dtype=dtype, device=numbers.device) for _ in optimizer.param_groups]
        self._replay: Replay | None = None

    @property
    def verdict(self) -> StepMethod | None:
        """Whether steps come from a graph, and why; None until it is decided."""
        return self._proof.verdict

    def step(self, numbers: torch.Tensor) -> Made:
        """Compute a step, eagerly if the batch has another shape, such as the last of an epoch."""
        if numbers.shape != self._numbers.shape or not (self._proof.is_open or self._proof.is_used):
            return self._eager(numbers)
        return self._check(numbers) if self._proof.is_open else self._replayed(numbers)

    def _check(self, numbers: torch.Tensor) -> Made:
        """Compute the step both ways and compare; if they differ, use the eager one."""
        before = _copies(self._state())
        eager = self._proof.reference(lambda: self._eager(numbers))
        after = _copies(self._state())
        try:
            if self._replay is None:
                self._replay = self._captured()
            _put(before, self._state())
            replayed = self._proof.method(lambda: self._replayed(numbers))
        except Exception as error:  # of a driver or library
            self._proof.fail("capturing", error)
            return self._keep_eager(eager, after)
        expected, found = [*after, *_tensors(eager)], [*self._state(), *_tensors(replayed)]
        names = (
            ["the weights and moments"] * len(after) + ["the loss", "the norm"] + ["the gradients"] * len(eager.grads)
        )
        if not self._proof.compare(zip(names, expected, found, strict=True)):
            return self._keep_eager(eager, after)
        if not (self._proof.is_open or self._proof.is_used):
            self._replay = None
        return replayed

    def _keep_eager(self, eager: Made, state: list[torch.Tensor]) -> Made:
        self._replay = None  # a graph keeps the memory of a step
        _put(state, self._state())
        return self._give_gradients(eager)

    def _eager(self, numbers: torch.Tensor) -> Made:
        self._optimizer.zero_grad()
        loss, norm = self._make(numbers)
        return Made(loss, norm, [weight.grad for weight in self._weights if weight.grad is not None])

    def _captured(self) -> Replay:
        def step() -> Made:
            with self._rates_on_device(), one_text_a_row():
                return self._eager(self._numbers)

        return capture(step)

    def _replayed(self, numbers: torch.Tensor) -> Made:
        assert self._replay is not None
        self._numbers.copy_(numbers)
        for rate, group in zip(self._rates, self._optimizer.param_groups, strict=True):
            rate.fill_(group["lr"])
        return self._give_gradients(self._replay())

    def _give_gradients(self, made: Made) -> Made:
        """Set the gradients again, because Trainer clears them after every step."""
        for weight, grad in zip(self._weights, made.grads, strict=True):
            weight.grad = grad
        return made

    @contextlib.contextmanager
    def _rates_on_device(self) -> Generator[None, None, None]:
        """Use tensors as learning rates during the capture; numbers would be constant in every replay."""
        groups = self._optimizer.param_groups
        before = [{"lr": group["lr"], "capturable": group["capturable"]} for group in groups]
        for group, rate in zip(groups, self._rates, strict=True):
            group.update(lr=rate, capturable=True)
        try:
            yield
        finally:
            for group, earlier in zip(groups, before, strict=True):
                group.update(earlier)

    def _state(self) -> list[torch.Tensor]:
        """Everything that a step changes: weights, moments and step counts."""
        kept = [self._optimizer.state[weight][name] for weight in self._weights for name in KEPT]
        return [*self._weights, *kept]

    def _wait(self) -> None:
        """Wait for the GPU, whose calls return early."""
        if self._numbers.is_cuda:
            torch.cuda.synchronize(self._numbers.device)


class WholeStep:
    """Computes the steps of a training, except for the first, in which Trainer initializes the optimizer state."""

    def __init__(
        self,
        windows: Windows,
        batch_size: int,
        add_gradients: Callable[[nn.Module, dict[str, torch.Tensor]], torch.Tensor],
        clip: Callable[[nn.Module], torch.Tensor],
    ) -> None:
        """windows: on the device of the training.

        add_gradients: adds the gradients of a batch, returns its loss. clip: clips them, returns their norm before.
        """
        self.norm: torch.Tensor | None = None  # gradient norm, if the step was computed here
        self._windows = windows
        self._batch_size = batch_size
        self._add_gradients = add_gradients
        self._clip = clip
        self._graphed: GraphedStep | None = None

    @property
    def verdict(self) -> StepMethod | None:
        """Whether steps come from a graph; None until it is decided."""
        return None if self._graphed is None else self._graphed.verdict

    def make(self, model: nn.Module, optimizer: torch.optim.Optimizer, numbers: torch.Tensor) -> torch.Tensor:
        """Compute a step on numbered windows, from the graph if possible; return its loss."""

        def make(numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            loss = self._add_gradients(model, self._windows.batch(numbers))
            norm = self._clip(model)
            optimizer.step()
            return loss, norm

        if not optimizer.state:
            return self._add_gradients(model, self._windows.batch(numbers))
        if self._graphed is None:
            self._graphed = GraphedStep(make, optimizer, numbers.new_zeros(self._batch_size))
        made = self._graphed.step(numbers)
        self.norm = made.norm
        return made.loss.clone()


def _tensors(made: Made) -> list[torch.Tensor]:
    return [made.loss, made.norm, *made.grads]


def _copies(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    return [tensor.detach().clone() for tensor in tensors]


@torch.no_grad()
def _put(values: list[torch.Tensor], tensors: list[torch.Tensor]) -> None:
    for value, tensor in zip(values, tensors, strict=True):
        tensor.copy_(value)
