"""Lose power at many instants of a run, and recover every disk that may be left.

A training is traced with strace. For each of N random instants between two system calls, one disk that power loss may
leave is drawn (see disk.py), written into a folder, resumed in a process of its own and trained to the end: the outcome
has to equal the whole run, and no step that was committed may be missing.

usage: python scripts/powerloss [--states 1000] [--seed 1] [--keep]
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from disk import Disk, File, Folder, write_image
from recover import committed_step, file_names, recover, run_of
from syscalls import STRACE, Call, read_trace

ROOT = Path(__file__).resolve().parents[2]
# What recovers imports these when it is needed, in the processes that are forked for it.
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tests" / "python")]

LINE = "It was many and many a year ago, in a kingdom by the sea, that a maiden there lived whom you may know.\n"
STEPS = 40
SETTINGS = [
    *("model.n_embd=8", "model.n_layer=1", "model.n_head=2", "model.n_positions=16"),
    *("training.per_device_train_batch_size=4", "training.logging_steps=5", "checkpoint.every=8", "noise.epsilon=3e-5"),
]


def main() -> int:
    parser = argparse.ArgumentParser(description="Lose power at many instants of a run, and recover every disk.")
    parser.add_argument("--states", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder with trace and images")
    options = parser.parse_args()
    if shutil.which("strace") is None:
        print("strace is not installed: nothing was tested")
        return 2
    work = Path(tempfile.mkdtemp(prefix="bh-bridge-powerloss-"))
    whole, disk, calls = traced_run(work)
    chance = random.Random(options.seed)
    cuts = sorted(chance.randint(0, len(calls)) for _ in range(options.states))
    print(f"{len(calls)} calls on the run's files; {options.states} instants, seed {options.seed}", flush=True)
    prepare()
    outcomes: collections.Counter[str] = collections.Counter()
    replayed, began = 0, time.monotonic()
    for number, cut in enumerate(cuts):
        for call in calls[replayed:cut]:
            disk.replay(call)
        replayed = cut
        certain = disk.certain()
        step = committed_step(certain, file_names(certain))
        image = disk.image(chance)
        folder = work / f"disk-{number}"
        folder.mkdir()
        write_image(image, folder)
        problem = recovered(folder, step, whole)
        outcomes["equal" if not problem else "different"] += 1
        if problem:
            print(f"instant {cut} (state {number}): {problem}; kept in {folder}", flush=True)
        else:
            shutil.rmtree(folder)
        if (number + 1) % 100 == 0:
            print(f"{number + 1} states, {time.monotonic() - began:.0f} s", flush=True)
    print(
        f"{outcomes['equal']} of {options.states} states recovered to the bits of the whole run, no committed step lost"
    )
    if not outcomes["different"] and not options.keep:
        shutil.rmtree(work)
    return 1 if outcomes["different"] else 0


def traced_run(work: Path) -> tuple[Path, Disk, list[Call]]:
    """Train once under strace; give the finished run, an empty disk, and the calls that made the run."""
    (work / "corpus.txt").write_text(LINE * 8)
    out = work / "runs"
    out.mkdir()
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    program = ["node", str(ROOT / "dist" / "cli.js"), "train", "--corpus", str(work / "corpus.txt"), "--out", str(out)]
    arguments = ["--device", "cpu", "--threads", "1", "--steps", str(STEPS), "--quiet", *settings]
    trace = work / "trace.txt"
    done = subprocess.run([*STRACE, str(trace), *program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"the traced run failed: {done.stderr}")
    whole = run_of(out)
    assert whole is not None
    calls = list(read_trace(trace, f"{out}/"))
    disk = Disk(str(out))
    check(calls, out)
    return whole, disk, calls


def check(calls: list[Call], out: Path) -> None:
    """Without power loss the simulated disk has to hold what the real one holds: else nothing here means anything."""
    disk = Disk(str(out))
    for call in calls:
        disk.replay(call)
    disk_now = _live(disk.top, "")
    real = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    unequal = sorted(name for name in real.keys() | disk_now.keys() if real.get(name) != disk_now.get(name))
    if unequal:
        raise SystemExit(f"the simulation does not reproduce {', '.join(unequal)}")


def _live(folder: Folder, prefix: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name, node in folder.live.items():
        if isinstance(node, File):
            found[f"{prefix}{name}"] = bytes(node.live())
        else:
            found.update(_live(node, f"{prefix}{name}/"))
    return found


def prepare() -> None:
    """Import what every recovery needs once; the processes that recover are forked from here."""
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    import torch
    from bh_bridge.operations import model_operations, trainer_operations  # noqa: F401

    torch.set_num_threads(1)


def recovered(folder: Path, step: int, whole: Path) -> str:
    """Recover in a forked process; "" or what went wrong there."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            problem = recover(folder, step, whole)
        except BaseException as error:
            problem = f"{type(error).__name__}: {error}"
        os.write(write, json.dumps(problem).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else "the process that recovered it died"


if __name__ == "__main__":
    raise SystemExit(main())
