"""The recipe of engine `portable` (native/README.md) for whole training steps, slowly, in numpy.

Written from that page alone, as the second program that its first paragraph speaks of. Rows are positions; `[N, L, …]`
are N sequences of L positions. Weights are a list of float32 arrays that hold bfloat16 numbers, in the order of
native/portable.h.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from recipe_numbers import (
    Array,
    exp,
    f32,
    f64,
    in_range,
    lanes,
    lanes_maximum,
    log,
    narrow,
    product,
    rotary,
    rounded,
    sigmoid,
    total,
)

BLOCK, SHARDS = 16, 8
S, SC = f32(1.5957691216057308), f32(0.07135481282553519)


class Shape(NamedTuple):
    """bh_shape, field by field."""

    vocabulary: int
    positions: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    inner: int
    norm: int  # 0: RMS norm, 1: LayerNorm
    mlp: int  # 0: GELU, 1: SwiGLU
    rope: int
    head_norm: int
    attention_bias: int
    mlp_bias: int
    out_first: int
    tied: int
    epsilon: float
    rope_theta: float


def layout(s: Shape) -> list[tuple[str, tuple[int, ...]]]:
    """Name and size of each tensor, in the order of the C interface."""

    def linear(name: str, inputs: int, outputs: int, bias: int) -> list[tuple[str, tuple[int, ...]]]:
        size = (outputs, inputs) if s.out_first else (inputs, outputs)
        return [(f"{name}.weight", size), *([(f"{name}.bias", (outputs,))] if bias else [])]

    def norm(name: str) -> list[tuple[str, tuple[int, ...]]]:
        return [(f"{name}.weight", (s.hidden,)), *([(f"{name}.bias", (s.hidden,))] if s.norm else [])]

    queries, keys = s.heads * s.head_size, s.kv_heads * s.head_size
    parts = [("qkv", queries + 2 * keys)] if s.mlp == 0 else [("q", queries), ("k", keys), ("v", keys)]
    tensors: list[tuple[str, tuple[int, ...]]] = [("token", (s.vocabulary, s.hidden))]
    if not s.rope:
        tensors += [("position", (s.positions, s.hidden))]
    for i in range(s.layers):
        tensors += norm(f"{i}.norm1")
        for name, outputs in parts:
            tensors += linear(f"{i}.{name}", s.hidden, outputs, s.attention_bias)
        tensors += linear(f"{i}.o", queries, s.hidden, s.attention_bias)
        if s.head_norm:
            tensors += [(f"{i}.q_norm.weight", (s.head_size,)), (f"{i}.k_norm.weight", (s.head_size,))]
        tensors += norm(f"{i}.norm2")
        for name in ["up"] if s.mlp == 0 else ["gate", "up"]:
            tensors += linear(f"{i}.{name}", s.hidden, s.inner, s.mlp_bias)
        tensors += linear(f"{i}.down", s.inner, s.hidden, s.mlp_bias)
    tensors += norm("norm")
    if not s.tied:
        tensors += [("head", (s.vocabulary, s.hidden))]
    return tensors


class Recipe:
    """Losses and gradients of one model by the recipe."""

    def __init__(self, shape: Shape, scales: Sequence[float]) -> None:
        self.shape, self.scales = shape, [f32(scale) for scale in scales]
        self.layout = layout(shape)

    def gradients(
        self, weights: Sequence[Array], tokens: Array, targets: Array, items: float
    ) -> tuple[float, list[Array]]:
        """Loss of a batch, and the gradient of each tensor rounded to bfloat16."""
        with np.errstate(all="ignore"):
            w = {name: in_range(weight) for (name, _), weight in zip(self.layout, weights, strict=True)}
            shards: list[dict[str, Array]] = []
            loss, rows = f64(0), []
            for i in range(SHARDS):
                part = slice(len(tokens) * i // SHARDS, len(tokens) * (i + 1) // SHARDS)
                if part.start == part.stop:
                    shards.append({})
                    continue
                shard = Sequences(self.shape, self.scales, w, tokens[part], targets[part], items)
                loss = loss + shard.loss
                shards.append(shard.grads)
                rows.append(shard.dx.reshape(-1, self.shape.hidden))
            result = []
            for name, size in self.layout:
                parts = [shard.get(name, np.zeros(size, f32)) for shard in shards]
                result.append(rounded(total(np.stack(parts[1:]), parts[0])))
            table = np.zeros_like(w["token"])
            for token, dx in zip(tokens.reshape(-1), np.concatenate(rows), strict=True):
                table[token] = rounded(table[token] + dx)
            result[0] = rounded(result[0] + table) if self.shape.tied else table
            return float(loss / f64(items)), result


class Sequences:
    """The sequences of one shard: what the forward pass keeps, and the gradients of the backward pass."""

    def __init__(
        self, s: Shape, scales: Sequence[f32], w: dict[str, Array], tokens: Array, targets: Array, items: float
    ) -> None:
        self.s, self.scales, self.w, self.tokens = s, scales, w, tokens
        self.grads: dict[str, Array] = {}
        self.kept: dict[str, Array] = {}
        length = tokens.shape[1]
        if s.rope:
            self.cosine, self.sine = (part[:, None, :] for part in rotary(length, s.head_size, s.rope_theta))
        f = self.forward()
        head = w["token" if s.tied else "head"]
        dlogits = self.cross_entropy(narrow(product(f, head.T)), targets, items)
        self.grads["token" if s.tied else "head"] = product(_rows(dlogits).T, _rows(f))
        self.dx = self.norm_backward("norm", narrow(product(dlogits, head)))
        self.backward()

    # Forward

    def forward(self) -> Array:
        s, w = self.s, self.w
        x = w["token"][self.tokens]
        if not s.rope:
            x = x + w["position"][: x.shape[1]]
        x = narrow(x)
        for i in range(s.layers):
            x = narrow(x + self.attention(i, self.norm(f"{i}.norm1", x)))
            x = narrow(x + self.mlp(i, self.norm(f"{i}.norm2", x)))
        return self.norm("norm", x)

    def linear(self, name: str, a: Array) -> Array:
        self.kept[name] = a
        weight = self.w[f"{name}.weight"]
        c = product(a, weight.T if self.s.out_first else weight)
        bias = self.w.get(f"{name}.bias")
        return narrow(c if bias is None else c + bias)

    def norm(self, name: str, x: Array) -> Array:
        return self.layer_norm(name, x) if self.s.norm else self.rms_norm(name, x)

    def rms_norm(self, name: str, x: Array) -> Array:
        q = lanes(x * x) / f32(x.shape[-1])
        inv = f32(1) / np.sqrt(q + f32(self.s.epsilon))
        unit = x * inv
        self.kept[f"{name}.unit"], self.kept[f"{name}.inv"] = unit, inv
        return narrow(unit * self.w[f"{name}.weight"])

    def layer_norm(self, name: str, x: Array) -> Array:
        h = f32(x.shape[-1])
        mean = lanes(x) / h
        from_mean = x - mean
        q = lanes(from_mean * from_mean) / h
        inv = f32(1) / np.sqrt(q + f32(self.s.epsilon))
        self.kept[f"{name}.x"], self.kept[f"{name}.mu"], self.kept[f"{name}.r"] = x, rounded(mean), rounded(inv)
        return narrow((x * inv + (-inv * mean)) * self.w[f"{name}.weight"] + self.w[f"{name}.bias"])

    def attention(self, i: int, a: Array) -> Array:
        s, d = self.s, self.s.head_size
        if s.mlp == 0:
            qkv = self.linear(f"{i}.qkv", a)
            ends = [s.heads * d, (s.heads + s.kv_heads) * d]
            q, k, v = np.split(qkv, ends, -1)
        else:
            q, k, v = (self.linear(f"{i}.{part}", a) for part in "qkv")
        q, k, v = (part.reshape(*part.shape[:2], -1, d) for part in (q, k, v))
        if s.head_norm:
            q, k = self.rms_norm(f"{i}.q_norm", q), self.rms_norm(f"{i}.k_norm", k)
        if s.rope:
            q, k = self.rotated(q), self.rotated(k)
        q, k, v = (part.swapaxes(1, 2) for part in (q, k, v))  # [N, heads, L, head_size]
        length = a.shape[1]
        p = np.zeros((*q.shape[:3], length), f32)
        o = np.zeros_like(q)
        shared = self.kv_head_of_each()
        for start in range(0, length, BLOCK):
            end = min(start + BLOCK, length)
            keys, values = k[:, shared, :end], v[:, shared, :end]
            scores = product(q[:, :, start:end], keys.swapaxes(2, 3)) * self.scales[i]
            masked = np.arange(end) > np.arange(start, end)[:, None]
            m = lanes_maximum(np.where(masked, f32(-np.inf), scores))
            e = np.where(masked, f32(0), exp(scores - m))
            p[:, :, start:end, :end] = narrow(e * (f32(1) / lanes(e)))
            o[:, :, start:end] = narrow(product(p[:, :, start:end, :end], values))
        for name, value in (("q", q), ("k", k), ("v", v), ("p", p), ("o", o)):
            self.kept[f"{i}.attention.{name}"] = value
        return self.linear(f"{i}.o", _joined(o))

    def kv_head_of_each(self) -> Array:
        return np.arange(self.s.heads) * self.s.kv_heads // self.s.heads

    def rotated(self, q: Array) -> Array:
        low, high = np.split(q, 2, -1)
        turned = [low * self.cosine - high * self.sine, high * self.cosine + low * self.sine]
        return narrow(np.concatenate(turned, -1))

    def mlp(self, i: int, a: Array) -> Array:
        u = self.linear(f"{i}.up", a)
        self.kept[f"{i}.u"] = u
        if self.s.mlp == 0:
            t = u * u
            t = t * SC
            t = t + S
            g = sigmoid(t * u)
            y = narrow(u * g)
        else:
            gate = self.linear(f"{i}.gate", a)
            g = sigmoid(gate)
            silu = gate * g
            y = narrow(silu * u)
            self.kept[f"{i}.gate.y"], self.kept[f"{i}.silu"] = gate, silu
        self.kept[f"{i}.g"] = g
        return self.linear(f"{i}.down", y)

    def cross_entropy(self, logits: Array, targets: Array, items: float) -> Array:
        """Gradients of the logits; adds the loss of the positions in float64."""
        m = lanes_maximum(logits)
        e = exp(logits - m)
        sums = lanes(e)
        has = targets >= 0
        at = np.where(has, targets, 0)[..., None]
        losses = log(sums.astype(f64)) + (m.astype(f64) - np.take_along_axis(logits, at, -1).astype(f64))
        self.loss = f64(0)
        for loss in np.where(has, losses[..., 0], f64(0)).reshape(-1):
            self.loss = self.loss + loss
        p = e * (f32(1) / sums)
        hit = (np.arange(logits.shape[-1]) == at).astype(f32)
        return np.where(has[..., None], narrow((p - hit) * f32(1 / f64(items))), f32(0))

    # Backward

    def backward(self) -> None:
        for i in reversed(range(self.s.layers)):
            da = self.mlp_backward(i, self.dx)
            self.dx = narrow(self.dx + self.norm_backward(f"{i}.norm2", da))
            da = self.attention_backward(i, self.dx)
            self.dx = narrow(self.dx + self.norm_backward(f"{i}.norm1", da))
        if not self.s.rope:
            gradient = np.zeros_like(self.w["position"])
            gradient[: self.dx.shape[1]] = total(self.dx)
            self.grads["position"] = gradient

    def linear_backward(self, name: str, dy: Array) -> Array:
        weight = self.w[f"{name}.weight"]
        gradient = product(_rows(self.kept[name]).T, _rows(dy))
        self.grads[f"{name}.weight"] = gradient.T if self.s.out_first else gradient
        if f"{name}.bias" in self.w:
            self.grads[f"{name}.bias"] = total(_rows(dy))
        return narrow(product(dy, weight if self.s.out_first else weight.T))

    def norm_backward(self, name: str, dy: Array) -> Array:
        return self.layer_norm_backward(name, dy) if self.s.norm else self.rms_norm_backward(name, dy)

    def rms_norm_backward(self, name: str, dy: Array) -> Array:
        unit, inv = self.kept[f"{name}.unit"], self.kept[f"{name}.inv"]
        self.grads[f"{name}.weight"] = total(_rows(dy * unit))
        n = dy * self.w[f"{name}.weight"]
        a = lanes(n * unit) / f32(unit.shape[-1])
        t = unit * a
        t = n - t
        return narrow(t * inv)

    def layer_norm_backward(self, name: str, dy: Array) -> Array:
        x, mu, r = (self.kept[f"{name}.{part}"] for part in ("x", "mu", "r"))
        normal = x * r + (-r * mu)
        dw = db = np.zeros(x.shape[-1], f32)
        for row, normal_row in zip(_rows(dy), _rows(normal), strict=True):
            dw = rounded(dw + row * normal_row)
            db = rounded(db + row)
        self.grads[f"{name}.weight"], self.grads[f"{name}.bias"] = dw, db
        h = f32(x.shape[-1])
        n = dy * self.w[f"{name}.weight"]
        s1, s2 = lanes(n), lanes(n * normal)
        return narrow(((n - s1 / h) - normal * (s2 / h)) * r)

    def mlp_backward(self, i: int, dx: Array) -> Array:
        dy = self.linear_backward(f"{i}.down", dx)
        u, g = self.kept[f"{i}.u"], self.kept[f"{i}.g"]
        h = g * (f32(1) - g)
        if self.s.mlp == 0:
            k = u * u
            k = k * (f32(3) * SC)
            k = k + S
            h = h * u
            h = h * k
            return self.linear_backward(f"{i}.up", narrow(dy * (g + h)))
        dup = narrow(dy * self.kept[f"{i}.silu"])
        ds = dy * u
        h = h * self.kept[f"{i}.gate.y"]
        dgate = narrow(ds * (g + h))
        return narrow(self.linear_backward(f"{i}.gate", dgate) + self.linear_backward(f"{i}.up", dup))

    def attention_backward(self, i: int, dx: Array) -> Array:
        s = self.s
        d_o = self.linear_backward(f"{i}.o", dx)
        d_o = d_o.reshape(*d_o.shape[:2], s.heads, s.head_size).swapaxes(1, 2)
        dq, dk, dv = (part.swapaxes(1, 2) for part in self.scores_backward(i, d_o))
        if s.rope:
            dq, dk = self.rotated_back(dq), self.rotated_back(dk)
        if s.head_norm:
            dq, dk = self.rms_norm_backward(f"{i}.q_norm", dq), self.rms_norm_backward(f"{i}.k_norm", dk)
        dq, dk, dv = (part.reshape(*part.shape[:2], -1) for part in (dq, dk, dv))
        if s.mlp == 0:
            return self.linear_backward(f"{i}.qkv", np.concatenate([dq, dk, dv], -1))
        da_q, da_k, da_v = (self.linear_backward(f"{i}.{n}", d) for n, d in zip("qkv", (dq, dk, dv), strict=True))
        return narrow(narrow(da_q + da_k) + da_v)

    def scores_backward(self, i: int, d_o: Array) -> tuple[Array, Array, Array]:
        """Gradients of queries, keys and values, [N, heads, L, head_size] each."""
        q, k, v, p, o = (self.kept[f"{i}.attention.{part}"] for part in "qkvpo")
        scale, length = self.scales[i], q.shape[2]
        dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
        deltas = lanes(d_o * o)
        for head, shared in enumerate(self.kv_head_of_each()):
            for start in range(0, length, BLOCK):
                end = min(start + BLOCK, length)
                queries, keys = np.s_[:, head, start:end], np.s_[:, shared, :end]
                weights = p[:, head, start:end, :end]
                dp = product(d_o[queries], v[keys].swapaxes(1, 2))
                ds = np.where(weights == 0, f32(0), narrow(weights * (dp - deltas[queries])))
                ds = np.where(np.arange(end) > np.arange(start, end)[:, None], f32(0), ds)
                dq[queries] = narrow(product(ds, k[keys]) * scale)
                dk[keys] = product(ds.swapaxes(1, 2), q[queries], dk[keys])
                dv[keys] = product(weights.swapaxes(1, 2), d_o[queries], dv[keys])
        return dq, narrow(dk * scale), narrow(dv)

    def rotated_back(self, d: Array) -> Array:
        low, high = np.split(d, 2, -1)
        turned = [low * self.cosine + high * self.sine, high * self.cosine - low * self.sine]
        return narrow(np.concatenate(turned, -1))


def _rows(x: Array) -> Array:
    """Sequences one after another: [positions, width]; heads of a position become rows too where only one is summed."""
    return x.reshape(-1, x.shape[-1])


def _joined(o: Array) -> Array:
    o = o.swapaxes(1, 2)
    return o.reshape(*o.shape[:2], -1)
