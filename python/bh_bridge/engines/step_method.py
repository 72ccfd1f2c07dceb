"""Verifies methods that compute steps in place of the reference before they are used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import torch

from bh_bridge.tensors import same_bits

CHECKED = 3  # batches or steps computed both ways; the fastest time counts
Result = TypeVar("Result")


class StepMethod(NamedTuple):
    """Whether a method computes the steps, and why: the fields of event `step_method`.

    reference_seconds, seconds: time per batch or step without and with the method, if measured.
    """

    method: str  # exact, graphed or portable
    used: bool
    reason: str
    reference_seconds: float | None = None
    seconds: float | None = None


class Proof:
    """Computes the first steps of a training both ways, compares every bit, and keeps the faster way.

    Equal bits depend on the processor, the device and the libraries, so each training verifies them. For each step,
    call `reference`, `method` and `compare` in this order until there is a `verdict`.
    """

    def __init__(self, method: str, obstacle: str | None = None, wait: Callable[[], None] = lambda: None) -> None:
        """obstacle: why the method cannot be used; None if it can. wait: waits for the device."""
        self.verdict = None if obstacle is None else StepMethod(method, used=False, reason=obstacle)
        self._method = method
        self._wait = wait
        self._reference_seconds: list[float] = []
        self._seconds: list[float] = []

    @property
    def is_open(self) -> bool:
        """Whether more steps have to be compared."""
        return self.verdict is None

    @property
    def is_used(self) -> bool:
        """Whether the method computes the steps from now on."""
        return self.verdict is not None and self.verdict.used

    def reference(self, compute: Callable[[], Result]) -> Result:
        """Compute and time a step by the reference."""
        return self._timed(compute, self._reference_seconds)

    def method(self, compute: Callable[[], Result]) -> Result:
        """Compute and time a step by the method."""
        return self._timed(compute, self._seconds)

    def compare(self, pairs: Iterable[tuple[str, torch.Tensor | None, torch.Tensor]]) -> bool:
        """Return whether all bits are equal. A difference or enough equal steps give a verdict.

        pairs: name, tensor of the reference (None: not computed) and tensor of the method.
        """
        different = [name for name, one, other in pairs if one is None or not same_bits(one, other)]
        if different:
            self._judge(False, f"its bits differ here, first in {different[0]}")
        elif len(self._seconds) == CHECKED:
            is_faster = min(self._seconds) < min(self._reference_seconds)
            self._judge(is_faster, "equal bits, and faster" if is_faster else "it is not faster here")
        return not different

    def fail(self, what: str, error: Exception) -> None:
        """Reject the method because of an error; the verdict quotes its first line."""
        first_line = str(error).strip().split("\n", 1)[0]
        self._judge(False, f"{what} failed: {first_line}")

    def _judge(self, used: bool, reason: str) -> None:
        seconds = min(self._seconds, default=None)
        self.verdict = StepMethod(self._method, used, reason, min(self._reference_seconds), seconds)

    def _timed(self, compute: Callable[[], Result], seconds: list[float]) -> Result:
        self._wait()
        began = time.perf_counter()
        result = compute()
        self._wait()
        seconds.append(time.perf_counter() - began)
        return result
