"""The mean loss of each epoch of fine-tuning."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from experiments.results.lora import Lora
from figures.style import COLOURS, new_figure, styled


def draw(values: Mapping[str, Lora]) -> Figure:
    """Draw the loss of the adapter as one line."""
    loss = values["lora"].loss
    figure = new_figure(height=1.9)
    with styled():
        axes = figure.subplots()
        axes.plot(range(1, len(loss) + 1), loss, marker="o", markersize=3, color=COLOURS["lora"])
        axes.set_xlabel("epoch")
        axes.set_ylabel("nats per token")
        axes.set_ylim(0, 1.08 * max(loss))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid()
    return figure
