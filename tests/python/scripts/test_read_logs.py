from __future__ import annotations

import struct
from pathlib import Path

import pytest
from bh_bridge.scripts.read_logs import numbers, stored_records, tensorboard_logs, wandb_logs


def stored(records: list[bytes]) -> bytes:
    """Records as LevelDB's log format describes it: 32 KiB blocks, parts with checksum, length and kind."""
    data = b":W&B\xe1\xbe\x00"
    for record in records:
        rest, is_first = record, True
        while rest or is_first:
            left = 32768 - len(data) % 32768
            if left < 7:
                data += bytes(left)
                continue
            part, rest = rest[: left - 7], rest[left - 7 :]
            kind = {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}[is_first, not rest]
            data += struct.pack("<IHB", 0, len(part), kind) + part
            is_first = False
    return data


def test_records_span_blocks_and_end_where_a_run_was_killed() -> None:
    records = [b"a" * 10, b"b" * 70000, b"c", b"d" * 32740, b"e" * 5]
    assert list(stored_records(stored(records))) == records
    assert list(stored_records(stored(records)[:-3])) == records[:-1]


def test_numbers_that_json_cannot_hold_are_missing() -> None:
    assert numbers({"a": 1, "b": float("nan"), "c": "text", "d": 0.5}) == {"a": 1.0, "b": None, "d": 0.5}


def test_the_last_scalar_of_tensorboard(tmp_path: Path) -> None:
    writer = pytest.importorskip("tensorboard.summary.writer.event_file_writer")
    event = pytest.importorskip("tensorboard.compat.proto.event_pb2")
    summary = pytest.importorskip("tensorboard.compat.proto.summary_pb2")
    events = writer.EventFileWriter(str(tmp_path / "base_s1"))
    for step, value in ((1, 2.0), (2, 1.5)):
        scalar = summary.Summary.Value(tag="loss", simple_value=value)
        events.add_event(event.Event(step=step, wall_time=step, summary=summary.Summary(value=[scalar])))
    events.close()
    assert tensorboard_logs(tmp_path) == [{"at": "base_s1", "values": {"loss": 1.5}}]


def test_the_summary_and_configuration_of_an_offline_run(tmp_path: Path) -> None:
    wandb_internal_pb2 = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    run, summary = wandb_internal_pb2.Record(), wandb_internal_pb2.Record()
    run.run.display_name = "base-1"
    run.run.config.update.add(key="seed", value_json="1")
    summary.summary.update.add(key="loss", value_json="2.5")
    (tmp_path / "run-1.wandb").write_bytes(stored([run.SerializeToString(), summary.SerializeToString()]))
    [log] = wandb_logs(tmp_path)
    assert (log["name"], log["config"], log["values"]) == ("base-1", {"seed": 1}, {"loss": 2.5})
