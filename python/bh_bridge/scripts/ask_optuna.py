"""Asks Optuna for the next points of a search: python ask_optuna.py MARKER REQUEST.json

The request has `over` (field to a list, or to `uniform`, `log` or `int` with both bounds), `seed`, `direction`, `told`
(the points so far, each with `codes` by field and a `value`, null if it failed) and `count`. Values of a list are coded
by index. The script is stateless: the sampler is seeded by the seed and the number of points.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypedDict

# The values of a field, or the bounds of its distribution by kind.
Draw: TypeAlias = list[object] | dict[Literal["uniform", "log", "int"], list[float]]


class Point(TypedDict):
    """A trained point: codes by field; value is None if it failed."""

    codes: dict[str, float]
    value: float | None


class Request(TypedDict):
    over: dict[str, Draw]
    seed: int
    direction: str
    told: list[Point]
    count: int


def main(marker: str, path: str) -> None:
    """Print the marker and `asked` (codes by field for each point) or `missing` on one line."""
    try:
        import optuna  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        print(marker + json.dumps({"missing": str(error)}))
        return
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    request: Request = json.loads(Path(path).read_text(encoding="utf-8"))
    print(marker + json.dumps({"asked": ask(optuna, request)}))


def ask(optuna: Any, request: Request) -> list[dict[str, float]]:
    """Points by the tree-structured Parzen estimator, kept apart if several are requested."""
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


def distribution(optuna: Any, draw: Draw) -> Any:
    """The distribution of a field in Optuna."""
    if isinstance(draw, list):
        return optuna.distributions.CategoricalDistribution(list(range(len(draw))))
    if "int" in draw:
        return optuna.distributions.IntDistribution(*draw["int"])
    if "log" in draw:
        return optuna.distributions.FloatDistribution(*draw["log"], log=True)
    return optuna.distributions.FloatDistribution(*draw["uniform"])


def within(space: Any, code: float) -> float:
    """Clamp a number that rounding moved out of its range."""
    return code if hasattr(space, "choices") else min(max(code, space.low), space.high)


if __name__ == "__main__":
    main(*sys.argv[1:])
