"""Top-1 accuracy of each classifier with its 95 % interval."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from experiments.results.classification import Classification
from experiments.statistics.chance import chance
from figures.style import COLOURS, new_figure, shortened, styled

_ROOM = 0.12
"""The share of the axis that a figure within its bar needs."""


def draw(values: Mapping[str, Classification]) -> Figure:
    """Draw one horizontal bar per classifier, the interval as a whisker, guessing as a dashed line."""
    figure = new_figure(height=0.55 + 0.45 * len(values))
    with styled():
        axes = figure.subplots()
        for row, (stage, result) in enumerate(values.items()):
            top1 = result.top1
            errors = [[top1.value - top1.low], [top1.high - top1.value]]
            axes.barh(row, top1.value, xerr=errors, color=COLOURS[stage], height=0.62, capsize=3)
            place, colour = (0.012, "white") if top1.low > _ROOM else (top1.high + 0.012, COLOURS[stage])
            axes.text(place, row, f"{100 * top1.value:.1f} %", color=colour, va="center", fontweight="bold")
        guessing = chance([sum(row) for row in next(iter(values.values())).confusion])
        axes.axvline(guessing, color="#555555", linestyle="--", linewidth=0.9)
        beside, side = (0.008, "left") if guessing < 0.5 else (-0.008, "right")
        axes.text(guessing + beside, -0.42, "chance", color="#555555", fontsize=8, va="bottom", ha=side)
        axes.set_yticks(range(len(values)), [shortened(result.model, 46) for result in values.values()])
        axes.set_ylim(len(values) - 0.55, -0.75)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.set_xlabel("top-1 accuracy on the test images")
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
    return figure
