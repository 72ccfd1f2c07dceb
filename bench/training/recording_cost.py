"""What bridge, recording and default checkpoints take of each step, inside one real training.

Time in the RunStep, and that of a checkpoint over the steps between two of them, over the time of a step.

usage: recording_cost.py CORPUS STEPS THREADS; prints one line of JSON.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "python"))

import silent_node
from bh_bridge.entry import invoke
from bh_bridge.training.run_step import RunStep
from golden_messages import golden_request

corpus, steps, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
spent, steps_timed, first, last = 0.0, 0, 0.0, 0.0
saves: list[float] = []
DEFAULT_EVERY = 1000  # checkpoint.every, when nobody chooses it
MEASURED_EVERY = 50  # often enough for a mean
end = RunStep.end


def timed_end(self, state, *args):
    global spent, steps_timed, first, last
    begin = time.perf_counter()
    end(self, state, *args)
    last = time.perf_counter()
    if state.global_step > 20:  # the first steps allocate
        spent += last - begin
        steps_timed += 1
    else:
        first = last


save = RunStep.save


def timed_save(self, state, *args):
    begin = time.perf_counter()
    save(self, state, *args)
    if state.global_step > 20 and state.global_step < steps:
        saves.append(time.perf_counter() - begin)


RunStep.end = timed_end
RunStep.save = timed_save


def call(operation, **request):
    answer = json.loads(invoke(operation, json.dumps(request)))
    if "err" in answer:
        sys.exit(answer["err"]["traceback"])
    return answer["ok"]


with tempfile.TemporaryDirectory() as folder:
    path = silent_node.listen(Path(folder))
    call("hello", protocol=1, channel={"path": path, "token": "t"}, threads=threads, cores=None, device="cpu")
    model = call("model.create", **golden_request("model.create"))["handle"]  # those of the default preset
    request = golden_request("trainer.create")
    request["data"]["corpus"] = corpus
    request["training"]["max_steps"] = steps
    request["checkpoint"]["every"] = MEASURED_EVERY
    changes = {"model": model, "run_directory": folder, "events": [], "deciders": []}
    handle = call("trainer.create", **{**request, **changes})["handle"]
    call("trainer.train", handle=handle, training=1)
    checkpoint = sum(saves) / len(saves)
    step = (last - first - sum(saves)) / steps_timed  # with recording, without checkpoints
    recording, amortised = spent / steps_timed, checkpoint / DEFAULT_EVERY
    answer = {
        "microseconds": 1e6 * recording,
        "share": recording / step,
        "checkpointMilliseconds": 1e3 * checkpoint,
        "shareWithCheckpoints": (recording + amortised) / (step + amortised),
    }
    print(json.dumps(answer), flush=True)
