"""Numbers, sums and products of the recipe of engine `portable` (native/README.md), slowly, in numpy.

Arrays are float32 throughout; a bfloat16 number is a float32 whose lower half is zero. Nothing here comes from the C
sources: numpy adds, multiplies, divides and takes square roots element by element, as IEEE 754 defines them.
"""

import math

import numpy as np

Array = np.ndarray
f32, f64 = np.float32, np.float64
LARGEST, SMALLEST = f32(2.0**63), f32(2.0**-55)
LANES = 16


def to_words(x: Array) -> Array:
    """The bfloat16 words of rounded numbers."""
    return (np.ascontiguousarray(x, f32).view(np.uint32) >> 16).astype(np.uint16)


def from_words(words: Array) -> Array:
    return (words.astype(np.uint32) << 16).view(f32)


def rounded(x: Array) -> Array:
    """The nearest bfloat16, ties to even; every NaN becomes 0x7fc0."""
    bits = np.ascontiguousarray(x, f32).view(np.uint32)
    nearest = (bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)
    return np.where(np.isnan(x), np.uint32(0x7FC00000), nearest).view(f32)


def in_range(x: Array) -> Array:
    """The same, except that products of two such numbers neither overflow nor underflow."""
    size = np.abs(x)
    x = np.where((size > LARGEST) & np.isfinite(x), np.copysign(LARGEST, x), x)
    x = np.where(size < SMALLEST, f32(0), x)
    return np.where(np.isnan(x), np.array(0x7FC00000, np.uint32).view(f32), x).astype(f32)


def narrow(x: Array) -> Array:
    return rounded(in_range(x))


def lanes(x: Array) -> Array:
    """The sum over the last axis in sixteen lanes; the axis stays, with length 1."""
    return _halved(_dealt(x, 0), np.add)


def lanes_maximum(x: Array) -> Array:
    return _halved(_dealt(x, -np.inf), _greater)


def _greater(s: Array, x: Array) -> Array:
    return np.where(x > s, x, s)


def _dealt(x: Array, first: float) -> list[Array]:
    """Chunks of sixteen columns, the last one filled up with the neutral number, which the lanes start with."""
    missing = -x.shape[-1] % LANES
    full = np.concatenate([x, np.full((*x.shape[:-1], missing), first, f32)], -1)
    start = np.full((*x.shape[:-1], LANES), first, f32)
    return [start, *(full[..., at : at + LANES] for at in range(0, full.shape[-1], LANES))]


def _halved(chunks: list[Array], join: "np.ufunc | type(_greater)") -> Array:
    s = chunks[0]
    for chunk in chunks[1:]:
        s = join(s, chunk)
    for width in (8, 4, 2, 1):
        s = join(s[..., :width], s[..., width:])
    return s


def product(a: Array, b: Array, start: Array | None = None) -> Array:
    """[…, M, K] times […, K, N]: for each element one chain over ascending k, which may continue an earlier one."""
    c = np.zeros((*a.shape[:-1], b.shape[-1]), f32) if start is None else start
    for k in range(a.shape[-1]):
        c = c + a[..., :, k, None] * b[..., k, None, :]
    return c


def total(x: Array, start: Array | None = None) -> Array:
    """The sum over the first axis, one chain for each element."""
    c = np.zeros(x.shape[1:], f32) if start is None else start
    for row in x:
        c = c + row
    return c


def exp(x: Array) -> Array:
    x = np.where(x > f32(87), f32(87), np.where(x < f32(-87), f32(-87), x))
    clamped = np.where(np.isnan(x), f32(0), x)
    t = clamped * f32(1.44269504) + f32(12582912)
    n = t - f32(12582912)
    r = clamped - n * f32(0.693359375)
    r = r + n * f32(2.12194440e-4)
    p = f32(1.9875691500e-4)
    for c in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        p = p * r + f32(c)
    p = p * (r * r)
    p = p + r
    p = p + f32(1)
    scaled = (np.ascontiguousarray(p).view(np.int32) + (n.astype(np.int32) << 23)).view(f32)
    return np.where(np.isnan(x), x, scaled)


def sigmoid(x: Array) -> Array:
    return f32(1) / (f32(1) + exp(-x))


def log(x: Array) -> Array:
    """Natural logarithm in float64."""
    half, e = np.frexp(np.asarray(x, f64))
    m, e = half * 2, e - 1
    high = m > 1.4142135623730951
    m, e = np.where(high, m * 0.5, m), np.where(high, e + 1, e)
    s = (m - 1) / (m + 1)
    z = s * s
    p = f64(1) / f64(21)
    for k in range(19, 0, -2):
        p = p * z + f64(1) / f64(k)
    return (2 * s) * p + e.astype(f64) * 0.6931471805599453


def cos_sin(x: Array) -> tuple[Array, Array]:
    n = np.floor(x * 0.6366197723675814 + 0.5)
    r = ((x - n * 1.5707963267341256) - n * 6.077100506303966e-11) - n * 2.0222662487959506e-21
    z = r * r
    cosine = _series(z, [(-1) ** k / math.factorial(2 * k) for k in range(9)])
    sine = r * _series(z, [(-1) ** k / math.factorial(2 * k + 1) for k in range(9)])
    quadrant = n.astype(np.int64) % 4
    return (
        np.choose(quadrant, [cosine, -sine, -cosine, sine]),
        np.choose(quadrant, [sine, cosine, -sine, -cosine]),
    )


def exp64(x: Array) -> Array:
    n = np.floor(x * 1.4426950408889634 + 0.5)
    r = (x - n * 0.6931471803691238) - n * 1.9082149292705877e-10
    return np.ldexp(_series(r, [1 / math.factorial(m) for m in range(14)]), n.astype(np.int64))


def _series(z: Array, coefficients: list[float]) -> Array:
    """Horner's rule, from the highest term."""
    p = np.full_like(z, coefficients[-1])
    for c in coefficients[-2::-1]:
        p = p * z + c
    return p


def rotary(length: int, width: int, theta: float) -> tuple[Array, Array]:
    """Cosines and sines of the rotary positions, [length, width / 2]."""
    pairs = np.arange(width // 2, dtype=f64)
    frequencies = exp64(-(2 * pairs / width) * log(f64(f32(theta))))
    cosine, sine = cos_sin(np.arange(length, dtype=f64)[:, None] * frequencies)
    return narrow(cosine.astype(f32)), narrow(sine.astype(f32))


def normals(uniforms: Array) -> Array:
    """Standard normal numbers of a multiple of sixteen uniform ones."""
    groups = uniforms.reshape(-1, 16).astype(f64)
    radius = np.sqrt(-2 * log(1 - groups[:, :8]))
    cosine, sine = cos_sin(6.283185307179586 * groups[:, 8:])
    return np.concatenate([radius * cosine, radius * sine], 1).astype(f32).reshape(-1)


def unit_vector(v: Array, narrowed: bool) -> Array:
    norm = np.sqrt(lanes(v * v))
    return rounded(v / rounded(norm)) if narrowed else v / norm
