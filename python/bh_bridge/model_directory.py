"""Where a model may be saved: in a new directory, in an empty one, or over an earlier save when that is asked for."""

from __future__ import annotations

import re
from pathlib import Path

from bh_bridge.storage import FileUnwritable

# What `save_model` writes. A MANIFEST.json is not among them: it belongs to a run.
_FILES = re.compile(
    r"config\.json|generation_config\.json|model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json"
    r"|modeling_(gpt2_rmsnorm|other_norms|tinylm)\.py"
)
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_FINDER_FILE = ".DS_Store"  # macOS leaves it in every folder that was looked at


def demand_free(target: Path, *, overwrite: bool) -> None:
    """FileUnwritable when something at `target` would be lost; `overwrite` gives an earlier save away, nothing else."""
    if target.is_symlink():
        raise FileUnwritable(
            f"{target} is a symbolic link, and is not replaced: save to the directory that it leads to"
        )
    if not target.exists():
        return
    if not target.is_dir():
        raise FileUnwritable(f"{target} is a file, and is not replaced: name a directory")
    names = sorted(path.name for path in target.iterdir() if path.name != _FINDER_FILE)
    foreign = next((name for name in names if not _FILES.fullmatch(name) or not (target / name).is_file()), None)
    if foreign is None and names and not any(name in names for name in _WEIGHTS):
        foreign = names[0]  # a config.json alone is no model
    if foreign is not None:
        raise FileUnwritable(
            f"{target} holds {foreign}, which is not a part of a saved model, and nothing is replaced: "
            "name a directory of the model's own"
        )
    if names and not overwrite:
        raise FileUnwritable(f"{target} holds a model already: save with overwrite: true, or name another directory")
