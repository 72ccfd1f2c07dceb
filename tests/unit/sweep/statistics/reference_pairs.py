"""The tests of paired differences a second time, by scipy: sign flips one by one, intervals by bisection."""

import itertools

import numpy as np
from scipy import optimize, stats


def flips_above(values):
    """Share of the assignments of signs with a sum as high as the observed one."""
    total = sum(values)
    noise = 2e-9 * sum(abs(value) for value in values)
    signs = itertools.product((1, -1), repeat=len(values))
    sums = (sum(sign * value for sign, value in zip(each, values, strict=True)) for each in signs)
    return sum(each >= total - noise for each in sums) / 2 ** len(values)


def hall_above(values):
    """Hall (1992): T + g T² / (3√n) + g² T³ / (27 n) + g / (6√n), with T the studentized mean and g the skewness."""
    n, sd = len(values), np.std(values, ddof=1)
    if sd < 1e-13 * max(1, np.abs(values).max()):
        return 0.0 if np.mean(values) > 0 else 1.0
    t = np.sqrt(n) * np.mean(values) / sd
    g = stats.skew(values, bias=False) / np.sqrt(n)
    return float(stats.t.sf(t + g * t**2 / 3 + g**2 * t**3 / 27 + g / 6, n - 1))


def sign_above(values):
    return float(stats.binomtest(sum(value > 0 for value in values), len(values), alternative="greater").pvalue)


def above(differences, theta, lacking, test):
    largest = max(abs(value) for value in [*differences, theta])
    values = [0.0 if abs(d - theta) <= 1e-9 * largest else d - theta for d in differences]
    values += [-max(abs(value) for value in values)] * lacking
    return sign_above(values) if test == "median" else max(flips_above(values), hall_above(np.array(values)))


def paired(differences, margin=0.0, lacking=0, test="mean"):
    """p that the differences are centred within the margin, and p that they are centred outside it."""
    turned = [-d for d in differences]
    outside = min(above(differences, margin, lacking, test), above(turned, margin, lacking, test))
    inside = max(above(differences, -margin, lacking, test), above(turned, -margin, lacking, test))
    return min(1, 2 * outside), min(1, 2 * inside)


def hall_interval(differences, level=0.95):
    """The shifts at which Hall's test has (1 − level) / 2 in each direction, by bisection from far outside."""
    values, middle = np.array(differences), np.mean(differences)
    reach = 1e3 * np.ptp(differences)
    tail, digits = (1 - level) / 2, 1e-12 * reach
    low = optimize.brentq(lambda theta: hall_above(values - theta) - tail, middle - reach, middle, xtol=digits)
    high = optimize.brentq(lambda theta: hall_above(theta - values) - tail, middle, middle + reach, xtol=digits)
    return low, high
