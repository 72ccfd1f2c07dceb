"""A rank started by torchrun: computes the steps of rank 0 for its own part of every batch."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.ranks.invitation import Invitation, hold_on_to, read_invitation

if TYPE_CHECKING:
    from bh_bridge.models.model import Blueprint


class Start(TypedDict):
    """The model and the checkpoint from which a training starts, as sent by rank 0."""

    blueprint: Blueprint
    checkpoint: str | None


def main() -> None:
    """Train with rank 0, and end with the training."""
    invitation = read_invitation()
    hold_on_to(invitation.lifeline)
    local = int(os.environ["LOCAL_RANK"])
    rank = invitation.first_rank + local
    _forget_torchrun()
    _show_own_gpu(invitation.gpus, invitation.first_gpu + local)
    from torch.distributed.elastic.multiprocessing.errors import record

    record(_train)(invitation, rank)


def _train(invitation: Invitation, rank: int) -> None:
    import torch
    from transformers import logging

    from bh_bridge.data.corpus import read_corpus, split_windows
    from bh_bridge.engines import find_engine
    from bh_bridge.models.families import embedding_of
    from bh_bridge.models.model import model_of
    from bh_bridge.ranks.follower_step import FollowerStep
    from bh_bridge.ranks.group import Group
    from bh_bridge.ranks.nodes import PATIENCE_SECONDS, connect, join, require_same_text
    from bh_bridge.ranks.peers import connect_to_first

    logging.set_verbosity_error()  # rank 0 prints warnings
    torch.set_num_threads(invitation.threads)
    store = connect(invitation.host, invitation.port, invitation.token)
    request: TrainerCreate = json.loads(store.get("request"))
    request["track"] = []  # rank 0 has the logs of all
    texts_of_rank_0: dict[str, str] = json.loads(store.get("texts"))
    for path, sha256 in texts_of_rank_0.items():
        require_same_text(path, sha256)
    build = find_engine(request["engine"]["name"])
    start: Start = json.loads(store.get("start"))
    store.add("arrived", 1)
    join(store, rank, invitation.processes, has_gpus=request["device"] == "cuda")
    model = model_of(start["blueprint"])
    port = int(store.get("peers"))
    peers = connect_to_first(invitation.host, port, rank, invitation.token, PATIENCE_SECONDS)
    group = Group(rank, invitation.processes, request["seed"], peers)
    corpus = read_corpus(request["data"], len(embedding_of(model)))
    windows = split_windows(corpus, request["data"]["window_length"], request["data"])
    step = FollowerStep(request, embedding_of(model), group)
    engine = build(model, request, *windows, step)
    if start["checkpoint"] is not None:
        engine.load(Path(start["checkpoint"]))
    group.share_start(model)
    engine.train()


def _forget_torchrun() -> None:
    """Remove torchrun's variables, with which accelerate would start a distributed training of its own."""
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        os.environ.pop(name, None)


def _show_own_gpu(gpus: list[str], place: int) -> None:
    """Make the GPU of this rank the first visible one; each rank sees as many as rank 0."""
    if gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpus[place:] + gpus[:place])


if __name__ == "__main__":
    main()
