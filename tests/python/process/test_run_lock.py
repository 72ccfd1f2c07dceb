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
from bh_bridge.errors import RunLocked
from bh_bridge.process import lock_holders
from bh_bridge.process.lock_holders import hold_lock

BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip() if sys.platform == "linux" else ""
ELSEWHERE = "0b8e3f5e-9d0f-4f0f-8a63-0f7c6ac2f0aa"  # the boot of a machine that is not this one
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
    lock_holders.release_lock(hold_lock(tmp_path))
    with held(tmp_path, ""):
        assert list(ask(tmp_path, "now", *READ_ONLY, str(tmp_path))) == [str(tmp_path)]
    assert ask(tmp_path, "now", *READ_ONLY, str(tmp_path)) == {}


def test_a_holder_leaves_its_number_its_nodes_and_its_machines_name(tmp_path: Path) -> None:
    fd = hold_lock(tmp_path)
    try:
        pid, _, host, boot, end = (tmp_path / "run.lock").read_text().split("\n")
        assert (int(pid), host, boot, end) == (os.getpid(), os.uname().nodename, BOOT, "")
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


# A file system that several machines share, and each of whose kernels knows its own locks alone: the note is there, and
# nothing is locked here.


def leave_note(run: Path, note: str, seconds_ago: float = 0) -> None:
    (run / "run.lock").write_text(note)
    then = time.time() - seconds_ago
    os.utime(run / "run.lock", (then, then))


@pytest.mark.parametrize("host", ["elsewhere", os.uname().nodename])
def test_a_run_that_another_machine_writes_is_running_though_no_lock_is_known_here(tmp_path: Path, host: str) -> None:
    leave_note(tmp_path, f"7\n{DEAD}\n{host}\n{ELSEWHERE}\n", seconds_ago=30)
    assert ask(tmp_path, "now") == {str(tmp_path): {"pid": 7, "host": host, "is_orphan": False}}
    with pytest.raises(RunLocked, match=f"in use by process 7 on {host}"):
        hold_lock(tmp_path)
    assert (tmp_path / "run.lock").read_text().startswith("7\n")


def test_another_machine_whose_heart_has_stopped_holds_nothing(tmp_path: Path) -> None:
    leave_note(tmp_path, f"7\n{DEAD}\nelsewhere\n{ELSEWHERE}\n", seconds_ago=lock_holders.SILENT_SECONDS + 1)
    assert ask(tmp_path, "now") == {}
    fd = hold_lock(tmp_path)
    assert (tmp_path / "run.lock").read_text().startswith(f"{os.getpid()}\n")
    lock_holders.release_lock(fd)


def test_another_machine_that_has_let_go_holds_nothing(tmp_path: Path) -> None:
    leave_note(tmp_path, f"7\n{DEAD}\nelsewhere\n{ELSEWHERE}\nended\n")
    assert ask(tmp_path, "now") == {}
    lock_holders.release_lock(hold_lock(tmp_path))
    assert (tmp_path / "run.lock").read_text().endswith(f"\n{BOOT}\nended\n")


def test_a_process_of_this_machine_that_was_killed_holds_nothing_however_fresh_its_note_is(tmp_path: Path) -> None:
    leave_note(tmp_path, f"7\n{DEAD}\n{os.uname().nodename}\n{BOOT}\n")
    assert ask(tmp_path, "now") == {}


def test_of_two_machines_that_find_a_silent_lock_whoever_wrote_last_has_it(tmp_path: Path) -> None:
    leave_note(tmp_path, f"7\n{DEAD}\nelsewhere\n{ELSEWHERE}\n", seconds_ago=lock_holders.SILENT_SECONDS + 1)
    other = f"8\n{DEAD}\nthird\n{ELSEWHERE}\n"
    threading.Timer(lock_holders.HANDOVER_SECONDS / 2, lambda: (tmp_path / "run.lock").write_text(other)).start()
    with pytest.raises(RunLocked, match="in use by process 8 on third"):
        hold_lock(tmp_path)


def test_a_lock_that_is_held_beats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock_holders, "HEARTBEAT_SECONDS", 0.05)
    fd = hold_lock(tmp_path)
    os.utime(tmp_path / "run.lock", (1, 1))
    until = time.monotonic() + 5
    while os.fstat(fd).st_mtime < 2 and time.monotonic() < until:
        time.sleep(0.02)
    assert time.time() - os.fstat(fd).st_mtime < 6
    lock_holders.release_lock(fd)
    os.utime(tmp_path / "run.lock", (1, 1))
    time.sleep(0.3)
    assert (tmp_path / "run.lock").stat().st_mtime == 1
