"""What a rank is started with: where rank 0 waits for it, and which rank it is."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass

from bh_bridge.process.parent_death import end_with_parent

VARIABLE = "BH_BRIDGE_INVITATION"  # an environment variable: a command line can be read by every user of a machine


@dataclass(frozen=True)
class Invitation:
    """The same for all processes that one torchrun starts; `LOCAL_RANK` numbers these."""

    host: str
    port: int
    token: str  # prefix of every key in the store: a program that does not know it reads and writes nothing of ours
    lifeline: str  # a FIFO; its end of file says that rank 0 is gone
    first_rank: int
    processes: int
    threads: int
    gpus: list[str]  # those of this machine, that of rank 0 first; empty on the CPU
    first_gpu: int  # place of the first of these processes among them: rank 0 has one as well, where it is here

    def variables(self) -> dict[str, str]:
        """The environment variables that carry it."""
        return {VARIABLE: json.dumps(asdict(self))}


def read_invitation() -> Invitation:
    """The invitation that this process was started with."""
    return Invitation(**json.loads(os.environ[VARIABLE]))


def hold_on_to(lifeline: str) -> None:
    """End this process at once when the writer of a FIFO is gone, and, on Linux, when its own parent is.

    PyTorch's import holds the interpreter's lock for seconds, in which only the kernel can end a process.
    """
    end_with_parent()
    try:
        fd = os.open(lifeline, os.O_RDONLY | os.O_NONBLOCK)  # else it would wait for a writer that has died before
    except OSError:
        os._exit(1)
    os.set_blocking(fd, True)
    threading.Thread(target=_await_end, args=(fd,), name="bh-bridge-lifeline", daemon=True).start()


def _await_end(fd: int) -> None:
    while os.read(fd, 1):
        pass
    os._exit(1)
