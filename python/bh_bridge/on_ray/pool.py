"""The workers of a sweep on a Ray cluster, and their reports for the controller."""

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


Actor = Any  # a handle of a WarmWorker


class WorkerSpec(TypedDict):
    """The resources and the setup of a worker."""

    cpus: float
    gpus: float
    setup: Setup
    probe: dict[str, str]


class WorkerReport(TypedDict):
    worker: str
    report: Report


class WorkerPool:
    """The workers and their reports."""

    def __init__(self) -> None:
        self.workers: dict[str, Actor] = {}
        self.reports: list[tuple[int, WorkerReport]] = []
        self.last_number = 0
        self.requests: deque[str] = deque(maxlen=10_000)
        self.changed = threading.Condition()
        self.heard_at = time.monotonic()
        self.ended = threading.Event()
        self.is_ending = False  # the controller is gone: no more trials are started

    def start(self, worker: str, spec: WorkerSpec) -> None:
        """Start a worker on the cluster, and follow its reports."""
        actor = WarmWorker.options(  # pyright: ignore[reportAttributeAccessIssue]
            num_cpus=spec["cpus"], num_gpus=spec["gpus"], scheduling_strategy="SPREAD", max_concurrency=8
        ).remote(spec["setup"], spec["probe"])
        self.workers[worker] = actor
        threading.Thread(target=self._follow, args=(worker, actor), daemon=True).start()

    def close(self, worker: str) -> None:
        """End a worker, if it has not ended."""
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
            self._report(worker, ray.get(actor.place.remote()))
            while worker in self.workers:
                for report in ray.get(actor.next_reports.remote()):
                    self._report(worker, report)
        except ray.exceptions.RayError as error:
            if worker in self.workers:
                self._report(worker, {"kind": "gone", "reason": first_lines(str(error))})

    def _report(self, worker: str, report: Report) -> None:
        with self.changed:
            self.last_number += 1
            self.reports.append((self.last_number, {"worker": worker, "report": report}))
            self.changed.notify_all()

    def reports_after(self, number: int) -> list[tuple[int, WorkerReport]]:
        """Return the reports after a number, and drop earlier ones, which have arrived."""
        with self.changed:
            self.reports = [each for each in self.reports if each[0] > number]
            self.changed.wait_for(lambda: bool(self.reports), timeout=POLL_SECONDS)
            return list(self.reports)

    def is_new(self, request: str) -> bool:
        """Whether a request is new; the controller repeats requests whose answers were lost."""
        with self.changed:
            if request and request in self.requests:
                return False
            self.requests.append(request)
            return True

    def hear(self) -> None:
        """Note a request of the controller."""
        self.heard_at = time.monotonic()

    def wait(self) -> None:
        """Wait until the controller ends the job or stops sending requests."""
        while not self.ended.wait(timeout=1):
            if time.monotonic() - self.heard_at < SILENCE_SECONDS:
                continue
            self.is_ending = True
            print(
                f"no request from the controller for {SILENCE_SECONDS:g} s: trials stop after their current steps",
                flush=True,
            )
            for actor in self.workers.values():
                actor.order.remote({"kind": "stop"})
            self._wait_for_ends()
            return

    def _wait_for_ends(self) -> None:
        until = time.monotonic() + STOP_SECONDS
        while time.monotonic() < until:
            with self.changed:
                last = {each["worker"]: each["report"]["kind"] for _, each in self.reports}
            if all(last.get(worker) in ("ended", "gone", "ready") for worker in self.workers):
                return
            time.sleep(0.5)


def first_lines(text: str) -> str:
    """The first lines of an error of Ray, which contains whole tracebacks."""
    return "\n".join(line for line in text.splitlines()[:12] if line.strip())
