"""Tiny runs that are trained together, each as `tiny_run.create` makes it."""

from pathlib import Path
from typing import Any

from bh_bridge.gpu import stack_operations
from tiny_run import create

STACKED: dict[str, Any] = {"engine": "fast", "engine__batched_runs": 3}


def train_together(runs: dict[Path, dict[str, Any]], resume: str | None = None) -> list[dict[str, Any]]:
    """Train runs in one stack, each with changes of its own; what came of each.

    Among the changes of a run may be `resume`, and the `answer` of Node to its deciders.
    """
    options: list[dict[str, Any]] = [{"resume": resume, **STACKED, **changes} for changes in runs.values()]
    created = [create(run, **each) for run, each in zip(runs, options, strict=True)]
    trainings = [{"handle": each["handle"], "training": number} for number, each in enumerate(created, 1)]
    ended = stack_operations.train_stack({"trainings": trainings})["ended"]
    return [{**one, "from_step": each["from_step"]} for one, each in zip(ended, created, strict=True)]
