"""The generator of native/random.c gives the numbers of torch, for programs without torch."""

import ctypes
from ctypes import c_int64, c_uint64, c_void_p

import numpy as np
import pytest
import torch
from bh_bridge import portable
from bh_bridge.portable.compiled import CompiledLibrary

SEEDS = [0, 1, 42, 2**31, 2**32 - 1, 2**32, 2**40 + 7, 2**63 - 1]


@pytest.fixture(scope="module")
def functions() -> ctypes.CDLL:
    library = portable.library()
    if not isinstance(library, CompiledLibrary):
        pytest.skip("no compiled library on this machine")
    functions = library.functions
    functions.bh_seed.argtypes = (c_void_p, c_uint64)
    functions.bh_uniforms.argtypes = (c_void_p, c_void_p, c_int64)
    functions.bh_permutation.argtypes = (c_uint64, c_void_p, c_int64)
    return functions


@pytest.mark.parametrize("seed", SEEDS)
def test_uniform_numbers_are_those_of_torch(functions: ctypes.CDLL, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    stream = np.zeros(625, np.uint32)
    functions.bh_seed(stream.ctypes.data, seed)
    for count in (1, 15, 16, 17, 623, 624, 625, 5000):
        own = torch.empty(count)
        functions.bh_uniforms(stream.ctypes.data, own.data_ptr(), count)
        assert torch.equal(own, torch.rand(count, generator=generator)), count


@pytest.mark.parametrize("seed", SEEDS)
def test_permutations_are_those_of_torch(functions: ctypes.CDLL, seed: int) -> None:
    for count in [*range(20), 623, 624, 625, 10_000]:
        own = torch.empty(count, dtype=torch.int32)
        functions.bh_permutation(seed, own.data_ptr(), count)
        expected = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
        assert torch.equal(own.long(), expected), count


def test_long_permutations_are_those_of_torch(functions: ctypes.CDLL) -> None:
    for count in (99_999, 1_000_003):
        own = torch.empty(count, dtype=torch.int32)
        functions.bh_permutation(5, own.data_ptr(), count)
        assert torch.equal(own.long(), torch.randperm(count, generator=torch.Generator().manual_seed(5)))


def test_normal_numbers_are_close_to_those_of_torch() -> None:
    own = torch.rand(4096, generator=torch.Generator().manual_seed(3))
    portable.library().normals(own)
    expected = torch.randn(4096, generator=torch.Generator().manual_seed(3))
    assert torch.allclose(own, expected, rtol=1e-5, atol=2e-6)
