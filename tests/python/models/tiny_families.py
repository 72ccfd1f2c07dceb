"""Tiny sizes for every causal family of transformers, derived from the fields of its configuration class."""

import dataclasses
import re
from typing import Any

from transformers import CONFIG_MAPPING

# The first pattern that matches the whole name of an integer field gives its value.
SIZES = [
    (r"(task_)?type_vocab_size", 2),
    (r"(.*_)?vocab_size(_per_layer_input)?|ngram_vocab_size_base|encoder_hash_byte_group_vocab", 128),
    (r"(num_)?(hidden_|encoder_|decoder_)?layers|n_layers?", 2),
    (r"(num_|swa_num_|index_|indexer_)?(encoder_|decoder_)?(attention_)?heads|(index_|indexer_)?n_heads?", 4),
    (r"(swa_)?num_key_value_heads|num_kv_heads|linear_num_key_heads", 2),
    (r"linear_num_(value_)?heads", 4),
    (r"(max|n)_(target_|source_)?positions?(_embeddings)?|n_ctx|max_seq_len|context_length", 64),
    (r"original_max_position_embeddings", 64),
    (r"(?!qk_head_dim)(.*_)?head_dim|kv_channels|dim_head|attention_head_size|d_head", 8),
    (r"(.*_)?intermediate_size(_mlp)?|(.*_)?ffn_(dim|hidden_size)|dff|dim_ff|d_inner|n_inner|mamba_d_ssm", 64),
    (r"feed_forward_size", 64),
    (r"(.*_)?hidden_size|d_model|n_embd|(.*_)?embedding_size|lru_width|word_embed_proj_dim|emb(edding)?_dim", 32),
    (r"hidden_size_per_layer_input", 32),
    (r"(.*_)?(num|n_routed)(_local)?_experts", 4),
    (r"num_experts_per_tok|moe_topk|moe_k|top_k_experts", 2),
    (r"(.*_)?lora_rank|gated_norm_rank|laurel_rank|loop_gate_rank|adapter_rank|hc_lowrank", 8),
    (r"(ssm_)?state_size|mamba_d_state", 8),
    (r"(.*_)?chunk_(size|length)|block_size", 16),
    (r"n_group|topk_group", 1),
    (r"bos_token_id", 0),
    (r"eos_token_id", 1),
    (r"pad_token_id", 2),
]
HALF_ATTENTION = {"num_hidden_layers": 4, "layer_types": ["linear_attention", "full_attention"] * 2}
BLT_PART = {
    "vocab_size": 128,
    "hidden_size": 32,
    "hidden_size_global": 32,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "num_hidden_layers": 1,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}
ROPE = {"rope_type": "default", "rope_theta": 10000.0}
DECODER = {"is_decoder": True}
# What the sizes have to be beside, for classes that relate fields to each other or choose layers by their number.
MORE: dict[str, dict[str, Any]] = {
    "bailing_hybrid": {"num_hidden_layers": 6},
    "bamba": {"mamba_n_heads": 8, "mamba_d_head": 8, "attn_layer_indices": [1]},
    "blt": {
        **{part + "_config": BLT_PART for part in ("encoder", "decoder", "global", "patcher")},
        "encoder_hash_byte_group_vocab": 128,
        "encoder_hash_byte_group_size": [3],
        "max_patch_length": 8,
    },
    "codegen": {"rotary_dim": 4},
    "cohere_compass_text": {
        "layer_types": ["full_attention", "sliding_attention"],
        "rope_parameters": {
            key: {"rope_type": "default", "rope_theta": 10000.0} for key in ("full_attention", "sliding_attention")
        },
    },
    "dbrx": {
        "attn_config": {"kv_n_heads": 2, "clip_qkv": 8.0, "rope_theta": 10000.0},
        "ffn_config": {"ffn_hidden_size": 64, "moe_num_experts": 4, "moe_top_k": 2, "hidden_size": 32},
    },
    "dots1": {"n_shared_experts": 1},
    "dots3_note_text": {"num_key_value_heads": 4},
    "falcon_h1": {"mamba_n_heads": 8, "mamba_d_head": 8},
    "gemma3n_text": {"num_kv_shared_layers": 0},
    "git": {
        "vision_config": {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64}
    },
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "gptj": {"rotary_dim": 4},
    "granitemoehybrid": {"mamba_n_heads": 8, "mamba_d_head": 8, "layer_types": ["mamba", "attention"]},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "kimi_linear": HALF_ATTENTION,
    "lfm2_moe": {"layer_types": ["conv", "full_attention"]},
    "lfm3": {"num_hidden_layers": 4},
    "longcat_flash": {"zero_expert_num": 4},
    "mamba2": {"num_heads": 8},
    "qwen3_5_moe_text": HALF_ATTENTION,
    "qwen3_5_text": HALF_ATTENTION,
    "qwen3_next": HALF_ATTENTION,
    "qwen4_exp_text": {
        **HALF_ATTENTION,
        "indexer_n_heads": 2,
        "indexer_kv_heads": 1,
        "indexer_budget": 16,
        "indexer_compress_ratio": 4,
    },
    "recurrent_gemma": {"num_hidden_layers": 3},
    "reformer": {
        "axial_pos_shape": [4, 4],
        "axial_pos_embds_dim": [16, 16],
        "attn_layers": ["local", "lsh"],
        "max_position_embeddings": 16,
        "num_buckets": 4,
        "hash_seed": 1,
        **DECODER,
        "lsh_attn_chunk_length": 4,
        "local_attn_chunk_length": 4,
    },
    "xlm": {"causal": True},
    "xmod": {"default_language": "en_XX"},
    "xlstm": {"hidden_size": 128, "embedding_dim": 128},
    "zamba": {"attention_hidden_size": 64, "num_hidden_layers": 4, "layer_types": ["mamba", "hybrid"] * 2},
    "zamba2": {"num_hidden_layers": 4, "layers_block_type": ["mamba", "hybrid"] * 2},
}


def tiny_sizes(kind: str, encoders: list[str]) -> dict[str, Any]:
    """Fields with which a family has a vocabulary of 128 and at most 300,000 weights; a causal mask for an encoder."""
    fields = {field.name: field for field in dataclasses.fields(CONFIG_MAPPING[kind]) if field.init}
    sizes: dict[str, Any] = {}
    for name, field in fields.items():
        size = next((size for pattern, size in SIZES if re.fullmatch(pattern, name)), None)
        is_integer = type(field.default) is int or "int" in str(field.type)
        is_unset = type(field.default) is not int and not name.endswith("_token_id") and size in (1, 16)
        is_off = field.default in (0, 1) and not name.endswith("_token_id")
        if size is not None and is_integer and not is_unset and not is_off:
            sizes[name] = size
    if {"kv_lora_rank", "num_key_value_heads"} <= fields.keys():
        sizes["num_key_value_heads"] = sizes["num_attention_heads"]
    if kind in encoders and "is_decoder" in fields:
        sizes.update(DECODER)
    return {**sizes, **MORE.get(kind, {})}
