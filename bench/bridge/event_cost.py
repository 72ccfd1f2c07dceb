"""What events cost the training thread, in microseconds each: prints one JSON line.

`logged`: written to events.jsonl and sent, as each step's always is. `observed`: one more event, only sent, for an
observer of another kind. With 1 ms of other work a step, so that caches are as cold as in training.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "python"))

import silent_node
from bh_bridge.bridge.channel import Channel
from bh_bridge.recording.events import EventLog

STEPS = 2000
WORK_SECONDS = 0.001


def work() -> None:
    """Keep the processor busy, as training does."""
    end = time.perf_counter() + WORK_SECONDS
    while time.perf_counter() < end:
        pass


def microseconds(log: EventLog, durable: bool) -> float:
    """Mean cost of one event."""
    total = 0.0
    for step in range(STEPS):
        work()
        began = time.perf_counter()
        log.emit("step_end", droppable=True, durable=durable, global_step=step, epoch=0.25, loss=3.1415926)
        total += time.perf_counter() - began
    return total / STEPS * 1e6


folder = Path(tempfile.mkdtemp())
log = EventLog(folder / "events.jsonl", Channel(silent_node.listen(folder), "token"))
print(json.dumps({"logged": microseconds(log, durable=True), "observed": microseconds(log, durable=False)}))
