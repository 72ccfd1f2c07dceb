"""Imports of what is large, in two thirds of their time."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager

from bh_bridge import registry


@contextmanager
def quick_import() -> Generator[None]:
    """Import with the garbage collector at rest: what torch and transformers make stays, nobody has to look through it.

    While TypeScript holds no object yet, all that is there is exempt for good: no later collection, nor the end of the
    process, looks at it. A model that is held has to be collected one day.
    """
    gc.disable()
    try:
        yield
    finally:
        if registry.is_empty():
            gc.freeze()
        gc.enable()
