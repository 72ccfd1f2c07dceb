"""All weights of every step come back in every bit from `model.deltas`, whatever happens on the way."""

import json
import random
import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from bh_bridge.errors import DiskFull, ResumeDiverged, RunCorrupt
from bh_bridge.recording import model_deltas, recorder
from bh_bridge.recording.model_deltas import FILE, INDEX, KEY_EVERY, ModelDeltas, States
from safetensors.torch import load_file, save_file
from tiny_run import MODEL, differences, in_child, killed_at, train
from torch import nn

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/run-directory.md"
[READER] = [
    block for block in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL) if "model.deltas" in block
]
PLAIN = {**MODEL["config"], "resid_pdrop": 0}  # engine portable has no dropout
STEPS = KEY_EVERY + 8
DELTAS: dict[str, Any] = {"training__max_steps": STEPS}  # tiny runs record deltas


def read(run: Path, step: int) -> dict[str, torch.Tensor]:
    """The weights after a step by the reader of the documentation; bfloat16 as float32, which is exact."""
    scope: dict[str, Any] = {"__name__": "reader"}
    exec(READER, scope)
    return {name: torch.from_numpy(np.array(array)) for name, array in scope["weights"](run, step)}


def same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> bool:
    """Whether tensors have equal names, shapes and bits."""
    wide = {name: each.float() if each.dtype == torch.bfloat16 else each for name, each in expected.items()}
    return found.keys() == wide.keys() and all(
        found[name].shape == each.shape and found[name].numpy().tobytes() == each.contiguous().numpy().tobytes()
        for name, each in wide.items()
    )


def train_and_save(run: Path, **changes: Any) -> dict[str, Any]:
    """Train with deltas; torch saves the weights of each step beside the run."""
    append = ModelDeltas.append
    models: list[nn.Module] = []

    class Remembered(States):
        def __init__(self, model: nn.Module) -> None:
            models.append(model)
            super().__init__(model)

    def append_and_save(self: ModelDeltas, state: torch.Tensor, step: int) -> None:
        append(self, state, step)
        weights = {name: each.detach().clone() for name, each in models[0].named_parameters()}
        save_file(weights, run.parent / f"step-{step}.safetensors")

    ModelDeltas.append = append_and_save
    recorder.States = Remembered
    return train(run, **DELTAS, **changes)


@pytest.mark.parametrize(
    ("changes", "dtype"),
    [
        ({}, torch.bfloat16),
        ({"dtype": "float32", "training__bf16": False, "model_fields": {"dtype": "float32"}}, torch.float32),
        ({"engine": "portable", "model_fields": {"draws": "portable", "config": PLAIN}}, torch.bfloat16),
        ({"training__gradient_accumulation_steps": 2}, torch.bfloat16),
    ],
    ids=["bfloat16", "float32", "portable", "accumulation"],
)
def test_every_step_has_the_bits_of_the_weights_that_torch_saved(
    tmp_path: Path, changes: dict[str, Any], dtype: torch.dtype
) -> None:
    run = tmp_path / "run"
    outcome = in_child(lambda: train_and_save(run, **changes))
    assert outcome.get("status") == "completed", outcome
    saved = load_file(tmp_path / f"step-{STEPS}.safetensors")
    assert {each.dtype for each in saved.values()} == {dtype}
    for step in (STEPS, *range(STEPS)):
        assert same(read(run, step), load_file(tmp_path / f"step-{step}.safetensors")), step


def test_a_tied_weight_is_stored_once_and_named_twice(tmp_path: Path) -> None:
    run = tmp_path / "run"
    in_child(lambda: train(run, training__max_steps=1))
    data = (run / FILE).read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:4], "little")])
    assert header["tied"] == {"lm_head.weight": "transformer.wte.weight"}
    assert "lm_head.weight" not in [each["name"] for each in header["tensors"]]


