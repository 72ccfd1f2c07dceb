"""The functions of native/ have the bits of the recipe over many arguments, where training would show few of them."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import recipe_numbers as recipe
from recipe_numbers import Array

ROOT = Path(__file__).parents[3]
COUNT = 1 << 19


@pytest.fixture(scope="module")
def functions(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    library = tmp_path_factory.mktemp("functions") / "functions.so"
    sources = [ROOT / "tests" / "native" / "functions.c", ROOT / "native" / "functions.c"]
    flags = ["-std=gnu11", "-O2", "-ffp-contract=off", "-fno-math-errno", "-fPIC", "-shared", "-I", ROOT / "native"]
    subprocess.run([compiler, *flags, *sources, "-o", library], check=True)
    return ctypes.CDLL(str(library))


def changed(functions: ctypes.CDLL, name: str, x: Array, *more: Array) -> Array:
    x = x.copy()
    functions[name](*(ctypes.c_void_p(part.ctypes.data) for part in (x, *more)), ctypes.c_int64(len(x)))
    return x


def assert_equal_bits(own: Array, expected: Array, of: Array) -> None:
    kind = np.uint32 if own.dtype == np.float32 else np.uint64
    differing = np.flatnonzero((own.view(kind) != expected.view(kind)) & ~(np.isnan(own) & np.isnan(expected)))
    assert differing.size == 0, f"{differing.size} differ, the first at {of[differing[0]]}"


def any_floats(seed: int) -> Array:
    return np.random.default_rng(seed).integers(0, 2**32, COUNT, np.uint32).view(np.float32)


@pytest.mark.parametrize("name", ["narrow", "narrow_one", "rounded"])
def test_rounding_has_the_bits_of_the_recipe(functions: ctypes.CDLL, name: str) -> None:
    x = any_floats(1)
    # Around the ends of the range, and halfway between two bfloat16 numbers.
    ends = np.float32([2.0**-62, 2.0**63, 2.0**-126, 2.0**127]).view(np.int32)[:, None] + np.arange(-4000, 4000)
    x[: ends.size] = ends.astype(np.int32).reshape(-1).view(np.float32)
    x.view(np.uint32)[-COUNT // 4 :] &= 0xFFFF8001
    expected = (recipe.rounded if name == "rounded" else recipe.narrow)(x)
    own = changed(functions, f"each_{name}", x)
    assert np.array_equal(own.view(np.uint32), expected.view(np.uint32))


def test_exp_has_the_bits_of_the_recipe(functions: ctypes.CDLL) -> None:
    x = np.random.default_rng(2).uniform(-100, 100, COUNT).astype(np.float32)
    x[: COUNT // 4] = any_floats(3)[: COUNT // 4]
    with np.errstate(all="ignore"):
        assert_equal_bits(changed(functions, "each_exponential", x), recipe.exp(x), x)


def test_log_has_the_bits_of_the_recipe(functions: ctypes.CDLL) -> None:
    x = np.exp(np.random.default_rng(4).uniform(-600, 600, COUNT))
    x[: COUNT // 2] = np.random.default_rng(5).uniform(0.4, 3, COUNT // 2)
    assert_equal_bits(changed(functions, "each_log", x), recipe.log(x), x)


def test_the_power_of_a_rotary_base_has_the_bits_of_the_recipe(functions: ctypes.CDLL) -> None:
    x = np.random.default_rng(6).uniform(-40, 1, COUNT)
    assert_equal_bits(changed(functions, "each_exponential64", x), recipe.exp64(x), x)


def test_sine_and_cosine_have_the_bits_of_the_recipe(functions: ctypes.CDLL) -> None:
    x = np.random.default_rng(7).uniform(0, 10, COUNT)
    x[: COUNT // 2] = np.floor(np.random.default_rng(8).uniform(0, 1e5, COUNT // 2))
    cosine = np.empty_like(x)
    sine = changed(functions, "each_sine_cosine", x, cosine)
    expected_cosine, expected_sine = recipe.cos_sin(x)
    assert_equal_bits(cosine, expected_cosine, x)
    assert_equal_bits(sine, expected_sine, x)


def test_the_functions_are_accurate() -> None:
    """Against numpy, in units of the last place."""
    x = np.random.default_rng(9).uniform(-80, 80, COUNT).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    assert np.max(np.abs(recipe.exp(x) - exact) / np.spacing(exact.astype(np.float32))) < 0.98
    y = np.random.default_rng(10).uniform(0.01, 100, COUNT)
    assert np.max(np.abs(recipe.log(y) - np.log(y)) / np.maximum(np.abs(np.log(y)), 2.0**-52)) < 1e-15
    cosine, sine = recipe.cos_sin(y)
    assert np.max(np.abs(cosine - np.cos(y))) < 2.5e-16
    assert np.max(np.abs(sine - np.sin(y))) < 2.5e-16
