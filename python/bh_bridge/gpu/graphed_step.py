"""A whole step in one CUDA graph: windows, forward, backward, clipping and optimizer, replayed in place of their calls.

A step of a small model is hundreds of kernels, and a GPU waits longer for their calls than it computes. A graph holds
them all, with the addresses of what they read and write: numbers of windows, rates, weights and moments stay where they
are. That a replay is the same step is not believed but seen: the first steps of every training are made both ways.
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

WARM_UPS = 3  # steps before the capture, as PyTorch's notes on CUDA graphs have it: libraries set themselves up
KEPT = ("step", "exp_avg", "exp_avg_sq")  # by AdamW, for each weight
NOT_CAPTURED = ("fp16", "torch_compile", "gradient_checkpointing", "neftune_noise_alpha", "torch_empty_cache_steps")


class Made(NamedTuple):
    """What a step leaves beside weights and moments. The next replay writes over it."""

    loss: torch.Tensor
    norm: torch.Tensor  # of all gradients, before they were clipped
    grads: list[torch.Tensor]  # as the optimizer had them, in its order


Replay = Callable[[], Made]
Result = TypeVar("Result")


def obstacle(request: TrainerCreate, args: TrainingArguments, config: PreTrainedConfig) -> str | None:
    """Why the steps of a run are not captured, in a few words; None where they may be.

    request: that of `trainer.create`, and args and config what came of it.
    """
    engine = request["engine"]
    if engine["graph"] == "off":
        return "engine.graph is off"
    if args.device.type != "cuda":
        return "it is for CUDA"
    if not isinstance(config, GPT2Config):
        return "it is for GPT-2"
    if engine.get("batched_runs", 1) > 1:
        return "batched runs share the graph of their gradients"
    if any((config.resid_pdrop, config.embd_pdrop, config.attn_pdrop)):
        return "it has no dropout"
    if engine["processes"] > 1:
        return "it is for one process"
    if args.gradient_accumulation_steps > 1:
        return "it is for steps of one batch"
    if args.optim != "adamw_torch_fused" or wide_part(request) is not None:
        return "it is for PyTorch's fused AdamW, with moments of the weights' dtype"
    if request["trace"] is not None:
        return "a step is looked into"
    if needs_forward(request):
        return "what is recorded of the hidden states is seen in the model's own forward pass alone"
    unknown = next((name for name in NOT_CAPTURED if getattr(args, name)), None)
    return None if unknown is None else f"it is not for training.{unknown}"


def capture(step: Callable[[], Result]) -> Callable[[], Result]:
    """Record the kernels of a step, after some real ones: weights and moments are those of later steps afterwards."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UPS):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    # A thread that loads data may ask CUDA for memory meanwhile, which is no mistake.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        made = step()

    def replay() -> Result:
        graph.replay()
        return made

    return replay


class GraphedStep:
    """Makes the steps of a training, both ways until there is a verdict."""

    def __init__(
        self,
        make: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
        optimizer: torch.optim.Optimizer,
        numbers: torch.Tensor,
    ) -> None:
        """make: a whole step on the windows of these numbers; gives loss and norm. The optimizer has made one already.

        numbers: of a batch of the one shape that is captured, int64 [batch], on the device.
        """
        self._proof = Proof("graphed", wait=self._wait)
        self._make = make
        self._optimizer = optimizer
        self._weights: list[torch.Tensor] = [weight for group in optimizer.param_groups for weight in group["params"]]
        self._numbers = numbers.clone()
        # On CUDA, AdamW rounds a rate to float32 anyway; on the CPU it takes it as it is.
        dtype = torch.float32 if numbers.is_cuda else torch.float64
        self._rates = [torch.zeros((), dtype=dtype, device=numbers.device) for _ in optimizer.param_groups]
        self._replay: Replay | None = None

    @property
    def verdict(self) -> StepMethod | None:
        """Whether steps come from a graph, and why; None until that is known."""
        return self._proof.verdict

    def step(self, numbers: torch.Tensor) -> Made:
        """Make a step. It is the eager one for a batch of another shape, as the last of an epoch has."""
        if numbers.shape != self._numbers.shape or not (self._proof.is_open or self._proof.is_used):
            return self._eager(numbers)
        return self._check(numbers) if self._proof.is_open else self._replayed(numbers)

    def _check(self, numbers: torch.Tensor) -> Made:
        """Make the step both ways and compare; where they differ, the eager one counts."""
        before = _copies(self._state())
        eager = self._proof.reference(lambda: self._eager(numbers))
        after = _copies(self._state())
        try:
            if self._replay is None:
                self._replay = self._captured()
            _put(before, self._state())
            replayed = self._proof.method(lambda: self._replayed(numbers))
        except Exception as error:  # whatever a driver or a library cannot capture
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
        """Trainer takes the gradients from the weights after every step; those of a graph stay where they are."""
        for weight, grad in zip(self._weights, made.grads, strict=True):
            weight.grad = grad
        return made

    @contextlib.contextmanager
    def _rates_on_device(self) -> Generator[None, None, None]:
        """While a step is captured: rates as numbers would stay those of this step in every replay."""
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
        """All that a step changes: weights, moments, and the count of steps that AdamW keeps for each weight."""
        kept = [self._optimizer.state[weight][name] for weight in self._weights for name in KEPT]
        return [*self._weights, *kept]

    def _wait(self) -> None:
        """A GPU goes on computing after the call."""
        if self._numbers.is_cuda:
            torch.cuda.synchronize(self._numbers.device)


class WholeStep:
    """Makes the steps of a training; Trainer's own calls make the first, and with it what the optimizer keeps."""

    def __init__(
        self,
        windows: Windows,
        batch_size: int,
        add_gradients: Callable[[nn.Module, dict[str, torch.Tensor]], torch.Tensor],
        clip: Callable[[nn.Module], torch.Tensor],
    ) -> None:
        """windows: on the device of the training.

        add_gradients: adds those of a batch to the weights' own, and gives its loss. clip: gives their norm as it was.
        """
        self.norm: torch.Tensor | None = None  # of the gradients, where the step has been made here
        self._windows = windows
        self._batch_size = batch_size
        self._add_gradients = add_gradients
        self._clip = clip
        self._graphed: GraphedStep | None = None

    @property
    def verdict(self) -> StepMethod | None:
        """Whether steps come from a graph; None until that is known."""
        return None if self._graphed is None else self._graphed.verdict

    def make(self, model: nn.Module, optimizer: torch.optim.Optimizer, numbers: torch.Tensor) -> torch.Tensor:
        """The step on the windows of these numbers, from the graph or as it will be captured; its loss."""

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
