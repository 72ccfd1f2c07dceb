"""A method is used only after it has computed the same bits as the reference in less time."""

import itertools
from types import SimpleNamespace

import pytest
import torch
from bh_bridge.engines import step_method
from bh_bridge.engines.step_method import CHECKED, Proof, StepMethod

ONE = torch.tensor([1.0, 0.0])


def compared(proof: Proof, reference: torch.Tensor, found: torch.Tensor) -> bool:
    expected, own = proof.reference(lambda: reference), proof.method(lambda: found)
    return proof.compare([("the loss", expected, own)])


def take(monkeypatch: pytest.MonkeyPatch, reference: float, method: float) -> None:
    """Let each way take so many seconds by the clock."""
    clock = itertools.cycle([0.0, reference, 0.0, method])
    monkeypatch.setattr(step_method, "time", SimpleNamespace(perf_counter=lambda: next(clock)))


@pytest.mark.parametrize(
    ("seconds", "used", "reason"), [(1.0, True, "equal bits, and faster"), (2.0, False, "it is not faster here")]
)
def test_equal_bits_are_used_where_they_come_faster(
    monkeypatch: pytest.MonkeyPatch, seconds: float, used: bool, reason: str
) -> None:
    take(monkeypatch, 2.0, seconds)
    proof = Proof("exact")
    for _ in range(CHECKED):
        assert proof.is_open
        assert compared(proof, ONE, ONE.clone())
    assert proof.verdict == StepMethod("exact", used, reason, 2.0, seconds)
    assert (proof.is_open, proof.is_used) == (False, used)


def test_one_different_bit_ends_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    take(monkeypatch, 2.0, 1.0)
    proof = Proof("graphed")
    assert not compared(proof, ONE, torch.tensor([1.0, -0.0]))
    assert proof.verdict == StepMethod("graphed", False, "its bits differ here, first in the loss", 2.0, 1.0)


def test_an_obstacle_and_a_failure_are_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Proof("exact", "it supports only GPT-2").verdict == StepMethod(
        "exact", False, "it supports only GPT-2", None, None
    )
    take(monkeypatch, 2.0, 1.0)
    proof = Proof("graphed")
    proof.reference(lambda: ONE)
    proof.fail("capturing", RuntimeError("no graph\nat all"))
    assert proof.verdict == StepMethod("graphed", False, "capturing failed: no graph", 2.0, None)


def test_the_device_is_waited_for_before_and_after_each_way() -> None:
    waits: list[int] = []
    proof = Proof("graphed", wait=lambda: waits.append(1))
    compared(proof, ONE, ONE)
    assert len(waits) == 4
