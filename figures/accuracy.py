"""Top-1 accuracy of each classifier with its 95 % interval."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from experiments.results.classification import Classification
from experiments.statistics.chance import chance
from figures.style import COLOURS, INK, QUIET, in_percent, new_figure, shortened, styled, whiskers
from reporting.numbers import percent


def draw(values: Mapping[str, Classification]) -> Figure:
    """Draw one horizontal bar per classifier, the interval as a whisker, guessing as a dashed line."""
    figure = new_figure(height=0.55 + 0.42 * len(values))
    with styled():
        axes = figure.subplots()
        for row, (stage, result) in enumerate(values.items()):
            top1 = result.top1
            errors = whiskers([top1])
            axes.barh(row, top1.value, xerr=errors, color=COLOURS[stage], height=0.6, capsize=3, ecolor=INK)
            axes.text(1.015, row, percent(top1.value), va="center", fontweight="bold")
        guessing = chance([sum(row) for row in next(iter(values.values())).confusion])
        axes.axvline(guessing, color=QUIET, linestyle="--", linewidth=0.9)
        beside, side = (0.008, "left") if guessing < 0.5 else (-0.008, "right")
        axes.text(guessing + beside, -0.42, "chance", color=QUIET, fontsize=8, va="bottom", ha=side)
        axes.set_yticks(range(len(values)), [shortened(result.model, 46) for result in values.values()])
        axes.set_ylim(len(values) - 0.55, -0.75)
        axes.set_xlim(0, 1)
        in_percent(axes.xaxis)
        axes.set_xlabel("top-1 accuracy on the test images")
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
    return figure
