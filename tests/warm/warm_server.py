"""A Python that has imported what trainings need, and forks for each that is asked for.

An import takes 3 s of a processor, and the tests start hundreds of trainings.

usage: warm_server.py SOCKET

`warm_client.py` stands for the process that was asked for: it hands over its arguments, environment, folder and open
files, passes signals on, and ends as its fork ends. A fork is what a fresh Python is, but for the time that it took:
tests of starting, of dying and of the process itself use the interpreter.
"""

from __future__ import annotations

import array
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import random
import runpy
import selectors
import signal
import socket
import sys
from typing import TypedDict

MAX_FILES = 64


class Request(TypedDict):
    arguments: list[str]
    environment: dict[str, str]
    cwd: str
    umask: int
    files: list[int]
    ignores_interrupts: bool


def import_what_trainings_need() -> None:
    """As quick_import.py of bh_bridge does. bh_bridge itself comes later: which one, the client says."""
    gc.disable()
    hidden = ("scipy", "sklearn")
    sys.modules.update(dict.fromkeys(hidden))  # pyright: ignore[reportCallIssue, reportArgumentType]
    for name in ("numpy", "torch", "transformers.models.gpt2.modeling_gpt2", "transformers.trainer"):
        importlib.import_module(name)
    for name in hidden:
        del sys.modules[name]
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "python"))
    importlib.import_module("first_uses").use_first()
    del sys.path[0]
    gc.freeze()
    gc.enable()


def receive(connection: socket.socket) -> tuple[Request, dict[int, int]]:
    """What a client asks for, and its open files: their numbers there, and here."""
    data, files = b"", array.array("i")
    while not data.endswith(b"\n"):
        chunk, ancillary, _, _ = connection.recvmsg(1 << 20, socket.CMSG_SPACE(MAX_FILES * files.itemsize))
        if not chunk:
            raise ConnectionError("the client has gone")
        data += chunk
        for _, _, payload in ancillary:
            files.frombytes(payload)
    request: Request = json.loads(data)
    return request, dict(zip(request["files"], files, strict=True))


def take_place(request: Request, files: dict[int, int]) -> None:
    """In the fork: be the process that the client stands for."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN if request["ignores_interrupts"] else signal.default_int_handler)
    os.umask(request["umask"])
    os.chdir(request["cwd"])
    above = 1 + max([*files, *files.values()])
    moved = {there: os.dup2(here, above + at, inheritable=False) for at, (there, here) in enumerate(files.items())}
    for here in files.values():
        os.close(here)
    for there, here in moved.items():
        os.dup2(here, there, inheritable=True)
        os.close(here)
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["arguments"]
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(":"))  # PYTHONSAFEPATH: nothing else comes first
    faulthandler.enable()
    random.seed()
    importlib.import_module("numpy").random.seed(None)


class Forks:
    """The forks that run, each with the connection of its client."""

    def __init__(self, path: str) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        self.woken, self.waker = socket.socketpair()
        for end in (self.woken, self.waker):
            end.setblocking(False)
        self.clients: dict[int, socket.socket] = {}
        self.selector = selectors.DefaultSelector()
        for end in (self.listener, self.woken):
            self.selector.register(end, selectors.EVENT_READ, end)

    def serve(self) -> None:
        """Fork for every client; returns in a fork alone."""
        signal.set_wakeup_fd(self.waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            for key, _ in self.selector.select():
                if key.data is self.listener:
                    if self.fork():
                        return
                elif key.data is self.woken:
                    self.woken.recv(4096)
                    self.collect()
                else:
                    self.look_after(key.data)

    def fork(self) -> bool:
        """Whether this is the fork."""
        connection, _ = self.listener.accept()
        try:
            request, files = receive(connection)
        except ConnectionError:
            connection.close()
            return False
        pid = os.fork()
        if pid == 0:
            self.selector.close()
            for each in (self.listener, self.woken, self.waker, connection, *self.clients.values()):
                each.close()
            take_place(request, files)
            return True
        for here in files.values():
            os.close(here)
        self.clients[pid] = connection
        self.selector.register(connection, selectors.EVENT_READ, pid)
        connection.sendall(f"pid {pid}\n".encode())
        return False

    def collect(self) -> None:
        """Tell the clients whose forks have ended."""
        while self.clients:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection = self.clients.pop(pid)
            if connection.fileno() >= 0:
                self.selector.unregister(connection)
                with contextlib.suppress(OSError):  # it was killed in this moment
                    connection.sendall(f"ended {status}\n".encode())
                connection.close()

    def look_after(self, pid: int) -> None:
        """A client says nothing, so it has ended: its fork ends as it did, with what the fork has started."""
        connection = self.clients[pid]
        self.selector.unregister(connection)
        connection.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    import_what_trainings_need()
    Forks(sys.argv[1]).serve()
    runpy.run_path(sys.argv[0], run_name="__main__")
