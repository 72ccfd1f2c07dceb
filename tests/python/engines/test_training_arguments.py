"""The configuration speaks Python's own names: every key is a real field, with the types and defaults of today."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bh_bridge.engines.training_arguments import OWN_FIELDS
from transformers import GPT2Config, TrainingArguments

ROOT = Path(__file__).resolve().parents[3]
FIELDS: dict[str, Any] = json.loads((ROOT / "schemas" / "config.schema.json").read_text())["properties"]
TRAINING: dict[str, Any] = FIELDS["training"]["properties"]
FAMILIES: list[dict[str, Any]] = [family["properties"] for family in FIELDS["model"]["oneOf"]]
MODEL = next(family for family in FAMILIES if family["type"].get("const") == "gpt2")
OWN_MODEL_FIELDS = ("type", "norm", "dtype", "from")


def field_names(source: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(source)}


def test_every_training_key_is_a_field_of_training_arguments() -> None:
    assert TRAINING.keys() - set(OWN_FIELDS) <= field_names(TrainingArguments)
    assert set(OWN_FIELDS) <= TRAINING.keys()
    assert set(OWN_FIELDS) & field_names(TrainingArguments) == {"data_seed"}  # another default: that of the run


def test_every_model_key_is_a_field_of_gpt2_config() -> None:
    assert MODEL.keys() - set(OWN_MODEL_FIELDS) <= field_names(GPT2Config)
    assert set(OWN_MODEL_FIELDS) <= MODEL.keys()


def test_a_default_differs_from_transformers_only_where_the_notebook_sets_it() -> None:
    theirs = {field.name: field.default for field in dataclasses.fields(TrainingArguments)}
    ours = {name: node["default"] for name, node in TRAINING.items() if "default" in node and name not in OWN_FIELDS}
    assert {name: value for name, value in ours.items() if value != getattr(theirs[name], "value", theirs[name])} == {
        "max_steps": 10_000,
        "per_device_train_batch_size": 32,
        "learning_rate": 1e-3,
        "weight_decay": 0.01,
        "bf16": True,
        "logging_steps": 100,
    }


def test_a_model_default_differs_from_transformers_only_where_the_notebook_sets_it() -> None:
    theirs = {field.name: field.default for field in dataclasses.fields(GPT2Config)}
    ours = {name: node["default"] for name, node in MODEL.items() if name not in OWN_MODEL_FIELDS}
    assert {name: value for name, value in ours.items() if value != theirs[name]} == {
        "vocab_size": 128,
        "n_positions": 128,
        "n_embd": 64,
        "n_layer": 2,
        "n_head": 2,
        "resid_pdrop": 0,
        "embd_pdrop": 0,
        "attn_pdrop": 0,
    }


def test_training_arguments_accepts_the_defaults(tmp_path: Path) -> None:
    given = {name: node["default"] for name, node in TRAINING.items() if "default" in node and name not in OWN_FIELDS}
    arguments = TrainingArguments(output_dir=str(tmp_path), use_cpu=True, report_to="none", **given)
    assert (arguments.max_steps, arguments.lr_scheduler_type.value, arguments.max_grad_norm) == (10_000, "linear", 1)


@pytest.mark.parametrize(
    "name", sorted(name for name, node in TRAINING.items() if "HF default: " in node["description"])
)
def test_the_described_default_is_the_real_one(name: str) -> None:
    field = next(field for field in dataclasses.fields(TrainingArguments) if field.name == name)
    default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    described = json.loads(TRAINING[name]["description"].split("HF default: ")[1].removesuffix("."))
    assert described == getattr(default, "value", default)


def test_the_generated_types_are_those_of_the_installed_transformers() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "generate-types.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
