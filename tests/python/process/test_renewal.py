"""A process that has trained is made as one that has not: the next training in it has the bits of a fresh process."""

import os
import random
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from bh_bridge.bridge import registry
from bh_bridge.process import renewal
from tiny_run import differences, in_child, train


def trained_after(directory: Path, before: list[dict[str, Any]], **changes: Any) -> Path:
    """The run of a training that followed others in one process."""

    def task() -> int:
        renewal.renew({})
        for index, other in enumerate(before):
            trained = train(directory.parent / f"{directory.name}-{index}", **other)
            registry.release({"handle": trained["handle"]})
            renewal.renew({})
        train(directory, **changes)
        return os.getpid()

    assert isinstance(in_child(task), int)
    return directory


@pytest.mark.parametrize(
    "before",
    [
        [{"training__max_steps": 7}],
        [{"training__max_steps": 7, "training__full_determinism": True, "training__bf16": False}],
        [{"training__max_steps": 7, "training__gradient_accumulation_steps": 2}, {"training__max_steps": 3, "seed": 7}],
    ],
    ids=["like it", "deterministic, without autocast", "accumulating, then another seed"],
)
def test_a_training_after_others_has_the_bits_of_a_fresh_process(tmp_path: Path, before: list[dict[str, Any]]) -> None:
    whole = trained_after(tmp_path / "fresh", [])
    assert differences(trained_after(tmp_path / "later", before), whole) == []


def test_what_a_training_held_is_gone_when_the_next_one_begins(tmp_path: Path) -> None:
    def task() -> list[bool]:
        renewal.renew({})
        gone = []
        for name in ("first", "second"):
            trained = train(tmp_path / name, training__max_steps=2)
            engine = weakref.ref(registry.find(trained["handle"]).engine)
            registry.release({"handle": trained["handle"]})
            renewal.renew({})
            gone.append(engine() is None)
        return gone

    assert in_child(task) == [True, True]


def test_everything_that_a_training_can_change_is_put_back() -> None:
    def task() -> list[str]:
        torch.set_num_threads(1)
        renewal.renew({})
        fresh = torch.randn(3).tolist()
        torch.set_num_threads(2)
        torch.set_default_dtype(torch.float64)
        torch.use_deterministic_algorithms(True)
        torch.set_float32_matmul_precision("medium")
        torch.backends.cudnn.benchmark = True
        os.environ["ACCELERATE_MIXED_PRECISION"] = "bf16"
        del os.environ["PATH"]
        random.seed(1)
        torch.manual_seed(1)
        renewal.renew({})
        found = {
            "threads": torch.get_num_threads() == 1,
            "dtype": torch.get_default_dtype() == torch.float32,
            "deterministic": not torch.are_deterministic_algorithms_enabled(),
            "precision": torch.get_float32_matmul_precision() == "highest",
            "cudnn": not torch.backends.cudnn.benchmark,
            "variables": "ACCELERATE_MIXED_PRECISION" not in os.environ and "PATH" in os.environ,
            "random": torch.randn(3).tolist() == fresh,
        }
        return [name for name, holds in found.items() if not holds]

    assert in_child(task) == []
