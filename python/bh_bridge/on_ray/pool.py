"""The workers of a sweep on a Ray cluster, and what they have told the controller."""

# pyright: reportMissingImports=false
from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Any, TypedDict

import ray

from bh_bridge.on_ray.worker import POLL_SECONDS, Report, Setup, WarmWorker

SILENCE_SECONDS = float(os.environ.get("BH_BRIDGE_SILENCE_SECONDS", "60"))
STOP_SECONDS = 30.0


Actor = Any  # a WarmWorker, whose methods Ray gives a `remote`


class WorkerSpec(TypedDict):
    """Where a worker is to run, and what it is to be set up with."""

    cpus: float
    gpus: float
    setup: Setup
    probe: dict[str, str]


class WorkerPool:
    """The workers, and what they have told."""

    def __init__(self) -> None:
        self.workers: dict[str, Actor] = {}
        self.reports: list[tuple[int, Report]] = []
        self.told = 0
        self.requests: deque[str] = deque(maxlen=10_000)
        self.changed = threading.Condition()
        self.heard_at = time.monotonic()
        self.ended = threading.Event()
        self.is_ending = False  # without a controller: nothing more is begun

    def start(self, worker: str, spec: WorkerSpec) -> None:
        """Ask Ray for a place, and follow whoever gets it."""
        actor = WarmWorker.options(  # pyright: ignore[reportAttributeAccessIssue]
            num_cpus=spec["cpus"], num_gpus=spec["gpus"], scheduling_strategy="SPREAD", max_concurrency=8
        ).remote(spec["setup"], spec["probe"])
        self.workers[worker] = actor
        threading.Thread(target=self._follow, args=(worker, actor), daemon=True).start()

    def close(self, worker: str) -> None:
        """End a worker; one that is not there any more has ended."""
        actor = self.workers.pop(worker, None)
        if actor is None:
            return
        try:
            ray.get(actor.close.remote(), timeout=20)
        except Exception as error:
            print(f"worker {worker}: {error}", flush=True)
        ray.kill(actor)

    def _follow(self, worker: str, actor: Actor) -> None:
        try:
            self._tell(worker, {"kind": "ready", **ray.get(actor.place.remote())})
            while worker in self.workers:
                for report in ray.get(actor.next_reports.remote()):
                    self._tell(worker, report)
        except ray.exceptions.RayError as error:
            if worker in self.workers:
                self._tell(worker, {"kind": "gone", "reason": first_lines(str(error))})

    def _tell(self, worker: str, report: Report) -> None:
        with self.changed:
            self.told += 1
            self.reports.append((self.told, {"worker": worker, "report": report}))
            self.changed.notify_all()

    def reports_after(self, number: int) -> list[tuple[int, Report]]:
        """What was told after a number; what was told before has arrived, and is forgotten."""
        with self.changed:
            self.reports = [each for each in self.reports if each[0] > number]
            self.changed.wait_for(lambda: bool(self.reports), timeout=POLL_SECONDS)
            return list(self.reports)

    def is_new(self, request: str) -> bool:
        """Whether this request comes for the first time: one whose answer was lost is sent again."""
        with self.changed:
            if request and request in self.requests:
                return False
            self.requests.append(request)
            return True

    def hear(self) -> None:
        """The controller lives: it has just asked for something."""
        self.heard_at = time.monotonic()

    def wait(self) -> None:
        """Until the controller ends the job, or is gone."""
        while not self.ended.wait(timeout=1):
            if time.monotonic() - self.heard_at < SILENCE_SECONDS:
                continue
            self.is_ending = True
            print(f"the controller has been silent for {SILENCE_SECONDS:g} s: trials end after their steps", flush=True)
            for actor in self.workers.values():
                actor.order.remote({"kind": "stop"})
            self._wait_for_ends()
            return

    def _wait_for_ends(self) -> None:
        until = time.monotonic() + STOP_SECONDS
        while time.monotonic() < until:
            with self.changed:
                last = {told["worker"]: told["report"]["kind"] for _, told in self.reports}
            if all(last.get(worker) in ("ended", "gone", "ready") for worker in self.workers):
                return
            time.sleep(0.5)


def first_lines(text: str) -> str:
    """Of what Ray says of an error, which quotes whole tracebacks."""
    return "\n".join(line for line in text.splitlines()[:12] if line.strip())
