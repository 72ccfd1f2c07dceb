"""Gradients that are computed together are those of each model alone: on the CPU in every bit."""

from collections.abc import Callable
from typing import Any, cast

import pytest
import torch
from bh_bridge.engines import step_method
from bh_bridge.fast_step import Batch, FastStep
from bh_bridge.gpu import stack
from bh_bridge.gpu.stack import FastStack, Gradients
from bh_bridge.models.model import build_model
from torch import nn
from transformers import GPT2LMHeadModel

ON_CPU = "it requires CUDA"


def models_of(count: int, norm: str = "rmsnorm", dtype: str = "bfloat16", **sizes: Any) -> list[GPT2LMHeadModel]:
    shape = {"vocab_size": 60, "n_positions": 70, "n_embd": 32, "n_layer": 2, "n_head": 4, **sizes}
    none = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    made = [build_model({**shape, **none}, norm, dtype, {"kind": "normal"}, seed) for seed in range(count)]
    return [cast("GPT2LMHeadModel", model) for model in made]


def batch_of(model: GPT2LMHeadModel, rows: int = 3) -> Batch:
    tokens, labels = torch.randint(0, model.config.vocab_size, (2, rows, model.config.n_positions))
    labels[0, :5] = -100  # nothing to learn there
    return Batch(tokens, labels, torch.tensor(tokens.numel() + rows))


def alone(model: GPT2LMHeadModel, batch: Batch, narrow: torch.dtype = torch.bfloat16) -> Gradients:
    loss = FastStep(model, narrow).add_gradients(*batch)
    grads = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
    model.zero_grad()
    return Gradients(loss, grads)


def require_same(ours: Gradients, theirs: Gradients) -> None:
    assert torch.equal(ours.loss, theirs.loss)
    assert ours.of_weights.keys() == theirs.of_weights.keys()
    assert all(torch.equal(ours.of_weights[name], grad) for name, grad in theirs.of_weights.items())


@pytest.mark.parametrize("norm", ["rmsnorm", "layernorm"])
@pytest.mark.parametrize(
    ("dtype", "sizes"),
    [("bfloat16", {}), ("float32", {"tie_word_embeddings": False}), ("float32", {"n_embd": 64, "n_head": 2})],
    ids=str,
)
def test_each_model_of_a_stack_gets_the_gradients_that_it_gets_alone(
    norm: str, dtype: str, sizes: dict[str, Any]
) -> None:
    models = models_of(3, norm, dtype, **sizes)
    batches = {place: batch_of(model) for place, model in enumerate(models)}
    expected = [alone(model, batches[place]) for place, model in enumerate(models)]
    together = FastStack(models, torch.bfloat16, 4, ON_CPU).gradients(batches)
    for place, gradients in enumerate(expected):
        require_same(together[place], gradients)


def test_a_place_without_a_batch_and_weights_that_are_not_numbers_touch_nobody() -> None:
    models = models_of(3)
    with torch.no_grad():
        models[0].transformer.wte.weight.fill_(float("nan"))
    batches = {0: batch_of(models[0]), 2: batch_of(models[2])}
    expected = alone(models[2], batches[2])
    made = FastStack(models, torch.bfloat16, 3, ON_CPU).gradients(batches)
    assert made.keys() == {0, 2}
    assert made[0].loss.isnan()
    require_same(made[2], expected)


def test_batches_of_two_shapes_are_computed_each_with_its_like() -> None:
    models = models_of(3)
    batches = {place: batch_of(model, rows) for place, (model, rows) in enumerate(zip(models, (3, 2, 3), strict=True))}
    expected = [alone(model, batches[place]) for place, model in enumerate(models)]
    made = FastStack(models, torch.bfloat16, 3, ON_CPU).gradients(batches)
    for place, gradients in enumerate(expected):
        require_same(made[place], gradients)


