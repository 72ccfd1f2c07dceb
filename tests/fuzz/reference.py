"""What the reference libraries say about a file: seeds for the fuzzers, and answers to compare with.

`reference.py seeds DIR` writes the sound files that are mutated. `reference.py serve` answers requests on stdin: a line
`KIND LENGTH`, then that many bytes; the answer is a line of JSON, `{"tensors": {...}}` or `{"error": "..."}`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import resource
import sys
import types
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

DTYPES = {
    **{
        getattr(torch, name): short
        for name, short in [("bfloat16", "BF16"), ("float16", "F16"), ("float32", "F32"), ("float64", "F64")]
    },
    **{getattr(torch, f"int{bits}"): f"I{bits}" for bits in (8, 16, 32, 64)},
    **{getattr(torch, f"uint{bits}"): f"U{bits}" for bits in (8, 16, 32, 64)},
    torch.bool: "BOOL",
}
MEMORY_BYTES = 8 << 30  # a mutated size must not take the machine's memory: the library then raises
MARK = "fuzzed-pickle-was-executed"
PICKLE_SLACK = 64  # bytes after the pickle's end, so that mutations can insert


class Evil:
    """A pickle of this would run a command that makes a file in the working directory."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return vars(os)["system"], (f"touch {MARK}",)


def seeds(directory: Path) -> None:
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(6, 4, generator=generator)
    history = torch.randn(3, 4, 2, generator=generator).to(torch.bfloat16)
    files = {
        "plain": {"a": base, "b": torch.arange(5), "c": torch.tensor([True, False])},
        "history": {"embedding_history": history, "steps_done": torch.tensor(2)},
        "shapes": {"scalar": torch.tensor(1.5), "empty": torch.zeros(0, 3), "half": base.half(), "wide": base.double()},
        "none": {},
    }
    for name, tensors in files.items():
        safetensors.torch.save_file(tensors, directory / f"{name}.safetensors", metadata={"format": "pt"})
    weight = torch.nn.Parameter(base.clone())
    optimizer = torch.optim.AdamW([weight])
    weight.sum().backward()
    optimizer.step()
    archives = {
        "nested": {
            "model": OrderedDict(w=base, v=base.t(), s=base[1:3, ::2]),
            "step": 3,
            "list": [history, (base[0],)],
        },
        "optimizer": optimizer.state_dict(),
        "parameters": {"p": weight, "u": torch.arange(4).to(torch.uint16), "e": torch.arange(3.0).expand(2, 3)},
        "evil": {"w": base, "evil": Evil()},
    }
    for name, value in archives.items():
        torch.save(value, directory / f"{name}.pt")
        with_slack(directory / f"{name}.pt", directory / f"{name}-slack.pt")


class Inert:
    """Stands for everything that is not known: it takes what it is given and does nothing."""

    entries: dict[Any, Any]
    items: list[Any]
    state: Any

    def __new__(cls, *_arguments: Any, **_keywords: Any) -> Inert:
        made = super().__new__(cls)
        made.entries, made.items, made.state = {}, [], None
        return made

    def __init__(self, *_arguments: Any, **_keywords: Any) -> None: ...

    def __call__(self, *_arguments: Any, **_keywords: Any) -> Inert:
        return Inert()

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.entries[key] = value

    def append(self, item: Any) -> None:
        self.items.append(item)

    def extend(self, items: list[Any]) -> None:
        self.items.extend(items)


class InertUnpickler(pickle.Unpickler):
    """Python's own unpickler, which calls nothing but what builds tensors and dicts."""

    def find_class(self, module: str, name: str) -> Any:
        known = name in REBUILDERS if module == "torch._utils" else module == "torch" and name in TORCH_NAMES
        if known or (module, name) in OTHER_NAMES:
            return super().find_class(module, name)
        return type("Unknown", (Inert,), {})


REBUILDERS = {f"_rebuild_{what}" for what in ("tensor", "tensor_v2", "tensor_v3", "parameter", "parameter_with_state")}
TORCH_NAMES = (
    {"Size"}
    | {str(dtype).removeprefix("torch.") for dtype in DTYPES}
    | {name for name in vars(torch) if name.endswith("Storage")}
)
OTHER_NAMES = {
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("torch._tensor", "_rebuild_from_type_v2"),
    ("torch.storage", "UntypedStorage"),
}
inert_pickle = types.SimpleNamespace(Unpickler=InertUnpickler, load=None, __name__="inert_pickle")


def with_slack(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name) + (bytes(PICKLE_SLACK) if name.endswith("data.pkl") else b""))


def named(value: Any, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors in a value by their paths; keys as Python compares them."""
    if isinstance(value, torch.Tensor):
        yield name or "tensor", value
        return
    if isinstance(value, Inert):
        for part in (value.entries, value.items, value.state if isinstance(value.state, dict) else {}):
            yield from named(part, name)
        return
    items: Any = (
        enumerate(value) if isinstance(value, list | tuple) else value.items() if isinstance(value, dict) else ()
    )
    for position, (key, item) in enumerate(items):
        plain = int(key) if isinstance(key, bool | float) and key == int(key) else key
        part = str(plain) if isinstance(plain, str | int) else f"key#{position}"
        yield from named(item, f"{name}.{part}" if name else part)


def load(data: bytes) -> Iterator[tuple[str, torch.Tensor]]:
    try:
        return named(torch.load(io.BytesIO(data), map_location="cpu", weights_only=True))
    except pickle.UnpicklingError:
        # torch's safe unpickler knows fewer opcodes and refuses what would be called: take Python's, and call nothing.
        return named(torch.load(io.BytesIO(data), map_location="cpu", weights_only=False, pickle_module=inert_pickle))


def described(kind: str, data: bytes) -> Iterator[tuple[str, str, list[int], bytes]]:
    """Name, dtype, shape and dense bytes of each tensor."""
    if kind == "safetensors":
        for name, entry in safetensors.deserialize(data):
            yield name, entry["dtype"], entry["shape"], entry["data"]
    else:
        for name, tensor in load(data):
            flat = tensor.detach().contiguous().reshape(-1).view(torch.uint8)
            yield name, DTYPES.get(tensor.dtype, str(tensor.dtype)), list(tensor.shape), flat.numpy().tobytes()


def answer(kind: str, data: bytes) -> dict[str, Any]:
    tensors: dict[str, Any] = {}
    try:
        for name, dtype, shape, content in described(kind, data):
            if name in tensors:
                return {"error": f"two tensors are named {name}"}
            tensors[name] = [dtype, shape, hashlib.sha256(content).hexdigest()]
    except BaseException as error:  # whatever it is, the library refuses the file
        return {"error": f"{type(error).__name__}: {error}"[-1200:]}
    return {"tensors": tensors}


def serve() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    while request := sys.stdin.buffer.readline():
        kind, length = request.decode().split()
        print(json.dumps(answer(kind, sys.stdin.buffer.read(int(length)))), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if sys.argv[1] == "seeds":
        seeds(Path(sys.argv[2]))
    else:
        serve()
