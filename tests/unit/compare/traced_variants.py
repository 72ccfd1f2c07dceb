"""Tiny trainings that differ in one thing from the first, and the trace of one step of each.

Arguments: a folder for them. Prints, for where two of them part, values that are computed here without any trace.
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests/python")]

import tiny_run  # noqa: E402
import torch  # noqa: E402
from bh_bridge.models.model import build_model  # noqa: E402

STEP = 1
MODEL = {**tiny_run.MODEL, "config": {**tiny_run.MODEL["config"], "resid_pdrop": 0.0}, "init": {"kind": "normal"}}
OPTIONS: dict[str, Any] = {
    "training__max_steps": 4,
    "training__weight_decay": 0.1,
    "training__lr_scheduler_type": "constant",
    "training__max_grad_norm": 0.25,
    "noise__epsilon": 0.1,
    "record__tensors": ["wte"],
    "checkpoint__every": None,
    "until": STEP + 1,
}


def model(**changes: Any) -> dict[str, Any]:
    """A request for the model, with other values in its configuration or beside it."""
    config = {name: changes.pop(name) for name in list(changes) if name in MODEL["config"]}
    return {**MODEL, **changes, "config": {**MODEL["config"], **config}}


VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "plain": (model(), {}),
    "same": (model(), {}),
    "learning-rate": (model(), {"training__learning_rate": 2e-3}),
    "decay-norms": (model(), {"training__decay_norms": "never"}),
    "clipping": (model(), {"training__max_grad_norm": 0.125}),
    "noise": (model(), {"noise__epsilon": 0.2}),
    "label-shift": (model(), {"data__label_shift": "causal"}),
    "data-order": (model(), {"data_seed": 7}),
    "dropout": (model(resid_pdrop=0.5), {}),
    "norm": (model(norm="layernorm"), {}),
    "activation": (model(activation_function="relu"), {}),
    "dtype": (model(dtype="float32"), {"dtype": "float32"}),
    "initial-state": (model(seed=43), {}),
}


def trace(folder: Path, name: str) -> None:
    built, changes = VARIANTS[name]
    tiny_run.MODEL = built
    directory = folder / name
    directory.mkdir()
    step = {"step": STEP, "directory": str(directory)}
    tiny_run.train(folder / f"run-{name}", trace=step, **{**OPTIONS, **changes})


def first_difference(a: torch.Tensor, b: torch.Tensor) -> dict[str, Any]:
    """Where two vectors of bfloat16 differ first, both values, and how many numbers lie from one to the other."""
    [place] = torch.nonzero(a != b)[0].tolist()
    ulp = abs(a.view(torch.int16)[place].int() - b.view(torch.int16)[place].int()).item()  # of one sign
    return {"element": [0, 0, place], "a": a[place].item(), "b": b[place].item(), "ulp": ulp}


def expected_norms(token: int) -> dict[str, Any]:
    """Both norms of what the first layer gets for a token at the first place, as their formulas say."""
    transformer = build_model(MODEL["config"], "rmsnorm", MODEL["dtype"], MODEL["init"], MODEL["seed"]).transformer
    hidden = (transformer.wte.weight.detach()[token] + transformer.wpe.weight.detach()[0]).float()
    rms = (hidden * torch.rsqrt(hidden.pow(2).mean() + 1e-5)).bfloat16()
    centred = hidden - hidden.mean()
    layer = (centred / torch.sqrt(centred.pow(2).mean() + 1e-5)).bfloat16()
    return first_difference(rms, layer)


def main() -> None:
    folder = Path(sys.argv[1])
    for name in VARIANTS:
        failure = tiny_run.in_child(lambda name=name: trace(folder, name))
        assert failure is None, failure
    print(json.dumps({"norms": [expected_norms(token) for token in sorted(set(tiny_run.CORPUS.encode()))]}))


main()
