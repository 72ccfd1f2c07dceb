"""Writes files as transformers does: `python write_hf_state.py MARKER REQUEST`, with a request in JSON.

Prints the marker and a JSON object on one line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TypedDict


class Request(TypedDict):
    """As src/python/run-python-script.ts sends it."""

    checkpoint: str | None
    tokenizer: str | None
    out: str


def main(marker: str, request: Request) -> None:
    """Write a training state that HF's Trainer resumes from, and a tokenizer that AutoTokenizer loads."""
    # A script run by path does not find its package.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from bh_bridge.errors import ConfigInvalid
    from bh_bridge.process.quick_import import quick_import

    out = Path(request["out"])
    answer = {}
    with quick_import():
        try:
            if request["checkpoint"] is not None:
                from bh_bridge.storage.trainer_state import export_trainer_state

                export_trainer_state(Path(request["checkpoint"]), out)
            if request["tokenizer"] is not None:
                from bh_bridge.storage.model_directory import save_tokenizer

                save_tokenizer(Path(request["tokenizer"]), out)
        except ConfigInvalid as error:
            answer = {"problem": str(error)}
    print("\n" + marker + json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
