"""The C code of engine `portable` has the bits of the recipe, which recipe.py computes from native/README.md alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from bh_bridge import portable
from recipe import Recipe, Shape, layout
from recipe_numbers import Array, f32, from_words, normals, rounded, to_words, unit_vector
from recipe_optimizer import AdamW, clip

STEPS = 5
SMALL: dict[str, Any] = {
    "vocabulary": 19,
    "positions": 21,
    "hidden": 12,
    "layers": 2,
    "heads": 3,
    "kv_heads": 3,
    "head_size": 4,
    "inner": 31,
    "norm": 0,
    "mlp": 0,
    "rope": 0,
    "head_norm": 0,
    "attention_bias": 1,
    "mlp_bias": 1,
    "out_first": 0,
    "tied": 1,
    "epsilon": 1e-5,
    "rope_theta": 1.0,
}
LLAMA = {
    **SMALL,
    "kv_heads": 1,
    "head_size": 6,
    "mlp": 1,
    "rope": 1,
    "attention_bias": 0,
    "mlp_bias": 0,
    "out_first": 1,
}
LLAMA |= {"tied": 0, "rope_theta": 10000.0, "epsilon": 1e-6}
# Shape, batch, length.
CASES: dict[str, tuple[dict[str, Any], int, int]] = {
    "rmsnorm, tied": (SMALL, 5, 21),
    "rmsnorm, untied": ({**SMALL, "tied": 0}, 9, 17),
    "layernorm, tied": ({**SMALL, "norm": 1}, 3, 21),
    "layernorm, untied": (
        {**SMALL, "norm": 1, "tied": 0, "hidden": 35, "heads": 5, "kv_heads": 5, "head_size": 7},
        9,
        5,
    ),
    "sizes of vectors": ({**SMALL, "hidden": 64, "heads": 2, "kv_heads": 2, "head_size": 32, "inner": 256}, 2, 16),
    "300 tokens": ({**SMALL, "vocabulary": 300, "layers": 1, "positions": 40}, 17, 33),
    "one of everything": ({**SMALL, **dict.fromkeys(list(SMALL)[:8], 1)}, 1, 1),
    "llama": (LLAMA, 5, 21),
    "llama, tied, biases": ({**LLAMA, "tied": 1, "attention_bias": 1, "mlp_bias": 1, "kv_heads": 3}, 9, 19),
    "qwen3": ({**LLAMA, "head_norm": 1, "heads": 4, "kv_heads": 2, "rope_theta": 1e6}, 5, 21),
    "qwen3, wide heads": ({**LLAMA, "head_norm": 1, "heads": 2, "head_size": 18, "tied": 1}, 3, 18),
}
# Moments in float32, float32 master weights, batches for each step.
OPTIMIZERS = [(False, False, 1), (True, True, 1), (True, False, 2)]


def tensor(x: Array) -> torch.Tensor:
    """A bfloat16 tensor of rounded numbers."""
    return torch.from_numpy(to_words(x).view(np.int16)).view(torch.bfloat16)


def numbers(x: torch.Tensor) -> Array:
    return from_words(x.view(torch.int16).numpy().view(np.uint16)) if x.dtype == torch.bfloat16 else x.numpy()


def assert_equal_bits(own: Array, expected: Array, what: str) -> None:
    own_bits, expected_bits = (np.ascontiguousarray(x, f32).view(np.uint32).reshape(-1) for x in (own, expected))
    differing = np.flatnonzero(own_bits != expected_bits)
    assert differing.size == 0, (
        f"{what}: {differing.size} of {own_bits.size} differ, the first at {differing[0]}: "
        f"{own.reshape(-1)[differing[0]]} instead of {expected.reshape(-1)[differing[0]]}"
    )


class Batch:
    def __init__(self, shape: Shape, batch: int, length: int, random: np.random.Generator) -> None:
        self.tokens = random.integers(0, shape.vocabulary, (batch, length), np.int32)
        self.targets = random.integers(0, shape.vocabulary, (batch, length), np.int32)
        self.targets[random.random((batch, length)) < 0.2] = -100
        self.items = float(max((self.targets >= 0).sum(), 1))

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.from_numpy(self.tokens), torch.from_numpy(self.targets)


def drawn_weights(shape: Shape, random: np.random.Generator, size: float = 0.3) -> list[Array]:
    return [rounded(random.normal(0, size, extent).astype(f32)) for _, extent in layout(shape)]


class Training:
    """Steps of the recipe and of the library, compared after each part."""

    def __init__(self, shape: Shape, weights: Sequence[Array], wide: bool, with_master: bool) -> None:
        scales = [0.5 / (i + 1) for i in range(shape.layers)]
        self.names = [name for name, _ in layout(shape)]
        self.library, self.recipe = portable.library(), Recipe(shape, scales)
        self.steps = self.library.open(portable.Shape(*shape), scales, 2)
        self.weights, self.own_weights = list(weights), [tensor(w) for w in weights]
        kind = torch.float32 if wide else torch.bfloat16
        self.store = (lambda x: np.where(np.isnan(x), f32(np.nan), x)) if wide else rounded
        self.moments = [(np.zeros_like(w), np.zeros_like(w)) for w in weights]
        self.own_moments = [(torch.zeros(w.shape, dtype=kind), torch.zeros(w.shape, dtype=kind)) for w in weights]
        self.masters = [w.copy() for w in weights] if with_master else None
        self.own_masters = [torch.from_numpy(w.copy()) for w in weights] if with_master else None

    def gradients(self, batches: Sequence[Batch]) -> tuple[list[Array], list[torch.Tensor]]:
        expected: list[Array] = []
        own = [torch.full(w.shape, 7.0, dtype=torch.bfloat16) for w in self.weights]
        for i, batch in enumerate(batches):
            tokens, targets = batch.tensors()
            loss, new = self.recipe.gradients(self.weights, batch.tokens, batch.targets, batch.items)
            expected = [rounded(old + g) for old, g in zip(expected, new, strict=True)] if i else new
            own_loss = self.steps.gradients(self.own_weights, own, tokens, targets, batch.items, accumulate=i > 0)
            np.testing.assert_equal(own_loss, loss)
            np.testing.assert_equal(self.steps.gradients(self.own_weights, None, tokens, targets, batch.items), loss)
        for name, g, e in zip(self.names, own, expected, strict=True):
            assert_equal_bits(numbers(g), e, f"gradient of {name}")
        return expected, own

    def step(self, batches: Sequence[Batch], settings: AdamW, max_norm: float) -> None:
        expected, own = self.gradients(batches)
        norm, expected = clip(expected, max_norm)
        np.testing.assert_equal(self.library.clip(own, max_norm), norm)
        for i, name in enumerate(self.names):
            assert_equal_bits(numbers(own[i]), expected[i], f"clipped gradient of {name}")
            before = self.masters[i] if self.masters else self.weights[i]
            w, m, v = settings.update(before, expected[i], *self.moments[i])
            if self.masters:
                self.masters[i] = np.where(np.isnan(w), f32(np.nan), w)
            self.weights[i] = rounded(w)
            self.moments[i] = self.store(m), self.store(v)
            master = self.own_masters[i] if self.own_masters else None
            update = portable.Update(self.own_weights[i], own[i], *self.own_moments[i], master)
            self.library.adamw([update], portable.AdamwSettings(*settings))
            assert_equal_bits(numbers(self.own_weights[i]), self.weights[i], name)
            for moment in (0, 1):
                stored = numbers(self.own_moments[i][moment])
                assert_equal_bits(stored, self.moments[i][moment], f"moment {moment} of {name}")
            if self.own_masters and self.masters:
                assert_equal_bits(numbers(self.own_masters[i]), self.masters[i], f"master of {name}")


@pytest.mark.parametrize("name", CASES)
def test_five_steps_have_the_bits_of_the_recipe(name: str) -> None:
    fields, batch, length = CASES[name]
    shape = Shape(**fields)
    index = list(CASES).index(name)
    wide, with_master, parts = OPTIMIZERS[index % len(OPTIMIZERS)]
    random = np.random.default_rng(index)
    training = Training(shape, drawn_weights(shape, random), wide, with_master)
    for step in range(1, STEPS + 1):
        settings = AdamW(0.01 * (1 - (step - 1) / STEPS), 0.9, 0.999, 1e-8, 0.1 * (step % 2), step)
        training.step([Batch(shape, batch, length, random) for _ in range(parts)], settings, (1.0, 0.05)[step % 2])
    training.steps.close()


def hard_weights(shape: Shape, random: np.random.Generator, kind: int) -> list[Array]:
    """Huge, tiny, subnormal, some NaN, some infinite, or any of the 65,536 words."""
    result = []
    for weights in drawn_weights(shape, random):
        words = to_words(weights)
        mantissas = words & 0x807F
        drawn = random.integers(0, 2**16, words.shape, np.uint16)
        odd = drawn % 64 == 0
        exponents = [0xD0 + drawn % 0x2F, 1 + drawn % 0x50, np.zeros_like(words)]
        if kind < 3:
            words = mantissas | (exponents[kind] << 7)
        else:
            words = [
                np.where(odd, 0x7F81 | mantissas, words),
                np.where(odd, 0x7F80 | mantissas & 0x8000, words),
                drawn,
            ][kind - 3]
        result.append(from_words(words.astype(np.uint16)))
    return result


@pytest.mark.parametrize("name", ["rmsnorm, tied", "layernorm, untied", "llama, tied, biases", "qwen3"])
@pytest.mark.parametrize("kind", range(6), ids=["huge", "tiny", "subnormal", "NaN", "infinite", "mixed"])
def test_hard_starts_have_the_bits_of_the_recipe(name: str, kind: int) -> None:
    shape = Shape(**CASES[name][0])
    random = np.random.default_rng(kind)
    training = Training(shape, hard_weights(shape, random, kind), kind % 2 == 0, kind % 3 == 0)
    for step in (1, 2):
        training.step([Batch(shape, 3, 5, random)], AdamW(0.01, 0.9, 0.999, 1e-8, 0.1, step), 1.0)
    training.steps.close()


@pytest.mark.parametrize("at", [15, 16, 17, 31, 32])
def test_a_query_meets_the_keys_up_to_the_end_of_its_block_of_sixteen(at: int) -> None:
    """0 · NaN is NaN, so a key that is not a number shows which queries multiply its weight of 0."""
    shape = Shape(**{**SMALL, "positions": 40, "layers": 1})
    random = np.random.default_rng(at)
    weights = drawn_weights(shape, random)
    weights[1][at] = np.nan  # the embedding of a position
    training = Training(shape, weights, False, False)
    losses: dict[int, float] = {}
    for position in (0, 14, 15, 16, 17, 30, 31, 32, 39):
        batch = Batch(shape, 1, 40, random)
        batch.targets[:] = np.where(np.arange(40) == position, 3, -1)
        training.gradients([batch])
        losses[position] = training.steps.gradients(training.own_weights, None, *batch.tensors(), 1.0)
    assert all(np.isnan(loss) == (position >= at // 16 * 16) for position, loss in losses.items())
    training.steps.close()


def test_a_process_that_flushes_subnormal_numbers_to_zero_has_the_same_bits() -> None:
    shape = Shape(**CASES["llama"][0])
    library, random = portable.library(), np.random.default_rng(0)
    weights = [tensor(w) for w in hard_weights(shape, random, 2)]
    batch = Batch(shape, 3, 5, random)
    tokens, targets = batch.tensors()

    def trained() -> list[torch.Tensor]:
        own = [w.clone() for w in weights]
        steps = library.open(portable.Shape(*shape), [0.5] * shape.layers, 2)
        gradients = [torch.empty_like(w) for w in own]
        moments = [(torch.zeros_like(w), torch.zeros_like(w)) for w in own]
        for step in (1, 2):
            steps.gradients(own, gradients, tokens, targets, 1e30)
            library.clip(gradients, 1e-30)
            settings = portable.AdamwSettings(1e-39, 0.9, 0.999, 1e-39, 0.1, step)
            updates = [portable.Update(w, g, *m, None) for w, g, m in zip(own, gradients, moments, strict=True)]
            library.adamw(updates, settings)
        steps.close()
        return [*own, *gradients, *(part for pair in moments for part in pair)]

    expected = [x.view(torch.int16) for x in trained()]
    if not torch.set_flush_denormal(True):
        pytest.skip("this CPU cannot flush subnormal numbers to zero")
    try:
        own = [x.view(torch.int16) for x in trained()]
        assert torch.tensor([1e-39]).add(0).item() == 0, "the process still flushes after the calls"
    finally:
        torch.set_flush_denormal(False)
    assert any((x.view(torch.bfloat16).abs().float() < 2.0**-126).any() for x in expected)
    assert all(torch.equal(x, y) for x, y in zip(own, expected, strict=True))


@pytest.mark.parametrize("groups", [1, 2, 3, 100])
def test_normal_numbers_have_the_bits_of_the_recipe(groups: int) -> None:
    uniforms = torch.rand(16 * groups, generator=torch.Generator().manual_seed(groups))
    uniforms[:2] = torch.tensor([0.0, 1 - 2.0**-24])
    own = uniforms.clone()
    portable.library().normals(own)
    assert_equal_bits(own.numpy(), normals(uniforms.numpy()), "normal numbers")


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("count", [1, 7, 16, 64, 1000])
def test_unit_vectors_have_the_bits_of_the_recipe(count: int, narrow: bool) -> None:
    values = torch.randn(count, generator=torch.Generator().manual_seed(count))
    own = values.clone()
    portable.library().unit_vector(own, narrow)
    assert_equal_bits(own.numpy(), unit_vector(values.numpy(), narrow), "unit vector")
