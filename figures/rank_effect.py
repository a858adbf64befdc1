"""What each way of tuning, by rising rank, costs and brings."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from experiments.results.ablations import Ablations, Variant
from figures.style import COLOURS, MARKS, in_percent, new_figure, shortened, styled, whiskers
from pipeline.result import Estimate


def draw(values: Mapping[str, Ablations]) -> Figure:
    """Draw a row per variant in panels of held-out accuracy, of distance to the references' style, of size.

    The base is a dashed line through the first two, which are joined from adapter to adapter of the same
    targets in the order of their rank. Without held-out images there is no first panel.
    """
    variants = values["ablations"].variants
    figure = new_figure(height=0.85 + 0.26 * len(variants))
    with styled():
        held_out = [variant.held_out for variant in variants if variant.held_out is not None]
        panels = figure.subplots(1, 3 if held_out else 2, sharey=True, squeeze=False)[0]
        if held_out:
            _estimates(panels[0], variants, held_out)
            in_percent(panels[0].xaxis)
            panels[0].set_xlabel("right class named,\nheld-out images")
        _estimates(panels[-2], variants, [variant.distance for variant in variants])
        panels[-2].set_xlabel("distance from the\nreferences' style, bits")
        _sizes(panels[-1], variants)
        panels[0].set_yticks(range(len(variants)), [shortened(variant.name, 28) for variant in variants])
        panels[0].set_ylim(len(variants) - 0.5, -0.5)
        for axes in panels:
            axes.tick_params(axis="y", length=0)
    return figure


def _estimates(axes: Axes, variants: Sequence[Variant], estimates: Sequence[Estimate]) -> None:
    series = [
        row for row, variant in enumerate(variants) if variant.kind == "lora" and _is_main(variant, variants)
    ]
    axes.plot(
        [estimates[row].value for row in series], series, color=COLOURS["lora"], linewidth=0.8, alpha=0.6
    )
    for row, (variant, estimate) in enumerate(zip(variants, estimates, strict=True)):
        axes.errorbar(
            estimate.value, row, xerr=whiskers([estimate]),
            **_style(variant), linewidth=1.2, capsize=2,
        )  # fmt: skip
        if variant.kind == "base":
            axes.axvline(estimate.value, color=COLOURS["base"], linestyle="--", linewidth=0.9)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4))
    axes.grid(axis="x")


def _is_main(variant: Variant, variants: Sequence[Variant]) -> bool:
    """Tell whether a variant has the targets that most adapters have."""
    targets = [frozenset(each.targets) for each in variants if each.kind == "lora"]
    return frozenset(variant.targets) == max(targets, key=targets.count)


def _sizes(axes: Axes, variants: Sequence[Variant]) -> None:
    for row, variant in enumerate(variants):
        if variant.saved_bytes:
            axes.plot(variant.saved_bytes / 1e6, row, linestyle="none", **_style(variant))
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.xaxis.set_major_locator(LogLocator(numticks=4))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("to keep beside\nthe base, MB")
    axes.grid(axis="x")


def _style(variant: Variant) -> dict[str, Any]:
    return {"color": COLOURS[variant.kind], "marker": MARKS[variant.kind], "markersize": 4.5}
