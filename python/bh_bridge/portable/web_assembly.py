"""Engine `portable` as WebAssembly in a Node.js process, where no compiled library can be used.

The bits are the same, the speed is about a quarter of that of AVX-512. There is one thread, whatever is asked for.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from bh_bridge import NODE_PID
from bh_bridge.errors import BridgeError
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

PROGRAM = Path(__file__).with_name("wasm_process.mjs")
LENGTHS = struct.Struct("<II")  # of the JSON and of the data of a message
SHAPE = struct.Struct("<16i2f")
SETTINGS = struct.Struct("<5dq")
QUOTED = 2000  # characters of the output of a process that failed


class WasmFailed(BridgeError):
    """The process that runs WebAssembly ended, or reported an error."""


def find_node() -> str | None:
    """The path of Node.js: that of the process that started Python, otherwise the one in PATH."""
    try:
        parent = os.readlink(f"/proc/{NODE_PID}/exe")
        if Path(parent).name.startswith("node") and os.access(parent, os.X_OK):
            return parent
    except OSError:
        pass  # no such file system, or the process of another user
    return shutil.which("node")


class WasmProcess:
    """A Node.js process with the library. OSError if it cannot be started."""

    def __init__(self, node: str, file: Path) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process)
        self._process = subprocess.Popen(
            [node, str(PROGRAM), str(file)],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={name: value for name, value in os.environ.items() if not name.startswith("NODE_")},
        )
        self._ending = weakref.finalize(self, _end, self._process, os.getpid())

    def ask(self, operation: str, *data: memoryview | bytes, **header: Any) -> tuple[dict[str, Any], memoryview]:
        """Send a request and return the reply: its JSON and its data."""
        text = json.dumps({"do": operation, **header}).encode()
        try:
            self._write(LENGTHS.pack(len(text), sum(len(part) for part in data)) + text)
            for part in data:
                self._write(part)
            json_bytes, data_bytes = LENGTHS.unpack(self._read(LENGTHS.size))
            reply = json.loads(bytes(self._read(json_bytes)))
            received = self._read(data_bytes)
        except (EOFError, BrokenPipeError) as error:
            raise WasmFailed(f"engine portable: the Node.js process that runs it {self._end_of_process()}") from error
        if "error" in reply:
            raise WasmFailed(f"engine portable: WebAssembly failed: {reply['error']}")
        return reply, received

    def _write(self, data: memoryview | bytes) -> None:
        stream, rest = self._process.stdin, memoryview(data)
        assert stream is not None
        while rest:
            rest = rest[stream.write(rest) or 0 :]

    def _read(self, count: int) -> memoryview:
        """Exactly `count` bytes; EOFError if the process ends before."""
        stream, data = self._process.stdout, memoryview(bytearray(count))
        assert stream is not None
        rest = data
        while rest:
            filled = os.readv(stream.fileno(), [rest])
            if not filled:
                raise EOFError
            rest = rest[filled:]
        return data

    def _end_of_process(self) -> str:
        """How the process ended, with its last output."""
        code = self._process.wait()
        self._errors.seek(0)
        printed = self._errors.read().decode(errors="replace").strip()[-QUOTED:]
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return how + (f" and printed: {printed}" if printed else "")

    def close(self) -> None:
        self._ending()


def _end(process: subprocess.Popen[bytes], owner: int) -> None:
    if os.getpid() != owner:
        return  # a forked process must not end that of its parent
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.kill()
    process.wait()


def _bytes(tensor: torch.Tensor) -> memoryview:
    return tensor.detach().view(-1).view(torch.uint8).numpy().data


def _fill(tensors: Sequence[torch.Tensor], data: memoryview) -> None:
    """Copy consecutive bytes into tensors."""
    start = 0
    for tensor in tensors:
        target = _bytes(tensor)
        target[:] = data[start : start + len(target)]
        start += len(target)


class WasmLibrary:
    """The library in a process of its own."""

    def __init__(self, name: str, sha256: str, path: Path, node: str) -> None:
        self.name = name
        self.sha256 = sha256
        self.process = WasmProcess(node, path)

    def recipe(self) -> int:
        return self.process.ask("recipe")[0]["recipe"]

    def self_check(self) -> str:
        return self.process.ask("selfCheck")[0]["hash"]

    def open(self, shape: Shape, scales: Sequence[float], threads: int) -> WasmSteps:
        assert len(scales) == shape.layers
        assert threads > 0
        data = SHAPE.pack(*shape) + struct.pack(f"<{len(scales)}f", *scales)
        reply, _ = self.process.ask("open", data, layers=shape.layers)
        if "refused" in reply:
            raise ValueError(SHAPE_REFUSED)
        return WasmSteps(self.process, reply["trainer"], reply["sizes"])

    def clip(self, gradients: Sequence[torch.Tensor], max_norm: float) -> float:
        sizes = [gradient.numel() for gradient in gradients]
        check_tensors(gradients, sizes)
        _, data = self.process.ask("clip", *map(_bytes, gradients), sizes=sizes, maxNorm=max_norm)
        _fill(gradients, data[4:])
        return struct.unpack("<f", data[:4])[0]

    def adamw(self, updates: Sequence[Update], settings: AdamwSettings) -> None:
        for update in updates:
            wide = check_update(update)
            tensors = [tensor for tensor in update if tensor is not None]
            header = {"size": update.weight.numel(), "wide": wide, "master": update.master is not None}
            _, data = self.process.ask("adamw", SETTINGS.pack(*settings), *map(_bytes, tensors), **header)
            _fill(tensors, data)

    def normals(self, values: torch.Tensor) -> None:
        check_tensor(values, torch.float32)
        assert values.numel() % 16 == 0
        _fill([values], self.process.ask("normals", _bytes(values))[1])

    def unit_vector(self, values: torch.Tensor, narrow: bool) -> None:
        check_tensor(values, torch.float32)
        _fill([values], self.process.ask("unitVector", _bytes(values), narrow=narrow)[1])


class WasmSteps:
    """A `bh_trainer` in the process of the library."""

    def __init__(self, process: WasmProcess, trainer: int, sizes: list[int]) -> None:
        self._process = process
        self._trainer: int | None = trainer
        self.sizes = sizes

    def gradients(
        self,
        weights: Sequence[torch.Tensor],
        gradients: Sequence[torch.Tensor] | None,
        tokens: torch.Tensor,
        targets: torch.Tensor,
        items: float,
        accumulate: bool = False,
    ) -> float:
        assert self._trainer is not None, "these steps are closed"
        batch, length = check_batch(self.sizes, weights, gradients, tokens, targets)
        accumulate = accumulate and gradients is not None
        sent = [tokens, targets, *weights, *(gradients if gradients is not None and accumulate else ())]
        header = {"batch": batch, "length": length, "items": items, "accumulate": accumulate}
        computes = gradients is not None
        reply, data = self._process.ask(
            "gradients", *map(_bytes, sent), trainer=self._trainer, computes=computes, **header
        )
        if "refused" in reply:
            raise ValueError(BATCH_REFUSED)
        if gradients is not None:
            _fill(gradients, data[8:])
        return struct.unpack("<d", data[:8])[0]

    def close(self) -> None:
        if self._trainer is not None:
            self._process.ask("close", trainer=self._trainer)
            self._trainer = None
