"""Weight decay is as the configuration says, and what an optimizer will keep is known before it is there."""

from pathlib import Path
from typing import Any

import pytest
import torch
from bh_bridge.bridge import registry
from bh_bridge.engines.run_trainer import RunTrainer
from bh_bridge.engines.training_arguments import foreseen_state
from tiny_run import MODEL, RUN, create, in_child
from torch import nn

NORMS = {"transformer.h.0.ln_1.weight", "transformer.h.0.ln_2.weight", "transformer.ln_f.weight"}
OTHERS = {
    "transformer.wte.weight",
    "transformer.wpe.weight",
    "transformer.h.0.attn.c_attn.weight",
    "transformer.h.0.attn.c_proj.weight",
    "transformer.h.0.mlp.c_fc.weight",
    "transformer.h.0.mlp.c_proj.weight",
}


@pytest.mark.parametrize(
    ("norm", "decay_norms", "norms_decay"),
    [
        ("layernorm", "hf", False),
        ("rmsnorm", "hf", True),  # HF does not know RMSNorm: the notebook's confound
        ("layernorm", "never", False),
        ("rmsnorm", "never", False),
        ("layernorm", "always", True),
        ("rmsnorm", "always", True),
    ],
)
def test_which_weights_decay(tmp_path: Path, norm: str, decay_norms: str, norms_decay: bool) -> None:
    def task() -> list[str]:
        MODEL["norm"] = norm
        trainer: RunTrainer = registry.find(
            create(tmp_path / "run", training__decay_norms=decay_norms)["handle"]
        ).engine
        optimizer = trainer.create_optimizer()
        names = {parameter: name for name, parameter in trainer.model.named_parameters()}
        return [names[each] for group in optimizer.param_groups if group["weight_decay"] for each in group["params"]]

    assert set(in_child(task)) == OTHERS | (NORMS if norms_decay else set())


MOMENTS = {"step", "exp_avg", "exp_avg_sq"}


@pytest.mark.parametrize(
    ("training", "dtype", "kept", "moments"),
    [
        ({}, "bfloat16", MOMENTS, torch.bfloat16),
        ({"optimizer_state_dtype": "float32"}, "bfloat16", MOMENTS, torch.float32),
        ({}, "float32-master", {*MOMENTS, "master"}, torch.float32),
        ({"optim": "sgd"}, "bfloat16", set(), None),
    ],
    ids=str,
)
def test_what_an_optimizer_will_keep_is_seen_on_a_copy(
    tmp_path: Path, training: dict[str, Any], dtype: str, kept: set[str], moments: torch.dtype | None
) -> None:
    changes = {"run_directory": str(tmp_path), "dtype": dtype, "training": {**RUN["training"], **training}}
    weight = nn.Parameter(torch.ones(4, 2, dtype=torch.bfloat16))
    state = foreseen_state({**RUN, **changes}, nn.Linear(1, 1), weight)
    assert (set(state), getattr(state.get("exp_avg"), "dtype", None)) == (kept, moments)
    assert torch.equal(weight, torch.ones_like(weight))
    assert weight.grad is None
