"""A run that is copied while it is written: the copy is a run that was killed, not a damaged one."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from bh_bridge.recording.model_deltas import ModelDeltas, States
from torch import nn


def test_a_copy_has_every_weight_that_its_index_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))  # the copy is made on one machine
    from bh_bridge.on_ray.transfer import RunFolder

    source, copy = RunFolder(tmp_path / "worker"), RunFolder(tmp_path / "controller")
    run = tmp_path / "worker/run"
    run.mkdir(parents=True)
    model = nn.Linear(16, 16)
    deltas = ModelDeltas(run, States(model), 40)

    def record(first: int, last: int) -> None:
        for step in range(first, last):
            with torch.no_grad():
                model.weight.normal_()
            deltas.append(deltas.states.read(), step)
        deltas.commit()

    record(0, 10)
    pieces = source.chunks("run")
    for number, (path, offset) in enumerate(pieces):
        copy.write("run", path, offset, source.read("run", path, offset) or b"")
        record(10 * (number + 1), 10 * (number + 2))  # while the next piece waits
    deltas.close()
    copied = ModelDeltas(tmp_path / "controller/run", States(model), 40)
    assert copied.committed >= 9
    for index in range(copied.committed + 1):
        copied.values(index)  # RunCorrupt if a frame is missing
