"""Imports of what is large, in two thirds of their time."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import cast

from bh_bridge.bridge import registry

# transformers loads them where they are installed, for losses and decoders that no GPT-2 has: a tenth of its time.
UNNEEDED = ("scipy", "sklearn")


@contextmanager
def quick_import() -> Generator[None]:
    """Import with the garbage collector at rest: what torch and transformers make stays, nobody has to look through it.

    While TypeScript holds no object yet, all that is there is exempt for good: no later collection, nor the end of the
    process, looks at it. A model that is held has to be collected one day. What is not needed is not found meanwhile.
    """
    gc.disable()
    modules = cast("dict[str, ModuleType | None]", sys.modules)  # None is what Python takes for one that is not there
    hidden = [name for name in UNNEEDED if name not in modules]
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
        if registry.is_empty():
            gc.freeze()
        gc.enable()
