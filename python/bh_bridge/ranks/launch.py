"""Starts the ranks of this machine by torchrun, and reports on stdout how the first of them failed.

python -m bh_bridge.ranks.launch COUNT
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, TypedDict

from bh_bridge.ranks.invitation import Invitation, hold_on_to, read_invitation


class RankFailure(TypedDict):
    """How the first rank of a torchrun failed."""

    rank: int
    pid: int
    signal: str | None
    exit_code: int
    message: str


def main(count: int) -> int:
    """Run torchrun until all ranks have ended; return the exit code."""
    invitation = read_invitation()
    hold_on_to(invitation.lifeline)
    report = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # the output of torchrun and the ranks belongs in the log
    failure = run_ranks(count, invitation)
    if failure is None:
        return 0
    report.write(json.dumps(failure))
    report.close()
    return 1


def run_ranks(count: int, invitation: Invitation) -> RankFailure | None:
    """Run torchrun with `count` ranks until all have ended; return how the first failed, or None."""
    os.environ.update(invitation.variables())
    os.environ["OMP_NUM_THREADS"] = str(invitation.threads)  # otherwise torchrun sets it to 1 and prints a warning
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    places = ["--standalone", f"--nproc-per-node={count}", "--max-restarts=0", "--monitor-interval=0.1"]
    try:
        run.main([*places, "--module", "bh_bridge.ranks.member"])
    except ChildFailedError as error:
        failures = error.failures.values()
        # A killed rank is the cause, even if ranks that lost their connection to it were reported first.
        first = min(failures, key=lambda failure: (failure.exitcode >= 0, failure.timestamp))
        return {
            "rank": invitation.first_rank + first.local_rank,
            "pid": first.pid,
            "signal": first.signal_name() if first.exitcode < 0 else None,
            "exit_code": first.exitcode,
            "message": _first_words(first.message),
        }
    return None


def _first_words(message: Any) -> str:
    """The error message without its traceback, which is in the log."""
    return str(message["message"] if isinstance(message, dict) else message)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
