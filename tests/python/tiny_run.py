"""Trainings that take half a second, each in a process of its own, forked after torch has been imported once."""

import copy
import json
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import silent_node
import torch
from bh_bridge import errors
from bh_bridge.bridge import channel
from bh_bridge.data.corpus import read_corpus
from bh_bridge.engines import ENGINES
from bh_bridge.operations import model_operations, trainer_operations
from first_uses import use_first
from golden_messages import golden_request
from safetensors.torch import load_file

CORPUS = "It was many and many a year ago, in a kingdom by the sea, that a maiden there lived whom you may know.\n" * 6
# Events that tell of an interruption, or come at times of their own.
NOT_COMPARED = ("resumed", "checkpoint_rejected", "usage", "alert", "step_method")
ENGINES["sgd"] = "sgd_engine"  # beside the real ones: what holds for it holds for any
use_first()
IS_FULL = os.environ.get("FULL_TESTS") == "1"
"""Whether what takes long is done as often, and as large, as the documents claim."""


def _with(request: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A request with other values; in a section, the fields that are not named stay."""
    return {
        name: {**value, **changes[name]} if isinstance(changes.get(name), dict) else changes.get(name, value)
        for name, value in request.items()
    }


def tokens_of(corpus: Path, vocab_size: int, tokenizer: Path | None = None) -> torch.Tensor:
    """The tokens of a file."""
    data = {"corpus": str(corpus), "tokenizer": None if tokenizer is None else str(tokenizer), "documents": "pack"}
    return read_corpus(data, vocab_size).tokens


MODEL = _with(
    golden_request("model.create"),
    {
        "config": {"vocab_size": 128, "n_positions": 16, "n_embd": 8, "n_layer": 1, "n_head": 2, "resid_pdrop": 0.1},
        "seed": 42,
        "init_seed": 42,
    },
)
RUN = _with(
    golden_request("trainer.create"),
    {
        "data": {"window_length": 16},
        "training": {"max_steps": 40, "per_device_train_batch_size": 8, "logging_steps": 5},
        "noise": {"epsilon": 3e-5},
        "record": {"tensors": ["wte", "wte.exp_avg"], "model": "deltas"},
        "checkpoint": {"every": 10},
        "events": [],
        "deciders": [],
    },
)


def engine_section(name: str) -> dict[str, Any]:
    """The section `engine` of a request, with a name."""
    if name == "portable":
        return {"name": name, "processes": 1}
    if name == "fast":
        return {"name": name, "graph": "auto", "batched_runs": 1, "processes": 1}
    return {"name": name, "exact": "auto", "graph": "auto", "processes": 1}


def train(
    directory: Path, resume: str | None = None, answer: silent_node.Answer | None = None, **changes: Any
) -> dict[str, Any]:
    """Train a tiny model into a run directory, or go on with it; `training__max_steps=60` changes one field.

    `engine` is the name of an engine, whose section is filled in.

    `answer` is what Node says to a decider's question; nothing without it.
    """
    created = create(directory, resume, answer, **changes)
    outcome = trainer_operations.train({"handle": created["handle"], "training": 1})
    return {**created, **outcome}


def create(
    directory: Path, resume: str | None = None, answer: silent_node.Answer | None = None, **changes: Any
) -> dict[str, Any]:
    """What `train` trains, not yet begun."""
    request = copy.deepcopy({**RUN, "resume": resume, "run_directory": str(directory)})
    corpus = directory.parent / "corpus.txt"
    request["data"]["corpus"] = str(corpus)
    request["engine"] = engine_section(changes.pop("engine", "trainer"))
    for path, value in changes.items():
        *sections, name = path.split("__")
        section = request
        for key in sections:
            section = section[key]
        section[name] = value
    directory.mkdir(exist_ok=True)
    corpus.write_text(CORPUS)
    source = request.pop("model_from", None)
    model = {**MODEL, "from": source, "init": {"kind": "normal"}} if source else MODEL
    model = {**model, **request.pop("model_fields", {})}
    channel.open_channel(silent_node.listen(Path(tempfile.mkdtemp()), answer), "token")
    request["model"] = model_operations.create(model)["handle"]
    return trainer_operations.create(request)


def in_child(task: Callable[[], Any], prepare: Callable[[int], Callable[[], None]] | None = None) -> Any:
    """Run a task in a forked process and give its JSON result; {"code": …, "message": …} when it raised.

    `prepare` gets the child's id before the task begins, and gives what is to be done at its end.
    """
    torch.set_num_threads(1)
    read, write = os.pipe()
    ready, go = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            os.read(ready, 1)
            try:
                result = task()
            except BaseException as error:
                code = error.code if isinstance(error, errors.BridgeError) else type(error).__name__
                result = {"code": code, "message": str(error)}
            os.write(write, json.dumps(result, default=str).encode())
        finally:
            os._exit(0)  # whatever happens, the child must not go on as a second test runner
    os.close(write)
    finish = prepare(child) if prepare else None
    os.write(go, b"g")
    with os.fdopen(read, "rb") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    for fd in (ready, go):
        os.close(fd)
    if finish:
        finish()
    return json.loads(text) if text else None


def killed_at(directory: Path, event: str, step: int, resume: str | None = None, **changes: Any) -> None:
    """Train until an event of a step is in the log, and die by SIGKILL in that instant."""
    from bh_bridge.recording.events import EventLog

    def task() -> None:
        emit = EventLog.emit

        def deadly(self: EventLog, type: str, **fields: Any) -> None:
            emit(self, type, **fields)
            if type == event and fields["global_step"] == step:
                os.kill(os.getpid(), signal.SIGKILL)

        EventLog.emit = deadly
        train(directory, resume, **changes)

    assert in_child(task) is None, "it was to die"


def losses(run: Path) -> list[float]:
    """The loss of each step of a run."""
    return [event["loss"] for event in events_of(run) if event["type"] == "step_end"]


def history(run: Path) -> torch.Tensor:
    """The recorded embedding of a run, float32 [steps + 1, vocab, hidden]."""
    return load_file(run / "history.safetensors")["embedding_history"].float()


def events_of(directory: Path) -> list[dict[str, Any]]:
    """The events of a run without their clocks, and without those that tell of an interruption."""
    events = [json.loads(line) for line in (directory / "events.jsonl").read_text().splitlines()]
    clock = ("seq", "mono", "wall")
    return [
        {key: value for key, value in event.items() if key not in clock}
        for event in events
        if event["type"] not in NOT_COMPARED
    ]


def differences(run: Path, whole: Path) -> list[str]:
    """Names of the files in which a run differs from the one that was never interrupted."""
    last = sorted((whole / "checkpoints").iterdir())[-1].name
    names = [path.name for path in (*whole.glob("history*"), *whole.glob("model.*"))] + ["final/model.safetensors"]
    names += [
        f"checkpoints/{last}/{path.name}"
        for path in (whole / "checkpoints" / last).iterdir()
        if path.name != "MANIFEST.json"
    ]
    unequal = [
        name for name in names if not (run / name).exists() or (run / name).read_bytes() != (whole / name).read_bytes()
    ]
    return unequal if events_of(run) == events_of(whole) else [*unequal, "events.jsonl"]
