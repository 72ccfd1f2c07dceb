"""What holds for every test of the Python side."""

import json
import os
from pathlib import Path

from bh_bridge.bridge import channel

# A channel whose peer is gone ends its process. In a test runner that process has other tests to run: a channel that a
# test leaves behind must not take them along. The tests of that very behaviour put their own function here.
channel.leave = lambda: None

# Files that take long and that scripts/test.mjs leaves out.
ROOT = Path(__file__).resolve().parents[2]
collect_ignore = [str(ROOT / path) for path in json.loads(os.environ.get("LEFT_OUT_TESTS", "[]"))]
