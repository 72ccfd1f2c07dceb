"""Causal models of transformers with replaced norms.

Copies of this file, with the classes of the family appended, and of modeling_gpt2_rmsnorm.py are saved with every such
model, so that `AutoModelForCausalLM.from_pretrained(directory, trust_remote_code=True)` loads it without bh-bridge.
"""

from __future__ import annotations

from typing import Any

from torch import nn
from transformers import CONFIG_MAPPING, PreTrainedConfig, PreTrainedModel

from .modeling_gpt2_rmsnorm import RMSNorm

# The part of a class name between the family and `ForCausalLM` that names the replaced norm.
NORM_NAMES = {"rmsnorm": "WithRMSNorm", "layernorm": "WithLayerNorm"}


def is_norm(module: nn.Module) -> bool:
    """Whether a module is a norm, of any library, with one weight per component."""
    weight = getattr(module, "weight", None)
    return type(module).__name__.endswith("Norm") and weight is not None and weight.dim() == 1


def replace_own_norms(module: nn.Module, norm: str) -> int:
    """Replace every norm below `module` by an RMSNorm or LayerNorm of its size and eps; return how many.

    norm: "rmsnorm" | "layernorm". Weights start at 1, biases at 0.
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


def with_norms(
    native: type[PreTrainedModel], kind: str, norm: str, module: str
) -> tuple[type[PreTrainedConfig], type[PreTrainedModel]]:
    """A family's configuration and model with replaced norms, as classes of a module.

    kind: the `model_type` of the family in transformers. The new configuration has a `model_type` unknown to
    transformers, so that it never loads the weights with the family's own norms.
    """
    name = f"{native.__name__.removesuffix('ForCausalLM')}{NORM_NAMES[norm]}"
    own: Any = native.config_class
    if own.model_type != kind:  # several families share a model
        own = CONFIG_MAPPING[kind]
    config_class = type(f"{name}Config", (own,), {"model_type": f"{kind}_with_{norm}", "__module__": module})

    def build(self: Any, config: PreTrainedConfig) -> None:
        native.__init__(self, config)
        vars(config)["model_type"] = kind  # transformers looks up the storage of the family's weights by it
        self.replaced_norms = replace_own_norms(self, norm)

    members = {"__init__": build, "config_class": config_class, "__module__": module}
    return config_class, type(f"{name}ForCausalLM", (native,), members)
