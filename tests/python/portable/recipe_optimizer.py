"""Clipping and AdamW of engine `portable`: native/README.md, "Clipping and AdamW"."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from recipe_numbers import Array, f32, f64, lanes, rounded


def clip(gradients: Sequence[Array], max_norm: float) -> tuple[float, list[Array]]:
    """The norm of all gradients, and the gradients scaled to at most max_norm."""
    with np.errstate(all="ignore"):
        norms = np.concatenate([rounded(np.sqrt(lanes(_flat(g) * _flat(g)))) for g in gradients])
        norm = rounded(np.sqrt(lanes(norms * norms)))
        if not max_norm > 0:
            return float(norm[0]), list(gradients)
        coefficient = rounded(f32(max_norm) / rounded(norm + f32(1e-6)))[0]
        coefficient = f32(1) if coefficient > 1 else coefficient
        return float(norm[0]), [rounded(g * coefficient) for g in gradients]


def _flat(x: Array) -> Array:
    return x.reshape(-1)


class AdamW(NamedTuple):
    learning_rate: float
    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    step: int

    def update(self, w: Array, g: Array, m: Array, v: Array) -> tuple[Array, Array, Array]:
        """Weight and moments after a step, before any is rounded."""
        c1, c2 = 1 - power(self.beta1, self.step), np.sqrt(1 - power(self.beta2, self.step))
        with np.errstate(all="ignore"):
            w = w * f32(1 - self.learning_rate * self.weight_decay)
            m = m + f32(1 - self.beta1) * (g - m)
            v = v * f32(self.beta2)
            v = v + f32(1 - self.beta2) * (g * g)
            d = np.sqrt(v) / f32(c2)
            d = d + f32(self.epsilon)
            return w - f32(self.learning_rate / c1) * (m / d), m, v


def power(base: float, exponent: int) -> float:
    """By squaring, from the lowest bit of the exponent."""
    p, q = f64(1), f64(base)
    while exponent:
        if exponent & 1:
            p = p * q
        exponent, q = exponent >> 1, q * q
    return p
