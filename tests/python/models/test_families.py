"""Models of other families train to the bits of plain transformers, and are drawn from streams apart."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bh_bridge.errors import ConfigInvalid
from bh_bridge.models.families import embedding_of
from bh_bridge.models.model import build_model, save_model
from safetensors.torch import load_file
from tiny_run import CORPUS, differences, in_child, killed_at, train
from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    pipeline,
)

SIZES: dict[str, Any] = {
    "vocab_size": 128,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 32,
    "max_position_embeddings": 16,
}
STEPS = 8
RUN: dict[str, Any] = {"training__max_steps": STEPS, "noise__epsilon": 0, "checkpoint__every": 3}
FAMILIES = [("llama", True), ("qwen3", False)]  # and whether embedding and head are one matrix


def fields(kind: str, tied: bool) -> dict[str, Any]:
    return {"config": {"type": kind, **SIZES, "tie_word_embeddings": tied}, "norm": "native"}


def plain_training(directory: Path, kind: str, tied: bool) -> dict[str, Any]:
    """The same training with transformers alone: the bits of all states and final weights, and the logged losses."""
    torch.manual_seed(42)
    np.random.seed(42)
    config = AutoConfig.for_model(kind, **SIZES, tie_word_embeddings=tied)
    model: Any = AutoModelForCausalLM.from_config(config).to(torch.bfloat16)
    weight = model.get_input_embeddings().weight
    with torch.no_grad():
        vector = torch.randn(64)
        weight[:] = vector / vector.norm()
    states = [weight.detach().clone()]

    class Keep(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            states.append(weight.detach().clone())

    text = torch.tensor(list(CORPUS.encode()))
    windows = [{"input_ids": text[at : at + 16], "labels": text[at + 1 : at + 17]} for at in range(len(text) - 16)]
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(directory),
            max_steps=STEPS,
            per_device_train_batch_size=8,
            learning_rate=1e-3,
            weight_decay=0.01,
            seed=42,
            bf16=True,
            use_cpu=True,
            logging_steps=5,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=windows,
        callbacks=[Keep()],
    )
    trainer.train()
    model.save_pretrained(directory / "final")
    return {
        "history": bits(torch.stack(states)),
        "losses": [log["loss"] for log in trainer.state.log_history if "loss" in log],
    }


def bits(tensor: torch.Tensor) -> str:
    return tensor.contiguous().view(torch.int16).numpy().tobytes().hex()


@pytest.mark.parametrize(("kind", "tied"), FAMILIES)
def test_a_training_has_the_bits_of_plain_transformers_also_when_it_was_killed(
    tmp_path: Path, kind: str, tied: bool
) -> None:
    plain = in_child(lambda: plain_training(tmp_path / "plain", kind, tied))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    outcome = in_child(lambda: train(whole, model_fields=fields(kind, tied), **RUN))
    assert outcome["status"] == "completed", outcome
    assert bits(load_file(whole / "history.safetensors")["embedding_history"]) == plain["history"]
    assert [log["loss"] for log in outcome["log_history"]] == plain["losses"]
    ours, theirs = (load_file(run / "final" / "model.safetensors") for run in (whole, tmp_path / "plain"))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    killed_at(killed, "step_end", 5, model_fields=fields(kind, tied), **RUN)
    assert in_child(lambda: train(killed, "exact", model_fields=fields(kind, tied), **RUN))["from_step"] == 3
    assert differences(killed, whole) == []


@pytest.mark.parametrize(("kind", "tied"), FAMILIES)
@pytest.mark.parametrize("norm", ["native", "rmsnorm", "layernorm"])
def test_a_saved_model_is_loaded_by_plain_transformers_and_by_us(
    tmp_path: Path, kind: str, tied: bool, norm: str
) -> None:
    config = fields(kind, tied)["config"]
    model = build_model(config, norm, "bfloat16", {"kind": "singular"}, 1)
    save_model(model, tmp_path)
    if norm != "native":
        assert json.loads((tmp_path / "config.json").read_text())["model_type"] not in CONFIG_MAPPING
        with pytest.raises(ValueError, match="custom code"):
            AutoModelForCausalLM.from_pretrained(tmp_path, trust_remote_code=False)
        with pytest.raises(ValueError, match="custom code"):
            pipeline("text-generation", str(tmp_path), trust_remote_code=False)
    plain: Any = AutoModelForCausalLM.from_pretrained(tmp_path, trust_remote_code=norm != "native")
    tokens = torch.arange(16)[None]
    with torch.no_grad():
        assert torch.equal(plain(input_ids=tokens).logits, model.eval()(input_ids=tokens).logits)
    ours = build_model(config, norm, "bfloat16", {"kind": "normal"}, 2, str(tmp_path))
    assert all(torch.equal(one, model.state_dict()[name]) for name, one in ours.state_dict().items())
    kinds = {type(module).__name__ for module in plain.modules() if type(module).__name__.endswith("Norm")}
    assert kinds == ({"RMSNorm"} if norm == "rmsnorm" else {"LayerNorm"} if norm == "layernorm" else kinds)


def test_a_family_that_transformers_stores_under_other_names_is_loaded_with_replaced_norms(tmp_path: Path) -> None:
    """Mixtral's experts are saved one by one and loaded as one tensor: transformers looks that up by `model_type`."""
    config = {"type": "mixtral", "num_local_experts": 2, **{name: SIZES[name] for name in SIZES if name != "head_dim"}}
    model = build_model(config, "layernorm", "float32", {"kind": "normal"}, 1)
    save_model(model, tmp_path)
    plain: Any = AutoModelForCausalLM.from_pretrained(tmp_path, trust_remote_code=True)
    plain.save_pretrained(tmp_path / "again")
    again: Any = AutoModelForCausalLM.from_pretrained(tmp_path / "again", trust_remote_code=True)
    for loaded in (plain, again):
        assert all(torch.equal(one, model.state_dict()[name]) for name, one in loaded.state_dict().items())
        kinds = {type(module).__name__ for module in loaded.modules()}
        assert {kind for kind in kinds if kind.endswith("Norm")} == {"LayerNorm"}


