"""Directories of saved models: where a model may be saved, and the tokenizer that is saved with it."""

from __future__ import annotations

from pathlib import Path

from transformers import PreTrainedTokenizerFast

from bh_bridge.data.tokenizing import load_tokenizer
from bh_bridge.storage import checkpoints
from bh_bridge.storage.disk_errors import FileUnwritable

SAVED_BY = "model.save"  # in the manifest of a save, but not of a checkpoint or final model
_FINDER_FILE = ".DS_Store"  # macOS creates it in every folder that Finder opens


def write_save_manifest(directory: Path) -> None:
    """Write the checksums of a saved model, which later prove that the directory contains only this save."""
    checkpoints.write_manifest(directory, saved_by=SAVED_BY)


def demand_free(target: Path, *, overwrite: bool) -> None:
    """FileUnwritable if a save to `target` would lose files; `overwrite` only allows replacing an unchanged save."""
    if target.is_symlink():
        raise FileUnwritable(f"{target} is a symbolic link and is not replaced: save to its target")
    if not target.exists():
        return
    if not target.is_dir():
        raise FileUnwritable(f"{target} is a file and is not replaced: name a directory")
    names = sorted(path.name for path in target.iterdir() if path.name != _FINDER_FILE)
    if not names:
        return
    problem = _problem_of_save(target, names)
    if problem is not None:
        raise FileUnwritable(f"{target} {problem} and is not replaced: name a new directory")
    if not overwrite:
        raise FileUnwritable(f"{target} already contains a model: save with overwrite: true, or name another directory")


def _problem_of_save(target: Path, names: list[str]) -> str | None:
    """Describe why a directory is not an unchanged save of a model; None if it is."""
    try:
        manifest = checkpoints.read_manifest(target)
        own = {checkpoints.MANIFEST, *manifest["files"]}
        is_save = manifest.get("saved_by") == SAVED_BY
    except (OSError, ValueError, KeyError, TypeError):
        is_save, own = False, set()
    if not is_save:
        name = next((name for name in names if name != checkpoints.MANIFEST), names[0])
        return f"contains {name} but no {checkpoints.MANIFEST} of a saved model"
    foreign = next((name for name in names if name not in own or not (target / name).is_file()), None)
    if foreign is not None:
        return f"contains {foreign}, which is not part of the saved model"
    problem = checkpoints.problem_of(target)
    return None if problem is None else f"was changed after the model was saved ({problem})"


def save_tokenizer(path: Path, directory: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json into a directory, so that AutoTokenizer makes the same tokens.

    Without tokenizer_config.json, transformers uses the tokenizer of the model's family, which splits text differently.
    """
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=load_tokenizer(str(path)), clean_up_tokenization_spaces=False)
    tokenizer.save_pretrained(directory)
