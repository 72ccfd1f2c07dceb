"""Reports what only Python knows of a model: `python read_model.py MARKER REQUEST`, with a request in JSON.

`do` of the request is `config` (of a saved model) or `vocabulary` (of a model of the user's own). Prints the marker and
a JSON object on one line.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from pathlib import Path
from typing import Any, TypedDict


class ConfigRequest(TypedDict):
    """As src/python/run-python-script.ts sends it."""

    directory: str
    type: str
    """The family in transformers, also of a model with replaced norms."""
    fields: list[str] | None
    """The fields to report; None for those that transformers saves."""


VocabularyRequest = TypedDict(
    "VocabularyRequest", {"path": str, "class": str, "fields": dict[str, object], "embedding": str | None}
)


NOT_ARCHITECTURE = {"use_cache", "add_cross_attention"}


def read_config(request: ConfigRequest) -> dict[str, object]:
    """The fields of a saved configuration as transformers reads it, and its dtype; a problem if it rejects them.

    Fields that older versions wrote have their present names and forms, and omitted ones the defaults of their class.
    No code of the directory is run.
    """
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


def read_vocabulary(request: VocabularyRequest) -> dict[str, object]:
    """The rows of the embedding of a user's own model, whose file of code is executed as training would.

    The model is built without memory where its constructor allows it; a problem if that fails.
    """
    import torch

    from bh_bridge.errors import ConfigInvalid
    from bh_bridge.models import own_model

    source = Path(request["path"]).read_text(encoding="utf-8")
    code = {"path": request["path"], "sha256": hashlib.sha256(source.encode()).hexdigest(), "source": source}
    try:
        described = own_model.described({**request, "type": "python", "code": code})
        try:
            with torch.device("meta"):
                model = own_model.new(described)
        except ConfigInvalid:  # it computes with its weights while it is built
            model = own_model.new(described)
    except ConfigInvalid as error:
        return {"problem": str(error)}
    return {"vocab_size": len(own_model.embedding(model))}


def main(marker: str, request: Any) -> None:
    """Print the marker and the answer."""
    # A script run by path does not find its package.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from bh_bridge.process.quick_import import quick_import

    with quick_import():
        answer = read_config(request) if request["do"] == "config" else read_vocabulary(request)
    print("\n" + marker + json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
