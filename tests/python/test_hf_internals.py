"""Private parts of transformers, accelerate and torch are used in one module, which refuses versions that lack one."""

import ast
import importlib
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accelerate.state import GradientState
from bh_bridge import hf_internals
from bh_bridge.errors import DependencyUnfit
from torch import nn
from transformers import Trainer, TrainingArguments, trainer_pt_utils

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "bh_bridge"
LIBRARIES = {"accelerate", "torch", "transformers"}
# What transformers documents for authors of models. These files are copied beside a model, so they stand alone.
OF_AUTHORS = {"_init_weights", "_tied_weights_keys"}


def is_private(name: str) -> bool:
    return name == "trainer_pt_utils" or (name.startswith("_") and not name.endswith("__"))


def private_names(kind: type) -> set[str]:
    return {name for name in dir(kind) if is_private(name)}


TRAINER = (
    private_names(Trainer) | {name for name in hf_internals._names_used_by(Trainer) if is_private(name)}
) - private_names(object)
OTHERS = private_names(GradientState) | private_names(TrainingArguments) | set(vars(nn.Module()))


def imported_names(tree: ast.Module) -> set[str]:
    """The names that a module gives to what it imports from the libraries."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return {
        alias.asname or alias.name.split(".")[0]
        for node in imports
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).split(".")[0] in LIBRARIES
    }


def private_uses(path: Path) -> Iterator[str]:
    """Private parts of the libraries that a module names: imported, as an attribute, as a method, or as text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = imported_names(tree)
    own = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.split(".")[0] in LIBRARIES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LIBRARIES:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute) and ast.unparse(node).split(".")[0] in imported:
            names = [ast.unparse(node)]
        elif isinstance(node, ast.Attribute) and (
            node.attr in TRAINER or (node.attr in OTHERS and node.attr not in own)
        ):
            names = [node.attr]
        elif isinstance(node, ast.FunctionDef) and node.name in TRAINER:
            names = [node.name]
        elif isinstance(node, ast.Constant) and node.value in TRAINER | OTHERS:
            names = [str(node.value)]
        for name in names:
            if any(is_private(part) for part in name.split(".")):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {name}"


def test_no_other_module_names_a_private_part_of_the_libraries() -> None:
    found = {
        use
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name != "hf_internals.py"
        for use in private_uses(path)
        if not (path.name.startswith("modeling_") and use.split()[-1] in OF_AUTHORS)
    }
    assert found == set()


def test_the_search_finds_every_kind_of_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    module = tmp_path / "module.py"
    module.write_text(
        "import torch\nimport torch._dynamo\nfrom accelerate.state import GradientState as State\n"
        "torch.ops.aten._softmax_backward_data\nState._shared_state\nclass Mine:\n"
        "    def _save_checkpoint(self): self._tr_loss\nvars(args)['_n_gpu']\ngetattr(module, '_forward_hooks')\n"
    )
    found = {use.partition(" ")[2] for use in private_uses(module)}
    assert found >= {"torch._dynamo", "torch.ops.aten._softmax_backward_data", "State._shared_state"}
    assert found >= {"_save_checkpoint", "_tr_loss", "_n_gpu", "_forward_hooks"}


def test_the_installed_versions_have_every_part() -> None:
    assert hf_internals.missing_parts() == {"transformers": [], "accelerate": [], "torch": []}


@pytest.mark.parametrize(
    ("owner", "name", "said"),
    [
        (Trainer, "_clip_grad_norm", "Trainer._clip_grad_norm"),
        (Trainer, "_get_num_items_in_batch", "Trainer._get_num_items_in_batch"),
        (GradientState, "_shared_state", "GradientState._shared_state"),
        (trainer_pt_utils, "safe_globals", "trainer_pt_utils.safe_globals"),
    ],
)
def test_a_version_without_a_part_is_refused_with_the_one_to_install(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, said: str
) -> None:
    monkeypatch.delattr(owner, name)
    package = getattr(owner, "__module__", owner.__name__).split(".")[0]
    with pytest.raises(DependencyUnfit) as caught:
        importlib.reload(hf_internals)
    command = f'{sys.executable} -m pip install "{package}{hf_internals.RUN_WITH[package]}"'
    assert re.match(rf"{package} \d+\.\d+\S* has no {re.escape(said)}, which", str(caught.value))
    assert command in str(caught.value)
    assert caught.value.code == "PYTHON_DEPENDENCY_MISSING"


def test_an_attribute_that_trainer_no_longer_sets_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in transformers 5.0 to 5.2, which keep the loss in a local variable."""
    for name, function in list(vars(Trainer).items()):
        if "_tr_loss" in getattr(getattr(function, "__code__", None), "co_names", ()):
            monkeypatch.setattr(Trainer, name, lambda self: None)
    assert "Trainer._tr_loss" in hf_internals.missing_parts()["transformers"]


def test_the_ranges_are_those_of_the_project() -> None:
    lines: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    declared = dict(re.fullmatch(r"([a-z]+)(.*)", line).groups() for line in lines)  # pyright: ignore[reportOptionalMemberAccess]
    assert {name: declared[name] for name in hf_internals.RUN_WITH} == hf_internals.RUN_WITH
