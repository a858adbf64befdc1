"""Accuracy of each classifier on each class."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from experiments.results.classification import Classification
from figures.style import COLOURS, new_figure, styled


def draw(values: Mapping[str, Classification]) -> Figure:
    """Draw a dot with its interval for each classifier in each class, classes as rows."""
    classes = next(iter(values.values())).classes
    figure = new_figure(height=0.9 + 0.33 * len(classes))
    with styled():
        axes = figure.subplots()
        for position, (stage, result) in enumerate(values.items()):
            rows = [row + 0.2 * (position - (len(values) - 1) / 2) for row in range(len(classes))]
            middle = [estimate.value for estimate in result.per_class]
            errors = [
                [estimate.value - estimate.low for estimate in result.per_class],
                [estimate.high - estimate.value for estimate in result.per_class],
            ]
            axes.errorbar(
                middle, rows, xerr=errors, fmt="osD"[position % 3], color=COLOURS[stage], markersize=4,
                linewidth=1.2, label=result.model,
            )  # fmt: skip
        axes.set_yticks(range(len(classes)), classes)
        axes.set_ylim(len(classes) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel("accuracy within the class")
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside upper left", ncols=1, frameon=False)
    return figure
