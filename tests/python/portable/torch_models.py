"""Models of transformers beside the shape of the same model in engine `portable`."""

from typing import Any

import torch
from bh_bridge.models.model import build_model
from recipe import Shape
from transformers import PreTrainedModel

NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
GPT2 = {"vocab_size": 61, "n_positions": 37, "n_embd": 36, "n_layer": 2, "n_head": 3, **NO_DROPOUT}
OTHERS = {
    "vocab_size": 61,
    "max_position_embeddings": 37,
    "hidden_size": 36,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "head_dim": 10,
    "intermediate_size": 52,
    "tie_word_embeddings": False,
}
# Name, fields of the configuration, norm.
MODELS: dict[str, tuple[dict[str, Any], str]] = {
    "gpt2-rmsnorm": (GPT2, "rmsnorm"),
    "gpt2-layernorm": (GPT2, "layernorm"),
    "gpt2-untied": ({**GPT2, "tie_word_embeddings": False}, "rmsnorm"),
    "llama": ({"type": "llama", **OTHERS}, "native"),
    "llama-biases": ({"type": "llama", **OTHERS, "attention_bias": True, "mlp_bias": True}, "native"),
    "qwen3": ({"type": "qwen3", **OTHERS}, "native"),
}


def model_of(name: str, seed: int) -> PreTrainedModel:
    """A bfloat16 model whose weights, norms and biases are all drawn at random."""
    config, norm = MODELS[name]
    model = build_model(config, norm, "bfloat16", {"kind": "normal"}, seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.train()


def shape_of(model: PreTrainedModel) -> Shape:
    c: Any = model.config
    if c.model_type.startswith("gpt2"):
        return Shape(
            vocabulary=c.vocab_size,
            positions=c.n_positions,
            hidden=c.n_embd,
            layers=c.n_layer,
            heads=c.n_head,
            kv_heads=c.n_head,
            head_size=c.n_embd // c.n_head,
            inner=c.n_inner or 4 * c.n_embd,
            norm=int(hasattr(model.transformer.ln_f, "bias")),
            mlp=0,
            rope=0,
            head_norm=0,
            attention_bias=1,
            mlp_bias=1,
            out_first=0,
            tied=int(c.tie_word_embeddings),
            epsilon=c.layer_norm_epsilon,
            rope_theta=1.0,
        )
    return Shape(
        vocabulary=c.vocab_size,
        positions=c.max_position_embeddings,
        hidden=c.hidden_size,
        layers=c.num_hidden_layers,
        heads=c.num_attention_heads,
        kv_heads=c.num_key_value_heads,
        head_size=c.head_dim,
        inner=c.intermediate_size,
        norm=int(hasattr(model.model.norm, "bias")),
        mlp=1,
        rope=1,
        head_norm=int(c.model_type == "qwen3"),
        attention_bias=int(c.attention_bias),
        mlp_bias=int(getattr(c, "mlp_bias", False)),
        out_first=1,
        tied=int(c.tie_word_embeddings),
        epsilon=c.rms_norm_eps,
        rope_theta=c.rope_parameters["rope_theta"],
    )


def parameters_of(model: PreTrainedModel) -> list[torch.nn.Parameter]:
    """The parameters in the order of the C interface."""
    parameters = dict(model.named_parameters())
    if model.config.model_type.startswith("gpt2"):
        return list(parameters.values())
    layer = ["input_layernorm", *(f"self_attn.{part}" for part in ("q_proj", "k_proj", "v_proj", "o_proj"))]
    layer += ["self_attn.q_norm", "self_attn.k_norm", "post_attention_layernorm"]
    layer += [f"mlp.{part}_proj" for part in ("gate", "up", "down")]
    modules = ["model.embed_tokens"]
    modules += [f"model.layers.{i}.{part}" for i in range(model.config.num_hidden_layers) for part in layer]
    modules += ["model.norm", "lm_head"]
    names = [f"{module}.{kind}" for module in modules for kind in ("weight", "bias")]
    ordered = [parameters[name] for name in names if name in parameters]
    assert len(ordered) == len(parameters)
    return ordered
