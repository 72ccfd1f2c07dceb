"""The shape of a model of transformers and the order of its tensors, as native/portable.h has them."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from bh_bridge.errors import ConfigInvalid
from bh_bridge.models.families import embedding_of
from bh_bridge.models.modeling_gpt2_rmsnorm import RMSNorm
from bh_bridge.portable.interface import Shape

RMS_NORM, LAYER_NORM = 0, 1
GELU, SWIGLU = 0, 1


def shape_of(model: PreTrainedModel) -> tuple[Shape, list[float]]:
    """The shape of a model, and the factor of the attention scores of each layer.

    TypeScript has checked the fields of the configuration.
    """
    config: Any = model.config
    return _gpt2_shape(model, config) if _is_gpt2(config) else _rotary_shape(model, config)


def tensors_of(model: PreTrainedModel) -> list[nn.Parameter]:
    """The weights in the order of native/portable.h; ConfigInvalid if C cannot read them."""
    named = dict(model.named_parameters())
    names = list(named) if _is_gpt2(model.config) else _rotary_names(list(named))
    for name, weight in named.items():
        if weight.dtype != torch.bfloat16 or weight.device.type != "cpu" or not weight.is_contiguous():
            raise ConfigInvalid(f"engine: portable requires bfloat16 weights on the CPU, and {name} is {weight.dtype}")
    return [named[name] for name in names]


def _is_gpt2(config: Any) -> bool:
    return str(config.model_type).startswith("gpt2")


def _norm_of(norm: nn.Module) -> int:
    return LAYER_NORM if isinstance(norm, nn.LayerNorm) else RMS_NORM


def _gpt2_shape(model: PreTrainedModel, config: Any) -> tuple[Shape, list[float]]:
    body: Any = model.transformer
    width = config.n_embd // config.n_head
    whole = 1 / math.sqrt(width) if config.scale_attn_weights else 1.0
    by_layer = config.scale_attn_by_inverse_layer_idx
    shape = Shape(
        vocabulary=len(embedding_of(model)),
        positions=config.n_positions,
        hidden=config.n_embd,
        layers=config.n_layer,
        heads=config.n_head,
        kv_heads=config.n_head,
        head_size=width,
        inner=config.n_inner or 4 * config.n_embd,
        norm=_norm_of(body.ln_f),
        mlp=GELU,
        rope=0,
        head_norm=0,
        attention_bias=1,
        mlp_bias=1,
        out_first=0,
        tied=int(bool(config.tie_word_embeddings)),
        epsilon=body.ln_f.eps,
        rope_theta=0.0,
    )
    return shape, [whole / (layer + 1) if by_layer else whole for layer in range(config.n_layer)]


def _rotary_shape(model: PreTrainedModel, config: Any) -> tuple[Shape, list[float]]:
    body: Any = model.model
    norm: Any = body.norm
    attention: Any = body.layers[0].self_attn
    width = attention.head_dim
    shape = Shape(
        vocabulary=len(embedding_of(model)),
        positions=config.max_position_embeddings,
        hidden=config.hidden_size,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads,
        head_size=width,
        inner=config.intermediate_size,
        norm=_norm_of(norm),
        mlp=SWIGLU,
        rope=1,
        head_norm=int(hasattr(attention, "q_norm")),
        attention_bias=int(attention.q_proj.bias is not None),
        mlp_bias=int(body.layers[0].mlp.gate_proj.bias is not None),
        out_first=1,
        tied=int(bool(config.tie_word_embeddings)),
        epsilon=norm.eps if isinstance(norm, nn.LayerNorm | RMSNorm) else norm.variance_epsilon,
        rope_theta=config.rope_parameters["rope_theta"],
    )
    return shape, [1 / math.sqrt(width)] * config.num_hidden_layers


# Modules of a layer of Llama and Qwen3, in the order of native/portable.h.
_LAYER = (
    "input_layernorm",
    *(f"self_attn.{part}" for part in ("q_proj", "k_proj", "v_proj", "o_proj", "q_norm", "k_norm")),
    "post_attention_layernorm",
    *(f"mlp.{part}" for part in ("gate_proj", "up_proj", "down_proj")),
)


def _rotary_names(names: list[str]) -> list[str]:
    """Names of parameters in the order of native/portable.h; transformers lists the norms of a layer last."""

    def place(name: str) -> tuple[int, int]:
        if not name.startswith("model.layers."):
            return (-1 if name.startswith("model.embed_tokens") else len(names), 0)
        _, _, layer, rest = name.split(".", 3)
        module, part = rest.rsplit(".", 1)
        return int(layer), 2 * _LAYER.index(module) + (part == "bias")

    return sorted(names, key=place)
