"""Draw figures of `bh-bridge report --figures` with matplotlib, to change what you like.

usage: draw_figures.py FIGURE.json ... [--to pdf|png|svg]

Each is written beside its description, as FIGURE.matplotlib.pdf. It needs matplotlib and nothing of bh-bridge.
"""

import argparse
import json
import math
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import ListedColormap
from matplotlib.path import Path

COLORS = {
    "series": ["#1f4e8c", "#c4560a", "#00796b", "#a0357f", "#7d6100", "#3d8fd1", "#7a2318", "#5c6370"],
    "levels": ["#e9ecef", "#f6d27a", "#e0742c", "#8a1c3c", "#2a0d3a"],
}
DASHES = ["-", (0, (7, 4)), (0, (2, 3)), (0, (10, 3, 2, 3)), (0, (5, 2)), (0, (14, 4)), (0, (1, 4))]
FEWEST_SMOOTHED = 100
# matplotlib's font lacks the pictures of control characters: they become ^@, ^A, ..., with a backslash as JSON has it.
CARETS = {0x2400 + code: "^" + json.dumps(chr(code ^ 64))[1:-1] for code in range(32)} | {0x2421: "^?"}
MARKERS = ["o", "s", "^", "D", "P", "*", "1"]


def color_of(series):
    colors = COLORS[series["palette"]]
    return colors[series["color"] % len(colors)]


def gaps(values):
    """Null is a gap."""
    return [float("nan") if value is None else value for value in values]


def smoothed(values):
    """Exponential mean over about a hundredth of the line, corrected for its initial bias."""
    weight = 1 - 1 / max(5, len(values) / 100)
    mean = norm = 0.0
    result = []
    for value in values:
        if not math.isnan(value):
            mean = weight * mean + (1 - weight) * value
            norm = weight * norm + (1 - weight)
        result.append(value if math.isnan(value) else mean / norm)
    return result


def draw_pies(axes, mark, all_series):
    """Each pie is drawn as markers in the shape of its slices."""
    slices = [all_series[index] for index in mark["slices"]]
    for x, y, radius, values, label in zip(
        mark["x"], mark["y"], mark["radius"], mark["values"], mark.get("labels", [""] * len(mark["x"])), strict=True
    ):
        start = 0.0
        for series, value in zip(slices, values, strict=True):
            share = value / sum(values)
            angles = [2 * math.pi * (start + share * part / 40) for part in range(41)]
            start += share
            if value > 0:
                rim = [(math.sin(angle), math.cos(angle)) for angle in angles]
                shape = Path([(0, 0), *rim, (0, 0)])
                largest = max(max(abs(a), abs(b)) for a, b in rim)  # matplotlib scales a marker by its extent
                axes.plot(
                    x,
                    y,
                    marker=shape,
                    markersize=2 * radius * largest * 0.75,
                    color=color_of(series),
                    markeredgewidth=0,
                )
        axes.annotate(label, (x, y), xytext=(radius, 0), textcoords="offset points", fontsize=7, va="center")
    for series in slices:
        axes.plot(
            [], [], MARKERS[series["marker"] % len(MARKERS)], color=color_of(series), label=series["name"] or None
        )


