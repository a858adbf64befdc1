"""What classifiers call the images of each class, or where there are many their most frequent mistakes."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter, MaxNLocator

from experiments.results.classification import Classification
from figures.selection import pair, selection
from figures.style import COLOURS, INK, new_figure, shortened, styled

_SCALE = PowerNorm(0.5, vmin=0, vmax=100)
"""A few percent can be seen beside a hundred: the root of a share is drawn."""
_BLUES = LinearSegmentedColormap.from_list("shares", ["#ffffff", "#8db8dd", "#1b5e9b", "#0d2c4a"])
_TICKS = (0, 1, 5, 20, 50, 100)


def draw(values: Mapping[str, Classification]) -> Figure:
    """Draw the classifiers that `figures.confusion_pair` leaves, or all where it leaves none."""
    return compared({stage: values[stage] for stage in values if stage not in pair(values)} or values)


def compared(values: Mapping[str, Classification]) -> Figure:
    """Draw one matrix per classifier: rows are true classes, each cell the share of its row in percent.

    All have one scale. Where there are too many classes, draw bars for the number of images of each
    classifier's most frequent mistakes.
    """
    shown = selection(values)
    return _mistakes(values, shown.mistakes) if shown.mistakes else _matrices(values)


def _matrices(values: Mapping[str, Classification]) -> Figure:
    columns = min(2, len(values))
    rows = -(-len(values) // columns)
    figure = new_figure(height=3.2 * rows)
    figure.set_layout_engine("compressed")  # else a matrix alone stands off the middle: its cells are square
    with styled():
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes, result in zip(grid.flat, values.values(), strict=False):
            cells = _matrix(axes, result)
        for axes in grid.flat[len(values) :]:
            axes.set_axis_off()
        bar = figure.colorbar(cells, ax=grid, shrink=0.7, aspect=30, pad=0.015, ticks=_TICKS)
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.0f}\N{NO-BREAK SPACE}%"))
        bar.ax.tick_params(labelsize=7, length=2)
        bar.outline.set_visible(False)
    return figure


def _matrix(axes: Axes, result: Classification) -> AxesImage:
    counts = np.array(result.confusion, dtype=float)
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    cells = axes.imshow(shares, cmap=_BLUES, norm=_SCALE)
    for (row, column), share in np.ndenumerate(shares):
        if round(share) >= 1:
            colour = "white" if share > 35 else INK
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", fontsize=6, color=colour)
    axes.set_title(fill(shortened(result.model, 64), 36))
    names = [shortened(name, 16) for name in result.classes]
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return cells


def _mistakes(values: Mapping[str, Classification], made: Mapping[str, Sequence[tuple[int, int]]]) -> Figure:
    heights = [max(len(made[stage]), 1) for stage in values]
    figure = new_figure(height=0.9 * len(values) + 0.2 * sum(heights))
    with styled():
        grid = figure.subplots(len(values), 1, squeeze=False, height_ratios=heights)
        for axes, (stage, result) in zip(grid.flat, values.items(), strict=True):
            _bars(axes, result, made[stage], COLOURS[stage])
    return figure


def _bars(axes: Axes, result: Classification, pairs: Sequence[tuple[int, int]], colour: str) -> None:
    counts = [result.confusion[true][called] for true, called in pairs]
    names = [" → ".join(shortened(result.classes[at], 22) for at in pair) for pair in pairs]
    axes.set_title(shortened(result.model, 42), loc="left")
    axes.barh(range(len(counts)), counts, color=colour, height=0.62)
    for row, (count, (true, _)) in enumerate(zip(counts, pairs, strict=True)):
        axes.text(count, row, f" {count} of {sum(result.confusion[true])}", va="center", fontsize=7)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(max(len(names), 1) - 0.5, -0.5)
    axes.set_xlim(0, 1.18 * max(counts, default=1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("images" if counts else "no mistake")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
