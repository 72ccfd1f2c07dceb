"""Reads foreign logs: python read_logs.py MARKER KIND FOLDER

KIND is `tensorboard` (files events.out.tfevents.*) or `wandb` (files *.wandb, offline directories of Weights & Biases).
Each log becomes an object with `at` (its folder, relative to FOLDER) and the last `values` by name; one of W&B also has
`name`, `group` and `config`. With KIND `scalars`, FOLDER is a JSON list of folders with event files, and each becomes a
list of all its scalars. A library that is not installed is reported as `missing`.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NotRequired, TypedDict

NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


class Log(TypedDict):
    at: str
    name: NotRequired[str]
    group: NotRequired[str]
    config: NotRequired[dict[str, object]]
    values: dict[str, float | None]


class Scalar(TypedDict):
    tag: str
    steps: list[int]
    values: list[float | str]


def main(marker: str, kind: str, folder: str) -> None:
    """Print the marker and `logs`, or `missing`, on one line."""
    try:
        if kind == "scalars":
            logs: list[Log] | list[list[Scalar]] = [tensorboard_scalars(Path(each)) for each in json.loads(folder)]
        else:
            logs = {"tensorboard": tensorboard_logs, "wandb": wandb_logs}[kind](Path(folder))
    except ImportError as error:
        print(marker + json.dumps({"missing": str(error)}))
        return
    print(marker + json.dumps({"logs": logs}))


def tensorboard_logs(folder: Path) -> list[Log]:
    """The last value of every scalar of every folder with event files."""
    logs: list[Log] = []
    for directory in sorted({path.parent for path in folder.rglob("events.out.tfevents.*")}):
        values = {tag: points[-1][1] for tag, points in scalars_in(directory).items()}
        logs.append({"at": str(directory.relative_to(folder)), "values": numbers(values)})
    return logs


def tensorboard_scalars(folder: Path) -> list[Scalar]:
    """Steps and values of every scalar in the event files of a folder; values that are not finite as text."""
    return [
        {
            "tag": tag,
            "steps": [step for step, _ in points],
            "values": [value if math.isfinite(value) else NOT_FINITE[str(value)] for _, value in points],
        }
        for tag, points in scalars_in(folder).items()
    ]


def scalars_in(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values of every scalar in the event files of a folder, in the order of the log."""
    from tensorboard.backend.event_processing.event_accumulator import (  # pyright: ignore[reportMissingImports]
        EventAccumulator,
    )
    from tensorboard.util.tensor_util import make_ndarray  # pyright: ignore[reportMissingImports]

    events: Any = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    found = {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    for tag in events.Tags()["tensors"]:  # TensorFlow 2 writes scalars as tensors
        arrays = [(event.step, make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)]
        if all(array.size == 1 and array.dtype.kind in "fiu" for _, array in arrays):
            found[tag] = [(step, float(array.reshape(()))) for step, array in arrays]
    return found


def wandb_logs(folder: Path) -> list[Log]:
    """The summary, or the last history value, of every offline run with its configuration."""
    messages: Any = import_module("wandb.proto.wandb_internal_pb2")  # its classes are made when it is imported

    logs: list[Log] = []
    for path in sorted(folder.rglob("*.wandb")):
        name, group = "", ""
        config: dict[str, object] = {}
        history: dict[str, object] = {}
        summary: dict[str, object] = {}
        for data in stored_records(path.read_bytes()):
            record: Any = messages.Record()
            record.ParseFromString(data)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                name, group = record.run.display_name, record.run.run_group
                config.update(items(record.run.config.update))
            elif kind == "config":
                config.update(items(record.config.update))
            elif kind == "history":
                history.update(items(record.history.item))
            elif kind == "summary":
                summary.update(items(record.summary.update))
        config.pop("_wandb", None)
        at, values = str(path.parent.relative_to(folder)), numbers({**history, **summary})
        logs.append({"at": at, "name": name, "group": group, "config": config, "values": values})
    return logs


def stored_records(data: bytes) -> Iterator[bytes]:
    """The records of a W&B file, up to where a killed run stops.

    After a header of 7 bytes it is a log of LevelDB: blocks of 32 KiB with parts of records, each after its checksum
    (4 bytes), length (2) and kind (1): 1 is a whole record, 2, 3 and 4 are the first, a middle and the last part.
    """
    block, head = 32768, 7
    at = head
    parts = b""
    while at + head <= len(data):
        left = block - at % block
        if left < head:  # padding at the end of a block
            at += left
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        part = data[at + head : at + head + length]
        at += head + length
        if kind == 0 or len(part) < length:
            return
        parts = part if kind in (1, 2) else parts + part
        if kind in (1, 4):
            yield parts


def items(updates: Any) -> dict[str, object]:
    """Values by key; nested keys are joined by dots."""
    return {".".join(update.nested_key) or update.key: json.loads(update.value_json) for update in updates}


def numbers(values: Mapping[str, object]) -> dict[str, float | None]:
    """The numbers among values; None for one that is not finite, which JSON cannot hold."""
    known = {name: value for name, value in values.items() if isinstance(value, int | float)}
    return {name: float(value) if math.isfinite(value) else None for name, value in known.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
