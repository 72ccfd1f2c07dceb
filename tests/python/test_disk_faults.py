"""A real system call fails while a run is written: a typed error, and the run goes on once the cause is gone."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file
from tiny_run import differences, in_child, killed_at, train

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace makes system calls fail; it is not here")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole") / "run"
    assert in_child(lambda: train(directory))["status"] == "completed"
    return directory


def failing(
    call: str, error: str, when: int, path: Path | None, *, once: bool = False
) -> Callable[[int], Callable[[], None]]:
    """Make the `when`-th call of this kind (on this path) of a process fail, and all that follow it unless `once`."""

    def attach(pid: int) -> Callable[[], None]:
        only = [] if path is None else ["-P", str(path)]
        inject = f"inject={call}:error={error}:when={when}{'' if once else '+'}"
        tracer = subprocess.Popen(
            ["strace", "-f", "-p", str(pid), *only, "-e", f"trace={call}", "-e", inject],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracer.stderr is not None
        assert "attached" in tracer.stderr.readline()

        def end() -> None:
            with contextlib.suppress(ProcessLookupError):
                tracer.kill()
            tracer.communicate()

        return end

    return attach


@pytest.mark.parametrize(
    ("call", "error", "when", "name", "code"),
    [
        ("pwrite64", "ENOSPC", 5, "history.safetensors", "DISK_FULL"),
        ("pwrite64", "EIO", 3, "history.idx", "IO_FAILED"),
        ("fdatasync", "EIO", 2, "history.safetensors", "IO_FAILED"),
        ("write", "ENOSPC", 4, "events.jsonl", "DISK_FULL"),
        ("fdatasync", "EIO", 1, "events.jsonl", "IO_FAILED"),
        ("renameat", "ENOSPC", 1, "checkpoints/.step-000030.partial/optimizer.safetensors", "DISK_FULL"),
        ("write", "EIO", 1, "checkpoints/.step-000030.partial/progress.json", "IO_FAILED"),
        ("fdatasync", "EIO", 1, "checkpoints/.step-000030.partial/model.safetensors", "IO_FAILED"),
        ("rename", "EIO", 1, "checkpoints/.step-000030.partial", "IO_FAILED"),
        ("fsync", "EIO", 1, "checkpoints", "IO_FAILED"),
        ("rename", "ENOSPC", 1, ".final.partial", "DISK_FULL"),
    ],
)
def test_a_failing_call_is_a_typed_error_and_the_run_goes_on_afterwards(
    tmp_path: Path, whole: Path, call: str, error: str, when: int, name: str, code: str
) -> None:
    run = tmp_path / "run"
    killed_at(run, "step_end", 25)
    outcome = in_child(lambda: train(run, "exact"), failing(call, error, when, run / name))
    assert outcome["code"] == code
    assert str(run) in outcome["message"]
    assert in_child(lambda: train(run, "exact"))["status"] == "completed"
    assert differences(run, whole) == []


def test_a_commit_that_fails_beside_the_training_ends_it_and_nothing_lost_counts_as_recorded(
    tmp_path: Path, whole: Path
) -> None:
    run = tmp_path / "run"
    killed_at(run, "step_end", 25)

    def committed_in_a_thread() -> object:
        from bh_bridge.recording import history

        history.COMMIT_EVERY_STATES = 3  # from step 20 on; the training itself waits for a commit at step 30
        return train(run, "exact")

    fails = failing("fdatasync", "EIO", 1, run / "history.safetensors", once=True)  # the first of each thread
    outcome = in_child(committed_in_a_thread, fails)
    assert outcome["code"] == "IO_FAILED"
    assert str(run) in outcome["message"]
    assert int(load_file(run / "history.safetensors")["steps_done"]) == 20
    assert in_child(lambda: train(run, "exact"))["status"] == "completed"
    assert differences(run, whole) == []


def test_space_that_cannot_be_reserved_is_refused_before_the_first_step_with_the_bytes(tmp_path: Path) -> None:
    run = tmp_path / "run"
    outcome = in_child(lambda: train(run), failing("fallocate", "ENOSPC", 1, None))
    assert outcome["code"] == "DISK_FULL"
    assert "984 bytes for" in outcome["message"]  # the index: 41 records of 24 bytes
    assert in_child(lambda: train(run))["status"] == "completed"


def test_a_history_that_is_larger_than_the_disk_names_what_it_needs_and_what_is_missing(tmp_path: Path) -> None:
    outcome = in_child(lambda: train(tmp_path / "run", training__max_steps=10**12))
    assert outcome["code"] == "DISK_FULL"
    assert "24,000,000,000,024 bytes" in outcome["message"]
    assert "record less (record.every, record.rows)" in outcome["message"]


def test_a_run_directory_that_vanished_is_not_made_anew(tmp_path: Path) -> None:
    run = tmp_path / "run"

    def vanishing() -> object:
        from bh_bridge.recording.recorder import Recorder

        commit = Recorder.commit

        def without_directory(self: Recorder) -> None:
            shutil.rmtree(run, ignore_errors=True)
            commit(self)

        Recorder.commit = without_directory
        return train(run)

    began = time.monotonic()
    outcome = in_child(vanishing)
    assert outcome["code"] == "FILE_UNWRITABLE"
    assert "it is gone" in outcome["message"]
    assert not run.exists()
    assert time.monotonic() - began < 60
