"""The programme's own small model: what it is made of, how it is saved, and that killed trainings go on exactly."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from bh_bridge.models.model import build_model, load_model, save_model
from bh_bridge.models.modeling_tinylm import TinyLMConfig
from tiny_run import differences, in_child, killed_at, train
from torch import nn

SIZES: dict[str, Any] = {"vocab_size": 128, "n_positions": 16, "n_embd": 8, "n_layer": 2, "n_head": 2}
FIELDS = {"config": {"type": "tinylm", **SIZES}, "norm": "native"}
RUN: dict[str, Any] = {
    "data__windows": "chunks",
    "data__label_shift": "causal",
    "training__max_steps": 8,
    "training__optim": "adamw_torch",
    "training__decay_norms": "all",
    "training__dataloader_drop_last": True,
    "noise__epsilon": 0,
    "checkpoint__every": 3,
    "record__tensors": [
        "wte",
        "wte.grad",
        "wte.exp_avg",
        "hidden.mean",
        "logits.mean",
        "encoder.layers.0.linear1.weight",
    ],
}


def tiny(norm: str = "native") -> Any:
    return build_model(FIELDS["config"], norm, "float32", {"kind": "normal"}, 1)


def test_logits_and_loss_are_those_of_the_layers_written_out() -> None:
    """Attention by its definition, in float64: no module of torch's but for the weights."""
    model = tiny().double()
    tokens = torch.randint(0, 128, (3, 16), generator=torch.Generator().manual_seed(1))
    weights = {name: weight.detach() for name, weight in model.named_parameters()}

    def norm(values: torch.Tensor, name: str) -> torch.Tensor:
        centred = values - values.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    states = weights["embedding.weight"][tokens] + weights["positions.weight"]
    for layer in ("encoder.layers.0", "encoder.layers.1"):
        own = {name.removeprefix(f"{layer}."): weight for name, weight in weights.items() if name.startswith(layer)}
        joined = norm(states, f"{layer}.norm1") @ own["self_attn.in_proj_weight"].T + own["self_attn.in_proj_bias"]
        query, key, value = (part.view(3, 16, 2, 4).transpose(1, 2) for part in joined.chunk(3, -1))
        scores = query @ key.transpose(-1, -2) / 2  # the root of a head's width, 4
        scores = scores.masked_fill(torch.ones(16, 16).triu(1).bool(), float("-inf"))
        seen = (scores.softmax(-1) @ value).transpose(1, 2).reshape(3, 16, 8)
        states = states + seen @ own["self_attn.out_proj.weight"].T + own["self_attn.out_proj.bias"]
        wide = norm(states, f"{layer}.norm2") @ own["linear1.weight"].T + own["linear1.bias"]
        wide = wide * (1 + torch.erf(wide / 2**0.5)) / 2
        states = states + wide @ own["linear2.weight"].T + own["linear2.bias"]
    logits = norm(states, "norm") @ weights["embedding.weight"].T
    ours = model(input_ids=tokens, labels=tokens)
    torch.testing.assert_close(ours.logits, logits)
    chosen = logits.log_softmax(-1)[:, :-1].gather(-1, tokens[:, 1:, None])
    torch.testing.assert_close(ours.loss.double(), -chosen.mean(), rtol=1e-6, atol=1e-6)  # the loss is in float32


def test_it_has_the_weights_of_plain_torch_drawn_in_its_order() -> None:
    torch.manual_seed(1)
    tokens, positions = nn.Embedding(128, 8), nn.Embedding(16, 8)
    layer = nn.TransformerEncoderLayer(8, 2, 32, dropout=0.0, batch_first=True, norm_first=True)
    nn.init.normal_(tokens.weight, std=0.02)
    nn.init.normal_(positions.weight, std=0.02)
    weights = dict(tiny().named_parameters())
    assert torch.equal(weights.pop("embedding.weight"), tokens.weight)
    assert torch.equal(weights.pop("positions.weight"), positions.weight)
    for name, weight in layer.named_parameters():
        for number in range(2):  # the layers begin as copies of one
            assert torch.equal(weights.pop(f"encoder.layers.{number}.{name}"), weight), name
    assert sorted(weights) == ["norm.bias", "norm.weight"]  # and no head


PLAIN = """
import json, sys, torch
from transformers import AutoModelForCausalLM
found = []
for directory in sys.argv[1:]:
    model = AutoModelForCausalLM.from_pretrained(directory, trust_remote_code=True)
    with torch.no_grad():
        logits = model(input_ids=torch.arange(16)[None]).logits
    norms = {type(module).__name__ for module in model.modules() if type(module).__name__.endswith("Norm")}
    found.append([sorted(norms), logits.flatten().tolist()])
print(json.dumps(found))
"""


def test_a_saved_model_is_loaded_by_plain_transformers_and_by_us(tmp_path: Path) -> None:
    expected = []
    for norm, kind in (("native", "LayerNorm"), ("rmsnorm", "RMSNorm")):
        model = tiny(norm)
        save_model(model, tmp_path / norm)
        ours = load_model(str(tmp_path / norm), model.config, "tinylm", norm)
        assert all(torch.equal(one, model.state_dict()[name]) for name, one in ours.state_dict().items())
        expected.append([[kind], model(input_ids=torch.arange(16)[None]).logits.flatten().tolist()])
    # A Python that does not know us. It evaluates, and this one trains: both compute the same.
    directories = [str(tmp_path / norm) for norm in ("native", "rmsnorm")]
    printed = subprocess.run([sys.executable, "-c", PLAIN, *directories], capture_output=True, text=True, check=True)
    assert json.loads(printed.stdout) == expected


def test_padding_is_refused() -> None:
    tokens = torch.arange(4)[None]
    with pytest.raises(ValueError, match="does not support padding"):
        tiny()(input_ids=tokens, attention_mask=torch.tensor([[0, 1, 1, 1]]))


def test_the_configuration_files_have_its_fields_and_defaults() -> None:
    schema = json.loads((Path(__file__).parents[3] / "schemas" / "config.schema.json").read_text())
    families = schema["properties"]["model"]["oneOf"]
    family = next(each for each in families if each["properties"]["type"].get("const") == "tinylm")
    own = {
        name: field["default"]
        for name, field in family["properties"].items()
        if name not in ("type", "norm", "dtype", "from")
    }
    left_to_us = ("tie_word_embeddings", "use_cache", "bos_token_id", "eos_token_id", "pad_token_id")
    inherited = {field.name for field in dataclasses.fields(TinyLMConfig.__mro__[1])}
    fields = {field.name: field.default for field in dataclasses.fields(TinyLMConfig) if field.name not in inherited}
    assert own == {name: value for name, value in fields.items() if name not in left_to_us}


def test_a_killed_training_in_chunks_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    outcome = in_child(lambda: train(whole, model_fields=FIELDS, **RUN))
    assert outcome.get("status") == "completed", outcome
    killed_at(killed, "step_end", 5, model_fields=FIELDS, **RUN)
    assert in_child(lambda: train(killed, "exact", model_fields=FIELDS, **RUN))["from_step"] == 3
    assert differences(killed, whole) == []
