"""A traced step: every tensor that plain hooks see, in the order of execution, and no bit of the training changed."""

import json
from pathlib import Path
from typing import Any

import pytest
import tiny_run
import torch
from bh_bridge.models.families import architecture
from bh_bridge.models.model import load_model
from bh_bridge.recording.step_trace import StepTrace
from bh_bridge.storage import checkpoints
from bh_bridge.tensors import DTYPES
from safetensors.torch import load_file
from tiny_run import MODEL, events_of, in_child, train

STEP = 11
OPTIONS: dict[str, Any] = {
    "training__max_steps": 13,
    "training__gradient_accumulation_steps": 2,
    "checkpoint__every": STEP - 1,
    "record__tensors": ["wte"],
    "noise__epsilon": 0.1,
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Path]]:
    """For each engine a run, the same one traced, and its trace."""
    return {engine: traced(tmp_path_factory.mktemp(engine), engine) for engine in ("trainer", "sgd")}


def traced(folder: Path, engine: str) -> dict[str, Path]:
    plain, run, trace = folder / "plain", folder / "run", folder / "trace"
    trace.mkdir()
    in_child(lambda: train(plain, engine=engine, **OPTIONS))
    step = {"step": STEP, "directory": str(trace)}
    assert in_child(lambda: train(run, engine=engine, trace=step, **OPTIONS))["status"] == "completed"
    return {"plain": plain, "run": run, "trace": trace}


def entries_of(trace: Path) -> list[tuple[dict[str, Any], torch.Tensor]]:
    """What a trace holds, in its order: the line of each tensor, and the tensor."""
    data = bytearray((trace / "tensors.bin").read_bytes())
    entries = []
    for line in (trace / "tensors.jsonl").read_text().splitlines():
        entry = json.loads(line)
        dtype, shape = DTYPES[entry["dtype"]], entry["shape"]
        count = int(torch.tensor(shape).prod()) if shape else 1
        entries.append((entry, torch.frombuffer(data, dtype=dtype, count=count, offset=entry["offset"]).reshape(shape)))
    return entries


def key(entry: dict[str, Any]) -> tuple[str, int, str, str]:
    return entry["quantity"], entry["batch"], entry["module"], entry["tensor"]


@pytest.mark.parametrize("engine", ["trainer", "sgd"])
def test_a_traced_training_has_the_bits_of_one_that_is_not(runs: dict[str, dict[str, Path]], engine: str) -> None:
    plain, run = runs[engine]["plain"], runs[engine]["run"]
    for name in ("history.safetensors", "final/model.safetensors"):
        assert (run / name).read_bytes() == (plain / name).read_bytes(), name
    assert events_of(run) == events_of(plain)


def test_outputs_and_gradients_are_those_that_plain_hooks_see(runs: dict[str, dict[str, Path]]) -> None:
    """The step once more from the checkpoint before it: transformers' model, two batches, autograd, nothing else."""
    found = entries_of(runs["trainer"]["trace"])
    values = {key(entry): tensor for entry, tensor in found}
    checkpoint = runs["trainer"]["plain"] / f"checkpoints/step-{STEP - 1:06d}"

    def task() -> list[str]:
        config = {name: value for name, value in MODEL["config"].items() if name != "type"}
        model = load_model(str(checkpoint), architecture("gpt2", config), "gpt2", MODEL["norm"]).train()
        checkpoints.load_random_state(checkpoint)  # of the dropout
        wrong: list[str] = []
        for batch in (1, 2):
            outputs: dict[str, torch.Tensor] = {}
            hooks = [
                module.register_forward_hook(keep(name, outputs))
                for name, module in model.named_modules()
                if name.count(".") > 1 or name == "transformer.ln_f"
            ]
            given = {name: value for (what, of, _, name), value in values.items() if (what, of) == ("batch", batch)}
            model(**given).loss.backward()
            for name, output in outputs.items():
                wrong += differing(values, ("output", batch, name, ""), output)
                wrong += differing(values, ("output gradient", batch, name, ""), output.grad)
            for name, parameter in model.named_parameters():
                module, _, weight = name.rpartition(".")
                wrong += differing(values, ("gradient", batch, module, weight), parameter.grad)
            for hook in hooks:
                hook.remove()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for name, parameter in model.named_parameters():
            module, _, weight = name.rpartition(".")
            wrong += differing(values, ("clipped gradient", 0, module, weight), parameter.grad)
        return wrong

    assert in_child(task) == []


