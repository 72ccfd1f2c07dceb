"""The HTTP server for the controller, which assigns the trials. Requests need a token."""

# pyright: reportMissingImports=false
from __future__ import annotations

import hmac
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import ray

from bh_bridge.on_ray.pool import WorkerPool, first_lines
from bh_bridge.on_ray.transfer import checked, pieces

TOKEN = os.environ.get("BH_BRIDGE_CHANNEL_TOKEN", "")
HOST = os.environ.get("BH_BRIDGE_CHANNEL_HOST", "127.0.0.1")
PORTS = range(8300, 8400)


class Channel(BaseHTTPRequestHandler):
    """The requests of the controller."""

    protocol_version = "HTTP/1.1"
    pool: WorkerPool

    def do_GET(self) -> None:
        """`/reports?after=N`, or `/run/WORKER/NAME`."""
        if not self._is_allowed():
            return
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts == ["reports"]:
            self._answer(self.pool.reports_after(int(self.path.partition("after=")[2] or 0)))
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
        if self.pool.is_ending and what in ("start", "order", "chunk"):
            self._answer({"error": "the job is ending: no request from its controller"}, 410)
            return
        if not self.pool.is_new(self.headers.get("X-Request", "")):
            self._answer({})
            return
        try:
            is_known = self._obey(what, rest[0] if rest else "", body)
        except (ray.exceptions.RayError, ValueError, KeyError) as error:
            self._answer({"error": first_lines(str(error))}, 500)
            return
        self._answer({} if is_known else {"error": f"{self.path} was not found"}, 200 if is_known else 404)

    def _obey(self, what: str, worker: str, body: bytes) -> bool:
        actor = self.pool.workers.get(worker)
        if what == "end":
            self.pool.ended.set()
        elif what == "start":
            self.pool.start(worker, json.loads(body))
        elif what == "close":
            self.pool.close(worker)
        elif actor is None:
            return False
        elif what == "order":
            actor.order.remote(json.loads(body))
        elif what == "chunk":
            head, _, data = body.partition(b"\n")
            chunk = checked(json.loads(head), data)
            ray.get(actor.write.remote(chunk["name"], chunk["path"], chunk["offset"], data))
        elif what == "forget":
            ray.get(actor.forget.remote(json.loads(body)["name"]))
        else:
            return False
        return True

    def _send_run(self, worker: str, name: str) -> None:
        """The files of a run in pieces: a line of JSON, then the bytes. The last line has no path."""
        try:
            found = pieces(self.pool.workers[worker], name)
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in found:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        except (ray.exceptions.RayError, KeyError, OSError) as error:
            print(f"{name} could not be sent: {error}", flush=True)
            self.close_connection = True

    def _is_allowed(self) -> bool:
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given, f"Bearer {TOKEN}"):
            self._answer({"error": "wrong token"}, 401)
            return False
        self.pool.hear()
        return True

    def _answer(self, document: object, status: int = 200) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Do not log requests, only errors."""


def listen(pool: WorkerPool) -> ThreadingHTTPServer:
    """Open a server for the controller of these workers on the first free port."""
    handler = type("PoolChannel", (Channel,), {"pool": pool})
    host = HOST if HOST == "127.0.0.1" else ray.util.get_node_ip_address()
    for port in PORTS:
        try:
            server = ThreadingHTTPServer((host, port), handler)
        except OSError:
            continue
        server.daemon_threads = True
        return server
    raise RuntimeError(f"no port of {host} from {PORTS.start} to {PORTS.stop - 1} is free")
