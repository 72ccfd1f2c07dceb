"""Compiling a step by TorchInductor: into one graph of C++, kept on disk for the next process."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bh_bridge.engines.step_method import StepMethod
from bh_bridge.hf_internals import compiled_folder, prepare_compiler

CACHE = "TORCHINDUCTOR_CACHE_DIR"  # torch's own variable
MANY = 1_000  # graphs in one process, each for another model: a worker of a sweep sees many


def obstacle_to_compiling(device: torch.device) -> str | None:
    """Why a step cannot be compiled here, in a few words; None where it can."""
    if device.type != "cpu":
        return "it is for the CPU"
    return "there is no C++ compiler (g++)" if _compiler() is None else None


def compiled(function: Callable[..., Any], why: str, *arguments: Any) -> tuple[Callable[..., Any], StepMethod]:
    """A function compiled for arguments like these; as it stands where that fails, as without the headers of Python.

    why: the reason that is given where it is compiled.
    """
    began = time.perf_counter()
    try:
        _keep_compiled()
        prepare_compiler(MANY)
        began = time.perf_counter()  # without the import of the compiler
        graph = torch.compile(function, fullgraph=True, dynamic=False)
        with torch.no_grad():
            graph(*arguments)
    except Exception as error:  # whatever a compiler, a disk or an installation may lack
        first_line = str(error).strip().split("\n", 1)[0]
        return function, StepMethod(
            "compiled", False, f"compiling failed: {first_line}", seconds=time.perf_counter() - began
        )
    return graph, StepMethod("compiled", True, why, seconds=time.perf_counter() - began)


def _compiler() -> str | None:
    return shutil.which(os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++"))


def _keep_compiled() -> None:
    """Let compiled steps outlive a restart, where the user has not said where: torch puts them into /tmp."""
    default = compiled_folder()
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bh-bridge" / "compiled"
    if os.environ.get(CACHE, default) == default:
        with contextlib.suppress(OSError):  # a home that cannot be written to: then in /tmp after all
            folder.mkdir(parents=True, exist_ok=True)
            os.environ[CACHE] = str(folder)
