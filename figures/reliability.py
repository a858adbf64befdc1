"""How often each classifier is right where it says how sure it is."""

from collections.abc import Mapping
from textwrap import fill
from typing import Any

from matplotlib.figure import Figure

from experiments.results.classification import CLASSIFIERS
from figures.calibration import calibrations
from figures.style import COLOURS, MARKS, QUIET, in_percent, new_figure, shortened, styled, whiskers
from reporting.numbers import points


def draw(values: Mapping[str, Any]) -> Figure:
    """Draw a panel per classifier: confidence against accuracy, with the line on which both are the same."""
    data = values["data_sets"]
    classifiers = {stage: values[stage] for stage in CLASSIFIERS if stage in values}
    told = calibrations(classifiers, data.labels, data.labels_sha256)
    figure = new_figure(height=2.6)
    with styled():
        panels = figure.subplots(1, max(len(told), 1), sharey=True, squeeze=False)[0]
        for axes, (stage, found) in zip(panels, told.items(), strict=False):
            axes.plot([0, 1], [0, 1], color=QUIET, linestyle="--", linewidth=0.9)
            means = [each.confidence for each in found.bins]
            shares = [each.right.value for each in found.bins]
            axes.errorbar(
                means,
                shares,
                yerr=whiskers([each.right for each in found.bins]),
                color=COLOURS[stage],
                marker=MARKS[stage],
                markersize=4,
                linewidth=1.2,
            )
            axes.text(
                0.97, 0.03, f"gap {points(found.gap)}", ha="right", transform=axes.transAxes, fontsize=8
            )
            axes.set_title(fill(shortened(classifiers[stage].model, 60), 26))
            axes.set_xlim(0, 1.02)
            axes.set_ylim(0, 1.02)
            axes.set_xticks([0, 0.5, 1])
            in_percent(axes.xaxis)
            axes.grid()
            axes.set_xlabel("confidence")
        panels[0].set_ylabel("share that is right")
        in_percent(panels[0].yaxis)
    return figure
