"""Batched runs: the fast step of several models of one shape, with batched products."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import torch
from transformers import GPT2LMHeadModel

from bh_bridge.engines.fast import FastTrainer
from bh_bridge.engines.step_method import Proof, StepMethod
from bh_bridge.errors import ConfigInvalid
from bh_bridge.fast_step import Batch, add_to_gradients
from bh_bridge.fast_step.gpt2 import NO_TARGET, Shape, Weights, loss_and_gradients, shape_of
from bh_bridge.gpu.graphed_step import capture

Computed = tuple[torch.Tensor, Weights]  # losses [models], and gradients [models, …] by the names of the weights
Compute = Callable[[Batch], Computed]


class Gradients(NamedTuple):
    """The loss of a batch and the gradients by weight name, which the next step may overwrite."""

    loss: torch.Tensor
    of_weights: Weights


class Form(NamedTuple):
    """The properties that batched models must share."""

    shape: Shape
    weights: tuple[tuple[str, torch.Size, torch.dtype, torch.device], ...]

    @staticmethod
    def of(model: GPT2LMHeadModel, narrow: torch.dtype) -> Form:
        weights = tuple((name, each.shape, each.dtype, each.device) for name, each in model.named_parameters())
        return Form(shape_of(model, narrow), weights)


class FastStack:
    """Computes gradients of up to `width` models together. Bits depend on the width, but not on the other models.

    The parameters of the models become views into the stack. Slots without a model or batch are computed as well, and
    their results are ignored.
    """

    def __init__(
        self, models: Sequence[GPT2LMHeadModel], narrow: torch.dtype, width: int, graph_obstacle: str | None
    ) -> None:
        """graph_obstacle: why the computation cannot be replayed from a CUDA graph; None if it can."""
        self._proof = Proof("graphed", graph_obstacle, wait=_wait)
        self._width = width
        self._shape = shape_of(models[0], narrow)
        self._weights = {
            name: _stacked([model.get_parameter(name) for model in models], width)
            for name, _ in models[0].named_parameters()
        }
        self._graph = _Graph(self._compute, self._proof)

    @property
    def verdict(self) -> StepMethod | None:
        """Whether gradients come from a graph, and why; None until it is decided."""
        return self._proof.verdict

    @torch.no_grad()
    def gradients(self, batches: Mapping[int, Batch]) -> dict[int, Gradients]:
        """The gradients of batches by slot. Batches of one shape are computed together."""
        made: dict[int, Gradients] = {}
        for shape in dict.fromkeys(batch.tokens.shape for batch in batches.values()):
            together = {place: batch for place, batch in batches.items() if batch.tokens.shape == shape}
            losses, grads = self._made(self._joined(together))
            for place in together:
                made[place] = Gradients(losses[place].clone(), {name: grad[place] for name, grad in grads.items()})
        return made

    def _made(self, batch: Batch) -> Computed:
        if self._proof.is_open:
            return self._graph.check(batch)
        return self._graph.replayed(batch) if self._proof.is_used and self._graph.fits(batch) else self._compute(batch)

    def _compute(self, batch: Batch) -> Computed:
        return loss_and_gradients(self._weights, batch.tokens, batch.labels, batch.items, self._shape)

    def _joined(self, batches: Mapping[int, Batch]) -> Batch:
        """One batch for all slots; those without a batch have no labels."""
        any_one = next(iter(batches.values()))
        nothing = Batch(
            torch.zeros_like(any_one.tokens), torch.full_like(any_one.labels, NO_TARGET), torch.ones_like(any_one.items)
        )
        all_places = [batches.get(place, nothing) for place in range(self._width)]
        return Batch(*(torch.stack(part) for part in zip(*all_places, strict=True)))


class StackedTrainer(FastTrainer):
    """A FastTrainer whose gradients are computed in a stack, with other runs or alone at the same width.

    Clipping, AdamW and everything after it are computed per run.
    """

    def __init__(self, *, width: int, graph: str, **options: Any) -> None:
        super().__init__(**options)
        self._width = width
        self._wants_graph = graph != "off"
        self._stack: FastStack | None = None
        self._gradients_of: Callable[[Batch], Gradients] | None = None

    @staticmethod
    def stack(trainers: Sequence[StackedTrainer]) -> FastStack:
        """One stack for these trainers, in their order. ConfigInvalid if they cannot share one."""
        first = trainers[0]
        if len(trainers) > first._width:
            raise ConfigInvalid(f"engine.batched_runs is {first._width}, but {len(trainers)} runs were given")
        if any(trainer._form != first._form for trainer in trainers):
            raise ConfigInvalid("batched runs need the same model, batch, precision, device and engine.batched_runs")
        models = [trainer._gpt2 for trainer in trainers]
        stack = FastStack(models, first._narrow, first._width, first._obstacle_to_graph)
        for trainer in trainers:
            trainer._stack = stack
        return stack

    def take_gradients_from(self, gradients_of: Callable[[Batch], Gradients]) -> None:
        """Take the gradients of each batch from a function, for a stack with other runs."""
        self._gradients_of = gradients_of

    def train(self, *_: Any, **__: Any) -> Any:
        if self._gradients_of is None:
            alone = StackedTrainer.stack([self])
            self._gradients_of = lambda batch: alone.gradients({0: batch})[0]
        return super().train()

    def report_graphed(self, verdict: StepMethod) -> None:
        """Report whether the gradients of all runs come from a graph."""
        if self._stack is not None and self._stack.verdict is not None:
            super().report_graphed(self._stack.verdict)

    def _add(self, batch: Batch) -> torch.Tensor:
        assert self._gradients_of is not None
        loss, grads = self._gradients_of(batch)
        add_to_gradients(dict(self._gpt2.named_parameters()), grads)
        return loss

    @property
    def _gpt2(self) -> GPT2LMHeadModel:
        return cast("GPT2LMHeadModel", self._plain_model)

    @property
    def _form(self) -> tuple[Form, int, int]:
        return Form.of(self._gpt2, self._narrow), self.args.train_batch_size, self._width

    @property
    def _obstacle_to_graph(self) -> str | None:
        if not self._wants_graph:
            return "engine.graph is off"
        if self.device.type != "cuda":
            return "it requires CUDA"
        return "it supports only one batch per step" if self.args.gradient_accumulation_steps > 1 else None


class _Graph:
    """The computation in a CUDA graph."""

    def __init__(self, compute: Compute, proof: Proof) -> None:
        self._compute = compute
        self._proof = proof
        self._batch: Batch | None = None  # of the captured shape, where the graph reads
        self._replay: Callable[[], Computed] | None = None

    def fits(self, batch: Batch) -> bool:
        return self._batch is not None and batch.tokens.shape == self._batch.tokens.shape

    def replayed(self, batch: Batch) -> Computed:
        assert self._batch is not None
        assert self._replay is not None
        for part, new in zip(self._batch, batch, strict=True):
            part.copy_(new)
        return self._replay()

    def check(self, batch: Batch) -> Computed:
        """Compute both ways and compare; return the eager result."""
        if self._batch is not None and not self.fits(batch):
            return self._compute(batch)
        eager = self._proof.reference(lambda: self._compute(batch))
        try:
            if self._batch is None:
                self._batch = static = Batch(*(part.clone() for part in batch))
                self._replay = capture(lambda: self._compute(static))
            losses, grads = self._proof.method(lambda: self.replayed(batch))
        except Exception as error:  # of a driver or library
            self._proof.fail("capturing", error)
        else:
            of_weights = ((name, grad, grads[name]) for name, grad in eager[1].items())
            self._proof.compare([("the loss", eager[0], losses), *of_weights])
        if not (self._proof.is_open or self._proof.is_used):
            self._replay = None  # a graph keeps the memory of a step
        return eager


def _stacked(parameters: Sequence[torch.Tensor], width: int) -> torch.Tensor:
    """Stack parameters as [width, …] and make each a view of its slot."""
    values = parameters[0].new_zeros(width, *parameters[0].shape)
    for place, parameter in enumerate(parameters):
        values[place].copy_(parameter)
        parameter.data = values[place]
    return values


def _wait() -> None:
    """Wait for the GPU, whose calls return early."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
