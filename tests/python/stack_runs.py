"""Tiny runs that are trained together, each as `tiny_run.create` makes it."""

from pathlib import Path
from typing import Any

from bh_bridge import stack_operations
from tiny_run import create

STACKED: dict[str, Any] = {"engine": "fast", "compiled_step": "off", "stack": 3}


def train_together(runs: dict[Path, dict[str, Any]], resume: str | None = None) -> list[dict[str, Any]]:
    """Train runs in one stack, each with changes of its own; what came of each.

    A run whose changes have "resume" goes on where another begins.
    """
    created = [
        create(run, changes.get("resume", resume), **{**STACKED, **{k: v for k, v in changes.items() if k != "resume"}})
        for run, changes in runs.items()
    ]
    trainings = [{"handle": each["handle"], "training": number} for number, each in enumerate(created, 1)]
    ended = stack_operations.train_stack({"trainings": trainings})["ended"]
    return [{**one, "from_step": each["from_step"]} for one, each in zip(ended, created, strict=True)]
