"""Say what torch can compute with here, and what transformers calls its settings: `python doctor.py MARKER`.

Prints one line, the marker and a JSON object; imports torch and transformers, so it takes two seconds or more.
"""

import dataclasses
import json
import sys
from pathlib import Path

# The folder of a script stands first in the path: put the package there in place of its modules.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from transformers import TrainingArguments

from bh_bridge.environment import describe

answer = {
    "environment": describe(threads=None),
    "training_arguments": [field.name for field in dataclasses.fields(TrainingArguments)],
}
print("\n" + sys.argv[1] + json.dumps(answer))
