"""What each classifier calls the images of each class."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.results.classification import Classification
from figures.style import new_figure, styled


def draw(values: Mapping[str, Classification]) -> Figure:
    """Draw one matrix per classifier: rows are true classes, each cell the share of its row in percent."""
    columns = min(2, len(values))
    rows = -(-len(values) // columns)
    figure = new_figure(height=3.3 * rows)
    with styled():
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes, result in zip(grid.flat, values.values(), strict=False):
            _matrix(axes, result)
        for axes in grid.flat[len(values) :]:
            axes.set_axis_off()
    return figure


def _matrix(axes: Axes, result: Classification) -> None:
    counts = np.array(result.confusion, dtype=float)
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for (row, column), share in np.ndenumerate(shares):
        if round(share) >= 1:
            colour = "white" if share > 55 else "#222222"
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", fontsize=6, color=colour)
    axes.set_title(result.model)
    ticks = range(len(result.classes))
    axes.set_xticks(ticks, result.classes, rotation=90, fontsize=7)
    axes.set_yticks(ticks, result.classes, fontsize=7)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
