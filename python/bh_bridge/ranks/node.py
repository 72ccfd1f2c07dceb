"""Starts the processes of a training on another machine than the first, by a torchrun of its own.

python -m bh_bridge.ranks.node NODE_RANK
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import torch

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.ranks.invitation import Invitation
from bh_bridge.ranks.launch import run_ranks
from bh_bridge.ranks.nodes import PATIENCE_SECONDS, connect, read_nodes
from bh_bridge.ranks.team import describe_failure, keep_to_this_machine, visible_gpus


def main(node_rank: int) -> int:
    """Train with rank 0 until it ends; return the exit code."""
    nodes = read_nodes()
    assert nodes is not None
    if nodes.is_loopback:
        keep_to_this_machine()
    store = connect(nodes.host, nodes.port, nodes.id, PATIENCE_SECONDS)
    request: TrainerCreate = json.loads(store.get("request"))
    processes: int = request["engine"]["processes"]
    each = nodes.processes_each(processes)
    with tempfile.TemporaryDirectory(prefix="bh-bridge-node-") as folder:
        lifeline = Path(folder) / "lifeline"
        os.mkfifo(lifeline, 0o600)
        hold = os.open(lifeline, os.O_RDWR)  # closing it ends the ranks, which torchrun starts in sessions of their own
        invitation = Invitation(
            host=nodes.host,
            port=nodes.port,
            token=nodes.id,
            lifeline=str(lifeline),
            first_rank=node_rank * each,
            processes=processes,
            threads=int(store.get("threads")),
            gpus=visible_gpus() if request["device"] == "cuda" else [],
            first_gpu=0,
        )
        failure = run_ranks(each, invitation)
        os.close(hold)
    if failure is not None:
        print(describe_failure(failure, processes), file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    torch.set_num_threads(1)  # this process computes nothing
    sys.exit(main(int(sys.argv[1])))
