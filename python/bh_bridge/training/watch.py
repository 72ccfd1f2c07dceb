"""Reports the resource usage of a training, and alerts of stalls and non-finite values."""

from __future__ import annotations

import math
import resource
import sys
import threading
import time

import torch

from bh_bridge.recording.events import EventLog
from bh_bridge.training.control import Position

FIRST_USAGE_STEPS = 20  # step times are stable by then; the duration of the run is estimated from this
USAGE_EVERY_SECONDS = 30.0
STALL_SECONDS = 60.0  # longer than any step of such a model, unless the machine sleeps or loses a disk
STALL_STEPS = 30  # for slow steps: a multiple of the mean
CHECK_SECONDS = 5.0
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes


class Watch:
    """Watches the steps of a training. A thread detects stalls of the main thread."""

    def __init__(self, events: EventLog) -> None:
        self._events = events
        self._steps = 0
        self._at: Position = {"global_step": 0, "epoch": None}
        self._stepped_at = self._usage_at = self._began_at = time.monotonic()
        self._cpu_seconds = _cpu_seconds()
        self._was_finite = True
        self._is_stalled = False
        self._ended = threading.Event()

    def begin(self, step: int) -> None:
        self._at = {"global_step": step, "epoch": None}
        self._stepped_at = self._usage_at = self._began_at = time.monotonic()
        self._cpu_seconds = _cpu_seconds()
        threading.Thread(target=self._look_out, name="bh-bridge-watch", daemon=True).start()

    @property
    def is_measuring(self) -> bool:
        """Whether steps must be noted as they end, because the run is not estimated yet."""
        return self._steps < FIRST_USAGE_STEPS

    def step(self, step: int, epoch: float | None, loss: float, embedding_is_finite: bool) -> None:
        """Note a finished step; takes about a microsecond if there is nothing to report.

        The embedding is checked as well, because the loss shows non-finite weights one step later.
        """
        self._steps += 1
        self._at = {"global_step": step, "epoch": epoch}
        self._stepped_at = time.monotonic()
        self._is_stalled = False
        problem = None
        if not math.isfinite(loss):
            problem = f"the loss of step {step} is {loss}"
        elif not embedding_is_finite:
            problem = f"the embedding has values that are not finite after step {step}"
        if problem is not None and self._was_finite:
            self.alert("non-finite", problem)
        self._was_finite = problem is None
        if self._steps == FIRST_USAGE_STEPS or self._stepped_at - self._usage_at >= USAGE_EVERY_SECONDS:
            self.report_usage()

    def report_usage(self) -> None:
        """Report the usage since the last report: mean number of busy cores, and peak memory."""
        now, cpu_seconds = time.monotonic(), _cpu_seconds()
        seconds = now - self._usage_at
        self._events.emit(
            "usage",
            **self._at,
            seconds=seconds,
            cpu_cores=(cpu_seconds - self._cpu_seconds) / seconds if seconds > 0 else 0.0,
            peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT,
            gpu_peak_bytes=torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None,
        )
        self._usage_at, self._cpu_seconds = now, cpu_seconds

    def end(self) -> None:
        """Stop watching; called however the training ends."""
        self._ended.set()

    def _look_out(self) -> None:
        while not self._ended.wait(CHECK_SECONDS):
            waited = time.monotonic() - self._stepped_at
            mean = (self._stepped_at - self._began_at) / max(self._steps, 1)
            if waited > max(STALL_SECONDS, STALL_STEPS * mean) and not self._is_stalled:
                self._is_stalled = True
                self.alert("stall", f"no step has ended for {waited:.0f} s; a step takes {mean:.2g} s on average")

    def alert(self, kind: str, message: str) -> None:
        self._events.emit("alert", **self._at, kind=kind, message=message)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
