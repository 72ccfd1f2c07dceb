"""Model families: the transformers classes of each `model.type`, and its possible norms."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any, cast

from huggingface_hub.errors import StrictDataclassError
from torch import nn
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
)

from bh_bridge.errors import ConfigInvalid
from bh_bridge.models import own_model
from bh_bridge.models.modeling_gpt2_rmsnorm import GPT2RMSNormLMHeadModel
from bh_bridge.models.modeling_other_norms import NORM_NAMES, with_norms
from bh_bridge.models.modeling_tinylm import TinyLMConfig, TinyLMForCausalLM

# Our own family, in addition to those of transformers.
AutoConfig.register(TinyLMConfig.model_type, TinyLMConfig)
AutoModelForCausalLM.register(TinyLMConfig, TinyLMForCausalLM)


@dataclasses.dataclass(frozen=True)
class Family:
    """Properties of the families described in src/config/models; other families use the defaults."""

    title: str | None = None
    """Its name in messages."""
    own_norm: str = "native"
    """The value of `norm` for the family's own norms."""
    rmsnorm: type[PreTrainedModel] | None = None
    """Its class with RMSNorm; None if `with_norms` makes one."""


FAMILIES = {
    "gpt2": Family(title="GPT-2", own_norm="layernorm", rmsnorm=GPT2RMSNormLMHeadModel),
    "llama": Family(),
    "qwen3": Family(),
    "tinylm": Family(),
}
DEFAULT_FAMILY = "gpt2"


def family_of(kind: str) -> Family:
    """The description of a family."""
    return FAMILIES.get(kind, Family())


def config_class(kind: str) -> type[PreTrainedConfig]:
    """The configuration class of a `model.type`; ConfigInvalid, with the nearest name, if it has no causal head."""
    if kind in CONFIG_MAPPING:
        found = CONFIG_MAPPING[kind]
        if found in MODEL_FOR_CAUSAL_LM_MAPPING:
            return found
    known = [kind for kind, config in CONFIG_MAPPING.items() if config in MODEL_FOR_CAUSAL_LM_MAPPING]
    raise ConfigInvalid(
        f'model.type: "{kind}" is not a causal model of the installed transformers{_meant(kind, known)}'
    )


def architecture(kind: str, config: Mapping[str, object]) -> PreTrainedConfig:
    """The configuration of a model from the fields of a request; ConfigInvalid if its class rejects them."""
    own = config_class(kind)
    fields = {field.name: str(field.type) for field in dataclasses.fields(own) if field.init}
    names = [*fields, *own.attribute_map]
    for name in config:
        if name not in names:
            raise ConfigInvalid(f"model.{name}: {own.__name__} has no such field{_meant(name, names)}")
    # JSON writes 1.0 as 1, which transformers rejects for float fields.
    fractions = {
        name: float(value)
        for name, value in config.items()
        if type(value) is int and "float" in fields.get(name, "") and "int" not in fields[name]
    }
    # No token begins, ends or pads a text here, whatever the defaults of the class.
    special = {name: None for name in ("bos_token_id", "eos_token_id", "pad_token_id") if name in fields}
    arguments = {name: _finite_or_not(value) for name, value in {**special, **config, **fractions}.items()}
    try:
        return cast("Any", own)(**arguments)
    except (TypeError, ValueError, StrictDataclassError) as error:  # transformers' own checks
        raise ConfigInvalid(f"model: {own.__name__} rejects this configuration: {error.__cause__ or error}") from error


def _finite_or_not(value: Any) -> Any:
    """A value with the numbers that JSON lacks, as transformers saves them: `{"__float__": "Infinity"}`."""
    if isinstance(value, dict):
        return (
            float(value["__float__"])
            if value.keys() == {"__float__"}
            else {k: _finite_or_not(v) for k, v in value.items()}
        )
    return [_finite_or_not(each) for each in value] if isinstance(value, list) else value


def model_class(kind: str, norm: str) -> type[PreTrainedModel]:
    """The class of a family with a causal head and with its own or replaced norms."""
    own = family_of(kind).rmsnorm
    if norm == "rmsnorm" and own is not None:
        return own
    native = cast("type[PreTrainedModel]", MODEL_FOR_CAUSAL_LM_MAPPING[config_class(kind)])
    return native if is_native(kind, norm) else with_norms(native, kind, norm, __name__)[1]


def is_native(kind: str, norm: str) -> bool:
    """Whether a norm is the family's own."""
    return norm in ("native", family_of(kind).own_norm)


def source_with_norms(native: type[PreTrainedModel], kind: str, norm: str) -> str:
    """Python source of a family's classes with replaced norms, appended to a copy of modeling_other_norms.py."""
    home = ".modeling_tinylm" if native is TinyLMForCausalLM else "transformers"
    classes = ", ".join(each.__name__ for each in with_norms(native, kind, norm, __name__))
    return f'''

from {home} import {native.__name__}  # noqa: E402

{classes} = with_norms({native.__name__}, "{kind}", "{norm}", __name__)
'''


def replaced_norm(model: PreTrainedModel) -> str | None:
    """The norm that replaces the family's own in a model; None if it has its own."""
    name = type(model).__name__
    return next((norm for norm, infix in NORM_NAMES.items() if name.endswith(f"{infix}ForCausalLM")), None)


def embedding_of(model: nn.Module) -> nn.Parameter:
    """The token embedding [vocab, hidden] of a model of any family."""
    if own_model.is_own(model):
        return own_model.embedding(model)
    return model.get_input_embeddings().weight  # pyright: ignore[reportCallIssue]


def head_of(model: nn.Module) -> nn.Module | None:
    """The output head of a model; None if it has none, or is of the user's own and names none."""
    if not hasattr(model, "get_output_embeddings"):
        return None
    return model.get_output_embeddings()  # pyright: ignore[reportCallIssue]


def _meant(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f'; did you mean "{near[0]}"?' if near else ""
