"""Power of both designs by numpy and scipy: sign flips with Hall's t, and bets on signs and sizes with the guard."""

import itertools
import json
import sys

import numpy as np
from scipy import stats

ALPHA = 0.05
STAKES = np.array([0.5, 1, 2, 4])


def hall_above(d):
    """One-sided p of Hall's skew-corrected t, row by row."""
    n = d.shape[1]
    t = np.sqrt(n) * d.mean(axis=1) / d.std(axis=1, ddof=1)
    g = stats.skew(d, axis=1, bias=False) / np.sqrt(n)
    return stats.t.sf(t + g * t**2 / 3 + g**2 * t**3 / 27 + g / 6, n - 1)


def flips_above(d):
    signs = np.array(list(itertools.product((1, -1), repeat=d.shape[1])))
    return (d @ signs.T >= d.sum(axis=1, keepdims=True) - 1e-9).mean(axis=1)


def fixed_power(d):
    sides = [np.maximum(hall_above(sign * d), flips_above(sign * d)) for sign in (1, -1)]
    return float((2 * np.minimum(*sides) <= ALPHA).mean())


def stops(d):
    """The pair after which each row is decided; infinite for none."""
    rms = np.sqrt(np.cumsum(d**2, axis=1) / np.arange(1, d.shape[1] + 1))
    both = [
        np.exp(np.cumsum(np.log1p(np.tanh(STAKES[:, None, None] * sign * d / rms)), axis=2)).mean(axis=0)
        for sign in (1, -1)
    ]
    e = (both[0] + both[1]) / 2
    stop = np.full(len(d), np.inf)
    for n in range(3, d.shape[1] + 1):
        guard = 2 * np.minimum(hall_above(d[:, :n]), hall_above(-d[:, :n])) <= ALPHA / 20
        stop = np.where(np.isinf(stop) & (e[:, n - 1] >= 1 / ALPHA) & guard, n, stop)
    return stop


def main(effect, fixed, maxima):
    d = np.random.default_rng(0).normal(effect, 1, (4000, max(maxima)))
    stop = stops(d)
    return {
        "fixed": {n: fixed_power(d[:, :n]) for n in fixed},
        "sequential": {n: float((stop <= n).mean()) for n in maxima},
        "mean": {n: float(np.minimum(stop, n).mean()) for n in maxima},
    }


print(json.dumps(main(**json.loads(sys.stdin.read()))))
