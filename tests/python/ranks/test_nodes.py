"""One training on two machines, on loopback: when one of them ends. tests/e2e/processes.test.ts compares the bits."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import bh_bridge
import pytest
from bh_bridge.errors import BridgeError, CorpusInvalid
from bh_bridge.ranks.nodes import VARIABLE, Nodes, hashes_of_files, read_nodes, require_same_text
from tiny_run import events_of, in_child, train

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
