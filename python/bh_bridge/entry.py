"""invoke(): the function that TypeScript calls for every operation."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from bh_bridge.bridge import channel
from bh_bridge.bridge.messages import Json
from bh_bridge.bridge.protocol import check_request
from bh_bridge.errors import describe
from bh_bridge.process.interrupts import interruptible
from bh_bridge.process.quick_import import quick_import

Operation = Callable[[Any], Mapping[str, object]]  # of the TypedDicts of bridge/messages.py

# Modules are imported on first use, because `hello` must select devices and threads before torch is loaded.
OPERATIONS: dict[str, str] = {
    "hello": "bh_bridge.process.environment:hello",
    "renew": "bh_bridge.process.renewal:renew",
    "release": "bh_bridge.bridge.registry:release",
    "model.create": "bh_bridge.operations.model_operations:create",
    "model.tensor": "bh_bridge.operations.model_operations:tensor",
    "model.set_tensor": "bh_bridge.operations.model_operations:set_tensor",
    "model.forward": "bh_bridge.operations.model_operations:forward",
    "model.generate": "bh_bridge.operations.model_operations:generate",
    "model.save": "bh_bridge.operations.model_operations:save",
    "model.to": "bh_bridge.operations.model_operations:to",
    "trainer.create": "bh_bridge.operations.trainer_operations:create",
    "trainer.train": "bh_bridge.operations.trainer_operations:train",
    "trainer.train_stack": "bh_bridge.gpu.stack_operations:train_stack",
    "trainer.evaluate": "bh_bridge.operations.trainer_operations:evaluate",
    "trainer.close": "bh_bridge.operations.trainer_operations:close",
    "trainer.state": "bh_bridge.operations.trainer_operations:state",
}


def invoke(op: str, request: str) -> str:
    """Run one operation; return its reply, or the exception that ended it, as JSON.

    It never raises, because pythonia loses the type and message of exceptions. `events` is the number of lines sent
    over the event channel: Node waits for them before it uses the reply.
    """
    try:
        reply = interruptible(lambda: json.dumps(_run(op, json.loads(request)), allow_nan=False))
        return f'{{"ok":{reply},"events":{channel.lines_sent()}}}'
    except BaseException as error:  # also KeyboardInterrupt and SystemExit, which the caller interprets
        return json.dumps({"err": describe(error), "events": channel.lines_sent()})


def _run(op: str, request: Json) -> Mapping[str, object]:
    if op != "hello":  # which checks its request once the versions match
        check_request(op, request)
    module, function = OPERATIONS[op].split(":")
    operation: Operation = getattr(_load(module), function)
    return operation(request)


def _load(name: str) -> ModuleType:
    loaded = sys.modules.get(name)
    if loaded is not None:
        return loaded
    with quick_import():
        return importlib.import_module(name)