def test_no_code_of_a_directory_is_run(tmp_path: Path) -> None:
    config = fields("llama", True)["config"]
    save_model(build_model(config, "layernorm", "bfloat16", {"kind": "singular"}, 1), tmp_path)
    (tmp_path / "modeling_other_norms.py").write_text("raise SystemExit('code of the directory was run')\n")
    loaded = build_model(config, "layernorm", "bfloat16", {"kind": "normal"}, 2, str(tmp_path))
    assert type(loaded).__module__ == "bh_bridge.models.families"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"type": "llama", "hiden_size": 64},
            'model.hiden_size: LlamaConfig has no such field; did you mean "hidden_size"',
        ),
        ({"type": "opt", "hidden_sizes": 8}, 'OPTConfig has no such field; did you mean "hidden_size"'),
        (
            {"type": "qwen33"},
            'model.type: "qwen33" is not a causal model of the installed transformers; did you mean "qwen3"?',
        ),
        ({"type": "llama", "hidden_size": "wide"}, "model: LlamaConfig rejects this configuration"),
    ],
)
def test_what_a_family_does_not_take_is_refused_before_anything_is_built(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        build_model(config, "native", "bfloat16", {"kind": "normal"}, 1)
    assert message in str(refused.value)


def test_any_further_family_is_built_by_the_names_of_its_configuration() -> None:
    config = {"type": "opt", "vocab_size": 50, "hidden_size": 16, "word_embed_proj_dim": 16, "ffn_dim": 8}
    config |= {"num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 8, "dropout": 0}
    model = build_model(config, "native", "bfloat16", {"kind": "singular"}, 1)
    assert type(model).__name__ == "OPTForCausalLM"
    assert len(torch.unique(embedding_of(model), dim=0)) == 1


def test_each_stream_of_the_start_is_that_of_a_run_with_its_seed() -> None:
    def start(seed: int, init_seed: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        model: PreTrainedModel = build_model(
            fields("llama", False)["config"],
            "native",
            "bfloat16",
            {"kind": "unit-noise", "sigma": 1e-2, "noise_dtype": "float32"},
            seed,
            init_seed=init_seed,
        )
        return embedding_of(model).detach(), model.state_dict()["model.layers.0.mlp.up_proj.weight"]

    (rows1, weights1), (rows2, weights2) = start(1), start(2)
    rows, weights = start(1, 2)
    assert torch.equal(rows, rows2)
    assert torch.equal(weights, weights1)
    assert not torch.equal(rows1, rows2)
    assert not torch.equal(weights1, weights2)
    assert torch.equal(start(1, 1)[0], rows1)


def test_one_data_order_under_another_seed_of_the_steps(tmp_path: Path) -> None:
    def order(name: str, **seeds: int) -> str:
        in_child(lambda: train(tmp_path / name, **{**RUN, "training__max_steps": 1}, **seeds))
        events = [json.loads(line) for line in (tmp_path / name / "events.jsonl").read_text().splitlines()]
        return next(event["window_order"] for event in events if event["type"] == "train_begin")

    plain = order("plain", seed=42, data_seed=42)
    assert order("apart", seed=7, data_seed=42) == plain
    assert order("other", seed=42, data_seed=7) == order("seven", seed=7, data_seed=7) != plain