class Odd(nn.Module):
    """Weights of three widths, a tied one, and buffers that are replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Parameter(torch.zeros(5, 3))
        self.narrow = nn.Parameter(torch.zeros(7, dtype=torch.bfloat16))
        self.short = nn.Parameter(torch.zeros((), dtype=torch.float16))
        self.same = self.wide
        self.register_buffer("seen", torch.tensor(0))
        self.register_buffer("on", torch.tensor([True, False]))


def odd_states(count: int) -> list[dict[str, torch.Tensor]]:
    """Any bits: NaN of every payload, both zeros, infinities, the largest jumps."""
    draw = torch.Generator().manual_seed(1)
    special = torch.tensor([0, -(2**31), 0x7F800001, -1, 0x7FC00000, -(2**23), 2**31 - 1], dtype=torch.int32)
    states = []
    for step in range(count):
        any_bits = torch.randint(-(2**31), 2**31, (15,), generator=draw, dtype=torch.int64).int()
        any_bits[torch.randperm(15, generator=draw)[:7]] = special
        states.append(
            {
                "wide": any_bits.view(torch.float32).reshape(5, 3),
                "narrow": any_bits[:7].view(torch.int16)[1::2].clone().view(torch.bfloat16),
                "short": any_bits[:1].view(torch.int16)[0].clone().view(torch.float16),
                "seen": torch.tensor(step * 0x123456789ABCDEF % 2**64 - 2**63),
                "on": torch.tensor([step % 2 == 0, step % 3 == 0]),
            }
        )
    return states


def write(directory: Path, states: list[dict[str, torch.Tensor]], *, resume_at: int | None = None) -> None:
    model = Odd()
    deltas = ModelDeltas(directory, States(model), len(states) - 1)
    if resume_at is not None:
        deltas.rewind(resume_at)
    for step in range(0 if resume_at is None else resume_at + 1, len(states)):
        for name, value in states[step].items():
            if name in ("seen", "on"):
                setattr(model, name, value)
            else:
                model.get_parameter(name).data = value
        deltas.append(deltas.states.read(), step)
    deltas.commit()
    deltas.close()


def bits(tensors: dict[str, torch.Tensor]) -> dict[str, bytes]:
    """The bytes of tensors, bfloat16 widened as the reader of the documentation does it."""
    return {
        name: ((each.view(torch.int16).int() << 16) if each.dtype == torch.bfloat16 else each).numpy().tobytes()
        for name, each in tensors.items()
    }


def test_nan_payloads_both_zeros_and_any_jump_survive_in_every_width(tmp_path: Path) -> None:
    states = odd_states(2 * KEY_EVERY + 3)
    write(tmp_path, states)
    for step in random.Random(1).sample(range(len(states)), len(states)):
        assert bits(read(tmp_path, step)) == bits(states[step]), step


def test_a_flipped_bit_anywhere_is_found(tmp_path: Path) -> None:
    states = odd_states(4)
    write(tmp_path, states)
    for name in (FILE, INDEX):
        whole = (tmp_path / name).read_bytes()
        for at in range(len(whole)):
            damaged = bytearray(whole)
            damaged[at] ^= 1 << at % 8
            (tmp_path / name).write_bytes(damaged)
            with pytest.raises((RunCorrupt, OSError)):
                check(tmp_path)
        (tmp_path / name).write_bytes(whole)
    check(tmp_path)


def check(directory: Path) -> None:
    deltas = ModelDeltas(directory, States(Odd()), 3)
    try:
        for index in range(deltas.committed + 1):
            deltas.values(index)
    finally:
        deltas.close()


def test_a_truncated_file_is_refused_and_what_was_not_committed_is_cut(tmp_path: Path) -> None:
    states = odd_states(6)
    write(tmp_path, states)
    whole = {name: (tmp_path / name).read_bytes() for name in (FILE, INDEX)}
    for name in whole:
        (tmp_path / name).write_bytes(whole[name] + b"half a frame")
    check(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in whole} == whole
    for name in whole:
        (tmp_path / name).write_bytes(whole[name][:-1])
        with pytest.raises(RunCorrupt):
            check(tmp_path)
        (tmp_path / name).write_bytes(whole[name])
    (tmp_path / FILE).unlink()
    with pytest.raises(RunCorrupt, match="is missing"):
        check(tmp_path)


def test_recomputed_states_are_compared_and_later_ones_appended(tmp_path: Path) -> None:
    states = odd_states(KEY_EVERY + 6)
    whole, run = tmp_path / "whole", tmp_path / "run"
    whole.mkdir()
    run.mkdir()
    write(whole, states)
    write(run, states[: KEY_EVERY + 3])
    write(run, states, resume_at=KEY_EVERY)
    assert all((run / name).read_bytes() == (whole / name).read_bytes() for name in (FILE, INDEX))
    other = [*states]
    other[-1] = {**states[-1], "short": torch.tensor(3, dtype=torch.float16)}
    with pytest.raises(ResumeDiverged, match=f"the weights of step {len(states) - 1} differ"):
        write(run, other, resume_at=KEY_EVERY)


def test_forgotten_states_are_replaced_without_comparison(tmp_path: Path) -> None:
    states = odd_states(8)
    write(tmp_path, states)
    deltas = ModelDeltas(tmp_path, States(Odd()), 7)
    deltas.forget_after(3)
    deltas.close()
    write(tmp_path, [*states[:4], *reversed(states[:4])], resume_at=3)
    assert bits(read(tmp_path, 7)) == bits(states[0])


def test_a_run_killed_at_any_step_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    whole, run = tmp_path / "whole", tmp_path / "run"
    in_child(lambda: train(whole, **DELTAS))
    killed_at(run, "step_end", 17, **DELTAS)
    killed_at(run, "step_end", KEY_EVERY + 1, "exact", **DELTAS)
    assert in_child(lambda: train(run, "exact", **DELTAS))["status"] == "completed"
    assert differences(run, whole) == []  # model.deltas and model.idx too


def test_a_disk_that_cannot_hold_the_deltas_is_refused_with_the_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_deltas, "free_bytes", Mock(return_value=1000))
    with pytest.raises(DiskFull, match=r"needs about 1,\d\d\d bytes but the disk has 1,000 left"):
        ModelDeltas(tmp_path, States(Odd()), 49)


def test_an_error_of_the_thread_ends_the_recording_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deltas = ModelDeltas(tmp_path, States(Odd()), 3)
    monkeypatch.setattr(model_deltas, "write_all", Mock(side_effect=OSError(28, "No space left on device")))
    deltas.append(deltas.states.read(), 0)
    with pytest.raises(OSError, match="No space left"):
        deltas.commit()
    monkeypatch.undo()
    with pytest.raises(OSError, match="No space left"):
        deltas.append(deltas.states.read(), 1)
    deltas.close()
    assert ModelDeltas(tmp_path, States(Odd()), 3).committed == -1
