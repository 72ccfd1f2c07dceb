"""The gradients of the fast step are those of autograd up to rounding, and what it cannot do is said."""

from typing import Any

import pytest
import torch
from bh_bridge.fast_step import FastStep, obstacle, obstacle_on
from bh_bridge.models.model import build_model
from transformers import GPT2LMHeadModel

SIZES: dict[str, Any] = {"vocab_size": 60, "n_positions": 48, "n_embd": 32, "n_layer": 2, "n_head": 4}
NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
CPU = torch.device("cpu")


def gpt2(norm: str = "rmsnorm", dtype: str = "float32", **sizes: Any) -> GPT2LMHeadModel:
    """A model in the middle of nowhere: no weight is 0 or 1 any more."""
    model = build_model({**SIZES, **NO_DROPOUT, **sizes}, norm, dtype, {"kind": "normal"}, 1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model.train()


def batch_of(model: GPT2LMHeadModel, rows: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    shape = (rows, model.config.n_positions)
    tokens, labels = torch.randint(0, model.config.vocab_size, (2, *shape))
    labels[0, :5] = -100  # nothing to learn there
    return tokens, labels, torch.tensor(2 * tokens.numel())  # as if another batch belonged to the step


def gradients(model: GPT2LMHeadModel) -> dict[str, torch.Tensor]:
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    model.zero_grad()
    return {name: grad for name, grad in found.items() if grad is not None}


def by_autograd(
    model: GPT2LMHeadModel, batch: tuple[torch.Tensor, ...], *, is_narrow: bool = False
) -> tuple[float, dict[str, torch.Tensor]]:
    tokens, labels, items = batch
    with torch.autocast("cpu", torch.bfloat16, enabled=is_narrow):
        loss = model(input_ids=tokens, labels=labels, use_cache=False, num_items_in_batch=items).loss
    loss.backward()
    return loss.item(), gradients(model)


def by_hand(
    model: GPT2LMHeadModel, batch: tuple[torch.Tensor, ...], narrow: torch.dtype
) -> tuple[float, dict[str, torch.Tensor]]:
    tokens, labels, items = batch
    loss = FastStep(model, narrow).add_gradients(tokens, labels, items)
    return loss.item(), gradients(model)


def farthest(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest distance of two gradients of one weight, over the length of the second."""
    assert one.keys() == other.keys()
    return max(((one[name].float() - grad.float()).norm() / grad.float().norm()).item() for name, grad in other.items())


@pytest.mark.parametrize("norm", ["rmsnorm", "layernorm"])
@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"vocab_size": 128, "n_positions": 128, "n_embd": 64, "n_head": 2},  # two blocks of queries
        {"n_positions": 150, "n_layer": 1},  # three, the last of them short
        {"n_positions": 37, "n_embd": 96, "n_head": 2, "tie_word_embeddings": False},
        {"n_embd": 16, "n_head": 2, "n_inner": 40, "layer_norm_epsilon": 0.1},
        {"scale_attn_by_inverse_layer_idx": True},
        {"scale_attn_weights": False},
    ],
    ids=str,
)
def test_in_float32_loss_and_gradients_are_those_of_autograd_up_to_rounding(norm: str, sizes: dict[str, Any]) -> None:
    model = gpt2(norm, **sizes)
    batch = batch_of(model)
    loss, grads = by_autograd(model, batch)
    own_loss, own_grads = by_hand(model, batch, torch.float32)
    assert own_loss == pytest.approx(loss, rel=1e-6)
    assert farthest(own_grads, grads) < 1e-4


@pytest.mark.parametrize("norm", ["rmsnorm", "layernorm"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_with_narrow_products_they_are_as_near_to_float32_as_autograd_is(norm: str, dtype: str) -> None:
    model = gpt2(norm, dtype, vocab_size=128, n_positions=128, n_embd=64, n_head=2)
    exact_model = gpt2(norm, "float32", vocab_size=128, n_positions=128, n_embd=64, n_head=2)
    exact_model.load_state_dict(model.state_dict())
    batch = batch_of(model, rows=8)
    loss, grads = by_autograd(exact_model, batch)
    own_loss, own_grads = by_hand(model, batch, torch.bfloat16)
    _, narrow_grads = by_autograd(model, batch, is_narrow=True)
    assert own_loss == pytest.approx(loss, rel=1e-3)
    assert farthest(own_grads, grads) < max(0.02, 1.1 * farthest(narrow_grads, grads))


def test_gradients_are_added_to_those_that_there_are() -> None:
    model = gpt2()
    batches = [batch_of(model), batch_of(model)]
    step = FastStep(model, torch.float32)
    for batch in batches:
        step.add_gradients(*batch)
    both = gradients(model)
    expected = [by_hand(model, batch, torch.float32)[1] for batch in batches]
    assert all(torch.equal(both[name], expected[0][name] + expected[1][name]) for name in both)


def test_equal_rows_that_no_text_has_keep_equal_gradients() -> None:
    model = gpt2(dtype="bfloat16", vocab_size=128, n_positions=128, n_embd=64, n_head=2)
    dead = torch.arange(77, 128)
    with torch.no_grad():
        model.transformer.wte.weight[dead] = model.transformer.wte.weight[77].clone()
    tokens, labels = torch.randint(0, 77, (2, 32, 128))
    step = FastStep(model, torch.bfloat16)
    step.add_gradients(tokens, labels, torch.tensor(tokens.numel()))
    grad = gradients(model)["transformer.wte.weight"]
    assert torch.equal(grad[dead], grad[77].expand(len(dead), -1))
    assert grad[77].count_nonzero() > 0


@pytest.mark.parametrize(
    ("sizes", "problem"),
    [
        ({"attn_pdrop": 0.1}, "model.attn_pdrop is 0.1: engine fast does not support dropout"),
        ({"activation_function": "relu"}, "model.activation_function is relu: engine fast supports only gelu_new"),
        (
            {"reorder_and_upcast_attn": True},
            "model.reorder_and_upcast_attn is true: engine fast supports only plain attention",
        ),
        ({}, None),
    ],
)
def test_what_it_does_not_implement_is_named(sizes: dict[str, Any], problem: str | None) -> None:
    assert obstacle(gpt2(**sizes)) == problem


def test_a_device_that_cannot_multiply_a_dtype_is_named() -> None:
    assert obstacle_on(CPU, (torch.float32, torch.bfloat16)) is None
    assert obstacle_on(CPU, (torch.bfloat16, torch.bool)) == "device cpu cannot multiply bool"


@pytest.mark.parametrize("norm", ["rmsnorm", "layernorm"])
@pytest.mark.parametrize("sizes", [{}, {"n_positions": 150, "tie_word_embeddings": False}], ids=str)
def test_every_tensor_of_a_step_is_made_where_the_model_is(norm: str, sizes: dict[str, Any]) -> None:
    """On the device without data: a tensor that was made on the CPU does not go with the others."""
    model = gpt2(norm, "bfloat16", **sizes)
    batch = [tensor.to("meta") for tensor in batch_of(model)]
    model.to("meta")
    loss = FastStep(model, torch.bfloat16).add_gradients(batch[0], batch[1], batch[2])
    grads = gradients(model)
    assert grads.keys() == dict(model.named_parameters()).keys()
    assert all((grad.device.type, grad.dtype) == ("meta", torch.bfloat16) for grad in grads.values())
    assert (loss.device.type, loss.dtype) == ("meta", torch.float32)
