"""Saved models of every causal family of transformers are read, loaded and trained, with fields of older versions."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from bh_bridge.models.families import embedding_of
from bh_bridge.models.model import build_model
from bh_bridge.scripts.read_model import read_config
from safetensors.torch import load_file
from tiny_families import tiny_sizes
from tiny_run import in_child, train
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

LISTED = json.loads((Path(__file__).parents[3] / "scripts" / "untrainable-models.json").read_text(encoding="utf-8"))
ENCODERS: list[str] = [kind for kinds in LISTED["encoders"].values() for kind in kinds]
UNTRAINABLE: dict[str, str] = LISTED["untrainable"]
TRAINABLE = [kind for kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES if kind not in UNTRAINABLE]
POPULAR = [
    "llama",
    "qwen2",
    "qwen3",
    "qwen3_moe",
    "mistral",
    "mixtral",
    "gemma2",
    "gemma3_text",
    "gpt_neo",
    "gpt_neox",
    "gptj",
    "gpt_bigcode",
    "phi",
    "phi3",
    "opt",
    "bloom",
    "falcon",
    "olmo2",
    "smollm3",
    "deepseek_v3",
    "mamba2",
    "granitemoehybrid",
    "gpt_oss",
    "bert",
    "xlm",
    "bart",
]
FAMILIES = TRAINABLE if os.environ.get("FULL_TESTS") else POPULAR
# What files of the Hub carry beside the architecture.
CARRIED = {
    "_name_or_path": "someone/some-model",
    "transformers_version": "4.21.0.dev0",
    "use_cache": True,
    "prefix": "</s>",
    "task_specific_params": {"text-generation": {"do_sample": True}},
    "gradient_checkpointing": False,
    "n_some": 3,
    "max_length": 50,
    "do_sample": True,
    "num_return_sequences": 1,
    "output_attentions": False,
    "pruned_heads": {},
}
RANDOM = ("reformer",)  # it hashes with random numbers
IS_FLOAT16 = ("gpt_neox", "opt")


def with_older_fields(config: dict[str, Any]) -> dict[str, Any]:
    """A config.json as transformers 4 wrote it, and with fields that it does not know."""
    older = {**config, **CARRIED, "torch_dtype": config["dtype"]}
    del older["dtype"]
    rope = config.get("rope_parameters")
    if isinstance(rope, dict) and "rope_theta" in rope and config["model_type"] not in ("gpt_oss", "deepseek_v4"):
        del older["rope_parameters"]
        name = "rotary_emb_base" if config["model_type"] == "gpt_neox" else "rope_theta"
        older[name] = rope["rope_theta"]
        if "partial_rotary_factor" in rope:
            share = "rotary_pct" if config["model_type"] == "gpt_neox" else "partial_rotary_factor"
            older[share] = rope["partial_rotary_factor"]
        others = {key: value for key, value in rope.items() if key not in ("rope_theta", "partial_rotary_factor")}
        older["rope_scaling"] = None if others == {"rope_type": "default"} else others
    return older


def saved_model(kind: str, directory: Path) -> Any:
    torch.manual_seed(1)
    config = AutoConfig.for_model(kind, **tiny_sizes(kind, ENCODERS))
    model: Any = AutoModelForCausalLM.from_config(config).to(torch.float16 if kind in IS_FLOAT16 else torch.float32)
    model.save_pretrained(directory)
    path = directory / "config.json"
    saved = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(with_older_fields(saved)), encoding="utf-8")
    return model


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_saved_model_of_every_family_trains_from_its_bits(tmp_path: Path, kind: str) -> None:
    saved, run = tmp_path / "saved", tmp_path / "run"
    plain = saved_model(kind, saved)
    found = read_config({"directory": str(saved), "type": kind, "fields": None})
    assert "problem" not in found, found
    assert found["dtype"] == ("float16" if kind in IS_FLOAT16 else "float32")
    assert not found["fields"].keys() & CARRIED.keys() - {"prefix"}
    fields: Any = {"type": kind, **json.loads(json.dumps(found["fields"]))}
    changes = {"config": fields, "norm": "native", "dtype": "float32"}
    ours = build_model(fields, "native", "float32", {"kind": "normal"}, 2, str(saved))
    weights = {name: value.float() for name, value in plain.state_dict().items() if value.is_floating_point()}
    assert all(torch.equal(value, weights[name]) for name, value in ours.state_dict().items() if name in weights)
    assert len(weights) > 3
    loaded: Any = AutoModelForCausalLM.from_pretrained(saved, dtype=torch.float32)
    tokens = torch.arange(3, 19)[None]
    with torch.no_grad():
        want, got = (model.float().eval()(input_ids=tokens).logits for model in (loaded, ours))
    assert kind in RANDOM or torch.equal(want, got)
    numbers = {"training__max_steps": 2, "noise__epsilon": 0, "record__tensors": ["wte"], "training__bf16": False}
    outcome = in_child(lambda: train(run, model_from=str(saved), model_fields=changes, **numbers))
    assert outcome.get("status") == "completed", outcome
    embedding = embedding_of(plain).detach()
    history = load_file(run / "history.safetensors")["embedding_history"]
    assert torch.equal(history[0], embedding)
    assert not torch.equal(history[2], history[0])
    shutil.rmtree(tmp_path)


def test_every_listed_family_is_one_of_the_installed_transformers() -> None:
    assert {*ENCODERS, *UNTRAINABLE} <= set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
