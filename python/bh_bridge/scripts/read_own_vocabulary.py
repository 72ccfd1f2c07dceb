"""Reports the rows of the embedding of a user's own model: `python read_own_vocabulary.py MARKER REQUEST`.

Executes the file of code that the request names, as training would. Prints the marker and a JSON object on one line.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any


def read(request: dict[str, Any]) -> dict[str, Any]:
    """The vocabulary of a model, built without memory where its constructor allows it; a problem if it fails."""
    import torch

    from bh_bridge.errors import ConfigInvalid
    from bh_bridge.models import own_model

    source = Path(request["path"]).read_text(encoding="utf-8")
    code = {"path": request["path"], "sha256": hashlib.sha256(source.encode()).hexdigest(), "source": source}
    own = {name: request[name] for name in ("class", "fields", "embedding")}
    try:
        described = own_model.described({"type": "python", "code": code, **own})
        try:
            with torch.device("meta"):
                model = own_model.new(described)
        except ConfigInvalid:  # it computes with its weights while it is built
            model = own_model.new(described)
    except ConfigInvalid as error:
        return {"problem": str(error)}
    return {"vocab_size": len(own_model.embedding(model))}


def main(marker: str, request: dict[str, Any]) -> None:
    """Print the marker and the answer."""
    # A script run by path does not find its package.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from bh_bridge.process.quick_import import quick_import

    with quick_import():
        answer = read(request)
    print("\n" + marker + json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
