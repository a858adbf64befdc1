"""What the zero-shot model and the best other one call the images of each class, side by side."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from experiments.results.classification import Classification
from figures.confusion import compared
from figures.selection import pair


def draw(values: Mapping[str, Classification]) -> Figure:
    """Draw the two, or the one that there is."""
    return compared({stage: values[stage] for stage in pair(values)})
