"""The CPU path meets the code for GPUs at one place."""

import re
from pathlib import Path

import bh_bridge

PACKAGE = Path(bh_bridge.__file__).parent


def test_the_rest_of_the_package_imports_gpu_code_from_its_door_only() -> None:
    sources = {path.relative_to(PACKAGE): path.read_text() for path in PACKAGE.rglob("*.py")}
    outside = {path: text for path, text in sources.items() if path.parts[0] != "gpu"}
    inner = {
        str(path): found
        for path, text in outside.items()
        if (found := re.findall(r"(?:from|import) bh_bridge\.gpu\.\S+", text))
    }
    door = {str(path) for path, text in outside.items() if "from bh_bridge.gpu import" in text}
    assert inner == {}
    assert door == {"engines/fast.py", "engines/run_trainer.py"}
