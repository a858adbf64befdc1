"""The words that captions use more often, and less often, after fine-tuning than before."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.results.captions import Comparison
from figures.shifts import Shift, shifts
from figures.style import COLOURS, INK, QUIET, in_percent, legend, new_figure, shortened, styled


def draw(values: Mapping[str, Comparison]) -> Figure:
    """Draw a row per word in a panel each of those that rose and those that fell, from before to after."""
    rising, falling = shifts(values["captions"].records)
    figure = new_figure(height=0.95 + 0.22 * max(len(rising), len(falling), 1))
    with styled():
        panels = figure.subplots(1, 2)
        for axes, found, title in zip(
            panels, (rising, falling), ("used more often", "used less often"), strict=True
        ):
            axes.set_title(title if found else f"no word is {title}", loc="left", fontweight="bold")
            _panel(axes, found, max(len(rising), len(falling), 1))
        legend(figure, columns=3)
    return figure


def _panel(axes: Axes, found: Sequence[Shift], rows: int) -> None:
    for row, shift in enumerate(found):
        colour = COLOURS["lora"]
        axes.plot([shift.before, shift.after], [row, row], color=colour, linewidth=2, alpha=0.35)
        axes.plot(shift.before, row, "o", color=QUIET, markerfacecolor="none", markersize=5, label="before")
        axes.plot(shift.after, row, "o", color=colour, markersize=5, label="after")
        axes.plot(shift.references, row, "|", color=INK, markersize=9, label="first references")
    axes.set_yticks(range(len(found)), [shortened(shift.word, 18) for shift in found])
    axes.set_ylim(rows - 0.5, -0.5)
    axes.set_xlim(-0.02, 1.02)
    in_percent(axes.xaxis)
    axes.set_xlabel("photos whose caption has the word")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
