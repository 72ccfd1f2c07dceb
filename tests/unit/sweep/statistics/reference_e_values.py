"""E values a second time, by numpy, from the papers.

Testing by betting (Ramdas et al. 2023): if a sign is at best fair given the past and the size of its value, the product
of 1 + sign * stake is a supermartingale for every stake in [0, 1] that depends on these alone. The stakes here are
tanh(kappa * size / root mean square). Averages of e values are e values (Vovk & Wang 2021): the capital is averaged
over kappa and over both directions.
"""

import itertools

import numpy as np
from scipy import stats

KAPPAS = np.array([[0.5], [1.0], [2.0], [4.0]])


def capital(values, lacking=0):
    x = np.array([*values, *[-max(map(abs, values), default=0.0)] * lacking], dtype=float)
    x = x[x != 0]
    if len(x) == 0:
        return 1.0
    spread = np.sqrt(np.cumsum(x**2) / np.arange(1, len(x) + 1))
    stakes = np.tanh(KAPPAS * np.abs(x) / spread)
    return float(np.prod(1 + np.sign(x) * stakes, axis=1).mean())


def shifted(differences, theta, test):
    """Differences from theta; one that equals it up to rounding is a tie, which counts against the median."""
    largest = max([*map(abs, differences), abs(theta)], default=0.0)
    values = [0.0 if abs(d - theta) <= 1e-9 * largest else d - theta for d in differences]
    return [1.0 if value > 0 else -1.0 for value in values] if test == "median" else values


def outside(pairs, margin, test="mean"):
    """That the centre lies outside the margin: half of the capital on either side."""
    known = [d for d in pairs if d is not None]
    lacking = len(pairs) - len(known)
    sides = (shifted(known, margin, test), shifted([-d for d in known], margin, test))
    return sum(capital(side, lacking) for side in sides) / 2


def inside(pairs, margin, test="mean"):
    """That it lies inside: both one-sided hypotheses must be rejected."""
    known = [d for d in pairs if d is not None]
    lacking = len(pairs) - len(known)
    return min(
        capital(shifted(known, -margin, test), lacking), capital(shifted([-d for d in known], -margin, test), lacking)
    )


def growing(pairs, margin, test="mean"):
    looks = [pairs[:n] for n in range(1, len(pairs) + 1)]
    return [outside(look, margin, test) for look in looks], [inside(look, margin, test) for look in looks]


def closed(values):
    """Closed testing: reject a hypothesis when every intersection with others is rejected by its average e value."""
    family = range(len(values))
    subsets = [subset for size in family for subset in itertools.combinations(family, size + 1)]
    averages = {subset: float(np.mean([values[k] for k in subset])) for subset in subsets}
    return [min(average for subset, average in averages.items() if own in subset) for own in family]


def hall_p(values):
    """Hall (1992), one-sided: small when the mean is above 0; a cubic in the studentized mean."""
    n, sd = len(values), np.std(values, ddof=1)
    if sd < 1e-13 * max(1.0, np.abs(values).max()):
        return 0.0 if np.mean(values) > 0 else 1.0
    u, g = np.mean(values) / sd, stats.skew(values, bias=False)
    return float(stats.t.sf(np.sqrt(n) * (u + g * u**2 / 3 + g**2 * u**3 / 27 + g / (6 * n)), n - 1))


def ending(measures, margins, alpha=0.05, rate=0.3):
    """Judge measures after every pair; returns the first decision and its number of pairs."""
    maximum, least = len(measures[0]), int(np.ceil(np.log(alpha) / np.log(1 - rate)))
    for n in range(1, maximum + 1):
        looks = [np.array(pairs[:n]) for pairs in measures]
        corrected = closed([outside(list(look), margin) for look, margin in zip(looks, margins, strict=True)])
        shown, equal = [], []
        for look, margin, e in zip(looks, margins, corrected, strict=True):
            floor = 1 - alpha ** (1 / n) if all(float(d).is_integer() for d in look) else 0.0
            centre = abs(look.mean())
            if n >= 3 and e >= 1 / alpha and centre - floor > margin:
                sides = min(hall_p(np.array(shifted(list(sign * look), margin, "mean"))) for sign in (1, -1))
                shown.append(2 * sides <= alpha / 20 / len(measures))
            if n < least:
                equal.append(False)
            elif margin == 0:
                equal.append(bool((look == 0).all()))
            else:
                sides = max(hall_p(np.array(shifted(list(sign * look), -margin, "mean"))) for sign in (1, -1))
                equal.append(
                    inside(list(look), margin) >= 1 / alpha and 2 * sides <= alpha / 20 and centre + floor < margin
                )
        if any(shown):
            return ["positive", n]
        if all(equal):
            return ["null", n]
    return [None, maximum]
