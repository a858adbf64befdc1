"""The mean training loss of each epoch."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.results.trained import TrainedClassifier
from figures.style import COLOURS, new_figure, shortened, styled


def draw(values: Mapping[str, TrainedClassifier]) -> Figure:
    """Draw one line per trained classifier."""
    figure = new_figure(height=2.3)
    with styled():
        axes = figure.subplots()
        for stage, result in values.items():
            epochs = range(1, len(result.loss) + 1)
            axes.plot(
                epochs,
                result.loss,
                marker="o",
                markersize=3,
                color=COLOURS[stage],
                label=shortened(result.model, 60),
            )
        axes.set_xlabel("epoch")
        axes.set_ylabel("training loss")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid()
        axes.legend(frameon=False)
    return figure
