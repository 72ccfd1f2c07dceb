"""Noise on the embedding after each step, and its end."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.torch import load_file
from tiny_run import MODEL, in_child, train

CHANGES: dict[str, Any] = {
    "training__max_steps": 6,
    "training__lr_scheduler_type": "constant",
    "noise__epsilon": 0.1,
}


def history(run: Path, **changes: Any) -> npt.NDArray[np.float32]:
    """The embedding of every recorded step, [steps + 1, vocab, hidden]."""
    outcome = in_child(lambda: train(run, **{**CHANGES, **changes}))
    assert outcome["status"] == "completed", outcome
    return load_file(run / "history.safetensors")["embedding_history"].float().numpy()


@pytest.mark.parametrize("engine", ["trainer", "fast"])
def test_noise_ends_after_its_last_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    monkeypatch.setitem(MODEL["config"], "resid_pdrop", 0.0)  # engine fast has none
    always = history(tmp_path / "always", engine=engine)
    ended = history(tmp_path / "ended", engine=engine, noise__last_step=3)
    assert np.array_equal(ended[:4], always[:4])
    moves = np.abs(np.diff(ended, axis=0)).max(axis=(1, 2))
    assert moves[:3].min() > 0.02  # noise of standard deviation 0.01 on 1,024 components, above every step of 0.001
    assert moves[3:].max() < 0.01
