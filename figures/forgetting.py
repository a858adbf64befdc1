"""What each way of tuning costs in what the captioner could do before, and what it brings in style."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from experiments.results.ablations import Ablations, Variant
from figures.style import COLOURS, new_figure, shortened, styled
from pipeline.result import Estimate


def draw(values: Mapping[str, Ablations]) -> Figure:
    """Draw two panels with a row per variant: held-out accuracy, and distance to the references' style.

    The base is a dashed line through both.
    """
    variants = values["ablations"].variants
    figure = new_figure(height=0.85 + 0.28 * len(variants))
    with styled():
        left, right = figure.subplots(1, 2, sharey=True)
        _panel(left, variants, [variant.held_out for variant in variants])
        left.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        left.set_xlabel("right class named, held-out images")
        _panel(right, variants, [variant.distance for variant in variants])
        right.set_xlabel("distance from references, bits")
        left.set_yticks(range(len(variants)), [shortened(variant.name, 30) for variant in variants])
        left.set_ylim(len(variants) - 0.5, -0.5)
    return figure


def _panel(axes: Axes, variants: Sequence[Variant], estimates: Sequence[Estimate]) -> None:
    for row, (variant, estimate) in enumerate(zip(variants, estimates, strict=True)):
        axes.errorbar(
            estimate.value, row, xerr=[[estimate.value - estimate.low], [estimate.high - estimate.value]],
            fmt={"base": "D", "lora": "o", "full": "s"}[variant.kind], color=COLOURS[variant.kind],
            markersize=4, linewidth=1.2, capsize=2,
        )  # fmt: skip
        if variant.kind == "base":
            axes.axvline(estimate.value, color=COLOURS["base"], linestyle="--", linewidth=0.9)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
