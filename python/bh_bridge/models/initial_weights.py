"""The initial weights of GPT-2, Llama and Qwen3 for engine `portable` (native/README.md, "Initial weights").

Versions of transformers draw these weights in different orders. This module draws them as transformers 5.24 does,
including the draws that it overwrites.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from transformers import PreTrainedModel

from bh_bridge.models.draws import PortableDraws
from bh_bridge.models.families import embedding_of

# The matrices of a layer in the order of their draws.
GPT2_LAYER = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
ROTARY_LAYER = (
    *(f"self_attn.{part}_proj" for part in ("q", "k", "v", "o")),
    *(f"mlp.{part}_proj" for part in ("gate", "up", "down")),
)


@torch.no_grad()
def draw_weights(model: PreTrainedModel, draws: PortableDraws) -> None:
    """Set all weights of a new model; random numbers come from torch's global stream."""
    weights = dict(model.named_parameters())
    for name, weight in weights.items():
        weight.fill_(0.0 if name.endswith(".bias") else 1.0)  # what is not drawn below are biases and norms
    if str(model.config.model_type).startswith("gpt2"):
        _draw_gpt2(weights, model.config, draws)
    else:
        _draw_rotary(weights, model.config, draws)
    embedding, deviation = embedding_of(model), model.config.initializer_range
    draws.skip_uniform(embedding.numel())
    # A tied head is drawn too, and discarded.
    _draw(weights.get("lm_head.weight", torch.empty_like(embedding)), deviation, draws)


def _draw_gpt2(weights: Mapping[str, torch.Tensor], config: Any, draws: PortableDraws) -> None:
    deviation = config.initializer_range
    names = ["wte", "wpe", *(f"h.{layer}.{part}" for layer in range(config.n_layer) for part in GPT2_LAYER)]
    matrices = {name: weights[f"transformer.{name}.weight"] for name in names}
    for weight in matrices.values():
        draws.skip_normal(weight.numel())
    for name, weight in matrices.items():
        _draw(weight, deviation, draws)
        if name.endswith("c_proj"):  # drawn again, smaller in deep models
            _draw(weight, deviation / math.sqrt(2 * config.n_layer), draws)


def _draw_rotary(weights: Mapping[str, torch.Tensor], config: Any, draws: PortableDraws) -> None:
    layers = range(config.num_hidden_layers)
    embedding = weights["model.embed_tokens.weight"]
    linear = [f"model.layers.{layer}.{part}" for layer in layers for part in ROTARY_LAYER]
    draws.skip_normal(embedding.numel())
    for name in linear:
        for part in ("weight", "bias"):
            if (weight := weights.get(f"{name}.{part}")) is not None:
                draws.skip_uniform(weight.numel())
    for weight in (embedding, *(weights[f"{name}.weight"] for name in linear)):
        _draw(weight, config.initializer_range, draws)


def _draw(weight: torch.Tensor, deviation: float, draws: PortableDraws) -> None:
    """Draw N(0, deviation²) in float32; adding 0 makes a negative zero positive."""
    weight.copy_(draws.normal(*weight.shape, dtype=torch.float32).mul_(deviation).add_(0.0))
