"""The reader in the documentation reads a real run, and notices damage."""

import re
import subprocess
import sys
from pathlib import Path

from tiny_run import in_child, train

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/run-directory.md"


def test_the_reader_of_the_document_reads_a_run_and_checks_it(tmp_path: Path) -> None:
    run, reader = tmp_path / "run", tmp_path / "read_run.py"
    in_child(lambda: train(run))
    (run / "run.json").write_text('{"name": "tiny", "status": "completed", "environment": {"torch": "2"}}')
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert len(blocks[0].splitlines()) <= 30
    reader.write_text(blocks[0])
    done = subprocess.run([sys.executable, str(reader), str(run)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "41 states of [128, 8], the last of step 40; every checksum holds"
    history = bytearray((run / "history.safetensors").read_bytes())
    history[-9] ^= 1
    (run / "history.safetensors").write_bytes(history)
    assert subprocess.run([sys.executable, str(reader), str(run)], capture_output=True, check=False).returncode != 0