def test_models_stay_what_they_were_and_what_their_optimizers_change_is_computed_with() -> None:
    models = models_of(2)
    before = [{name: weight.clone() for name, weight in model.state_dict().items()} for model in models]
    parameters = [list(model.parameters()) for model in models]
    together = FastStack(models, torch.bfloat16, 2, ON_CPU)
    for model, weights, own in zip(models, before, parameters, strict=True):
        assert all(torch.equal(weight, weights[name]) for name, weight in model.state_dict().items())
        assert all(one is other for one, other in zip(model.parameters(), own, strict=True))
        assert model.lm_head.weight is model.transformer.wte.weight
    with torch.no_grad():
        models[1].transformer.wte.weight.mul_(0.5)
    batches = {place: batch_of(model) for place, model in enumerate(models)}
    made = together.gradients(batches)
    for place, model in enumerate(models):
        require_same(made[place], alone(model, batches[place]))


@pytest.mark.parametrize("norm", ["rmsnorm", "layernorm"])
def test_every_tensor_is_made_where_the_models_are(norm: str) -> None:
    """On the device without data: a tensor that was made on the CPU does not go with the others."""
    models = models_of(2, norm)
    batches = {place: Batch(*(part.to("meta") for part in batch_of(model))) for place, model in enumerate(models)}
    for model in models:
        nn.Module.to(model, "meta")
    made = FastStack(models, torch.bfloat16, 3, ON_CPU).gradients(batches)
    assert all(grad.device.type == "meta" for grad in made[1].of_weights.values())
    assert made[1].loss.device.type == "meta"


Compute = Callable[[], Any]


def stand_in(compute: Compute) -> Compute:
    """A stand-in for a graph where there is no GPU: its results lie where they lay before."""
    losses, grads = compute()

    def replay() -> Any:
        new_losses, new_grads = compute()
        losses.copy_(new_losses)
        for name, grad in grads.items():
            grad.copy_(new_grads[name])
        return losses, grads

    return replay


def graphed(monkeypatch: pytest.MonkeyPatch, capture: Callable[[Compute], Compute]) -> FastStack:
    """Three steps of a stack that may be replayed, of which every result is that of each model alone, and two more."""
    monkeypatch.setattr(stack, "capture", capture)
    ticks = iter(range(1000))
    monkeypatch.setattr(step_method.time, "perf_counter", lambda: next(ticks) ** 0.5)  # later steps are faster
    models = models_of(2)
    together = FastStack(models, torch.bfloat16, 2, None)
    for rows in (3, 3, 2, 3, 3, 2):
        batches = {place: batch_of(model, rows) for place, model in enumerate(models)}
        made = together.gradients(batches)
        for place, model in enumerate(models):
            require_same(made[place], alone(model, batches[place]))
    return together


def test_replays_of_a_stand_in_for_the_graph_are_compared_and_then_used(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = graphed(monkeypatch, stand_in).verdict
    assert verdict is not None
    assert (verdict.used, verdict.reason) == (True, "equal bits, and faster")


def test_a_stand_in_for_the_graph_with_other_bits_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def others(compute: Compute) -> Compute:
        def replay() -> Any:
            losses, grads = compute()
            return losses * 2, grads

        return replay

    verdict = graphed(monkeypatch, others).verdict
    assert verdict is not None
    assert (verdict.used, verdict.reason) == (False, "its bits differ here, first in the loss")


def test_after_a_stand_in_for_the_graph_that_fails_every_step_is_eager(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: Compute) -> Compute:
        raise RuntimeError("no graph\nat all")

    verdict = graphed(monkeypatch, failing).verdict
    assert verdict is not None
    assert (verdict.used, verdict.reason) == (False, "capturing failed: no graph")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_a_gpu_a_replayed_stack_has_the_bits_of_the_eager_one() -> None:
    models = models_of(3)
    for model in models:
        nn.Module.to(model, "cuda")
    eager = FastStack(models, torch.bfloat16, 3, "engine.graph is off")
    batches = {place: Batch(*(part.cuda() for part in batch_of(model))) for place, model in enumerate(models)}
    expected = eager.gradients(batches)
    replayed = FastStack(models, torch.bfloat16, 3, None)
    made = replayed.gradients(batches)
    for _ in range(4):
        made = replayed.gradients(batches)
    assert replayed.verdict is not None
    assert "bits differ" not in replayed.verdict.reason
    for place, gradients in expected.items():
        require_same(made[place], gradients)