def draw_mark(axes, mark, all_series):
    kind = mark["mark"]
    series = all_series[mark["series"]] if "series" in mark else None
    style = {} if series is None else {"color": color_of(series), "label": series["name"] or None}
    steps = {"drawstyle": "steps-post"} if mark.get("curve") == "step" else {}
    if kind == "line":
        thin = {"linewidth": 0.7, "alpha": 0.5, "label": None}
        values = gaps(mark["y"])
        if mark.get("smooth") and len(values) >= FEWEST_SMOOTHED:
            axes.plot(mark["x"], values, **{**style, **thin})
            values = smoothed(values)
        look = thin if mark.get("thin") else {"linewidth": 1.5}
        dash = DASHES[series["dash"] % len(DASHES)]
        axes.plot(mark["x"], values, linestyle=dash, **{**style, **steps, **look})
    elif kind == "band":
        step = {"step": "post"} if steps else {}
        look = {"alpha": 0.85, "label": style["label"]} if mark.get("solid") else {"alpha": 0.18}
        low, high = gaps(mark["low"]), gaps(mark["high"])
        axes.fill_between(mark["x"], low, high, color=style["color"], linewidth=0, **look, **step)
    elif kind == "dots":
        sizes = [(2 * radius) ** 2 / 2 for radius in mark.get("radius", [3] * len(mark["x"]))]
        marker = MARKERS[series["marker"] % len(MARKERS)]
        axes.scatter(mark["x"], mark["y"], s=sizes, marker=marker, alpha=0.75, color=style["color"])
        axes.plot([], [], marker, **style)
        for x, y, text in zip(mark["x"], mark["y"], mark.get("labels", []), strict=False):
            axes.annotate(text, (x, y), xytext=(5, 0), textcoords="offset points", fontsize=7, va="center")
    elif kind == "pies":
        draw_pies(axes, mark, all_series)
    elif kind == "bars":
        places = range(len(mark["values"]))
        starts = mark.get("from", [0] * len(mark["values"]))
        lengths = [end - start for start, end in zip(starts, mark["values"], strict=True)]
        axes.barh(places, lengths, left=starts, alpha=0.8, **style)
        axes.set_yticks(places, mark["names"])
        axes.set_ylim(len(places) - 0.5, -0.5)
        for place, value, note in zip(places, mark["values"], [] if "from" in mark else mark["notes"], strict=False):
            beside = axes.annotate(
                note, (value, place), xytext=(4, 0), textcoords="offset points", fontsize=7, va="center"
            )
            beside.set(clip_on=True, clip_box=axes.bbox)
    elif kind == "bins":
        dash = DASHES[series["dash"] % len(DASHES)]
        axes.stairs(mark["counts"], mark["edges"], fill=True, alpha=0.14, color=style["color"])
        axes.stairs(mark["counts"], mark["edges"], linestyle=dash, **style)
    elif kind == "cells":
        levels = [all_series[level] for level in mark["levels"]]
        cells = [[int(digit) for digit in row] for row in mark["rows"]]
        edges = (mark["edges"], range(len(cells) + 1))
        colors = ListedColormap([color_of(level) for level in levels])
        axes.pcolormesh(*edges, cells, cmap=colors, vmin=-0.5, vmax=len(levels) - 0.5, rasterized=True)
        axes.invert_yaxis()
        for level in levels:
            axes.plot([], [], "s", color=color_of(level), label=level["name"])
    elif kind == "spans":
        draw_spans(axes, mark, all_series)
    elif kind == "links":
        starts = zip(mark["x1"], mark["y1"], strict=True)
        ends = zip(mark["x2"], mark["y2"], strict=True)
        axes.add_collection(LineCollection(list(zip(starts, ends, strict=True)), colors=style["color"], alpha=0.45))
    elif kind == "rule":
        line, place = (axes.axhline, (1, mark["at"])) if mark["axis"] == "y" else (axes.axvline, (mark["at"], 1))
        line(mark["at"], color="0.5", linestyle=":", linewidth=1)
        across, up = ("right", "bottom") if mark["axis"] == "y" else ("left", "top")
        frame = axes.get_yaxis_transform() if mark["axis"] == "y" else axes.get_xaxis_transform()
        axes.text(*place, mark["text"], transform=frame, ha=across, va=up, fontsize=7)


