"""Starts the other processes of a training from rank 0, watches them, and ends them."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.errors import DeviceUnavailable, RankEnded
from bh_bridge.ranks.group import Group
from bh_bridge.ranks.invitation import Invitation
from bh_bridge.ranks.launch import RankFailure
from bh_bridge.ranks.nodes import PATIENCE_SECONDS, hashes_of_files, join, read_nodes, serve
from bh_bridge.ranks.peers import accept_peers, listen

if TYPE_CHECKING:
    from bh_bridge.models.model import Blueprint  # loads transformers, which node.py does not need

POLL_SECONDS = 0.02
NOTICE_SECONDS = 20.0  # until torchrun reports which rank broke a connection
GRACE_SECONDS = 30.0  # for the main thread to notice the end of a rank, if it is busy writing


class Team:
    """The other processes of a training. They load PyTorch at once and wait for `meet`."""

    def __init__(self, request: TrainerCreate, folder: Path, log: Path) -> None:
        """request: of `trainer.create`.  folder: private to this session.  log: for the output of the others."""
        self._processes: int = request["engine"]["processes"]
        self._seed: int = request["seed"]
        self._has_gpus = request["device"] == "cuda"
        self._nodes = read_nodes()
        here = self._processes if self._nodes is None else self._nodes.processes_each(self._processes)
        if self._has_gpus and torch.cuda.device_count() < here:
            raise DeviceUnavailable(
                f"{here} processes need one GPU each, but PyTorch sees {torch.cuda.device_count()}. "
                "Set engine.processes to the number of GPUs, or train on the CPU (device=cpu)"
            )
        self._end: str | None = None  # how the other processes on this machine ended
        self._has_ended = threading.Event()
        self._is_closing = False
        if self._nodes is None or self._nodes.is_loopback:
            keep_to_this_machine()
        token = secrets.token_hex(16) if self._nodes is None else self._nodes.id
        self._token = token
        self._group: Group | None = None
        self._store, port = serve(token, 0 if self._nodes is None else self._nodes.port)
        self._store.set("request", json.dumps(request))
        self._store.set("threads", str(torch.get_num_threads()))
        self._store.set("texts", json.dumps({} if self._nodes is None else hashes_of_files(request["data"])))
        self._lifeline = folder / f"lifeline-{secrets.token_hex(4)}"
        os.mkfifo(self._lifeline, 0o600)
        self._hold = os.open(self._lifeline, os.O_RDWR)  # opening only one end would wait for a reader
        invitation = Invitation(
            host="127.0.0.1",
            port=port,
            token=token,
            lifeline=str(self._lifeline),
            first_rank=1,
            processes=self._processes,
            threads=torch.get_num_threads(),
            gpus=visible_gpus() if self._has_gpus else [],
            first_gpu=1,
        )
        self._launcher: subprocess.Popen[bytes] | None = None
        if here > 1:
            with log.open("ab") as output:
                self._launcher = subprocess.Popen(
                    [sys.executable, "-m", "bh_bridge.ranks.launch", str(here - 1)],
                    env={**os.environ, **invitation.variables()},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=output,
                )
        self._watch = threading.Thread(target=self._await_end, name="bh-bridge-ranks", daemon=True)
        self._watch.start()

    def meet(self, blueprint: Blueprint, checkpoint: Path | None) -> Group:
        """Wait until all processes are connected, and send them the model and the checkpoint.

        blueprint: from `blueprint_of`.  checkpoint: to resume from.
        RankEnded names a process that ended, and how.
        """
        start = {"blueprint": blueprint, "checkpoint": None if checkpoint is None else str(checkpoint)}
        self._store.set("start", json.dumps(start))
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (arrived := self._store.add("arrived", 0)) < self._processes - 1:
            if self._end is not None:
                raise RankEnded(self._end)
            if self._nodes is not None and time.monotonic() > deadline:
                raise RankEnded(
                    f"only {arrived + 1} of {self._processes} processes connected to port {self._nodes.port} within "
                    f"{PATIENCE_SECONDS:.0f} s: start the same command on each of the {self._nodes.count} machines, "
                    "each with its --node-rank"
                )
            time.sleep(POLL_SECONDS)  # Ctrl-C can interrupt this wait, but not `join`
        server = listen("127.0.0.1" if self._nodes is None else "")
        self._store.set("peers", str(server.getsockname()[1]))
        join(self._store, 0, self._processes, has_gpus=self._has_gpus)
        peers = accept_peers(server, self._processes, self._token, PATIENCE_SECONDS)
        self._group = Group(0, self._processes, self._seed, peers)
        return self._group

    def explain(self, error: RankEnded) -> RankEnded:
        """The same error with the process that ended, once torchrun has reported it."""
        self._has_ended.wait(NOTICE_SECONDS)
        return error if self._end is None else RankEnded(self._end)

    def close(self) -> None:
        """End the other processes, which hold no data of their own."""
        if self._is_closing:
            return
        self._is_closing = True
        if self._launcher is not None:
            self._launcher.kill()
        os.close(self._hold)  # ends the ranks, which torchrun started in sessions of their own
        if self._launcher is not None:
            self._launcher.wait()
        self._watch.join()
        self._lifeline.unlink(missing_ok=True)
        if self._group is not None:
            self._group.close()
        if dist.is_initialized():
            dist.destroy_process_group()

    def _await_end(self) -> None:
        """Wait for the end of torchrun. End this process if the main thread keeps waiting for a rank that has ended."""
        if self._launcher is None:
            self._has_ended.set()  # processes on other machines are only known by their connection
            return
        stdout = self._launcher.stdout
        assert stdout is not None
        report = stdout.read()
        code = self._launcher.wait()
        stdout.close()
        if self._is_closing or (code == 0 and not report):
            self._has_ended.set()
            return
        self._end = _describe(report, code, self._processes)
        self._has_ended.set()
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            if self._is_closing:
                return
            time.sleep(POLL_SECONDS)
        print(self._end, file=sys.stderr, flush=True)
        os._exit(1)


def _describe(report: bytes, code: int, processes: int) -> str:
    if not report:
        return f"torchrun ended with exit code {code}"
    return describe_failure(json.loads(report), processes)


def describe_failure(facts: RankFailure, processes: int) -> str:
    """Describe how a rank of `processes` failed, as returned by `run_ranks`."""
    how = f"was ended by {facts['signal']}" if facts["signal"] else f"ended with exit code {facts['exit_code']}"
    said = facts["message"] if facts["signal"] is None else ""
    return f"rank {facts['rank']} of {processes} (process {facts['pid']}) {how}{': ' if said else ''}{said}"


def visible_gpus() -> list[str]:
    """The GPUs that this process may use, as named in CUDA_VISIBLE_DEVICES."""
    chosen = [part for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part]
    return chosen or [str(index) for index in range(torch.cuda.device_count())]


def keep_to_this_machine() -> None:
    """Let gloo listen only on the loopback interface, unless the user has chosen another."""
    names = [name for _, name in socket.if_nameindex() if name.startswith("lo")]
    if names:
        os.environ.setdefault("GLOO_SOCKET_IFNAME", names[0])
