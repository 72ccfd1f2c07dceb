"""Operation `renew`: a process that has trained becomes as one that has not, so that the next training in it has the
bits of a training in a fresh process."""

from __future__ import annotations

import gc
import importlib
import os
from dataclasses import dataclass, field

import torch

from bh_bridge.bridge.messages import Renew, RenewReply
from bh_bridge.hf_internals import forget_accelerate


@dataclass(frozen=True)
class ProcessState:
    """What a training can leave changed in a process, and the next one would compute with."""

    threads: int = field(default_factory=torch.get_num_threads)
    dtype: torch.dtype = field(default_factory=torch.get_default_dtype)
    is_deterministic: bool = field(default_factory=torch.are_deterministic_algorithms_enabled)
    warns_only: bool = field(default_factory=torch.is_deterministic_algorithms_warn_only_enabled)
    matmul_precision: str = field(default_factory=torch.get_float32_matmul_precision)
    cudnn: tuple[bool, bool, bool] = field(default_factory=lambda: _cudnn())
    random_state: torch.Tensor = field(default_factory=torch.get_rng_state)
    seed: int = field(default_factory=torch.initial_seed)
    variables: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def restore(self) -> None:
        """Put everything back."""
        torch.set_num_threads(self.threads)
        torch.set_default_dtype(self.dtype)
        torch.use_deterministic_algorithms(self.is_deterministic, warn_only=self.warns_only)
        torch.set_float32_matmul_precision(self.matmul_precision)
        backend = torch.backends.cudnn
        backend.deterministic, backend.benchmark, backend.allow_tf32 = self.cudnn
        os.environ.clear()
        os.environ.update(self.variables)
        if torch.cuda.is_available():
            torch.cuda.manual_seed_all(self.seed)
        torch.set_rng_state(self.random_state)


_fresh: ProcessState | None = None


def renew(_request: Renew) -> RenewReply:
    """Operation `renew`, called before each training of a process, once the one before has been let go of.

    The first time it notes the state of a process that has trained nothing yet; from then on it puts that state back.

    What is alive when nothing is trained stays for as long as the process: the garbage collector need not go through it
    again, which took 0.2 s here and as long at the beginning of every training, where accelerate asks for it.
    """
    global _fresh
    if _fresh is None:
        importlib.import_module("bh_bridge.operations.trainer_operations")  # and transformers: most of what stays
        _fresh = ProcessState()
        gc.freeze()
        return {}
    _fresh.restore()
    forget_accelerate()
    gc.collect()
    gc.freeze()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    return {}


def _cudnn() -> tuple[bool, bool, bool]:
    backend = torch.backends.cudnn
    return backend.deterministic, backend.benchmark, backend.allow_tf32
