"""What holds for every test of the Python side."""

import json
import os
from pathlib import Path

from bh_bridge.bridge import channel

# A channel whose peer is gone ends its process. In a test runner that process has other tests to run: a channel that a
# test leaves behind must not take them along. The tests of that very behaviour put their own function here.
channel.leave = lambda: None

TESTS = Path(__file__).resolve().parents[1]
slow: list[str] = json.loads((TESTS / "slow.json").read_text()) if os.environ.get("QUICK_TESTS") == "1" else []
collect_ignore = [str(TESTS.parent / path) for path in slow]
