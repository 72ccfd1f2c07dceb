"""Asks Optuna for the next points of a search: python ask_optuna.py MARKER REQUEST.json

The request has `over` (field to a list, or to `uniform`, `log` or `int` with both ends), `seed`, `direction`, `told`
(the points so far, each with `codes` by field and a `value`, null for one that failed) and `count`. A value of a list
is its place there. Nothing is kept: the sampler is seeded by the seed and the number of points told, so that the answer
follows from the request alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, TypedDict


class Point(TypedDict):
    """A point that was tried: codes by field; no value where it failed."""

    codes: dict[str, float]
    value: float | None


class Request(TypedDict):
    over: dict[str, Any]
    seed: int
    direction: str
    told: list[Point]
    count: int


def main(marker: str, path: str) -> None:
    """Print one line: the marker, and `asked` (codes by field, for each point), or what is `missing`."""
    try:
        import optuna  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        print(marker + json.dumps({"missing": str(error)}))
        return
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    request: Request = json.loads(Path(path).read_text(encoding="utf-8"))
    print(marker + json.dumps({"asked": ask(optuna, request)}))


def ask(optuna: Any, request: Request) -> list[dict[str, float]]:
    """Points by the tree-structured Parzen estimator; those that are asked for together keep away from each other."""
    import numpy as np

    spaces = {field: distribution(optuna, draw) for field, draw in request["over"].items()}
    told = request["told"]
    seed = int(np.random.SeedSequence([request["seed"], len(told)]).generate_state(1)[0])
    sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    study = optuna.create_study(direction=request["direction"], sampler=sampler)
    for point in told:
        codes = {field: within(spaces[field], code) for field, code in point["codes"].items()}
        state = optuna.trial.TrialState.FAIL if point["value"] is None else optuna.trial.TrialState.COMPLETE
        study.add_trial(
            optuna.trial.create_trial(state=state, params=codes, distributions=spaces, value=point["value"])
        )
    return [dict(study.ask(spaces).params) for _ in range(request["count"])]


def distribution(optuna: Any, draw: Any) -> Any:
    """What a field is chosen from, in Optuna's words."""
    if isinstance(draw, list):
        return optuna.distributions.CategoricalDistribution(list(range(len(draw))))
    if "int" in draw:
        return optuna.distributions.IntDistribution(*draw["int"])
    if "log" in draw:
        return optuna.distributions.FloatDistribution(*draw["log"], log=True)
    return optuna.distributions.FloatDistribution(*draw["uniform"])


def within(space: Any, code: float) -> float:
    """A number that was rounded may have left its range by its last digit."""
    return code if hasattr(space, "choices") else min(max(code, space.low), space.high)


if __name__ == "__main__":
    main(*sys.argv[1:])
