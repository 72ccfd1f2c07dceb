"""Saving a model loses nothing: what else is at the place is named, and stays."""

from collections.abc import Callable
from pathlib import Path

import pytest
from bh_bridge.storage import checkpoints
from bh_bridge.storage.disk_errors import FileUnwritable
from bh_bridge.storage.model_directory import demand_free, write_save_manifest

MODEL = ["config.json", "generation_config.json", "model.safetensors"]


def folder(target: Path, *names: str) -> None:
    for name in names:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("years")
    target.mkdir(exist_ok=True)


def saved(target: Path, *names: str) -> None:
    folder(target, *names)
    write_save_manifest(target)


FREE: dict[str, Callable[[Path], object]] = {
    "nothing": lambda target: None,
    "an empty directory": lambda target: folder(target),
    "a directory that Finder has looked at": lambda target: folder(target, ".DS_Store"),
}
TAKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "a project": (lambda target: folder(target, ".git/HEAD", "src/main.py"), r"contains \.git but no MANIFEST"),
    "a thesis beside a model": (
        lambda target: folder(target, *MODEL, "thesis.tex"),
        r"contains config\.json but no MANIFEST",
    ),
    "a thesis beside a save": (
        lambda target: (saved(target, *MODEL), (target / "thesis.tex").touch()),
        r"contains thesis\.tex, which",
    ),
    "a model of somebody else": (lambda target: folder(target, *MODEL), r"contains config\.json but no MANIFEST"),
    "a save whose weights were trained on": (
        lambda target: (saved(target, *MODEL), (target / "model.safetensors").write_text("more")),
        r"was changed after the model was saved \(.*model\.safetensors differs",
    ),
    "a save that lost a file": (
        lambda target: (saved(target, *MODEL), (target / "config.json").unlink()),
        r"was changed after the model was saved \(.*config\.json",
    ),
    "a save with a folder in a file's place": (
        lambda target: (saved(target, *MODEL), (target / "config.json").unlink(), (target / "config.json").mkdir()),
        r"contains config\.json, which",
    ),
    "a model's folder in a model's place": (
        lambda target: folder(target, "model.safetensors/a"),
        r"contains model\.safetensors but no MANIFEST",
    ),
    "a configuration": (lambda target: folder(target, "config.json"), r"contains config\.json but no MANIFEST"),
    "the final model of a run": (
        lambda target: (folder(target, *MODEL), checkpoints.write_manifest(target, global_step=5)),
        r"contains config\.json but no MANIFEST\.json of a saved model",
    ),
    "a file": (lambda target: target.write_text("years"), "is a file"),
    "a link to a model": (
        lambda target: (folder(target.parent / "real", *MODEL), target.symlink_to("real")),
        "is a symbolic link",
    ),
    "a link that leads nowhere": (lambda target: target.symlink_to("nowhere"), "is a symbolic link"),
}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("make", FREE.values(), ids=FREE.keys())
def test_a_free_place_is_free(tmp_path: Path, make: Callable[[Path], object], overwrite: bool) -> None:
    make(tmp_path / "model")
    there = sorted(tmp_path.rglob("*"))
    demand_free(tmp_path / "model", overwrite=overwrite)
    assert sorted(tmp_path.rglob("*")) == there


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(("make", "message"), TAKEN.values(), ids=TAKEN.keys())
def test_what_is_not_an_earlier_save_is_never_replaced(
    tmp_path: Path, make: Callable[[Path], object], message: str, overwrite: bool
) -> None:
    make(tmp_path / "model")
    with pytest.raises(FileUnwritable, match=message):
        demand_free(tmp_path / "model", overwrite=overwrite)


@pytest.mark.parametrize("more", [[], ["modeling_gpt2_rmsnorm.py"], ["model-00001-of-00002.safetensors"]])
def test_an_earlier_save_is_replaced_when_that_is_asked_for(tmp_path: Path, more: list[str]) -> None:
    saved(tmp_path / "model", *MODEL, *more)
    with pytest.raises(FileUnwritable, match="already contains a model: save with overwrite: true"):
        demand_free(tmp_path / "model", overwrite=False)
    demand_free(tmp_path / "model", overwrite=True)
