"""Who holds the lock of a run: asked of the kernel, without leave to write, across machines, and with patience."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bh_bridge import lock_holders
from bh_bridge.errors import RunLocked
from bh_bridge.run_lock import hold_lock

SCRIPT = lock_holders.__file__
DEAD = 2**22 + 1  # beyond the largest process id of Linux
READ_ONLY = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"']


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*READ_ONLY, "/tmp", "true"], capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def held(run: Path, note: str) -> Iterator[int]:
    """A run whose lock is held, with this in its file."""
    fd = os.open(run / "run.lock", os.O_RDWR | os.O_CREAT)
    os.write(fd, note.encode())
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield fd
    finally:
        os.close(fd)


def ask(run: Path, how: str, *before: str) -> dict[str, object]:
    command = [*before, sys.executable, SCRIPT, "MARK", how, str(run)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(answer.removeprefix("MARK"))["holders"]


@pytest.mark.skipif(not can_mount(), reason="nothing can be mounted here")
def test_a_run_on_a_share_that_is_read_only_is_seen_to_be_running(tmp_path: Path) -> None:
    os.close(hold_lock(tmp_path))
    with held(tmp_path, ""):
        assert list(ask(tmp_path, "now", *READ_ONLY, str(tmp_path))) == [str(tmp_path)]
    assert ask(tmp_path, "now", *READ_ONLY, str(tmp_path)) == {}


def test_a_holder_leaves_its_number_its_nodes_and_its_machines_name(tmp_path: Path) -> None:
    fd = hold_lock(tmp_path)
    try:
        pid, _, host, end = (tmp_path / "run.lock").read_text().split("\n")
        assert (int(pid), host, end) == (os.getpid(), os.uname().nodename, "")
        assert lock_holders.holder_of(str(tmp_path)) == {"pid": os.getpid(), "host": None, "is_orphan": False}
    finally:
        os.close(fd)


def test_a_dead_node_makes_an_orphan_on_its_own_machine_alone(tmp_path: Path) -> None:
    with held(tmp_path, f"7\n{DEAD}\n{os.uname().nodename}\n"):
        assert lock_holders.holder_of(str(tmp_path)) == {"pid": 7, "host": None, "is_orphan": True}
    with held(tmp_path, f"7\n{DEAD}\nelsewhere\n"):
        assert lock_holders.holder_of(str(tmp_path)) == {"pid": 7, "host": "elsewhere", "is_orphan": False}


def test_who_wants_a_run_that_another_machine_holds_is_told_which(tmp_path: Path) -> None:
    with held(tmp_path, f"7\n{DEAD}\nelsewhere\n"), pytest.raises(RunLocked, match="in use by process 7 on elsewhere"):
        hold_lock(tmp_path)


def test_one_process_waits_for_an_orphan_to_let_go(tmp_path: Path) -> None:
    with held(tmp_path, f"7\n{DEAD}\n{os.uname().nodename}\n") as fd:
        let_go = threading.Timer(1.0, lambda: fcntl.flock(fd, fcntl.LOCK_UN))
        began_at = time.monotonic()
        let_go.start()
        assert ask(tmp_path, "after-patience") == {}
        assert time.monotonic() - began_at >= 1.0


def test_a_note_that_is_damaged_names_nobody(tmp_path: Path) -> None:
    with held(tmp_path, "\xff\n\n"):
        assert lock_holders.holder_of(str(tmp_path)) == {"pid": 0, "host": None, "is_orphan": False}
