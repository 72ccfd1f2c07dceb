"""The messages that both languages are tested with; `npm run generate:protocol` writes them."""

import json
from pathlib import Path
from typing import Any

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "contract" / "golden-messages.json").read_text(encoding="utf-8")
)


def golden_request(op: str) -> dict[str, Any]:
    """The request of an operation as TypeScript sends it for the default preset; the caller may change it."""
    entry = next(entry for entry in GOLDEN if (entry["kind"], entry.get("op"), entry["valid"]) == ("request", op, True))
    return json.loads(json.dumps(entry["message"]))
