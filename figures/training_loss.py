"""The mean training loss of each epoch, and beside it the accuracy on the validation images after each."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.results.trained import TrainedClassifier
from figures.style import COLOURS, in_percent, legend, new_figure, shortened, styled


def draw(values: Mapping[str, TrainedClassifier]) -> Figure:
    """Draw one line per trained classifier; without validation images there is the loss alone."""
    figure = new_figure(height=2.3 + 0.2 * len(values))
    curves = {"training loss": {stage: result.loss for stage, result in values.items()}}
    validation = {
        stage: tuple(estimate.value for estimate in result.validation)
        for stage, result in values.items()
        if result.validation
    }
    if validation:
        curves["validation accuracy"] = validation
    with styled():
        panels = figure.subplots(1, len(curves), squeeze=False)[0]
        for axes, (label, lines) in zip(panels, curves.items(), strict=True):
            for stage, heights in lines.items():
                epochs = range(1, len(heights) + 1)
                name = shortened(values[stage].model, 60)
                axes.plot(epochs, heights, marker="o", markersize=3, color=COLOURS[stage], label=name)
            axes.set_xlabel("epoch")
            axes.set_ylabel(label)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid()
        if validation:
            in_percent(panels[-1].yaxis)
        legend(figure, columns=1)
    return figure
