"""invoke(): the only function that TypeScript calls."""

from __future__ import annotations

import importlib
import json
import traceback
from collections.abc import Callable
from typing import Any

from bh_bridge.errors import BridgeError

Operation = Callable[[dict[str, Any]], dict[str, Any]]

# Modules are imported when an operation needs them: `hello` chooses devices and threads before torch is loaded.
OPERATIONS: dict[str, str] = {
    "hello": "environment:hello",
    "release": "registry:release",
    "model.create": "model_operations:create",
    "model.tensor": "model_operations:tensor",
    "model.set_tensor": "model_operations:set_tensor",
    "model.forward": "model_operations:forward",
    "model.generate": "model_operations:generate",
    "model.save": "model_operations:save",
    "model.to": "model_operations:to",
    "trainer.create": "trainer_operations:create",
    "trainer.train": "trainer_operations:train",
    "trainer.evaluate": "trainer_operations:evaluate",
    "trainer.save_model": "trainer_operations:save_trained",
    "trainer.close": "trainer_operations:close",
    "trainer.state": "trainer_operations:state",
}


def invoke(op: str, request: str) -> str:
    """Run one operation; return its reply, or the exception that ended it, as one JSON text.

    Nothing is raised: a Python exception on the other side of pythonia has neither a type nor a message.
    """
    try:
        reply: dict[str, Any] = {"ok": _resolve(op)(json.loads(request))}
        return json.dumps(reply, allow_nan=False)
    except BaseException as error:  # KeyboardInterrupt and SystemExit included: the caller decides what they mean
        return json.dumps({"err": _describe(error)})


def _resolve(op: str) -> Operation:
    if op not in OPERATIONS:
        raise LookupError(f"there is no operation {op!r}")
    module, function = OPERATIONS[op].split(":")
    return getattr(importlib.import_module(f"bh_bridge.{module}"), function)


def _describe(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    return {
        "type": kind.__qualname__,
        "module": kind.__module__,
        "message": str(error),
        "code": getattr(error, "code", None) if isinstance(error, BridgeError) else None,
        "mro": [base.__qualname__ for base in kind.__mro__],
        "traceback": "".join(traceback.format_exception(error)),
    }
