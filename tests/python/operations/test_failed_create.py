"""A training that cannot be prepared leaves nothing open, and says what could not be read or written."""

import os
from pathlib import Path
from typing import Any

import pytest
from bh_bridge.errors import BridgeError
from bh_bridge.storage.disk_errors import FileUnreadable, FileUnwritable, storage_errors
from tiny_run import in_child, train


def open_files(directory: Path) -> list[str]:
    """Files of a directory that this process has open."""
    targets = (
        os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if os.path.exists(f"/proc/self/fd/{fd}")
    )
    return [target for target in targets if target.startswith(str(directory))]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed in /proc on Linux alone")
@pytest.mark.parametrize(
    "changes",
    [
        {"training__lr_scheduler_type": "nonsense"},  # after the histories are there
        {"training__max_steps": 10**13},  # no disk has the room for the first one's index
        {"record__tensors": ["wte", "wte.grad", "wte/beyond"]},  # the third cannot be made
    ],
)
def test_nothing_of_a_run_stays_open_when_its_trainer_cannot_be_made(tmp_path: Path, changes: dict[str, Any]) -> None:
    run = tmp_path / "run"

    def task() -> list[str]:
        with pytest.raises((ValueError, BridgeError)):
            train(run, **changes)
        return open_files(run)

    assert in_child(task) == []


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("run/run.lock", FileUnwritable, "cannot write .*run.lock: it may not be written to"),
        ("corpus.txt", FileUnreadable, "cannot read .*corpus.txt: it may not be read"),
    ],
)
def test_what_lies_in_the_run_was_to_be_written_and_everything_else_to_be_read(
    tmp_path: Path, path: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message), storage_errors(tmp_path / "run"):
        raise PermissionError(13, "Permission denied", str(tmp_path / path))


def test_a_corpus_that_is_gone_cannot_be_read(tmp_path: Path) -> None:
    failed = in_child(lambda: _train_without_corpus(tmp_path))
    assert failed["code"] == "FILE_UNREADABLE"
    assert "corpus.txt: there is no such file" in failed["message"]


def _train_without_corpus(tmp_path: Path) -> Any:
    from bh_bridge.operations import trainer_operations

    def create(request: dict[str, Any], create: Any = trainer_operations.create) -> Any:
        Path(request["data"]["corpus"]).unlink()
        return create(request)

    trainer_operations.create = create
    return train(tmp_path / "run")
