"""How much memory a recorded training gains from step 100 to its end, at two shapes of history.

usage: memory.py; prints one line a shape. The model around the embedding is small: what is measured is the recording.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHAPES = {"128 x 64 x 10,000": (128, 10_000), "10,000 x 64 x 300": (10_000, 300)}
# As bh-bridge starts Python: glibc keeps its memory, which is part of what is measured.
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "10000000000"}


def measure(vocab: int, steps: int) -> None:
    sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests/python")]
    import tiny_run
    import torch
    from bh_bridge.run_step import RunStep

    torch.set_num_threads(1)
    tiny_run.MODEL["config"] = {**tiny_run.MODEL["config"], "vocab_size": vocab, "n_embd": 64}
    resident: dict[int, int] = {}
    end = RunStep.end

    def watched(self, state, *args):
        end(self, state, *args)
        if state.global_step in (100, steps):
            resident[state.global_step] = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf(
                "SC_PAGE_SIZE"
            )

    RunStep.end = watched
    with tempfile.TemporaryDirectory() as folder:
        changes = {"checkpoint__every": 1000, "training__logging_steps": 100, "record__tensors": ["wte"]}
        tiny_run.train(Path(folder) / "run", training__max_steps=steps, **changes)
    print((resident[steps] - resident[100]) / 1e6, flush=True)
    os._exit(0)  # the event channel takes the end of its socket for the death of Node


if len(sys.argv) == 3:
    measure(int(sys.argv[1]), int(sys.argv[2]))
for shape, (vocab, steps) in SHAPES.items():
    command = [sys.executable, __file__, str(vocab), str(steps)]
    done = subprocess.run(command, env={**os.environ, **ALLOCATOR}, capture_output=True, text=True, check=True)
    print(f"{shape}: {float(done.stdout.split()[-1]):+.1f} MB from step 100 to the end (goal 32 MB)")
