"""Imports large packages in two thirds of the time."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import cast

from bh_bridge.bridge import registry

# transformers imports them if installed, in a tenth of its import time, for features that are not used here.
UNNEEDED = ("scipy", "sklearn")


@contextmanager
def quick_import() -> Generator[None]:
    """Import without garbage collection and without unneeded packages.

    If TypeScript holds no objects yet, everything imported is exempt from later collections. Otherwise it is not,
    because models must be collected one day.
    """
    gc.disable()
    modules = cast("dict[str, ModuleType | None]", sys.modules)  # None makes Python report a module as missing
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
