"""Engine `portable` as a compiled library, called through ctypes. Calls release the lock of the interpreter."""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Sequence
from ctypes import c_double, c_float, c_int32, c_int64, c_uint64, c_void_p
from pathlib import Path

import torch

from bh_bridge.portable.interface import (
    BATCH_REFUSED,
    SHAPE_REFUSED,
    AdamwSettings,
    Shape,
    Update,
    check_batch,
    check_tensor,
    check_tensors,
    check_update,
)

FLOATS = ("epsilon", "rope_theta")


class ShapeFields(ctypes.Structure):
    """`bh_shape`."""

    _fields_ = [(name, c_float if name in FLOATS else c_int32) for name in Shape._fields]


class SettingsFields(ctypes.Structure):
    """`bh_adamw_settings`."""

    _fields_ = [(name, c_int64 if name == "step" else c_double) for name in AdamwSettings._fields]


# The result and the arguments of each function of native/portable.h that Python calls. Pointers to arrays are c_void_p.
FUNCTIONS = {
    "bh_recipe": (c_int32, ()),
    "bh_self_check": (c_uint64, ()),
    "bh_open": (c_void_p, (ctypes.POINTER(ShapeFields), c_void_p, c_int32)),
    "bh_close": (None, (c_void_p,)),
    "bh_tensor_count": (c_int32, (c_void_p,)),
    "bh_tensor_size": (c_int64, (c_void_p, c_int32)),
    "bh_gradients": (
        c_int32,
        (
            *(c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),  # trainer, weights, gradients, tokens, targets
            *(c_int32, c_int32, c_double, c_int32, ctypes.POINTER(c_double)),  # batch, length, items, accumulate, loss
        ),
    ),
    "bh_clip": (c_float, (c_void_p, c_void_p, c_int32, c_float)),
    "bh_adamw": (
        None,
        (
            *(c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),  # weight, gradient, first, second, master
            *(c_int64, c_int32, ctypes.POINTER(SettingsFields)),
        ),
    ),
    "bh_normals": (None, (c_void_p, c_int64)),
    "bh_unit_vector": (None, (c_void_p, c_int64, c_int32)),
}


def _addresses(tensors: Sequence[torch.Tensor]) -> ctypes.Array[c_void_p]:
    return (c_void_p * len(tensors))(*(tensor.data_ptr() for tensor in tensors))


class CompiledLibrary:
    """A shared library. OSError or AttributeError if it cannot be loaded or lacks a function."""

    def __init__(self, name: str, sha256: str, path: Path) -> None:
        self.name = name
        self.sha256 = sha256
        self.functions = ctypes.CDLL(str(path))
        for function, (result, arguments) in FUNCTIONS.items():
            getattr(self.functions, function).restype = result
            getattr(self.functions, function).argtypes = arguments

    def recipe(self) -> int:
        return self.functions.bh_recipe()

    def self_check(self) -> str:
        return f"{self.functions.bh_self_check():016x}"

    def open(self, shape: Shape, scales: Sequence[float], threads: int) -> CompiledSteps:
        assert len(scales) == shape.layers
        factors = (c_float * len(scales))(*scales)
        trainer = self.functions.bh_open(ShapeFields(*shape), factors, threads)
        if trainer is None:
            raise ValueError(SHAPE_REFUSED)
        return CompiledSteps(self.functions, trainer)

    def clip(self, gradients: Sequence[torch.Tensor], max_norm: float) -> float:
        sizes = [gradient.numel() for gradient in gradients]
        check_tensors(gradients, sizes)
        return self.functions.bh_clip(_addresses(gradients), (c_int64 * len(sizes))(*sizes), len(sizes), max_norm)

    def adamw(self, updates: Sequence[Update], settings: AdamwSettings) -> None:
        step, fields = self.functions.bh_adamw, SettingsFields(*settings)
        for update in updates:
            wide = check_update(update)
            addresses = [None if tensor is None else tensor.data_ptr() for tensor in update]
            step(*addresses, update.weight.numel(), wide, fields)

    def normals(self, values: torch.Tensor) -> None:
        check_tensor(values, torch.float32)
        assert values.numel() % 16 == 0
        self.functions.bh_normals(values.data_ptr(), values.numel())

    def unit_vector(self, values: torch.Tensor, narrow: bool) -> None:
        check_tensor(values, torch.float32)
        self.functions.bh_unit_vector(values.data_ptr(), values.numel(), narrow)


class CompiledSteps:
    """A `bh_trainer`."""

    def __init__(self, functions: ctypes.CDLL, trainer: int) -> None:
        self._functions = functions
        self._trainer = trainer
        count = functions.bh_tensor_count(trainer)
        self.sizes: list[int] = [functions.bh_tensor_size(trainer, index) for index in range(count)]
        self._closing = weakref.finalize(self, _close, functions, trainer, os.getpid())
        self._closing.atexit = False

    def gradients(
        self,
        weights: Sequence[torch.Tensor],
        gradients: Sequence[torch.Tensor] | None,
        tokens: torch.Tensor,
        targets: torch.Tensor,
        items: float,
        accumulate: bool = False,
    ) -> float:
        assert self._closing.alive, "these steps are closed"
        batch, length = check_batch(self.sizes, weights, gradients, tokens, targets)
        loss = c_double()
        refused = self._functions.bh_gradients(
            self._trainer,
            _addresses(weights),
            None if gradients is None else _addresses(gradients),
            *(tokens.data_ptr(), targets.data_ptr(), batch, length, items, accumulate, loss),
        )
        if refused:
            raise ValueError(BATCH_REFUSED)
        return loss.value

    def close(self) -> None:
        self._closing()


def _close(functions: ctypes.CDLL, trainer: int, owner: int) -> None:
    if os.getpid() == owner:  # a forked process has none of its threads
        functions.bh_close(trainer)
