"""One training on two machines, on loopback: when one of them ends. tests/e2e/processes.test.ts compares the bits."""

import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import bh_bridge
import pytest
import torch.distributed as dist
from bh_bridge.errors import BridgeError, CorpusInvalid, RankEnded
from bh_bridge.ranks.group import Group
from bh_bridge.ranks.nodes import VARIABLE, Nodes, hashes_of_files, read_nodes, require_same_text
from bh_bridge.ranks.peers import accept_peers, connect_to_first, listen
from bh_bridge.ranks.team import keep_to_this_machine
from tiny_run import events_of, in_child, train
from transformers import TrainerControl

SOURCES = str(Path(bh_bridge.__file__).parents[1])


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of every machine of a training of two."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    nodes = {"count": 2, "host": "127.0.0.1", "port": port, "id": secrets.token_hex(4)}
    return {**os.environ, VARIABLE: json.dumps(nodes), "PYTHONPATH": SOURCES}


def second_machine(place: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Its one process, started before rank 0 waits for it."""
    with log.open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "bh_bridge.ranks.node", "1"], env=place, stdout=said, stderr=said
        )


def test_a_machine_that_dies_ends_the_training_with_one_error_and_the_first_goes_on_from_its_checkpoint(
    tmp_path: Path, place: dict[str, str]
) -> None:
    other = second_machine(place, tmp_path / "other.log")

    def task() -> Any:
        from bh_bridge.recording.events import EventLog

        emit = EventLog.emit

        def deadly(self: EventLog, type: str, **fields: Any) -> None:
            emit(self, type, **fields)
            if type == "step_end" and fields["global_step"] == 12:
                os.kill(other.pid, signal.SIGKILL)

        EventLog.emit = deadly
        os.environ.update(place)
        return train(tmp_path / "run", engine__processes=2, training__max_steps=5000)

    outcome = in_child(task)
    assert outcome["code"] == "PEER_EXITED", outcome
    assert outcome["message"].startswith("another process of this training has ended")
    assert other.wait(timeout=5) == -signal.SIGKILL
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()]
    assert any(event["type"] == "step_end" for event in events_of(tmp_path / "run"))


def test_a_machine_ends_when_that_of_rank_0_has_ended(tmp_path: Path, place: dict[str, str]) -> None:
    other = second_machine(place, tmp_path / "other.log")

    def task() -> Any:
        from bh_bridge.recording.events import EventLog

        emit = EventLog.emit

        def deadly(self: EventLog, type: str, **fields: Any) -> None:
            emit(self, type, **fields)
            if type == "step_end" and fields["global_step"] == 5:
                os.kill(os.getpid(), signal.SIGKILL)

        EventLog.emit = deadly
        os.environ.update(place)
        return train(tmp_path / "run", engine__processes=2)

    in_child(task)
    began = time.monotonic()
    assert other.wait(timeout=30) == 1
    assert time.monotonic() - began < 20
    assert "another process of this training has ended" in (tmp_path / "other.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="a thread is made to sleep by a signal of Linux")
def test_the_death_of_a_process_ends_a_wait_that_gloo_does_not_end(tmp_path: Path) -> None:
    """Rank 0 sends to a process that has died before gloo's thread has seen the end of the connection."""

    def task() -> Any:
        keep_to_this_machine()
        server = listen("127.0.0.1")
        child = os.fork()
        rank = 1 if child == 0 else 0
        method, patience = f"file://{tmp_path}/store", timedelta(seconds=60)
        dist.init_process_group("gloo", init_method=method, rank=rank, world_size=2, timeout=patience)
        if rank == 1:
            port = server.getsockname()[1]
            server.close()
            group = Group(1, 2, 42, connect_to_first("127.0.0.1", port, 1, "token", 30))
            while True:
                group.agree(TrainerControl())
        group = Group(0, 2, 42, accept_peers(server, 2, "token", 30))
        group.agree(TrainerControl())
        time.sleep(0.2)  # until the other waits for the next message
        make_gloo_sleep()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        try:
            group.agree(TrainerControl())
        finally:
            dist.destroy_process_group()  # which returns, although gloo still waits

    assert in_child(task) == {
        "code": "PEER_EXITED",
        "message": "another process of this training has ended: the connection to rank 1 is closed",
    }


def make_gloo_sleep() -> None:
    """Let the thread in which gloo reads sleep for a second: SIGHUP is 1, and sleep(1) is its handler."""
    libc = ctypes.CDLL(None)
    libc.signal(signal.SIGHUP, ctypes.cast(libc.sleep, ctypes.c_void_p))
    threads = [int(thread.name) for thread in Path("/proc/self/task").iterdir()]
    of_gloo = [tid for tid in threads if Path(f"/proc/self/task/{tid}/comm").read_text() == "gloo_tcp_loop\n"]
    assert of_gloo
    for tid in of_gloo:
        assert libc.tgkill(os.getpid(), tid, signal.SIGHUP) == 0
    time.sleep(0.1)


def test_strangers_are_no_peers_and_a_missing_process_is_named() -> None:
    server = listen("127.0.0.1")
    port = server.getsockname()[1]
    stranger = socket.create_connection(("127.0.0.1", port))
    stranger.sendall(b"     1nekot")
    peer = connect_to_first("127.0.0.1", port, 1, "token", 5)
    peers = accept_peers(server, 2, "token", 5)
    assert peers.ended() is None
    assert peer.ended() is None
    peer.close()
    assert peers.ended() == 1
    with pytest.raises(RankEnded, match="rank 1 did not connect"):
        accept_peers(listen("127.0.0.1"), 2, "token", 0.01)
    stranger.close()
    peers.close()


def test_what_machines_are_told_is_read_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_nodes() is None
    monkeypatch.setenv(VARIABLE, json.dumps({"count": 2, "host": "node7", "port": 29500, "id": "a"}))
    nodes = read_nodes()
    assert nodes == Nodes(2, "node7", 29500, "a")
    assert nodes is not None
    assert not nodes.is_loopback
    assert nodes.processes_each(6) == 3
    with pytest.raises(BridgeError, match="cannot share 3 processes"):
        nodes.processes_each(3)
    text = tmp_path / "text"
    text.write_text("abc")
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of FIPS 180-2
    path = str(text)
    assert hashes_of_files({"corpus": path, "tokenizer": None}) == {path: sha256}
    assert hashes_of_files({"corpus": [{"path": path, "windows": 3}], "tokenizer": path}) == {path: sha256}
    require_same_text(path, sha256)
    with pytest.raises(CorpusInvalid, match="differs from the file"):
        require_same_text(str(text), "00")
    with pytest.raises(CorpusInvalid, match="is not on this machine"):
        require_same_text(str(tmp_path / "none"), "00")
