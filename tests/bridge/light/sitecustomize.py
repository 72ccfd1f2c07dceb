"""Python without torch, for tests of the bridge itself: it starts in 0.2 s, and has operations of its own.

On PYTHONPATH it is run by every interpreter that starts. Everything else is the real thing: process, pipes, entry,
registry, event log.
"""

import sys
import types

try:
    from bh_bridge import entry
except ImportError:  # an interpreter that is only asked for its version
    pass
else:
    torch = types.ModuleType("torch")
    torch.__version__ = "0.0"
    torch.set_num_threads = lambda count: None
    torch.get_num_threads = lambda: 1
    torch.cuda = types.SimpleNamespace(is_available=lambda: False)
    torch.backends = types.SimpleNamespace(
        cpu=types.SimpleNamespace(get_cpu_capability=lambda: "none"),
        mps=types.SimpleNamespace(is_available=lambda: False),
    )
    sys.modules["torch"] = torch
    entry.OPERATIONS.update(
        {
            "model.create": "light_operations:create",
            "model.save": "light_operations:act",
            "model.generate": "light_operations:generate",
            "trainer.create": "light_operations:create_training",
            "trainer.train": "light_operations:train",
            "trainer.close": "bh_bridge.bridge.registry:release",
        }
    )
