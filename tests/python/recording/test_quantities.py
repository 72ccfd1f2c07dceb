"""What is recorded of a step equals what a plain script with Hugging Face's Trainer sees, in every bit and dtype."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_run
import torch
from safetensors.torch import load_file
from tiny_run import CORPUS, differences, in_child, killed_at, train
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, PrinterCallback, Trainer, TrainerCallback, TrainingArguments

STEPS = 6
SIZES = {"vocab_size": 128, "n_positions": 16, "n_embd": 8, "n_layer": 1, "n_head": 2}
DROPOUTS = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
UNTIED = {**SIZES, **DROPOUTS, "tie_word_embeddings": False}
C_FC = "transformer.h.0.mlp.c_fc"
BITWISE = [
    "wte",
    "wte.grad",
    "wte.exp_avg",
    "wte.exp_avg_sq",
    "lm_head",
    "lm_head.grad",
    "lm_head.exp_avg",
    "transformer.wpe.weight",
    f"{C_FC}.weight.grad",
    f"{C_FC}.bias.exp_avg_sq",
    "transformer.ln_f.weight.grad",
    "learning_rate",
    "grad_norm",
    "grad_norm.clipped",
]
MEANS = ["hidden.mean", "hidden.variance", "logits.mean"]
PLAIN_RUN: dict[str, Any] = {
    "noise__epsilon": 0,
    "data__label_shift": "causal",
    "data__held_out": 0,
    "training__max_steps": STEPS,
    "training__learning_rate": 1e-3,
    "training__max_grad_norm": 0.5,
}


class Windows(torch.utils.data.Dataset):
    """Every window of the text; the model shifts the labels itself."""

    def __init__(self) -> None:
        self.tokens = torch.tensor(list(CORPUS.encode("ascii")))

    def __len__(self) -> int:
        return len(self.tokens) - SIZES["n_positions"]

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        window = self.tokens[index : index + SIZES["n_positions"]]
        return {"input_ids": window, "labels": window}


class Plain(TrainerCallback):
    """Writes down what it sees, with torch alone."""

    def __init__(self, model: GPT2LMHeadModel) -> None:
        self.model = model
        self.seen: dict[str, list[torch.Tensor]] = {name: [] for name in [*BITWISE, *MEANS]}
        self.of_step: dict[str, torch.Tensor] = {}
        self.hidden: list[torch.Tensor] = []
        self.logits: list[torch.Tensor] = []
        model.transformer.ln_f.register_forward_hook(lambda _, __, out: self.hidden.append(out.detach()))
        model.lm_head.register_forward_hook(lambda _, __, out: self.logits.append(out.detach()))

    def norm(self) -> torch.Tensor:
        return torch.linalg.vector_norm(
            torch.stack([torch.linalg.vector_norm(p.grad) for p in self.model.parameters()])
        )

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, optimizer: Any = None, **_: Any) -> None:
        self.of_step["grad_norm.clipped"] = self.norm()
        self.of_step["learning_rate"] = torch.tensor(optimizer.param_groups[0]["lr"], dtype=torch.float64)
        for name, parameter in self.parameters().items():
            self.of_step[f"{name}.grad"] = parameter.grad.clone()

    def parameters(self) -> dict[str, nn.Parameter]:
        short = {"transformer.wte.weight": "wte", "lm_head.weight": "lm_head"}
        return {short.get(name, name): parameter for name, parameter in self.model.named_parameters()}

    def on_step_end(self, args: Any, state: Any, control: Any, optimizer: Any = None, **_: Any) -> None:
        now = {**self.of_step, **{name: p.detach().clone() for name, p in self.parameters().items()}}
        for name, parameter in self.parameters().items():
            for key, value in optimizer.state[parameter].items():
                now[f"{name}.{key}"] = value.clone()
        hidden = torch.cat([h.flatten(0, 1) for h in self.hidden]).double().numpy()
        now["hidden.mean"], now["hidden.variance"] = (torch.from_numpy(f(hidden, axis=0)) for f in (np.mean, np.var))
        logits = torch.cat([each.flatten(0, 1) for each in self.logits]).double().numpy()
        now["logits.mean"] = torch.from_numpy(logits.mean(0))
        self.hidden.clear()
        self.logits.clear()
        for name, values in self.seen.items():
            values.append(now[name])


def plain(batches: int) -> dict[str, torch.Tensor]:
    """Train as a notebook would, and give all that was seen, a state a step."""
    torch.manual_seed(42)
    np.random.seed(42)
    model = GPT2LMHeadModel(GPT2Config(**UNTIED, bos_token_id=None, eos_token_id=None)).to(torch.bfloat16)
    watching = Plain(model)

    class Clipping(Trainer):
        def _clip_grad_norm(self, model: nn.Module) -> Any:
            watching.of_step["grad_norm"] = watching.norm()
            return super()._clip_grad_norm(model)

    arguments = TrainingArguments(
        output_dir="unused",
        max_steps=STEPS,
        per_device_train_batch_size=8,
        gradient_accumulation_steps=batches,
        learning_rate=1e-3,
        weight_decay=0.01,
        max_grad_norm=0.5,
        seed=42,
        bf16=True,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        logging_steps=5,
    )
    trainer = Clipping(model=model, args=arguments, train_dataset=Windows(), callbacks=[watching])
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return {name: torch.stack(values) for name, values in watching.seen.items()}


def recorded(run: Path, name: str) -> torch.Tensor:
    file = "history.safetensors" if name == "wte" else f"history.{name}.safetensors"
    return load_file(run / file)["embedding_history" if name == "wte" else name]


def untied(monkeypatch: pytest.MonkeyPatch) -> None:
    model = {**tiny_run.MODEL, "norm": "layernorm", "init": {"kind": "normal"}}
    monkeypatch.setattr(tiny_run, "MODEL", {**model, "config": {**model["config"], **UNTIED}})


@pytest.mark.parametrize("batches", [1, 3])
def test_everything_equals_a_plain_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    untied(monkeypatch)
    run = tmp_path / "run"
    changes = {**PLAIN_RUN, "training__gradient_accumulation_steps": batches}
    outcome = in_child(lambda: train(run, record__tensors=[*BITWISE, *MEANS], **changes))
    assert outcome["status"] == "completed", outcome
    torch.set_num_threads(1)
    expected = plain(batches)
    for name in BITWISE:
        found, wanted = recorded(run, name), expected[name]
        assert found.dtype == wanted.dtype, name
        assert found.shape[0] == STEPS + 1
        assert torch.equal(found[1:].reshape(wanted.shape), wanted), name
    for name in MEANS:
        found, wanted = recorded(run, name), expected[name]
        assert found.dtype == torch.float64
        torch.testing.assert_close(found[1:].reshape(wanted.shape), wanted, rtol=1e-12, atol=1e-15)
    assert recorded(run, "logits.mean").shape == (STEPS + 1, 128, 1)
    assert recorded(run, f"{C_FC}.bias.exp_avg_sq").shape == (STEPS + 1, 1, 32)


def test_the_master_copy_is_recorded_as_float32_and_rounds_to_the_weights(tmp_path: Path) -> None:
    run = tmp_path / "run"
    names = ["wte", "wte.master", "wte.exp_avg"]
    changes = {"record__tensors": names, "training__max_steps": STEPS, "noise__epsilon": 0}
    outcome = in_child(lambda: train(run, dtype="float32-master", **changes))
    assert outcome["status"] == "completed", outcome
    master = recorded(run, "wte.master")
    assert master.dtype == torch.float32
    assert torch.equal(master[1:].to(torch.bfloat16), recorded(run, "wte")[1:])
    saved = load_file(run / f"checkpoints/step-{STEPS:06d}/optimizer.safetensors")
    assert any(key.endswith(".master") and torch.equal(tensor, master[-1]) for key, tensor in saved.items())


def test_what_another_optimizer_keeps_is_recorded_by_torchs_name(tmp_path: Path) -> None:
    run = tmp_path / "run"
    changes = {"training__optim": "sgd", "training__optim_args": "momentum=0.9", "training__max_steps": STEPS}
    changes["training__weight_decay"] = 0.0  # which torch adds to the gradient
    outcome = in_child(lambda: train(run, record__tensors=["wte", "wte.momentum_buffer", "wte.grad"], **changes))
    assert outcome["status"] == "completed", outcome
    momentum, gradient = recorded(run, "wte.momentum_buffer"), recorded(run, "wte.grad")
    assert momentum.dtype == torch.bfloat16
    assert torch.equal(momentum[1], gradient[1])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "wte.grads",
            "the optimizer has no grads for wte. Use wte.grad, wte.step, wte.exp_avg, wte.exp_avg_sq",
        ),
        ("transformer.wte.weight.grad", 'use "wte.grad"'),
        ("lm_head", "the head of this model is its embedding"),
        ("transformer.wpe.wieght", 'did you mean "transformer.wpe.weight"?'),
    ],
)
def test_what_the_model_has_not_is_refused_with_what_it_has(tmp_path: Path, name: str, message: str) -> None:
    outcome = in_child(lambda: train(tmp_path / "run", record__tensors=["wte", name]))
    assert outcome["code"] == "CONFIG_INVALID"
    assert message in outcome["message"]


def test_engine_fast_records_all_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = {**tiny_run.MODEL, "config": {**tiny_run.MODEL["config"], **DROPOUTS}}
    monkeypatch.setattr(tiny_run, "MODEL", model)
    run = tmp_path / "run"
    names = ["wte", "wte.grad", "transformer.wpe.weight", "learning_rate", "grad_norm", "grad_norm.clipped"]
    changes = {"training__max_steps": STEPS, "noise__epsilon": 0}
    outcome = in_child(lambda: train(run, record__tensors=names, engine="fast", **changes))
    assert outcome["status"] == "completed", outcome
    assert (recorded(run, "grad_norm")[1:] > 0).all()
    assert (recorded(run, "wte.grad")[1:] != 0).any()


def test_tensors_have_schedules_of_their_own_and_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    changes = {
        "record__tensors": ["wte", "wte.grad", "transformer.wpe.weight", "hidden.mean"],
        "record__every": [0, 1, 2, 3, 4, 5, 10, 15, 20, 30, 40, 50, 60],
        "record__schedules": {"wte.grad": [3, 7, 31], "hidden.mean": [1, 2, 5, 10, 22, 46]},
        "record__rows": "live",
        "training__max_steps": 35,
    }
    whole, run = tmp_path / "whole", tmp_path / "run"
    assert in_child(lambda: train(whole, **changes))["status"] == "completed"
    killed_at(run, "step_end", 33, **changes)
    assert in_child(lambda: train(run, "exact", **changes))["status"] == "completed"
    assert differences(run, whole) == []
    live = len(set(CORPUS))
    assert recorded(whole, "wte").shape[:2] == (11, live)  # 0 1 2 3 4 5 10 15 20 30 35
    assert recorded(whole, "wte.grad").shape[:2] == (5, live)  # 0 3 7 31 35
    assert recorded(whole, "transformer.wpe.weight").shape == (11, 16, 8)
    assert recorded(whole, "hidden.mean").shape == (7, 1, 8)  # 0 1 2 5 10 22 35
