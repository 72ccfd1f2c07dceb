"""The event log: one line an event; a torn end is cut off and kept aside; damage before a checkpoint is refused."""

import json
from pathlib import Path

import pytest
from bh_bridge.errors import RunCorrupt
from bh_bridge.recording.events import EventLog


class Sent:
    """The channel's one method that a log uses, and what it was given."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def send(self, line: str, droppable: bool = False) -> None:
        self.lines.append(line)


def opened(path: Path) -> EventLog:
    return EventLog(path, Sent())  # type: ignore[arg-type]


def written(path: Path, count: int) -> tuple[EventLog, int]:
    log = opened(path)
    for step in range(count):
        log.emit("step_end", global_step=step, epoch=0.0, loss=1.0)
    return log, log.commit()


def test_disk_and_node_get_the_same_line(tmp_path: Path) -> None:
    sent = Sent()
    log = EventLog(tmp_path / "events.jsonl", sent)  # type: ignore[arg-type]
    log.emit("step_end", global_step=1, epoch=0.5, loss=float("nan"))
    assert (tmp_path / "events.jsonl").read_text() == sent.lines[0] + "\n"
    event = json.loads(sent.lines[0])
    assert list(event) == ["seq", "mono", "wall", "type", "global_step", "epoch", "loss"]
    assert event["loss"] == "NaN"


def test_events_after_the_checkpoint_are_dropped_and_counting_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log, size = written(path, 3)
    log.emit("step_end", global_step=3, epoch=0.0, loss=1.0)
    again = opened(path)
    again.rewind(size)
    again.emit("resumed", global_step=2, epoch=None, recomputed_to=3)
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [0, 1, 2, 3]
    assert json.loads(path.read_text().splitlines()[-1])["type"] == "resumed"


@pytest.mark.parametrize("tail", [b'{"seq":3,"mono":1.0,"wa', b"\0" * 700 + b'\n{"seq":4}\n', b"\xff\xfe\n"])
def test_a_torn_end_is_cut_off_and_kept_aside(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "events.jsonl"
    _, size = written(path, 3)
    path.write_bytes(path.read_bytes() + tail)
    opened(path).rewind(size)
    assert path.stat().st_size == size
    assert path.with_suffix(".torn").read_bytes() == tail


def test_damage_before_the_checkpoint_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    _, size = written(path, 3)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"x" + lines[1][1:] + lines[2])
    with pytest.raises(RunCorrupt, match=r"events\.jsonl, line 2 is not an event"):
        opened(path).rewind(size)


def test_a_log_that_lost_committed_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    _, size = written(path, 3)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RunCorrupt, match="a checkpoint depends on its first"):
        opened(path).rewind(size)
