"""The recorded history: readable by plain safetensors at every moment, committed in order, compared when recomputed."""

import signal
import struct
import threading
import zlib
from pathlib import Path

import pytest
import torch
from bh_bridge.errors import ResumeDiverged, RunCorrupt
from bh_bridge.recording import history as history_module
from bh_bridge.recording.history import HEADER_BYTES, HistoryFile, Layout
from bh_bridge.storage.durable import write_all
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open

LAYOUT = Layout(tensor="embedding_history", dtype=torch.bfloat16, states=6, rows=4, hidden=3)


def state(number: int) -> torch.Tensor:
    return torch.full((4, 3), float(number), dtype=torch.bfloat16)


def written(path: Path, count: int, layout: Layout = LAYOUT) -> HistoryFile:
    history = HistoryFile(path, layout)
    for number in range(count):
        history.append(state(number), number, number / 10)
    return history


def read(path: Path) -> tuple[int, torch.Tensor]:
    with safe_open(path, "pt") as file:
        return int(file.get_tensor("steps_done")), file.get_tensor("embedding_history")


def test_a_new_file_has_its_whole_shape_and_reads_as_zeros(tmp_path: Path) -> None:
    HistoryFile(tmp_path / "history.safetensors", LAYOUT)
    done, tensor = read(tmp_path / "history.safetensors")
    assert (done, tensor.shape, tensor.dtype) == (0, (6, 4, 3), torch.bfloat16)
    assert not tensor.any()


def test_states_become_visible_with_a_commit_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "history.safetensors"
    history = written(path, 4)
    assert read(path)[0] == 0  # the initial state is committed at once
    history.commit()
    done, tensor = read(path)
    assert done == 3
    assert [float(tensor[index, 0, 0]) for index in range(6)] == [0, 1, 2, 3, 0, 0]


def test_a_training_goes_on_while_the_disk_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.safetensors"
    history = written(path, 2)
    monkeypatch.setattr(history_module, "COMMIT_EVERY_STATES", 3)
    disk_may_go_on = threading.Event()
    monkeypatch.setattr(history_module, "sync", lambda _: disk_may_go_on.wait(20))
    for number in range(2, 5):
        history.append(state(number), number, number / 10)
    assert read(path)[0] == 0  # the commit of the states up to 3 waits for the disk, and state 4 has been written
    disk_may_go_on.set()
    history.commit()
    done, tensor = read(path)
    assert (done, history.committed, float(tensor[4, 0, 0])) == (4, 4, 4.0)


def test_steps_done_names_only_states_that_were_synced_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.safetensors"
    history = written(path, 1)
    monkeypatch.setattr(history_module, "COMMIT_EVERY_STATES", 2)
    newest_at_sync: list[int] = []
    named: list[tuple[int, int]] = []  # what steps_done says, and the newest state when the sync before it began

    def write(fd: int, data: bytes, offset: int) -> None:
        if offset == HEADER_BYTES:
            named.append((struct.unpack("<q", data)[0], newest_at_sync[-2]))
        write_all(fd, data, offset)

    monkeypatch.setattr(history_module, "sync", lambda _: newest_at_sync.append(history.last))
    monkeypatch.setattr(history_module, "write_all", write)
    for number in range(1, 6):
        history.append(state(number), number, 0.0)
    history.commit()
    assert named[-1][0] == 5
    assert len(named) >= 2
    assert all(done <= newest for done, newest in named)


def test_an_error_of_a_commit_under_way_ends_the_training_for_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.safetensors"
    history = written(path, 2)
    monkeypatch.setattr(history_module, "COMMIT_EVERY_STATES", 2)
    failures = [OSError(5, "Input/output error")]  # one: Linux reports a lost write once, and the next sync as done

    def fail(_: int) -> None:
        if failures:
            raise failures.pop()

    monkeypatch.setattr(history_module, "sync", fail)
    history.append(state(2), 2, 0.0)
    for attempt in (history.commit, history.commit, lambda: history.append(state(3), 3, 0.0), history.shorten):
        with pytest.raises(OSError, match="Input/output error"):
            attempt()
    history.close()
    assert failures == []
    assert (history.committed, read(path)[0]) == (0, 0)


def test_a_commit_is_over_when_the_file_is_closed_even_by_an_interrupt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.safetensors"
    history = written(path, 2)
    monkeypatch.setattr(history_module, "COMMIT_EVERY_STATES", 2)
    has_begun, disk_may_go_on = threading.Event(), threading.Event()

    def wait(_: int) -> None:
        has_begun.set()
        disk_may_go_on.wait(20)

    monkeypatch.setattr(history_module, "sync", wait)
    history.append(state(2), 2, 0.0)
    assert has_begun.wait(20)
    main = threading.main_thread().ident
    assert main is not None
    interrupt = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT))
    go_on = threading.Timer(0.6, disk_may_go_on.set)
    interrupt.start()
    go_on.start()
    with pytest.raises(KeyboardInterrupt):
        history.close()
    assert disk_may_go_on.is_set()
    assert (history.committed, read(path)[0]) == (2, 2)
    history.close()  # a second time: nothing is left to close, and no file of another gets closed


def test_without_a_thread_to_have_the_training_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.safetensors"
    history = written(path, 2)
    monkeypatch.setattr(history_module, "COMMIT_EVERY_STATES", 2)
    threading.stack_size(1 << 50)  # more than a process can address
    try:
        history.append(state(2), 2, 0.0)
    finally:
        threading.stack_size(0)
    assert (history.committed, read(path)[0]) == (2, 2)
    history.close()


