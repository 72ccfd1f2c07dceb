"""Files of token ids: `.npy`, and `.bin` of uint16 as nanoGPT writes it."""

from __future__ import annotations

from typing import Any

import numpy as np

TORCH_DTYPES = ("uint8", "int8", "uint16", "int16", "int32", "int64")


def is_token_array(path: str) -> bool:
    """Whether a path names a file of token ids, as TypeScript's `isTokenArray`."""
    return path.endswith((".npy", ".bin"))


def open_token_array(path: str) -> np.ndarray[Any, np.dtype[Any]]:
    """Token ids [tokens] mapped into memory, as written if torch has their dtype, else copied as int32."""
    if path.endswith(".npy"):
        tokens = np.load(path, mmap_mode="c", allow_pickle=False)
    else:
        tokens = np.memmap(path, dtype="<u2", mode="c")
    return tokens if tokens.dtype.name in TORCH_DTYPES and tokens.dtype.isnative else tokens.astype(np.int32)