def keep(name: str, outputs: dict[str, torch.Tensor]) -> Any:
    def hook(module: torch.nn.Module, args: Any, output: Any) -> None:
        tensor = output[0] if isinstance(output, tuple) else output
        if tensor.requires_grad and all(tensor is not known for known in outputs.values()):  # a dropout's, handed on
            tensor.retain_grad()
            outputs[name] = tensor

    return hook


def differing(values: dict[Any, torch.Tensor], place: tuple[Any, ...], expected: torch.Tensor | None) -> list[str]:
    if place not in values:
        quantity, batch, module, _ = place
        place = (quantity, batch, module, "0")
    return [] if expected is not None and place in values and torch.equal(values[place], expected) else [str(place)]


def test_the_states_around_the_step_are_those_of_the_history_and_of_the_checkpoint(
    runs: dict[str, dict[str, Path]],
) -> None:
    for engine in ("trainer", "sgd"):
        plain, found = runs[engine]["plain"], entries_of(runs[engine]["trace"])
        values = {key(entry): tensor for entry, tensor in found}
        history = load_file(plain / "history.safetensors")["embedding_history"]
        embedding = ("transformer.wte", "weight")
        assert torch.equal(values["state", 0, *embedding], history[STEP - 1])
        assert torch.equal(values["state after noise", 0, *embedding], history[STEP])
        assert not torch.equal(values["updated state", 0, *embedding], history[STEP])
        saved = load_file(plain / f"checkpoints/step-{STEP - 1:06d}/model.safetensors")
        states = {f"{module}.{tensor}": value for (what, _, module, tensor), value in values.items() if what == "state"}
        assert all(torch.equal(states[name], value) for name, value in saved.items() if name in states)
        assert {"transformer.wte.weight", "transformer.ln_f.weight"} <= saved.keys() & states.keys()


def test_what_comes_first_in_the_step_comes_first_in_the_trace(runs: dict[str, dict[str, Path]]) -> None:
    lines = [entry for entry, _ in entries_of(runs["trainer"]["trace"])]
    quantities = list(dict.fromkeys(entry["quantity"] for entry in lines))
    assert quantities[:4] == ["state", "batch", "output", "input"]
    assert quantities[-4:] == ["clipped gradient", "setting", "updated state", "state after noise"]
    first = [entry for entry in lines if entry["batch"] == 1]
    modules = list(dict.fromkeys(entry["module"] for entry in first if entry["quantity"] == "output"))
    assert modules[:4] == ["transformer.wte", "transformer.wpe", "transformer.drop", "transformer.h.0.ln_1"]
    assert modules[-2:] == ["lm_head", ""]
    backward = [entry["module"] for entry in first if entry["quantity"] == "output gradient"]
    assert backward[0] == ""
    assert (
        backward.index("transformer.ln_f")
        < backward.index("transformer.h.0.mlp.c_fc")
        < backward.index("transformer.wte")
    )
    assert {entry["type"] for entry in lines if entry["module"] == "transformer.ln_f"} == {"RMSNorm"}
    settings = {
        entry["tensor"]: value.item()
        for entry, value in entries_of(runs["trainer"]["trace"])
        if entry["quantity"] == "setting" and entry["module"] == "transformer.ln_f"
    }
    assert settings["weight.weight_decay"] == tiny_run.RUN["training"]["weight_decay"]


def test_a_state_has_one_digest_and_another_state_another(runs: dict[str, dict[str, Path]]) -> None:
    trace = runs["trainer"]["trace"]
    facts = json.loads((trace / "trace.json").read_text())
    names, states = facts["parameters"], (trace / "states.bin").read_bytes()
    assert (facts["step"], facts["first_step"], len(states)) == (STEP, 0, 14 * len(names) * 8)
    by_step = [[states[(step * len(names) + at) * 8 :][:8] for at in range(len(names))] for step in range(14)]
    for at, name in enumerate(names):
        assert len({digests[at] for digests in by_step}) == 14, name
    assert names.index("transformer.wte.weight") == 0


def test_a_digest_is_of_a_weight_and_of_what_the_optimizer_keeps_for_it(tmp_path: Path) -> None:
    class One(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(3))

    def digest_with(**kept: Any) -> bytes:
        trace = StepTrace(tmp_path, 9, One(), lambda _: kept, lambda _: {})
        trace.begin(0)
        trace.close()
        return (tmp_path / "states.bin").read_bytes()

    plain, kept = digest_with(), digest_with(exp_avg=torch.zeros(3), step=1)
    assert (
        len({plain, kept, digest_with(exp_avg=torch.zeros(3), step=2), digest_with(exp_avg=-torch.zeros(3), step=1)})
        == 4
    )
    assert kept == digest_with(step=1, exp_avg=torch.zeros(3))
