"""The invitation with which a rank is started: the address of rank 0, and its own rank."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass

from bh_bridge.process.parent_death import end_with_parent

VARIABLE = "BH_BRIDGE_INVITATION"  # an environment variable, because every user can read command lines


@dataclass(frozen=True)
class Invitation:
    """The same for all processes of one torchrun, which are numbered by `LOCAL_RANK`."""

    host: str
    port: int
    token: str  # secret prefix of every key in the store
    lifeline: str  # a FIFO that closes when rank 0 ends
    first_rank: int
    processes: int
    threads: int
    gpus: list[str]  # of this machine, starting with that of rank 0; empty on the CPU
    first_gpu: int  # index of the GPU of the first of these processes; 1 if rank 0 is on this machine

    def variables(self) -> dict[str, str]:
        """The environment variables that contain it."""
        return {VARIABLE: json.dumps(asdict(self))}


def read_invitation() -> Invitation:
    """The invitation with which this process was started."""
    return Invitation(**json.loads(os.environ[VARIABLE]))


def hold_on_to(lifeline: str) -> None:
    """End this process when the writer of a FIFO ends and, on Linux, when its parent ends.

    Importing PyTorch can hold the interpreter lock for seconds, in which only the kernel can end the process.
    """
    end_with_parent()
    try:
        fd = os.open(lifeline, os.O_RDONLY | os.O_NONBLOCK)  # do not wait for a writer that has already ended
    except OSError:
        os._exit(1)
    os.set_blocking(fd, True)
    threading.Thread(target=_await_end, args=(fd,), name="bh-bridge-lifeline", daemon=True).start()


def _await_end(fd: int) -> None:
    while os.read(fd, 1):
        pass
    os._exit(1)
