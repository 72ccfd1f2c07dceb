"""examples/draw_figures.py draws what a description of a figure holds, with matplotlib."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples/draw_figures.py"


def axis(label: str, **over: object) -> dict[str, object]:
    return {"label": label, "unit": None, "scale": "linear", "zero": False, "domain": None, "ticks": None, **over}


def figure(*panels: tuple[dict[str, object], list[dict[str, object]]]) -> dict[str, object]:
    series = [
        {"name": name, "palette": "series", "color": at, "dash": at, "marker": at} for at, name in enumerate("ab")
    ]
    described = [
        {"title": f"panel {at}", "x": axis("x"), "y": axis("y"), "equal": False, **over, "marks": marks}
        for at, (over, marks) in enumerate(panels)
    ]
    sources = [{"name": "a run", "hash": "0123456789abcdef"}]
    texts = {"name": "made-up", "title": "Made up", "caption": "Of nothing."}
    return {
        "schema": "bh-bridge/figure@1",
        **texts,
        "sources": sources,
        "series": series,
        "panels": described,
        "columns": 2,
    }


@pytest.fixture(scope="module")
def draw():
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        import draw_figures  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.pop(0)
    return draw_figures.draw


def test_lines_and_bands_have_their_numbers_and_gaps_stay_gaps(draw):
    line = {"mark": "line", "series": 0, "x": [0, 1, 2], "y": [3.0, None, 5.0], "curve": "straight"}
    band = {"mark": "band", "series": 1, "x": [0, 1], "low": [1, 2], "high": [3, 4], "curve": "step"}
    over = {"x": axis("step", unit="s"), "y": axis("loss", scale="log", domain=[1, 10])}
    axes = draw(figure((over, [line, band]))).axes[0]
    x, y = axes.lines[0].get_data()
    assert list(x) == [0, 1, 2]
    assert np.array_equal(y, [3, np.nan, 5], equal_nan=True)
    assert (axes.get_xlabel(), axes.get_yscale(), axes.get_ylim()) == ("step (s)", "log", (1, 10))
    assert axes.collections[0].get_paths()[0].get_extents().get_points().tolist() == [[0, 1], [1, 4]]


def test_dots_bars_bins_cells_links_and_rules_are_drawn(draw):
    dots = {"mark": "dots", "series": 0, "x": [1, 2], "y": [3, 4], "labels": ["", "two"]}
    links = {"mark": "links", "series": 1, "x1": [1], "y1": [3], "x2": [2], "y2": [4]}
    rule = {"mark": "rule", "axis": "x", "at": 1.5, "text": "here"}
    bars = {"mark": "bars", "series": 0, "names": ["#1", "#2"], "values": [7, 2], "notes": ["a b", "c"]}
    bins = {"mark": "bins", "series": 1, "edges": [0, 1, 2], "counts": [4, 6]}
    cells = {"mark": "cells", "names": ["r", "s"], "edges": [0, 5, 10], "rows": ["01", "10"], "levels": [0, 1]}
    category = {"y": axis("", scale="category")}
    drawn = draw(figure(({"equal": True}, [dots, links, rule]), (category, [bars]), ({}, [bins]), ({}, [cells])))
    first, second, third, fourth = drawn.axes
    assert first.collections[0].get_offsets().tolist() == [[1, 3], [2, 4]]
    assert [text.get_text() for text in first.texts] == ["", "two", "here"]
    assert first.collections[1].get_segments()[0].tolist() == [[1, 3], [2, 4]]
    assert first.get_aspect() == 1
    assert [bar.get_width() for bar in second.patches] == [7, 2]
    assert [label.get_text() for label in second.get_yticklabels()] == ["#1", "#2"]
    assert third.patches[0].get_data().values.tolist() == [4, 6]
    assert np.asarray(fourth.collections[0].get_array()).reshape(2, 2).tolist() == [[0, 1], [1, 0]]
    assert sorted(text.get_text() for text in drawn.legends[0].get_texts()) == ["a", "b"]


def test_the_program_writes_a_file_beside_each_description_and_passes_the_list_over(tmp_path: Path):
    line = {"mark": "line", "series": 0, "x": [0, 1], "y": [3, 4], "curve": "step"}
    (tmp_path / "made-up.json").write_text(json.dumps(figure(({}, [line]))), encoding="utf-8")
    (tmp_path / "figures.json").write_text("[]", encoding="utf-8")
    paths = [str(path) for path in sorted(tmp_path.glob("*.json"))]
    subprocess.run([sys.executable, str(SCRIPT), *paths, "--to", "svg"], check=True)
    assert sorted(path.name for path in tmp_path.glob("*.svg")) == ["made-up.matplotlib.svg"]
    assert "a run (0123456789ab)" in (tmp_path / "made-up.matplotlib.svg").read_text(encoding="utf-8")
