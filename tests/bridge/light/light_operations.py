"""Operations that do to the bridge, on demand, what models and trainers do to it by accident."""

import contextlib
import ctypes
import json
import math
import os
import signal
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

from bh_bridge.bridge import channel, registry
from bh_bridge.bridge.wire import finite
from bh_bridge.recording.events import EventLog

STEP_EVENTS = ("step_begin", "pre_optimizer_step", "optimizer_step", "substep_end", "step_end")


def create(request):
    """A model that is nothing but its seed. A stubborn one is made even when it is interrupted."""
    if request["from"] == "stubborn":
        _outlast_interrupt()
    return {
        "handle": registry.keep(request["seed"]),
        "parameter_count": request["seed"],
        "parameters": [],
        "norm": "rmsnorm",
        "embedding": "transformer.wte.weight",
        "head": "transformer.wte.weight",
    }


def generate(request):
    """The prompt, then the object behind the handle as a token; `max_new_tokens` in all."""
    tokens = [*request["tokens"], registry.find(request["handle"])]
    return {"tokens": tokens + [7] * (request["options"].get("max_new_tokens", 0) - len(tokens))}


def act(request):
    """Do what the directory is called: the ways in which a process goes wrong."""
    ACTS[request["directory"]]()
    return {}


def _print():
    print("printed")
    sys.stdout.buffer.write(b"written to the buffer\n")
    os.write(1, b"written to 1\n")
    os.write(2, b"\x1b[31mwritten to 2\x1b[0m\n")
    warnings.warn("warned", stacklevel=1)


def _lose_connection():
    os.closerange(3, 64)
    time.sleep(60)


def _spin():
    os.write(1, b"begun\n")
    while True:
        pass


def _outlast_interrupt():
    with contextlib.suppress(KeyboardInterrupt):
        _spin()


def _ignore_signals():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        _outlast_interrupt()


def _raise(error):
    raise error


class Unprintable(Exception):
    def __str__(self):
        return "\ud800 a half of a pair, and \x00"


ACTS = {
    "nothing": lambda: None,
    "os._exit": lambda: os._exit(3),
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "SIGSEGV": lambda: ctypes.string_at(0),
    "SIGABRT": os.abort,
    "sys.exit": lambda: sys.exit("bye"),
    "KeyError": lambda: {}["missing"],
    "Unprintable": lambda: _raise(Unprintable()),
    "print": _print,
    "sleep": lambda: time.sleep(60),
    "spin": _spin,
    "ignore": _ignore_signals,
    "lose connection": _lose_connection,
    "die talking": lambda: (os.write(2, b"the reason\n"), os._exit(9)),
}


attempts = Counter()  # by seed


def create_training(request):
    """A training that is only its script; it fails to be made, or is made slowly, as the script says."""
    script = json.loads(request["training"]["optim_args"])
    attempts[request["seed"]] += 1
    if attempts[request["seed"]] <= script.get("failing", 0):
        raise MemoryError("no room for a trainer")
    if script.get("making") == "spin":
        _spin()
    if "init_end" in request["events"]:
        event = {"seq": 0, "mono": 0, "wall": 0, "type": "init_end", "global_step": 0, "epoch": None}
        channel.current().send(json.dumps(event))
    return {
        "handle": registry.keep(request),
        "windows": 1,
        "device": "cpu",
        "from_step": 0,
        "recorded_step": -1,
        "rejected_checkpoints": [],
    }


def train(request):
    """Emit, ask and wait as `training.optim_args` says: {max_steps, loss, seconds, events, durable, log_every}."""
    held = registry.find(request["handle"])
    script = json.loads(held["training"]["optim_args"])
    connection = channel.current()
    directory = Path(held["run_directory"])
    events = EventLog(directory / "events.jsonl", connection)
    loss = float(script.get("loss", 1))
    durable = script.get("durable", True)
    step, reason, answers = 0, None, 0
    events.emit(
        "train_begin", global_step=0, epoch=0.0, max_steps=1, logging_steps=1, num_train_epochs=1, train_batch_size=1
    )
    while step < script["max_steps"] and reason is None:
        step += 1
        if "seconds" in script:
            time.sleep(script["seconds"])
        for event in STEP_EVENTS if script.get("events") == "all" else ("step_end",):
            fields = {"loss": loss} if event == "step_end" else {}
            events.emit(event, droppable=True, durable=durable, global_step=step, epoch=0.0, **fields)
        if step % script.get("log_every", 1000) == 0:
            events.emit("log", global_step=step, epoch=0.0, logs={"loss": loss, "step": step})
        for index, decider in enumerate(held["deciders"]):
            state = {
                "global_step": step,
                "max_steps": 1,
                "epoch": 0.0,
                "loss": loss,
                "best_metric": None,
                "log_history": [],
            }
            message = {"type": "decide", "decider": index, "event": "step_end", "state": finite(state)}
            control = connection.ask(request["training"], message, decider["timeout_seconds"])
            if control is None:
                events.emit("decider_timeout", global_step=step, epoch=0.0, decider=index)
            answers += control is not None
            if control and control.get("should_training_stop"):
                reason = "decider"
        reason = reason or connection.stop_reason(request["training"])
    events.emit("train_end", global_step=step, epoch=0.0)
    return {
        "status": "stopped" if reason else "completed",
        "reason": reason,
        "global_step": step,
        "max_steps": script["max_steps"],
        "steps_this_time": answers,
        "seconds": 0.0,
        "log_history": finite([{"loss": loss, "worst": -math.inf}]),
        "best_metric": None,
    }
