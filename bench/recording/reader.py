"""Open the history of a live run over and over with plain safetensors; any failure ends it with a traceback.

usage: reader.py RUN [OPENS]
"""

import sys
import time
from pathlib import Path

from safetensors import safe_open

path = Path(sys.argv[1], "history.safetensors")
opens = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
first = last = -1
began = time.monotonic()
for _ in range(opens):
    with safe_open(path, "pt") as file:
        done = int(file.get_tensor("steps_done"))
        assert done >= last, f"steps_done went back from {last} to {done}"
        state = file.get_slice("embedding_history")[done]
        assert state.float().abs().sum() > 0, f"state {done} is empty"
        first, last = (done if first < 0 else first), done
print(f"{opens} opens without a failure in {time.monotonic() - began:.0f} s, steps_done {first} to {last}")
