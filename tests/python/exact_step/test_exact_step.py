"""The exact step has the bits of autograd, and is used only where it has shown that."""

import json
import platform
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from bh_bridge.engines.step_method import CHECKED
from bh_bridge.exact_step import ExactStep, obstacle
from bh_bridge.exact_step.attention import (
    Given,
    Gradients,
    Precision,
    attention,
    attention_backward,
    backward_in_products,
    precision_of_kernel,
)
from bh_bridge.exact_step.gpt2 import Gelu
from bh_bridge.models.model import build_model
from tiny_run import MODEL, differences, in_child, train
from transformers import GPT2LMHeadModel

SIZES: dict[str, Any] = {"vocab_size": 60, "n_positions": 48, "n_embd": 32, "n_layer": 2, "n_head": 4}
NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def gpt2(norm: str = "rmsnorm", **sizes: Any) -> GPT2LMHeadModel:
    """A model in the middle of nowhere: no weight is 0 or 1 any more."""
    model = build_model({**SIZES, **NO_DROPOUT, **sizes}, norm, "bfloat16", {"kind": "normal"}, 1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return model.train()


def batch_of(model: GPT2LMHeadModel, rows: int = 4) -> Batch:
    shape = (rows, model.config.n_positions)
    tokens, labels = torch.randint(0, model.config.vocab_size, (2, *shape))
    return tokens, labels, torch.tensor(tokens.numel())


def plain(model: GPT2LMHeadModel, batch: Batch) -> torch.Tensor:
    """Add the gradients of a batch as transformers and autograd do it."""
    tokens, labels, items = batch
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(input_ids=tokens, labels=labels, use_cache=False, num_items_in_batch=items).loss
    loss.backward()
    return loss.detach()


def checked(model: GPT2LMHeadModel, exact: ExactStep, batch: Batch) -> torch.Tensor:
    tokens, labels, items = batch
    return exact.check(tokens, labels, lambda: plain(model, batch), num_items_in_batch=items)


def proven(model: GPT2LMHeadModel, rows: int = 4) -> ExactStep:
    exact = ExactStep(model, None)
    for _ in range(CHECKED):
        if exact.verdict is None:
            model.zero_grad()
            checked(model, exact, batch_of(model, rows))
    return exact


@pytest.mark.parametrize("norm", ["rmsnorm", "layernorm"])
@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"vocab_size": 128, "n_positions": 128, "n_embd": 64, "n_head": 2},
        {"n_positions": 200, "n_embd": 64, "n_head": 1, "n_layer": 1},
        {"n_positions": 37, "n_embd": 96, "n_head": 2, "tie_word_embeddings": False},
        {"n_positions": 16, "n_embd": 48, "n_head": 1},
        {"n_positions": 16, "n_embd": 16, "n_head": 2, "n_inner": 40},
        {"scale_attn_by_inverse_layer_idx": True},
    ],
    ids=str,
)
def test_losses_and_gradients_are_those_of_autograd_in_every_bit(
    norm: str, sizes: dict[str, Any], threads: int
) -> None:
    exact = proven(gpt2(norm, **sizes))
    assert exact.verdict is not None
    assert exact.verdict.reason in ("equal bits, and faster", "it is not faster here")


def test_gradients_are_added_to_those_that_there_are() -> None:
    model = gpt2()
    exact = ExactStep(model, None)
    for _ in range(CHECKED):
        checked(model, exact, batch_of(model))  # gradients of all batches, as of one step
    assert exact.verdict is not None
    assert "bits differ" not in exact.verdict.reason


def test_the_table_of_gelu_is_that_of_transformers_for_every_value() -> None:
    every = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)
    finite = every[torch.isfinite(every)].requires_grad_()
    gelu = gpt2().transformer.h[0].mlp.act
    expected = gelu(finite)
    (slope,) = torch.autograd.grad(expected, finite, torch.ones_like(finite))
    y, tanh, gate = Gelu().forward(finite.detach())
    assert torch.equal(y.view(torch.int16), expected.detach().view(torch.int16))
    own = Gelu.backward(torch.ones_like(y), finite.detach(), tanh, gate)
    assert torch.equal(own.nan_to_num(), slope.nan_to_num())


