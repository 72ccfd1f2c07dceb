"""The analyses once more, written in numpy and torch from their definitions, to be compared with the TypeScript ones.

``oracle.py histories DIR SEED COUNT`` writes COUNT small histories, DIR/0.safetensors and so on, and prints what every
analysis of them must be. ``oracle.py displacements`` and ``oracle.py masses`` do the same for pairs of matrices.
"""

import itertools
import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

BITS: dict[str, Any] = {"BF16": np.uint16, "F16": np.uint16, "F32": np.uint32, "F64": np.uint64}
INTEGERS: dict[str, Any] = {
    "I8": np.int8,
    "U8": np.uint8,
    "I16": np.int16,
    "U16": np.uint16,
    "I32": np.int32,
    "U32": np.uint32,
    "I64": np.int64,
    "U64": np.uint64,
    "BOOL": np.uint8,
}
INFINITY = {"BF16": 0x7F80, "F16": 0x7C00, "F32": 0x7F800000, "F64": 0x7FF0000000000000}
ONE = {"BF16": 0x3F80, "F16": 0x3C00, "F32": 0x3F800000, "F64": 0x3FF0000000000000}


def write_safetensors(path: Path, tensors: dict[str, tuple[str, Array]]) -> None:
    """Write tensors of raw bits, each under the dtype it is to be read as."""
    header: dict[str, Any] = {}
    offset = 0
    for name, (dtype, array) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, array in tensors.values():
            file.write(np.ascontiguousarray(array).tobytes())


def decode(dtype: str, bits: Array) -> Array:
    """Values of raw bits: float32 for the narrow floats, float64 for F64, the integers themselves else."""
    if dtype == "BF16":
        return (bits.astype(np.uint32) << 16).view(np.float32)
    if dtype == "F16":
        return bits.view(np.float16).astype(np.float32)
    if dtype == "F32":
        return bits.view(np.float32)
    if dtype == "F64":
        return bits.view(np.float64)
    return bits


# Histories that are hard to get right.


def awkward_bits(dtype: str, rng: np.random.Generator) -> Array:
    """Bit patterns of a dtype: zeros, subnormals, neighbours across a power of two and across 0, infinities, NaN."""
    if dtype not in INFINITY:
        limits = [0, 1] if dtype == "BOOL" else [0, 1, np.iinfo(INTEGERS[dtype]).max, np.iinfo(INTEGERS[dtype]).min]
        return np.array(limits, dtype=INTEGERS[dtype])
    sign = 1 << (8 * np.dtype(BITS[dtype]).itemsize - 1)
    infinity, one = INFINITY[dtype], ONE[dtype]
    magnitudes = [0, 1, 2, one - 1, one, one + 1, infinity - 1]
    if rng.random() < 0.5:
        magnitudes += [infinity]
    if rng.random() < 0.3:
        magnitudes += [infinity + 1, infinity + 2]
    return np.array([bits | s for bits in magnitudes for s in (0, sign)], dtype=BITS[dtype])


