"""Accuracy of each classifier on each class, or where there are many on the hardest and the easiest."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from experiments.results.classification import Classification
from figures.selection import selection
from figures.style import COLOURS, in_percent, new_figure, shortened, styled, whiskers


def draw(values: Mapping[str, Classification]) -> Figure:
    """Draw a dot with its interval for each classifier in each class, classes as rows."""
    shown = selection(values)
    classes = next(iter(values.values())).classes
    figure = new_figure(height=0.6 + 0.18 * len(values) + 0.33 * len(shown.classes))
    with styled():
        axes = figure.subplots()
        for position, (stage, result) in enumerate(values.items()):
            rows = [row + 0.2 * (position - (len(values) - 1) / 2) for row in range(len(shown.classes))]
            estimates = [result.per_class[at] for at in shown.classes]
            middle = [estimate.value for estimate in estimates]
            axes.errorbar(
                middle, rows, xerr=whiskers(estimates), fmt="osD"[position % 3], color=COLOURS[stage],
                markersize=4, linewidth=1.2, label=shortened(result.model, 80),
            )  # fmt: skip
        if shown.hardest:
            axes.axhline(len(shown.hardest) - 0.5, color="#555555", linewidth=0.9, linestyle=":")
        axes.set_yticks(range(len(shown.classes)), [shortened(classes[at], 24) for at in shown.classes])
        axes.set_ylim(len(shown.classes) - 0.5, -0.5)
        axes.set_xlim(-0.01, 1.01)
        in_percent(axes.xaxis)
        axes.set_xlabel("accuracy within the class")
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside upper left", ncols=1, frameon=False)
    return figure
