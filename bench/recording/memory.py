"""How much memory a recorded training gains from step 100 to its end, and what recording a state costs.

usage: memory.py [--steps N] [NAME ...]; prints a line for each training. The model of the histories is small: what is
measured is the recording. The engines have the notebook's model and batch: what is measured are the tensors of their
steps.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = {"n_positions": 128, "n_layer": 2, "resid_pdrop": 0.0}
# Of each training: steps, what the model has beside a width of 64, what the request has.
TRAININGS: dict[str, tuple[int, dict[str, Any], dict[str, Any]]] = {
    "128 x 64 x 10,000": (10_000, {}, {}),
    "10,000 x 64 x 300": (300, {"vocab_size": 10_000}, {}),
    "50,257 x 64 x 300": (300, {"vocab_size": 50_257}, {}),
    "exact step": (600, NOTEBOOK, {"training__per_device_train_batch_size": 32}),
    "engine portable": (600, NOTEBOOK, {"training__per_device_train_batch_size": 32, "engine": "portable"}),
}
# As bh-bridge starts Python: glibc keeps its memory, which is part of what is measured.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "10000000000"}


def measure(name: str, wanted: int | None) -> None:
    sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests/python")]
    import tiny_run
    import torch
    from bh_bridge.recording.recorder import Recorder
    from bh_bridge.training.run_step import RunStep

    usual, model, request = TRAININGS[name]
    steps = wanted or usual
    first = min(100, steps // 3)
    torch.set_num_threads(1)
    tiny_run.MODEL["config"] = {**tiny_run.MODEL["config"], "n_embd": 64, **model}
    resident: dict[int, int] = {}
    end = RunStep.end

    def watched(self, state, *args):
        end(self, state, *args)
        if state.global_step in (first, steps):
            resident[state.global_step] = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf(
                "SC_PAGE_SIZE"
            )

    record, spent = Recorder.record, [0.0]

    def timed(self, *args, **named):
        began = time.perf_counter()
        try:
            return record(self, *args, **named)
        finally:
            spent[0] += time.perf_counter() - began

    RunStep.end, Recorder.record = watched, timed
    with tempfile.TemporaryDirectory() as folder:
        changes = {"checkpoint__every": 1000, "training__logging_steps": 100, "record__tensors": ["wte"]}
        run = Path(folder) / "run"
        tiny_run.train(run, training__max_steps=steps, **changes, **request)
        events = (run / "events.jsonl").read_text().splitlines()
    ways = [line for line in events if '"step_method"' in line]
    print(f"{name}: {(resident[steps] - resident[first]) / 1e6:+.1f} MB from step {first} to step {steps} (goal 32 MB)")
    print(f"  recording a state takes {1000 * spent[0] / (steps + 1):.2f} ms")
    print(*(f"  {way}\n" for way in ways[-1:]), sep="", end="", flush=True)
    os._exit(0)  # the event channel takes the end of its socket for the death of Node


parser = argparse.ArgumentParser()
parser.add_argument("names", nargs="*")
parser.add_argument("--steps", type=int)
asked = parser.parse_args()
if os.environ.get("BH_BRIDGE_MEASURED"):
    measure(asked.names[0], asked.steps)
for training in asked.names or TRAININGS:
    environment = {**os.environ, **ALLOCATOR, "BH_BRIDGE_MEASURED": "1"}
    steps = [] if asked.steps is None else ["--steps", str(asked.steps)]
    subprocess.run([sys.executable, __file__, training, *steps], env=environment, stderr=subprocess.DEVNULL, check=True)