SEED = (2, 128, 32)  # heads, length and width of the notebook's model


def test_the_products_are_those_of_this_processor() -> None:
    cpus = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpus.exists():
        pytest.skip("whose processor this is can be read on Linux alone")
    text = cpus.read_text()
    is_intels = "GenuineIntel" in text and re.search(r"\bavx512_bf16\b", text) is not None
    assert precision_of_kernel(*SEED) == ("bf16" if is_intels else "ieee")


def test_another_order_of_adding_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def reversed_width(given: Given, scale: float, precision: Precision) -> Gradients:
        flipped = [part.flip(-1) if part.dim() == 4 else part for part in given]
        return Gradients(*(part.flip(-1) for part in backward_in_products(Given(*flipped), scale, precision)))

    monkeypatch.setattr("bh_bridge.exact_step.attention.backward_in_products", reversed_width)
    assert precision_of_kernel.__wrapped__(*SEED) is None


@pytest.mark.parametrize("shape", [SEED, (4, 48, 8), (1, 200, 64), (2, 37, 48), (2, 16, 8)], ids=str)
def test_gradients_of_attention_are_the_kernels(shape: tuple[int, int, int], threads: int) -> None:
    torch.manual_seed(threads)
    heads, length, width = shape
    query, key, value, grad = torch.randn(4, 4, heads, length, width).to(torch.bfloat16)
    output, logsumexp = attention(query, key, value, width**-0.5)
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward
    expected = kernel(grad, query, key, value, output, logsumexp, 0.0, True, scale=width**-0.5)
    own = attention_backward(Given(grad, query, key, value, output, logsumexp), width**-0.5)
    assert all(map(torch.equal, own, expected))
    assert torch.backends.mkldnn.matmul.fp32_precision == "none"


def test_one_wrong_bit_is_seen_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    model = gpt2()
    exact = ExactStep(model, None)
    step = exact._step
    assert step is not None
    right = step.backward

    def wrong(*arguments: Any) -> dict[str, torch.Tensor]:
        grads = right(*arguments)
        grads["transformer.h.1.attn.c_attn.bias"].view(torch.int16)[3] ^= 1
        return grads

    monkeypatch.setattr(step, "backward", wrong)
    checked(model, exact, batch_of(model))
    assert exact.verdict is not None
    assert exact.verdict[1:3] == (False, "its bits differ here, first in transformer.h.1.attn.c_attn.bias")
    assert not exact.is_used


def test_hooks_see_every_module() -> None:
    model = gpt2()
    exact = proven(model)
    assert exact.verdict is not None
    exact._proof.verdict = exact.verdict._replace(used=True)
    assert exact.is_used
    with model.transformer.h[0].mlp.act.register_forward_hook(lambda *_: None):
        assert not exact.is_used
    assert exact.is_used


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"attn_pdrop": 0.1}, "it does not support dropout"),
        ({"activation_function": "relu"}, "it does not support relu"),
        ({"n_positions": 513}, "it supports at most 512 positions"),
        ({}, None),
    ],
)
def test_what_is_not_covered_is_said(sizes: dict[str, Any], reason: str | None) -> None:
    assert obstacle(gpt2(**sizes), torch.device("cpu")) == reason


def test_other_weights_and_devices_are_not_covered() -> None:
    assert obstacle(gpt2().float(), torch.device("cpu")) == "it supports only bfloat16 weights"
    assert obstacle(gpt2(), torch.device("cuda")) == "it supports only the CPU"


def test_a_run_has_the_same_bits_with_it_and_without_and_says_what_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODEL["config"], "resid_pdrop", 0.0)
    runs = {"auto": tmp_path / "auto", "off": tmp_path / "off"}
    for wish, run in runs.items():
        in_child(lambda run=run, wish=wish: train(run, engine__exact=wish))
    assert differences(runs["auto"], runs["off"]) == []
    assert told_by(runs["auto"])["seconds"] > 0
    told = told_by(runs["off"])
    assert (told["used"], told["reason"], told["seconds"]) == (False, "engine.exact is off", None)


def told_by(run: Path) -> dict[str, Any]:
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    [told] = [event for event in events if event["type"] == "step_method"]
    return told