def plain_bits(dtype: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Everyday values of a dtype, as bits."""
    if dtype not in INFINITY:
        return rng.integers(0, 2, shape).astype(INTEGERS[dtype])
    values = rng.normal(0, 0.5, shape)
    if dtype == "BF16":
        return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return values.astype({"F16": np.float16, "F32": np.float32, "F64": np.float64}[dtype]).view(BITS[dtype])


def make_history(dtype: str, rng: np.random.Generator) -> Array:
    """Bits ``[states, tokens, dims]`` of a history in which rows come together, part, stay, and move by one bit."""
    states, tokens, dims = int(rng.integers(1, 40)), int(rng.integers(1, 40)), int(rng.integers(1, 20))
    pool = awkward_bits(dtype, rng) if rng.random() < 0.5 else plain_bits(dtype, (6,), rng)
    kinds = plain_bits(dtype, (int(rng.integers(1, 6)), dims), rng)
    if rng.random() < 0.5:
        kinds = pool[rng.integers(0, len(pool), kinds.shape)]
    if rng.random() < 0.03:
        # The first two awkward bit patterns are 0 and, for floats, −0.
        pool = awkward_bits(dtype, rng)[: 2 if dtype in INFINITY else 1]
        kinds = pool[rng.integers(0, len(pool), kinds.shape)]
    state = kinds[rng.integers(0, len(kinds), tokens)]
    history = [state]
    quiet = rng.random() < 0.1
    for _ in range(states - 1):
        state = state.copy()
        if not quiet:
            change_state(state, kinds, pool, rng)
        history.append(state)
    return np.stack(history)


def change_state(state: Array, kinds: Array, pool: Array, rng: np.random.Generator) -> None:
    """One step: some tokens take another's row, some a row of their own, some move by one bit."""
    tokens, dims = state.shape
    for _ in range(int(rng.integers(0, 4))):
        token = int(rng.integers(tokens))
        action = int(rng.integers(4))
        if action == 0:
            state[token] = state[int(rng.integers(tokens))]
        elif action == 1:
            state[token] = kinds[int(rng.integers(len(kinds)))]
        elif action == 2:
            state[token, int(rng.integers(dims))] = pool[int(rng.integers(len(pool)))]
        elif len(pool) > 2:
            state[token, int(rng.integers(dims))] ^= state.dtype.type(1)


# Classes of equal rows.


def key(row: Array, number: int) -> Any:
    """What equal rows have in common: their values, −0 taken as 0; a row with NaN shares nothing with another."""
    if row.dtype.kind == "f":
        if np.isnan(row).any():
            return ("NaN", number)
        return tuple(0.0 if value == 0 else float(value) for value in row)
    return tuple(int(value) for value in row)


def classes(values: Array) -> list[list[int]]:
    """Tokens of each class, in the order of its first token."""
    found: defaultdict[Any, list[int]] = defaultdict(list)
    for token, row in enumerate(values):
        found[key(row, token)].append(token)
    return list(found.values())


def holes(groups: list[list[int]]) -> list[list[int]]:
    """Black holes: classes of two or more."""
    return [group for group in groups if len(group) > 1]


def census(groups: list[list[int]]) -> dict[str, Any]:
    """The census document's counts."""
    found = sorted(holes(groups), key=lambda group: (-len(group), group[0]))
    return {
        "rows": sum(len(group) for group in groups),
        "unique": len(groups),
        "C": len(found),
        "P": sum(len(group) for group in found),
        "populations": [len(group) for group in found],
        "members": found,
    }


def partings(before: list[list[int]], after: list[list[int]]) -> tuple[int, int]:
    """Black holes whose members are found in two or more black holes, and in two or more classes."""
    into_holes = into_classes = 0
    for hole in holes(before):
        reached = [group for group in after if set(group) & set(hole)]
        into_classes += len(reached) >= 2
        into_holes += len(holes(reached)) >= 2
    return into_holes, into_classes


def timeline(history: list[list[list[int]]]) -> dict[str, Any]:
    """Counts per state, changes per step."""
    result: dict[str, Any] = {name: [] for name in ("unique", "C", "P", "largest")}
    for groups in history:
        counts = census(groups)
        for name in ("unique", "C", "P"):
            result[name].append(counts[name])
        result["largest"].append(max(counts["populations"], default=0))
    for name in ("fissions", "splits", "merges", "joins", "escapes", "captures"):
        result[name] = []
    for before, after in itertools.pairwise(history):
        fissions, splits = partings(before, after)
        merges, joins = partings(after, before)
        held = {token for hole in holes(before) for token in hole}
        holding = {token for hole in holes(after) for token in hole}
        for name, value in zip(
            ("fissions", "splits", "merges", "joins", "escapes", "captures"),
            (fissions, splits, merges, joins, len(held - holding), len(holding - held)),
            strict=True,
        ):
            result[name].append(value)
    result["firstStateWithTwoHoles"] = next((state for state, C in enumerate(result["C"]) if C >= 2), None)
    return result


def nan_escapes(values: Array, history: list[list[list[int]]]) -> list[int]:
    """Tokens of black holes whose row has NaN in the next state, per step."""
    counts: list[int] = []
    for groups, after in zip(history[:-1], values[1:], strict=True):
        held = [token for hole in holes(groups) for token in hole]
        counts.append(sum(bool(np.isnan(after[token].astype(np.float64)).any()) for token in held))
    return counts


def statistics(populations: Sequence[int]) -> dict[str, Any]:
    """Statistics over populations; the Gini coefficient as half the relative mean difference of all pairs."""
    n = len(populations)
    names = ("1", "2", "3", "5", "10")
    if n == 0:
        nothing: dict[str, Any] = dict.fromkeys(("mean", "median", "gini", "herfindahl"))
        return {"n": 0, "sum": 0, **nothing, "topShare": dict.fromkeys(names)}
    x = np.array(populations, dtype=np.float64)
    return {
        "n": n,
        "sum": int(x.sum()),
        "mean": float(x.mean()),
        "median": float(np.median(x)),
        "gini": float(np.abs(x[:, None] - x[None, :]).sum() / (2 * n * n * x.mean())),
        "herfindahl": float(((x / x.sum()) ** 2).sum()),
        "topShare": {name: float(np.sort(x)[::-1][: int(name)].sum() / x.sum()) for name in names},
    }


# Motion.


def ulp(bits: Array) -> Floats:
    """ULP of bfloat16 bits: 2^(E−134), and 2^−133 when E = 0."""
    exponent = (bits.astype(np.int64) >> 7) & 0xFF
    return np.where(exponent == 0, 2.0**-133, np.exp2(exponent.astype(np.float64) - 134))


def norms(vectors: Floats) -> dict[str, Floats]:
    """Norms over the last dimension, ``[steps, tokens]``."""
    return {
        "L1": np.abs(vectors).sum(-1),
        "L2": np.sqrt((vectors * vectors).sum(-1)),
        "Linf": np.abs(vectors).max(-1),
    }


def summary(norm: dict[str, Floats]) -> dict[str, Any]:
    """Means and maxima over tokens."""
    result: dict[str, Any] = {}
    for name, values in norm.items():
        result[f"mean{name}"] = values.mean(-1)
        result[f"max{name}"] = values.max(-1)
    return result


def last_step(happens: npt.NDArray[np.bool_]) -> list[int | None]:
    """Per token, the last step (numbered from 1) in which something happens; ``happens`` is ``[steps, tokens]``."""
    steps = [np.flatnonzero(column) for column in happens.T]
    return [int(found[-1]) + 1 if len(found) else None for found in steps]


def deltas(dtype: str, values: Array) -> Floats:
    """ΔW ``[steps, tokens, dims]``, subtracted in float32 (float64 for F64)."""
    if dtype == "F64":
        return values[1:] - values[:-1]
    if dtype in INFINITY:
        return (values[1:] - values[:-1]).astype(np.float64)
    return (values[1:].astype(np.float64) - values[:-1].astype(np.float64)).astype(np.float32).astype(np.float64)


def motion(dtype: str, bits: Array, values: Array) -> dict[str, Any]:
    """The motion part of the document."""
    delta = deltas(dtype, values)
    weight = norms(delta)
    tokens = values.shape[1]
    mean = delta.mean(1)
    length = weight["L2"]
    square = tokens * (length * length).sum(-1)
    still = weight["L1"] == 0
    result: dict[str, Any] = {
        "weight": summary(weight),
        "stillFraction": still.mean(-1),
        "frozenFraction": np.flip(np.logical_and.accumulate(np.flip(still, 0), 0), 0).mean(-1),
        "bulk": (mean * mean).sum(-1),
        "thermal": ((delta - mean[:, None]) ** 2).sum(-1).mean(-1),
        "participation": np.where(square == 0, 0.0, length.sum(-1) ** 2 / np.where(square == 0, 1.0, square)),
    }
    if dtype == "BF16":
        lattice = norms(delta / ulp(bits[:-1]))
        result["lattice"] = summary(lattice)
        result["lastMotionStep"] = last_step(lattice["L2"] >= 0.1)
    return result


def lifecycle(bits: Array, values: Array) -> dict[str, Any]:
    """The lifecycle part of the document, token by token and step by step."""
    lattice = norms(deltas("BF16", values) / ulp(bits[:-1]))
    steps, tokens = lattice["L1"].shape
    ends = {
        "earlyEnd": last_step(lattice["L2"] > math.sqrt(values.shape[2])),
        "midlifeEnd": last_step(lattice["Linf"] > 1),
        "lateEnd": last_step(lattice["L1"] != 0),
    }
    counts = {phase: [0] * steps for phase in ("early", "midlife", "late", "frozen")}
    for token in range(tokens):
        early, midlife, late = (ends[name][token] or 0 for name in ("earlyEnd", "midlifeEnd", "lateEnd"))
        for step in range(1, steps + 1):
            phase = "early" if step <= early else "midlife" if step <= midlife else "late" if step <= late else "frozen"
            counts[phase][step - 1] += 1
    frozen = [None if (end or 0) == steps else (end or 0) + 1 for end in ends["lateEnd"]]
    return {**ends, "frozenFrom": frozen, "counts": counts}


# Topology and geometry.


def topology(bits: Array, values: Array, k: int) -> dict[str, Any]:
    """The graph of unique rows: all pairs, components by spreading labels."""
    groups = classes(values)
    first = [group[0] for group in groups]
    magnitude = (bits[first] & 0x7FFF).astype(np.int64)
    place = np.where(bits[first] & 0x8000, -magnitude, magnitude)
    distance = np.abs(place[:, None] - place[None, :]).max(-1).astype(np.float64)
    nan = np.isnan(values[first]).any(-1)
    distance[nan, :] = np.inf
    distance[:, nan] = np.inf
    np.fill_diagonal(distance, np.inf)
    near = distance <= k
    label = np.arange(len(first))
    for _ in first:
        label = np.array([min([label[node], *label[near[node]]]) for node in range(len(first))])
    sizes = sorted(np.unique(label, return_counts=True)[1].tolist(), reverse=True)
    pairs = len(first) * (len(first) - 1) / 2
    return {
        "k": k,
        "nodes": len(first),
        "edges": int(near.sum()) // 2,
        "components": len(sizes),
        "componentSizes": sizes,
        "largestComponent": sizes[0],
        "isolated": int((near.sum(-1) == 0).sum()),
        "density": float(near.sum() / 2 / pairs) if pairs else 0,
        "degrees": near.sum(-1).tolist(),
        "nearest": [None if math.isinf(value) else int(value) for value in distance.min(-1, initial=np.inf)],
        "firstTokens": first,
    }


def spread(points: Floats) -> dict[str, Any]:
    """Eigenvalues of the covariance, divided by n."""
    nothing: dict[str, Any] = {"variances": None, "explained": None, "participationRatio": None}
    if not np.isfinite(points).all() or (points == points[0]).all():
        return nothing
    covariance = np.atleast_2d(np.cov(points, rowvar=False, bias=True))
    if not np.isfinite(covariance).all():
        return nothing
    values = np.clip(np.linalg.eigvalsh(covariance)[::-1], 0, None)
    if values[0] == 0:
        return nothing
    share = values / values[0]
    return {
        "variances": values,
        "explained": values / values.sum(),
        "participationRatio": float(share.sum() ** 2 / (share**2).sum()),
    }


def geometry(values: Floats) -> dict[str, Any]:
    """The geometry part of the document, without the displacement."""
    centroid = values.mean(1)
    radius = np.linalg.norm(values - centroid[:, None], axis=-1)
    return {
        "centroidNorm": np.linalg.norm(centroid, axis=-1),
        "maxRadius": radius.max(-1),
        "meanRadius": radius.mean(-1),
        "rmsRadius": np.sqrt((radius**2).mean(-1)),
        "displacement": float(np.linalg.norm(centroid[-1] - centroid[0])),
        "pathLength": float(np.linalg.norm(centroid[1:] - centroid[:-1], axis=-1).sum()),
        "initialSpread": spread(values[0]),
        "finalSpread": spread(values[-1]),
        "pathSpread": spread(centroid),
    }


def degenerate(values: Array) -> list[str]:
    """Why a history cannot be scored."""
    reasons: list[str] = []
    with np.errstate(invalid="ignore"):
        change = values[1:].astype(np.float64) - values[:-1].astype(np.float64)
    exact = values[1:] != values[:-1]
    if not (values != 0).any():
        reasons.append("all-zero")
    if not (exact & ~np.isnan(change)).any():
        reasons.append("never-moved")
    if values.dtype.kind == "f" and not np.isfinite(values).any():
        reasons.append("nothing-finite")
    return reasons


def expected(dtype: str, bits: Array, k: int) -> dict[str, Any]:
    """The document of one history."""
    values = decode(dtype, bits)
    groups = [classes(state) for state in values]
    final = census(groups[-1])
    nonfinite = ~np.isfinite(values).all((0, 2)) if dtype in INFINITY else np.zeros(values.shape[1], bool)
    document: dict[str, Any] = {
        "dtype": dtype,
        "states": bits.shape[0],
        "tokens": bits.shape[1],
        "dims": bits.shape[2],
        "k": k,
        "degenerate": degenerate(values),
        "nonfiniteTokens": np.flatnonzero(nonfinite).tolist(),
        "timeline": timeline(groups),
        "finalCensus": final,
        "statistics": statistics(final["populations"]),
        "motion": motion(dtype, bits, values),
        "geometry": geometry(values.astype(np.float64)),
    }
    if any(lost := nan_escapes(values, groups)):
        document["timeline"]["nanEscapes"] = lost
    if dtype == "BF16":
        document["lifecycle"] = lifecycle(bits, values)
        document["topology"] = {name: topology(bits[at], values[at], k) for name, at in (("initial", 0), ("final", -1))}
    return document


def histories(directory: Path, rng: np.random.Generator, count: int) -> list[dict[str, Any]]:
    """Half of the histories are bfloat16, the others go through all dtypes."""
    others = [*INFINITY, *INTEGERS]
    cases: list[dict[str, Any]] = []
    for number in range(count):
        dtype = "BF16" if number % 2 else others[number // 2 % len(others)]
        bits = make_history(dtype, rng)
        write_safetensors(directory / f"{number}.safetensors", {"embedding_history": (dtype, bits)})
        cases.append(expected(dtype, bits, int(rng.integers(0, 4))))
    return cases


# What the notebook's own arithmetic gives.


def displacements(directory: Path, rng: np.random.Generator, count: int) -> list[dict[str, float]]:
    """Pairs of matrices, every fourth in float32, and torch's own answer in bfloat16 and float64."""
    cases: list[dict[str, float]] = []
    for number in range(count):
        rows, columns = (128, 64) if number % 2 == 0 else (int(rng.integers(1, 700)), int(rng.integers(1, 80)))
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        first = (torch.randn(rows, columns, generator=generator) * 0.1 + 0.3).bfloat16()
        last = (first.float() + torch.randn(rows, columns, generator=generator) * 10 ** rng.uniform(-4, 1)).bfloat16()
        if number % 4 == 3:
            first, last = first.float() * 1.001, last.float() * 1.001
        tensors = {"first": first, "last": last}
        bits = {
            name: ("BF16", t.view(torch.int16).numpy()) if t.dtype == torch.bfloat16 else ("F32", t.numpy())
            for name, t in tensors.items()
        }
        write_safetensors(directory / f"{number}.safetensors", bits)
        means = last.double().mean(0), first.double().mean(0)
        cases.append(
            {
                "bfloat16": (last.bfloat16().mean(dim=0) - first.bfloat16().mean(dim=0)).norm().item(),
                "float64": (means[0] - means[1]).norm().item(),
                "centroidNorm": means[1].norm().item(),
            }
        )
    return cases


def masses(directory: Path, rng: np.random.Generator, count: int) -> list[dict[str, Any]]:
    """Hidden states and embeddings over some states, and the softmax mass of dead tokens in float64."""
    cases: list[dict[str, Any]] = []
    for number in range(count):
        states, positions, dims, vocabulary = (int(n) for n in rng.integers(1, 12, 4))
        hidden = torch.from_numpy(rng.normal(0, 3, (states, positions, dims))).float()
        embedding = torch.from_numpy(rng.normal(0, 3, (states, vocabulary, dims))).bfloat16()
        logits = hidden.double() @ embedding.double().transpose(1, 2)
        dead = sorted(rng.choice(vocabulary, int(rng.integers(0, vocabulary + 1)), replace=False).tolist())
        write_safetensors(
            directory / f"{number}.safetensors",
            {
                "hidden": ("F32", hidden.numpy()),
                "embedding": ("BF16", embedding.view(torch.int16).numpy()),
                "logits": ("F64", logits.numpy()),
            },
        )
        mass = torch.softmax(logits, -1)[:, :, dead].sum(-1)
        cases.append({"dead": dead, "first": mass[0].tolist(), "means": mass.mean(-1).tolist()})
    return cases


def plain(value: Any) -> Any:
    """A structure as JSON has it: arrays as lists, NaN and infinities as null."""
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value


def main() -> None:
    """Make the files of one kind of case and print the expected values."""
    kinds: dict[str, Callable[[Path, np.random.Generator, int], Any]] = {
        "histories": histories,
        "displacements": displacements,
        "masses": masses,
    }
    kind, directory, seed, count = sys.argv[1:]
    with np.errstate(all="ignore"):
        cases = kinds[kind](Path(directory), np.random.default_rng(int(seed)), int(count))
    json.dump(plain(cases), sys.stdout)


if __name__ == "__main__":
    main()
