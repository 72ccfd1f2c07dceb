"""Any causal model of transformers with other norms than its own.

Copies of this file and of modeling_gpt2_rmsnorm.py lie beside every model that was saved with them, with a class of its
family at the end: plain `AutoModelForCausalLM.from_pretrained(directory, trust_remote_code=True)` loads it.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from .modeling_gpt2_rmsnorm import RMSNorm


def is_norm(module: nn.Module) -> bool:
    """Whether a module is a normalisation with a weight for each component, whichever library it comes from."""
    weight = getattr(module, "weight", None)
    return type(module).__name__.endswith("Norm") and weight is not None and weight.dim() == 1


def replace_own_norms(module: nn.Module, norm: str) -> int:
    """Replace every norm below `module` by an RMSNorm or LayerNorm of its size and eps; return how many.

    norm: "rmsnorm" | "layernorm". Weights begin at 1, biases at 0.
    """
    replaced = 0
    for name, child in module.named_children():
        if not is_norm(child):
            replaced += replace_own_norms(child, norm)
            continue
        own: Any = child
        size: int = own.weight.shape[0]
        eps: float = getattr(own, "eps", None) or getattr(own, "variance_epsilon", 1e-6)
        setattr(module, name, RMSNorm(size, eps) if norm == "rmsnorm" else nn.LayerNorm(size, eps))
        replaced += 1
    return replaced
