"""The example notebook runs in Jupyter, against a real run, with plain libraries alone."""

import ast
import sys
from pathlib import Path
from typing import Any

import nbformat
import torch
from nbclient import NotebookClient
from safetensors.torch import load_file
from tiny_run import in_child, train

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples/open-a-run.ipynb"


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_imports_plain_libraries_alone_and_has_no_output_of_somebody_else() -> None:
    cells = _code(nbformat.read(NOTEBOOK, as_version=4))
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name or "").split(".")[0]
        for cell in cells
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported - set(sys.stdlib_module_names) == {"safetensors", "numpy", "matplotlib"}
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


def test_it_opens_a_run_counts_its_black_holes_and_draws_it(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    run = tmp_path / "runs/tiny"
    in_child(lambda: train(run))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in _code(notebook) for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    last = load_file(run / "history.safetensors")["embedding_history"][-1]
    counts = torch.unique(last.float(), dim=0, return_counts=True)[1]
    shared = counts[counts > 1]
    assert printed.splitlines() == [
        "41 states of 128 tokens in 8 dimensions",
        f"at the end C = {len(shared)}, P = {int(shared.sum())}, {len(counts)} distinct rows",
    ]
    assert [list(output.data) for output in outputs if output.output_type == "display_data"] == [
        ["text/plain", "image/png"]
    ] * 3