def test_the_index_has_step_checksum_and_loss_of_each_state(tmp_path: Path) -> None:
    written(tmp_path / "history.safetensors", 3).commit()
    index = (tmp_path / "history.idx").read_bytes()
    records = list(struct.iter_unpack("<QIId", index))
    assert [(step, crc, loss) for step, crc, _, loss in records[:3]] == [
        (number, zlib.crc32(state(number).view(torch.uint8).numpy().tobytes()), number / 10) for number in range(3)
    ]
    assert records[3:] == [(0, 0, 0, 0.0)] * 3


def test_a_record_of_the_index_has_its_own_checksum_and_one_of_an_earlier_version_has_none(tmp_path: Path) -> None:
    path = tmp_path / "history.safetensors"
    written(path, 3).commit()
    index = bytearray((tmp_path / "history.idx").read_bytes())
    for at in range(0, 72, 24):
        assert struct.unpack_from("<I", index, at + 12)[0] == zlib.crc32(index[at : at + 12] + index[at + 16 : at + 24])
        index[at + 12 : at + 16] = bytes(4)
    (tmp_path / "history.idx").write_bytes(index)
    history = HistoryFile(path, LAYOUT)
    history.rewind(0)
    history.append(state(1), 1, 0.1)  # it is compared with the record of the earlier version, and equals it
    with pytest.raises(ResumeDiverged):
        history.append(state(2), 2, 0.3)


def test_what_was_not_committed_is_not_counted_after_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "history.safetensors"
    history = written(path, 3)
    history.commit()
    history.append(state(3), 3, 0.3)  # and the process dies here
    assert HistoryFile(path, LAYOUT).committed == 2


def test_a_file_that_was_only_reserved_holds_no_state(tmp_path: Path) -> None:
    HistoryFile(tmp_path / "history.safetensors", LAYOUT).close()
    assert HistoryFile(tmp_path / "history.safetensors", LAYOUT).committed == -1


def test_a_state_that_comes_out_the_same_is_accepted_and_another_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.safetensors"
    history = written(path, 4)
    history.commit()
    history.rewind(1)
    history.append(state(2), 2, 0.2)
    with pytest.raises(ResumeDiverged, match="step 3 differs from the recorded step"):
        history.append(state(7), 3, 0.3)
    history.rewind(1)
    with pytest.raises(ResumeDiverged, match=r"loss 0\.25, recorded .* and 0\.2 at step 2"):
        history.append(state(2), 2, 0.25)


def test_recomputing_does_not_take_back_what_is_committed(tmp_path: Path) -> None:
    path = tmp_path / "history.safetensors"
    history = written(path, 5)
    history.commit()
    history.rewind(0)
    history.append(state(1), 1, 0.1)
    history.commit()
    assert read(path)[0] == 4


def test_forgotten_states_are_replaced_without_comparison(tmp_path: Path) -> None:
    path = tmp_path / "history.safetensors"
    history = written(path, 5)
    history.commit()
    history.forget_after(1)
    assert read(path)[0] == 1
    history.append(state(9), 2, 0.9)
    history.commit()
    assert float(read(path)[1][2, 0, 0]) == 9


def test_a_run_that_ends_early_gets_its_shape_and_a_resumed_one_all_of_it_back(tmp_path: Path) -> None:
    path = tmp_path / "history.safetensors"
    history = written(path, 3)
    history.commit()
    history.shorten()
    assert read(path)[1].shape == (3, 4, 3)
    again = HistoryFile(path, LAYOUT)
    done, tensor = read(path)
    assert (done, tensor.shape, again.committed) == (2, (6, 4, 3), 2)
    assert [float(tensor[index, 0, 0]) for index in range(4)] == [0, 1, 2, 0]


@given(count=st.integers(1, 6), longer=st.integers(0, 5), shorten=st.booleans())
@settings(max_examples=30, deadline=None)
def test_any_order_of_ends_and_beginnings_keeps_the_committed_states(
    tmp_path_factory: pytest.TempPathFactory, count: int, longer: int, shorten: bool
) -> None:
    path = tmp_path_factory.mktemp("h") / "history.safetensors"
    history = written(path, count)
    history.commit()
    if shorten:
        history.shorten()
    history.close()
    layout = Layout(LAYOUT.tensor, LAYOUT.dtype, 6 + longer, 4, 3)
    again = HistoryFile(path, layout)
    for number in range(count, layout.states):
        again.append(state(number), number, number / 10)
    again.commit()
    done, tensor = read(path)
    assert done == layout.states - 1
    assert [float(value) for value in tensor[:, 0, 0]] == list(range(layout.states))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.with_suffix(".idx").unlink(), "history.idx is missing"),
        (lambda path: path.write_bytes(b"x" * 5000), "damaged header"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "does not match this run"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:4096] + struct.pack("<q", 99) + path.read_bytes()[4104:]),
            "damaged steps_done",
        ),
    ],
)
def test_damage_is_refused_by_name(tmp_path: Path, damage: object, message: str) -> None:
    path = tmp_path / "history.safetensors"
    written(path, 3).commit()
    damage(path)  # type: ignore[operator]
    with pytest.raises(RunCorrupt, match=message):
        HistoryFile(path, LAYOUT)


def test_a_state_of_another_dtype_is_refused_and_not_rounded(tmp_path: Path) -> None:
    history = HistoryFile(tmp_path / "history.safetensors", LAYOUT)
    with pytest.raises(TypeError, match=r"embedding_history is torch\.float32, and .* holds torch\.bfloat16"):
        history.append(state(0).float(), 0, 0.0)


def test_a_history_of_another_shape_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "history.safetensors", 2).commit()
    with pytest.raises(RunCorrupt, match="does not match this run"):
        HistoryFile(tmp_path / "history.safetensors", Layout("embedding_history", torch.bfloat16, 6, 5, 3))
