"""Reports devices, the builds of engine `portable`, and the settings of transformers: `python doctor.py MARKER`.

Prints the marker and a JSON object on one line. Importing torch and transformers takes two seconds or more.
"""

import dataclasses
import json
import sys
from pathlib import Path


def main(marker: str) -> None:
    """Print the marker and the answer."""
    # A script run by path does not find its package.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from bh_bridge.portable.choice import report
    from bh_bridge.process.environment import describe
    from bh_bridge.process.quick_import import quick_import

    with quick_import():
        from transformers import GPT2Config, TrainingArguments

    answer = {
        "environment": describe(threads=None),
        "portable": report(),
        "training_arguments": [field.name for field in dataclasses.fields(TrainingArguments)],
        "gpt2_config": sorted(vars(GPT2Config())),
    }
    print("\n" + marker + json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
