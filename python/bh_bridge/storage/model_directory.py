"""Where a model may be saved: in a new directory, in an empty one, or over an earlier save when that is asked for."""

from __future__ import annotations

from pathlib import Path

from transformers import PreTrainedTokenizerFast

from bh_bridge.data.tokenizing import load_tokenizer
from bh_bridge.storage import checkpoints
from bh_bridge.storage.disk_errors import FileUnwritable

SAVED_BY = "model.save"  # in the manifest of a save; the final model of a run and a checkpoint do not have it
_FINDER_FILE = ".DS_Store"  # macOS leaves it in every folder that was looked at


def write_save_manifest(directory: Path) -> None:
    """Write the checksums of a saved model beside it, which prove later that the directory holds this save alone."""
    checkpoints.write_manifest(directory, saved_by=SAVED_BY)


def demand_free(target: Path, *, overwrite: bool) -> None:
    """FileUnwritable when something at `target` would be lost; `overwrite` allows replacing an unchanged save only."""
    if target.is_symlink():
        raise FileUnwritable(
            f"{target} is a symbolic link, and is not replaced: save to the directory that it leads to"
        )
    if not target.exists():
        return
    if not target.is_dir():
        raise FileUnwritable(f"{target} is a file, and is not replaced: name a directory")
    names = sorted(path.name for path in target.iterdir() if path.name != _FINDER_FILE)
    if not names:
        return
    problem = _problem_of_save(target, names)
    if problem is not None:
        raise FileUnwritable(f"{target} {problem}, and nothing is replaced: name a directory of the model's own")
    if not overwrite:
        raise FileUnwritable(f"{target} holds a model already: save with overwrite: true, or name another directory")


def _problem_of_save(target: Path, names: list[str]) -> str | None:
    """Why a directory is not an unchanged save of a model."""
    try:
        manifest = checkpoints.read_manifest(target)
        own = {checkpoints.MANIFEST, *manifest["files"]}
        is_save = manifest.get("saved_by") == SAVED_BY
    except (OSError, ValueError, KeyError, TypeError):
        is_save, own = False, set()
    if not is_save:
        name = next((name for name in names if name != checkpoints.MANIFEST), names[0])
        return f"holds {name} and no {checkpoints.MANIFEST} of a saved model"
    foreign = next((name for name in names if name not in own or not (target / name).is_file()), None)
    if foreign is not None:
        return f"holds {foreign}, which is not a part of the saved model"
    problem = checkpoints.problem_of(target)
    return None if problem is None else f"was changed after the model was saved ({problem})"


def save_tokenizer(path: Path, directory: Path) -> None:
    """Write a tokenizer.json and its tokenizer_config.json into a directory: AutoTokenizer makes the same tokens.

    Without the latter transformers takes the tokenizer of the model's family, which splits a text otherwise.
    """
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=load_tokenizer(str(path)), clean_up_tokenization_spaces=False)
    tokenizer.save_pretrained(directory)
