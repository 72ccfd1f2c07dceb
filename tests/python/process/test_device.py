"""A device of the configuration is one that PyTorch sees, or it is refused with what PyTorch does see."""

import pytest
import torch
from bh_bridge.errors import DeviceUnavailable
from bh_bridge.tensors import resolve_device


@pytest.mark.parametrize(
    ("device", "cuda", "mps", "expected"),
    [
        ("auto", True, True, "cuda"),
        ("auto", False, True, "mps"),
        ("auto", False, False, "cpu"),
        ("cpu", True, True, "cpu"),
        ("cuda:1", True, False, "cuda"),
        ("mps", False, True, "mps"),
    ],
)
def test_auto_takes_the_fastest_and_a_name_what_it_says(
    monkeypatch: pytest.MonkeyPatch, device: str, cuda: bool, mps: bool, expected: str
) -> None:
    _see(monkeypatch, cuda, mps)
    assert resolve_device(device) == expected


@pytest.mark.parametrize(
    ("device", "mps", "seen"), [("cuda:1", True, "mps, cpu"), ("cuda", False, "cpu"), ("mps", False, "cpu")]
)
def test_one_that_is_not_there_is_refused_with_those_that_are(
    monkeypatch: pytest.MonkeyPatch, device: str, mps: bool, seen: str
) -> None:
    _see(monkeypatch, False, mps)
    with pytest.raises(DeviceUnavailable, match=f"device {device} is not available here; PyTorch sees: {seen}$"):
        resolve_device(device)


def _see(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