def draw_spans(axes, mark, all_series):
    """Rows of tokens: each span ends where the next one of its row starts."""
    spans = list(zip(mark["row"], mark["from"], mark["to"], mark["hole"], strict=True))
    levels = mark["levels"]
    boxes = {level: [] for level in levels}
    for (row, start, end, hole), following in zip(spans, [*spans[1:], (None, 0, 0, 0)], strict=True):
        if hole > 0:
            until = following[1] if following[0] == row else end
            corners = [(start, row), (until, row), (until, row + 1), (start, row + 1)]
            boxes[levels[min(hole, len(levels)) - 1]].append(corners)
    for level, corners in boxes.items():
        color = color_of(all_series[level])
        axes.add_collection(PolyCollection(corners, facecolors=color, edgecolors="none", antialiaseds=False))
        if corners:
            axes.plot([], [], "s", color=color, label=all_series[level]["name"] or None)
    gutter = all_series[mark["gutter"]]
    beside = axes.get_yaxis_transform()
    marks = [
        [(-0.02, row), (-0.005, row), (-0.005, row + 1), (-0.02, row + 1)]
        for row, dead in enumerate(mark["dead"])
        if dead >= 0.5
    ]
    axes.add_collection(
        PolyCollection(marks, facecolors=color_of(gutter), edgecolors="none", transform=beside, clip_on=False)
    )
    axes.yaxis.labelpad = 16
    axes.plot([], [], "s", color=color_of(gutter), label=gutter["name"])


def prepare_axis(axis, scale, limits, label, ticks):
    unit = "" if axis["unit"] is None else f" ({axis['unit']})"
    label(axis["label"] + unit, fontsize=9)
    if axis["scale"] == "log":
        scale("log")
    elif axis["scale"] == "symlog":
        scale("symlog", linthresh=1)
    if axis["domain"] is not None:
        limits(axis["domain"])
    elif axis["zero"] and axis["scale"] == "linear":
        low, high = limits()
        limits(sorted((min(low, 0), max(high, 0)), reverse=low > high))
    if axis["ticks"] is not None:
        ticks([tick["at"] for tick in axis["ticks"]], [tick["text"] for tick in axis["ticks"]], fontsize=8)


def draw_panel(axes, panel, series):
    for mark in panel["marks"]:
        draw_mark(axes, mark, series)
    prepare_axis(panel["x"], axes.set_xscale, axes.set_xlim, axes.set_xlabel, axes.set_xticks)
    if panel["y"]["scale"] != "category":
        prepare_axis(panel["y"], axes.set_yscale, axes.set_ylim, axes.set_ylabel, axes.set_yticks)
    if panel["equal"]:
        axes.set_aspect("equal", adjustable="box")
    axes.set_title(panel["title"], loc="left", fontsize=9, fontweight="bold")
    axes.tick_params(labelsize=8)


def draw(described):
    """A figure of `bh-bridge/figure@1` as a figure of matplotlib."""
    panels = described["panels"]
    columns = min(described["columns"], len(panels))
    rows = -(-len(panels) // columns)
    size = (8, 1 + (3.4 if rows == 1 else 2.6) * rows)
    figure, grid = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    for place, axes in enumerate(grid.flat):
        if place < len(panels):
            draw_panel(axes, panels[place], described["series"])
        else:
            axes.set_visible(False)
    figure.suptitle(described["title"], x=0.01, ha="left", fontsize=12)
    entries = {}
    for axes in grid.flat:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(name, handle)
    if entries:
        columns = max(1, min(4, 110 // (8 + max(map(len, entries)))))
        figure.legend(
            entries.values(), entries.keys(), loc="outside lower left", ncols=columns, fontsize=8, frameon=False
        )
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("figures", nargs="+", type=pathlib.Path, metavar="FIGURE.json")
    parser.add_argument("--to", default="pdf", choices=["pdf", "png", "svg"])
    options = parser.parse_args()
    for path in options.figures:
        described = json.loads(path.read_text(encoding="utf-8").translate(CARETS))
        if not isinstance(described, dict) or described.get("schema") != "bh-bridge/figure@1":
            continue  # figures.json and MANIFEST.json, the lists of the folder
        figure = draw(described)
        runs = ", ".join(f"{source['name']} ({source['hash'][:12]})" for source in described["sources"])
        title = {"Title": f"{described['title']}: {runs}"}
        figure.savefig(path.with_suffix(f".matplotlib.{options.to}"), dpi=200, metadata=title)
        plt.close(figure)
