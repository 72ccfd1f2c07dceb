"""Reports the configuration of a saved model as transformers reads it: `python read_saved_config.py MARKER REQUEST`.

Prints the marker and a JSON object on one line. Fields that older versions of transformers wrote have their present
names and forms, and omitted ones the defaults of their class. No code of the directory is run.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any, TypedDict


class Request(TypedDict):
    """As src/python/run-python-script.ts sends it."""

    directory: str
    type: str
    """The family in transformers, also of a model with replaced norms."""
    fields: list[str] | None
    """The fields to report; None for those that transformers saves."""


NOT_ARCHITECTURE = {"use_cache", "add_cross_attention"}


def read(request: Request) -> dict[str, Any]:
    """The fields of a configuration and its dtype; a problem if transformers rejects it."""
    from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig, logging

    logging.set_verbosity_error()
    path, kind = Path(request["directory"]), request["type"]
    own: Any = CONFIG_MAPPING[kind]
    try:
        saved = json.loads((path / "config.json").read_text(encoding="utf-8"))
        if saved.get("model_type") == kind:
            config: Any = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        else:  # its norms were replaced, or the file names no family
            config = own.from_dict(
                {name: value for name, value in saved.items() if name not in ("model_type", "auto_map")}
            )
    except Exception as error:  # of the class, of its checks, or of a field with an unexpected type
        return {"problem": " ".join(str(error.__cause__ or error).split())}
    everything = json.loads(config.to_json_string(use_diff=False))
    shown = json.loads(config.to_json_string()) if request["fields"] is None else everything
    shared = {field.name for field in dataclasses.fields(PreTrainedConfig)} | NOT_ARCHITECTURE
    known = {field.name for field in dataclasses.fields(own) if field.init} - shared
    wanted = known if request["fields"] is None else known & set(request["fields"])
    # Qwen3-MoE stores its field num_experts as num_local_experts.
    stored = {old: name for name, old in own.attribute_map.items() if name in known and old not in known}
    present = {stored.get(name, name): value for name, value in shown.items()}
    fields = {name: value for name, value in present.items() if name in wanted}
    return {"fields": fields, "dtype": everything.get("dtype")}


def main(marker: str, request: Request) -> None:
    """Print the marker and the answer."""
    # A script run by path does not find its package.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from bh_bridge.process.quick_import import quick_import

    with quick_import():
        answer = read(request)
    print("\n" + marker + json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
