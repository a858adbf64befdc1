"""What each way of tuning costs in what the captioner could do before, and what it brings in style."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from experiments.results.ablations import Ablations, Variant
from figures.style import COLOURS, new_figure, shortened, styled
from pipeline.result import Estimate


def draw(values: Mapping[str, Ablations]) -> Figure:
    """Draw a row per variant in a panel each of held-out accuracy and of distance to the references' style.

    Without held-out images there is the second panel alone. The base is a dashed line through each.
    """
    variants = values["ablations"].variants
    figure = new_figure(height=0.85 + 0.28 * len(variants))
    with styled():
        held_out = [variant.held_out for variant in variants if variant.held_out is not None]
        panels = figure.subplots(1, 2 if held_out else 1, sharey=True, squeeze=False)[0]
        left, right = panels[0], panels[-1]
        if held_out:
            _panel(left, variants, held_out)
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
