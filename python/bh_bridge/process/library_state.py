"""What libraries keep once per process, and a training draws from and counts with."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Generator
from typing import Any

import numpy as np
import torch

from bh_bridge.hf_internals import gradient_state


class LibraryState:
    """Random streams of torch, NumPy and Python, and accelerate's counters, as they are when this is made."""

    def __init__(self) -> None:
        self._keep()

    @contextlib.contextmanager
    def entered(self) -> Generator[None, None, None]:
        outer = LibraryState()
        self.restore()
        try:
            yield
        finally:
            self._keep()
            outer.restore()

    def _keep(self) -> None:
        self._torch = torch.get_rng_state()
        self._gpu = torch.cuda.get_rng_state() if torch.cuda.is_initialized() else None
        self._numpy: Any = np.random.get_state()
        self._python = random.getstate()
        self._accelerate = {
            name: list(value) if isinstance(value, list) else value for name, value in gradient_state().items()
        }

    def restore(self) -> None:
        """Put them back into the process."""
        torch.set_rng_state(self._torch)
        if self._gpu is not None:
            torch.cuda.set_rng_state(self._gpu)
        np.random.set_state(self._numpy)
        random.setstate(self._python)
        kept = gradient_state()
        kept.clear()
        kept.update(self._accelerate)
